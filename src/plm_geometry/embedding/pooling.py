"""From residues to the protein's vector and to the moments of its amino acids."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.moments import Accumulator, Moments

if TYPE_CHECKING:
    import torch

    from plm_geometry.models import Embedder, Output
    from plm_geometry.proteins.fasta import Proteins

# Moments of the residue embeddings: residue letter -> moments, for each layer kept. Those of the
# last layer are apart for each group of proteins: of group g under the layer's number plus g.
LayerMoments = dict[int, dict[str, Moments]]

POOLINGS = ("mean", "mean_with_special", "first", "max", "final")
# UniRep's only special token is its start.
ALIASES = {"mean_with_start": "mean_with_special"}
# In place of a pooling: the global embedding that an architecture makes itself.
OWN = "own"
# Residue vectors gathered before they go into the moments: enough rows for fast matrix products.
_BUFFER_ROWS = 32_768


def merge_into(total: LayerMoments, addition: Mapping[int, Mapping[str, Moments]]) -> None:
    """Add `addition` to `total` in place, layer by layer and letter by letter."""
    for layer, letters in addition.items():
        mine = total.setdefault(layer, {})
        for letter, moments in letters.items():
            mine[letter] = mine[letter].merge(moments) if letter in mine else moments


def pool(output: "Output", pooling: str) -> np.ndarray:
    """Return the global embeddings ``(n_layers, batch, width)`` of a batch, as float32."""
    if output.protein is not None:
        layers = output.protein
    else:
        layers = [_pooled(hidden, output, pooling) for hidden in output.hidden]
    return np.stack([layer.float().cpu().numpy() for layer in layers])


def _pooled(hidden: "torch.Tensor", output: "Output", pooling: str) -> "torch.Tensor":
    """Return one vector a protein, ``(batch, width)``, as float32."""
    import torch

    pooling = ALIASES.get(pooling, pooling)
    if pooling == "first" and output.cls_position is None:
        raise InputError("this model has no classification token to pool by `first`; choose mean.")
    takes_special = pooling in ("mean_with_special", "first")
    mask = output.is_token if takes_special else output.is_residue
    states = output.by_protein(hidden, mask)
    return torch.stack([_POOL[pooling](part.float(), output) for part in states])


_POOL = {
    "mean": lambda states, output: states.mean(0),
    "mean_with_special": lambda states, output: states.mean(0),
    # The classification token is the first, or in XLNet the last.
    "first": lambda states, output: states[0 if output.cls_position == "first" else -1],
    "max": lambda states, output: states.amax(0),
    "final": lambda states, output: states[-1],
}


class EveryPooling:
    """A model whose global embedding is that of every pooling it can do, side by side.

    One pass then gives what takes several passes otherwise. Everything else is the model's.

    Parameters
    ----------
    model : Embedder

    Attributes
    ----------
    poolings : tuple of str
        In the order of their columns: without those that would repeat another, as special tokens
        do in a model that has none. Of a model that makes a global embedding itself, `OWN` alone.
    width : int
        Of all of them together.
    identity : dict of str to str
        The model's, and the poolings.
    """

    def __init__(self, model: "Embedder"):
        self._model = model
        self.poolings = _possible(model)
        self.width = len(self.poolings) * model.width
        self.identity = {**model.identity, "poolings": ", ".join(self.poolings)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def read(self, proteins: "Proteins", layers: Sequence[int] = (-1,)) -> "Output":
        """Compute a batch of proteins; see `models.Embedder.read`."""
        import torch

        output = self._model.read(proteins, layers)
        if self.poolings == (OWN,):
            return output
        side_by_side = [
            torch.cat([_pooled(hidden, output, name) for name in self.poolings], dim=1)
            for hidden in output.hidden
        ]
        return replace(output, protein=side_by_side)

    def apart(self, vectors: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of each pooling, ``(n_proteins, model's width)``."""
        parts = np.split(vectors, len(self.poolings), axis=1)
        return dict(zip(self.poolings, parts, strict=True))


def _possible(model: "Embedder") -> tuple[str, ...]:
    """Return the poolings that a model can do and that differ."""
    if model.forward(["MKV"]).protein is not None:
        return (OWN,)
    impossible = {
        "mean_with_special": not model.n_special,
        "first": model.cls_position is None,
        "final": not model.is_recurrent,
    }
    return tuple(name for name in POOLINGS if not impossible.get(name))


def residue_vectors(output: "Output") -> list[np.ndarray]:
    """Return the residues of a batch, one protein after another: ``(n, residue_width)`` a layer."""
    return [hidden[output.is_residue].float().cpu().numpy() for hidden in output.hidden]


class ResidueBuffer:
    """Gathers residue vectors and adds them to the moments of their amino acids in large pieces."""

    def __init__(self):
        self._sums = Accumulator()
        self._vectors: list[list[np.ndarray]] = []
        self._letters: list[str] = []
        self._groups: list[np.ndarray] = []

    def add(self, vectors: list[np.ndarray], sequences: Sequence[str], groups: np.ndarray) -> None:
        """Take a batch's `residue_vectors`, its sequences, and the groups these belong to."""
        self._vectors.append(vectors)
        self._letters += sequences
        self._groups.append(np.repeat(groups, [len(sequence) for sequence in sequences]))
        if sum(map(len, self._groups)) >= _BUFFER_ROWS:
            self._flush()

    def finish(self) -> LayerMoments:
        """Add what is left and return the moments by layer and letter."""
        self._flush()
        found: LayerMoments = {}
        for (layer, letter), moments in self._sums.moments.items():
            found.setdefault(layer, {})[letter] = moments
        return found

    def _flush(self) -> None:
        letters = np.frombuffer("".join(self._letters).encode(), dtype=np.uint8)
        for layer, parts in enumerate(zip(*self._vectors, strict=True)):
            is_last = layer == len(self._vectors[0]) - 1
            groups = np.concatenate(self._groups) if is_last else np.zeros(len(letters), np.int64)
            vectors = np.concatenate(parts)
            for code, group in np.unique([letters, groups], axis=1).T:
                some = vectors[(letters == code) & (groups == group)]
                self._sums.add(some, range(len(some)), (layer + int(group), chr(code)))
        self._vectors, self._letters, self._groups = [], [], []


class ResidueSampler:
    """Keeps the vectors of a few residues of a block.

    Parameters
    ----------
    numbers : ndarray of int
        Which residues, sorted, counted from the block's first.
    width : int
        Of a residue's vector.
    """

    def __init__(self, numbers: np.ndarray, width: int):
        self.vectors = np.full((len(numbers), width), np.nan, np.float32)
        self._numbers = numbers

    def take(self, first: int, vectors: np.ndarray) -> None:
        """Keep those among `vectors`, residues counted on from `first`, that are asked for."""
        start, stop = np.searchsorted(self._numbers, (first, first + len(vectors)))
        self.vectors[start:stop] = vectors[self._numbers[start:stop] - first]
