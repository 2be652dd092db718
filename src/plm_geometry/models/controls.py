"""Controls: what sequences give without any model, and what a model makes of them shuffled."""

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from plm_geometry.models.base import Embedder, Output
from plm_geometry.models.tokens import look_up, number_letters, pad
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

_N_LETTERS = len(STANDARD_RESIDUES)
# Place of each letter among the standard residues; all others share one place after them.
_PLACE_OF_BYTE = number_letters(STANDARD_RESIDUES, other=_N_LETTERS)


class CompositionEmbedder(Embedder):
    """A residue is its letter, one-hot over the 20 standard ones; a protein is their mean.

    Any other letter is a zero vector, so that the shares of a protein with such letters add up
    to less than 1. There are no weights and one layer, input and output at once.
    """

    name, title = "composition", "composition"
    width = residue_width = _N_LETTERS
    n_layers = 0

    def __init__(self) -> None:
        self.identity = {"architecture": self.name, "preprocessing": "standard residues only"}

    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Count letters; see `Embedder.forward`."""
        self.layer_indices(layers)
        rows = [look_up(sequence.upper(), _PLACE_OF_BYTE) for sequence in sequences]
        places, is_residue = map(torch.from_numpy, pad(rows, value=_N_LETTERS))
        letters = functional.one_hot(places, _N_LETTERS + 1)[..., :_N_LETTERS].float()
        hidden, protein = self._embed(letters, rows)
        n = len(layers)
        return Output([hidden] * n, is_residue, is_residue, protein and protein * n)

    def _embed(self, letters: Tensor, rows: list[np.ndarray]) -> tuple[Tensor, list[Tensor] | None]:
        """Return residue embeddings, and global ones unless they are the mean of these."""
        return letters, None


class KmerEmbedder(CompositionEmbedder):
    """A protein is the share of each of the 8,000 3-mers; a residue is the 3-mer around it.

    The 3-mers are in alphabetical order; one with a letter beyond the standard ones counts
    nowhere. Residue embeddings are the letters before, at and after a position one-hot side by
    side (60-d), zero beyond the ends.
    """

    name, title = "kmers", "3-mers"
    width, residue_width = _N_LETTERS**3, 3 * _N_LETTERS

    def _embed(self, letters: Tensor, rows: list[np.ndarray]) -> tuple[Tensor, list[Tensor]]:
        around = functional.pad(letters, (0, 0, 1, 1))
        residues = torch.cat([around[:, :-2], letters, around[:, 2:]], dim=-1)
        return residues, [torch.from_numpy(np.stack([_kmer_shares(row) for row in rows]))]


class ShuffledEmbedder:
    """A model that is shown each protein with its residues shuffled.

    What it computes then follows from composition and length alone: of the order of residues,
    training and all, nothing is left. The shuffled order follows from the protein and the seed.
    Everything else is the model's.

    Parameters
    ----------
    model : Embedder
    seed : int
    """

    read = Embedder.read  # which calls the `forward` below, not the model's

    def __init__(self, model: Embedder, seed: int) -> None:
        self._model, self._seed = model, seed
        self.identity = {**model.identity, "residues": f"shuffled, seed {seed}"}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def to(self, device: str | torch.device, dtype: torch.dtype) -> Self:
        """Move the model's weights to a device and a floating-point type."""
        self._model.to(device, dtype)
        return self

    def as_read(self, sequence: str) -> str:
        """Return the protein's residues in random order."""
        digest = hashlib.sha256(f"{self._seed} {sequence}".encode()).digest()
        order = np.random.default_rng(list(digest)).permutation(len(sequence))
        return "".join(sequence[i] for i in order)

    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute the hidden states of shuffled proteins; see `Embedder.forward`."""
        return self._model.forward([self.as_read(sequence) for sequence in sequences], layers)


def _kmer_shares(places: np.ndarray) -> np.ndarray:
    first, second, third = places[:-2], places[1:-1], places[2:]
    known = (np.maximum(np.maximum(first, second), third) < _N_LETTERS).nonzero()
    numbers = (first * _N_LETTERS + second)[known] * _N_LETTERS + third[known]
    counts = np.bincount(numbers, minlength=_N_LETTERS**3)
    return (counts / max(1, numbers.size)).astype(np.float32)
