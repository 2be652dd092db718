"""Proteins through a model: pooled vectors, moments of the residues, and memory running out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.plan import Plan, batches
from plm_geometry.isotropy.moments import Accumulator, Moments
from plm_geometry.models.base import Embedder, Output, ProteinError
from plm_geometry.models.pooling import ALIASES, POOLINGS, n_sampled, pool
from plm_geometry.proteins.fasta import Proteins

# By layer (its number among those kept), group of proteins and residue letter: "0/7/A". Groups are
# apart in the last layer alone; in earlier ones all proteins are in group 0.
KeyedMoments = dict[str, Moments]

# Residue vectors gathered before they go into the moments: enough rows for fast matrix products.
_BUFFER_ROWS = 32_768


def residue_vectors(output: Output) -> list[np.ndarray]:
    """Return the residues of a batch, one protein after another: ``(n, residue_width)`` a layer."""
    return [hidden[output.is_residue].float().cpu().numpy() for hidden in output.hidden]


class ResidueSums:
    """Gathers residue vectors and adds them to the moments of their amino acids in large pieces."""

    def __init__(self):
        self._sums, self._batches, self._n = Accumulator(), [], 0

    def add(self, vectors: list[np.ndarray], sequences: Sequence[str], groups: np.ndarray) -> None:
        """Take a batch's `residue_vectors`, its sequences, and the groups these belong to."""
        letters = np.frombuffer("".join(sequences).encode(), dtype=np.uint8)
        self._batches.append((letters, np.repeat(groups, list(map(len, sequences))), vectors))
        self._n += len(letters)
        if self._n >= _BUFFER_ROWS:
            self.finish()

    def finish(self) -> KeyedMoments:
        """Add what is left and return the moments."""
        if self._batches:
            letters, groups, layers = zip(*self._batches, strict=True)
            letters, groups = np.concatenate(letters), np.concatenate(groups)
            for layer, parts in enumerate(zip(*layers, strict=True)):
                apart, vectors = groups * (layer == len(layers[0]) - 1), np.concatenate(parts)
                for code, group in np.unique([letters, apart], axis=1).T:
                    some = vectors[(letters == code) & (apart == group)]
                    self._sums.add(some, range(len(some)), f"{layer}/{group}/{chr(code)}")
        self._batches, self._n = [], 0
        return self._sums.moments


@dataclass(frozen=True)
class Choices:
    """What to keep of the model's states, and how proteins are drawn.

    Attributes
    ----------
    layers : sequence of int
        Layers to keep, counted as Python counts (-1: the last).
    pooling : {"mean", "mean_with_special", "mean_with_start", "first", "max", "final"}
        From residues to the protein: ``final`` is the last residue's state, the whole protein's
        in a recurrent model; ``mean_with_start`` is UniRep's ``mean_with_special``. Several, parted
        by commas, stand side by side. ``mean_of_16`` is the mean of 16 residues drawn at random
        (any number will do). Models that make a global embedding themselves ignore it.
    keep_residues : bool
        Whether the store also keeps every residue's embedding, of the last of `layers`.
    residue_moments : bool
        Whether it keeps the residues' moments and sample. Without them there are no groups to
        keep apart, so that batches are larger and fewer.
    seed : int
        Of the draw of groups of proteins, and of the residues whose vectors are kept.
    families : sequence of str, optional
        The family of each protein: a family stays within one group.

    Raises
    ------
    InputError
        If a pooling is unknown.
    """

    layers: Sequence[int] = (-1,)
    pooling: str = "mean"
    keep_residues: bool = False
    residue_moments: bool = True
    seed: int = 0
    families: Sequence[str] | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.poolings if not n_sampled(name)]
        if unknown := {*unknown} - {*POOLINGS, *ALIASES}:
            known = ", ".join(POOLINGS)
            raise InputError(f"pooling {unknown.pop()!r} is unknown; use {known} or mean_of_16.")

    @property
    def poolings(self) -> tuple[str, ...]:
        """The poolings by name."""
        return tuple(self.pooling.split(","))


@dataclass
class Block:
    """What a block of proteins gives.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_layers, n_proteins, width)
        NaN where a protein was left out.
    moments : dict of str to Moments
        Of the residue embeddings; see `KeyedMoments`.
    residues : dict of str to ndarray
        Residue embeddings by accession, where they are kept.
    sampled : list of ndarray of float32, shape (n, residue_width)
        Embeddings of residues of the sample, of the last layer kept, in the plan's order.
    left_out : dict of str to str
        Accessions that did not fit into memory, and why.
    """

    vectors: np.ndarray
    moments: KeyedMoments = field(default_factory=dict)
    residues: dict[str, np.ndarray] = field(default_factory=dict)
    sampled: list[np.ndarray] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ForwardPass:
    """Proteins, and what to keep of what a model computes of them.

    Attributes
    ----------
    proteins : Proteins
        All of them; blocks are slices of the plan's order.
    plan : Plan
    choices : Choices
    sample : ndarray of int
        Residues that are kept all the same, a few: sorted numbers, counted in the plan's order.
    """

    proteins: Proteins
    plan: Plan
    choices: Choices
    sample: np.ndarray

    def compute(self, model: Embedder, block: slice) -> Block:
        """Compute consecutive proteins of the plan, from the longest to the shortest."""
        members = self.plan.order[block]
        lengths = self.proteins.lengths[members]
        before = self.proteins.lengths[self.plan.order[: block.start]].sum()
        starts = before + np.cumsum(lengths) - lengths
        shape = (len(self.choices.layers), len(members), len(self.choices.poolings) * model.width)
        found, sums = Block(np.full(shape, np.nan, np.float32)), ResidueSums()
        budget = self.plan.residues_per_batch
        for batch in batches(lengths, budget, padded=not model.is_recurrent):
            for rows, pooled, residues in self._results(model, members, batch, found.left_out):
                found.vectors[:, rows] = pooled
                chosen = self.proteins.select(members[rows])
                _check_finite(model, chosen, pooled)
                if self.choices.residue_moments:
                    read = [model.as_read(sequence) for sequence in chosen.sequences]
                    sums.add(residues, read, self.plan.groups[block][rows])
                first = int(starts[rows.start])
                drawn = slice(*np.searchsorted(self.sample, (first, first + len(residues[-1]))))
                found.sampled.append(residues[-1][self.sample[drawn] - first])
                if self.choices.keep_residues:
                    parts = np.split(residues[-1], np.cumsum(chosen.lengths)[:-1])
                    found.residues |= dict(zip(chosen.accessions, parts, strict=True))
        found.moments = sums.finish()
        return found

    def _results(
        self, model: Embedder, members: np.ndarray, rows: slice, left_out: dict[str, str]
    ) -> Iterator[tuple[slice, np.ndarray, list[np.ndarray]]]:
        """Yield rows, their vectors and their residues' vectors.

        Out of memory, the batch is halved, down to one protein.
        """
        chosen = self.proteins.select(members[rows])
        try:
            output = model.read(chosen, self.choices.layers)
            # Within the try: a copy in float32 may be what does not fit.
            vectors = pool(output, self.choices.poolings, chosen.sequences)
            result = rows, vectors, residue_vectors(output)
        except ProteinError as error:
            raise error.named(chosen.accessions[error.index]) from error
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            result = None  # what the error holds on to is free from here on
        if result is not None:
            yield result
        elif len(chosen) == 1:
            left_out[chosen.accessions[0]] = "out of memory even alone"
        else:
            middle = (rows.start + rows.stop) // 2
            yield from self._results(model, members, slice(rows.start, middle), left_out)
            yield from self._results(model, members, slice(middle, rows.stop), left_out)


def _check_finite(model: Embedder, proteins: Proteins, vectors: np.ndarray) -> None:
    """Refuse NaN and infinity by the name of the protein, shape ``(n_layers, n, width)``."""
    finite = np.isfinite(vectors).all(axis=(0, 2))
    if not finite.all():
        name = proteins.accessions[finite.argmin()]
        raise InputError(
            f"{model.name} computes NaN or infinity for protein {name}: its weights are damaged, "
            "or half precision does not reach; try precision fp32 or bf16."
        )


def is_out_of_memory(error: Exception) -> bool:
    """Tell memory trouble from other errors: torch often raises a bare RuntimeError for it."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        sign in str(error) for sign in ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    )
