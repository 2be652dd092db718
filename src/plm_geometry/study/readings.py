"""Proteins read in every way that a paper may leave open: cut, padded, pooled, by layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.run import N_GROUPS
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.moments import Moments
from plm_geometry.models.pooling import possible_poolings
from plm_geometry.proteins.fasta import Proteins, cut_to
from plm_geometry.study.embedding import load, stored

if TYPE_CHECKING:
    from plm_geometry.models import Embedder
    from plm_geometry.study import Study

# With two special tokens they fill 128 and 512 positions, lengths that ProteinBERT was trained
# with: a strong cut, and a usual one.
TRUNCATIONS = (126, 510)
# Of ProteinBERT, which sees its padding; a number is tried where it holds the longest protein.
PADDINGS = ("none", "power of two")
LAYERS = {"one before": -2, "last": -1}
# In place of a pooling: the global embedding that an architecture makes itself.
OWN = "own"
# Where a model leaves nothing to choose, as a file of embeddings does.
AS_IT_IS = "as it is"
UNCUT = "whole"
# Blocks, of `N_GROUPS`, in a sample of the proteins; and how often such a sample is drawn.
_SIZES = (2, 5)
_DRAWS = 3


@dataclass(frozen=True)
class Subset:
    """A sample of the proteins, made of whole blocks.

    Attributes
    ----------
    choice : dict of str to str
        ``proteins``, how many, and ``draw``, which of several draws.
    blocks : ndarray of int
    members : ndarray of bool, shape (n_proteins,)
    """

    choice: dict[str, str]
    blocks: np.ndarray
    members: np.ndarray


@dataclass(frozen=True)
class Reading:
    """What one pass of a model over the proteins gives.

    Attributes
    ----------
    choice : dict of str to str
        ``truncation`` and ``padding``.
    vectors : list of (dict, ndarray of shape (n_proteins, width))
        With the choices of each: ``pooling``, ``layer``, and those of the pass.
    blocks : sequence of mapping of str to Moments
        Of the last layer's residues by block and letter; empty ones of a file of embeddings.
    earlier : mapping of str to Moments
        Of the residues of the layer before, over all proteins.
    """

    choice: dict[str, str]
    vectors: list[tuple[dict[str, str], np.ndarray]]
    blocks: Sequence[Mapping[str, Moments]] = ({},) * N_GROUPS
    earlier: Mapping[str, Moments] = field(default_factory=dict)


class Readings:
    """Some of a study's proteins, read by its models in every way."""

    def __init__(self, study: "Study"):
        self.study = study

    @cached_property
    def chosen(self) -> np.ndarray:
        """Positions of the proteins that are read, among the `common` ones, ascending."""
        settings, n_common = self.study.settings, len(self.study.common)
        n = min(settings.n_choices, n_common)
        if n < 2 * N_GROUPS:
            raise InputError(
                f"comparing choices needs at least {2 * N_GROUPS} proteins, and there are {n}."
            )
        rng = np.random.default_rng(settings.seed)
        return np.sort(rng.choice(n_common, n, replace=False))

    @cached_property
    def subsets(self) -> list[Subset]:
        """Samples of the chosen proteins: nested ones of each draw, and all of them."""
        n, seed = len(self.chosen), self.study.settings.seed
        # The blocks that `embed` keeps residues' moments by.
        block_of = draw_blocks(n, n_blocks=N_GROUPS, seed=seed)
        rng = np.random.default_rng(seed)
        draws = [rng.permutation(N_GROUPS) for _ in range(_DRAWS)]
        sized = [(draw, size) for size in _SIZES for draw in range(_DRAWS)] + [(0, N_GROUPS)]
        found = []
        for draw, size in sized:
            blocks = draws[draw][:size]
            choice = {"proteins": f"{round(n * size / N_GROUPS):,}", "draw": str(draw + 1)}
            found.append(Subset(choice, blocks, np.isin(block_of, blocks)))
        return found

    @cached_property
    def of(self) -> dict[str, list[Reading]]:
        """Each model's readings of the `chosen` proteins, computed or found on disk."""
        return {name: list(self._read_every_way(name)) for name in self.study.names}

    def _read_every_way(self, name: str) -> Iterator[Reading]:
        settings, architecture = self.study.settings, self.study.card(name).architecture
        if architecture == "file of embeddings":
            choice = {"truncation": AS_IT_IS, "padding": AS_IT_IS}
            vectors = self.study.vectors(name)[self.chosen]
            yield Reading(choice, [({"pooling": AS_IT_IS, "layer": AS_IT_IS, **choice}, vectors)])
            return
        paddings = dict.fromkeys([settings.padded_length, *PADDINGS])
        for padding in paddings if architecture == "proteinbert" else [AS_IT_IS]:
            models = load(settings, name, "none" if padding == AS_IT_IS else padding)
            for truncation, proteins in self._cut_in_every_way(models[0]).items():
                choice = {"truncation": truncation, "padding": padding}
                yield self._reading(name, models, proteins, choice)

    def _cut_in_every_way(self, model: "Embedder") -> dict[str, Proteins]:
        """Return the chosen proteins whole and cut, as far as the model takes and it matters."""
        whole = self.study.common.select(self.chosen)
        lengths = {self.study.settings.max_residues, 0, *TRUNCATIONS} - {0}
        cut = {n: cut_to(whole, n)[0] for n in sorted(lengths, reverse=True)}
        found = {UNCUT: whole}
        found |= {f"{n:,}": some for n, some in cut.items() if n < whole.lengths.max()}
        limit = model.max_residues or np.inf
        return {name: some for name, some in found.items() if some.lengths.max() <= limit}

    def _reading(
        self, name: str, models: Sequence["Embedder"], proteins: Proteins, choice: dict[str, str]
    ) -> Reading:
        # From the earliest on: the last layer's residues are the ones kept by block.
        layers = {layer: n for layer, n in LAYERS.items() if n == -1 or models[0].n_layers >= -n}
        poolings, settings = possible_poolings(models[0]), self.study.settings
        pooling = ",".join(poolings) or "mean"  # ignored by a model that pools itself
        numbers = tuple(layers.values())
        store = stored(settings, name, models, proteins, layers=numbers, pooling=pooling)
        if left_out := store.left_out:
            raise InputError(
                f"memory was not enough for {', '.join(left_out)}, read by {name}; "
                "choose a smaller n_choices or leave these proteins out."
            )
        vectors = [
            ({"pooling": pooling, "layer": layer, **choice}, part)
            for place, layer in enumerate(layers)
            for pooling, part in zip(
                poolings or (OWN,),
                np.split(store.read_vectors(place), max(1, len(poolings)), axis=1),
                strict=True,
            )
        ]
        earlier = store.group_moments(0)[0] if len(layers) > 1 else {}
        return Reading(choice, vectors, store.group_moments(-1), earlier)
