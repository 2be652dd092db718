"""What the minis read: proteins, their annotations, and crops of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from plm_geometry.simulate import ASPECTS, Biosphere

MAX_RESIDUES = 2048


@dataclass(frozen=True)
class Crop:
    """A stretch of a protein.

    Attributes
    ----------
    sequence : str
        Its residues.
    offset : int
        Residues taken to stand before it.
    annotations : ndarray of float32, shape (n_terms,)
        One where the protein has the term.
    """

    sequence: str
    offset: int
    annotations: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """Proteins to train on or to measure with.

    Attributes
    ----------
    sequences : tuple of str
    annotations : ndarray, shape (n_proteins, n_terms)
        Zeros and ones.
    crop_residues : int
        Residues of a protein that one step sees.
    """

    sequences: tuple[str, ...]
    annotations: np.ndarray
    crop_residues: int = 128

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def n_residues(self) -> int:
        """Residues of all proteins."""
        return sum(map(len, self.sequences))

    @property
    def unigram_entropy(self) -> float:
        """Entropy of the residues' frequencies in nats: the loss of knowing composition only."""
        letters = np.frombuffer("".join(self.sequences).encode(), dtype=np.uint8)
        frequency = np.unique(letters, return_counts=True)[1] / len(letters)
        return float(-(frequency * np.log(frequency)).sum())

    def part(self, n_proteins: int | None, crop_residues: int) -> "Corpus":
        """Return the first `n_proteins` (all, if None) to be cut into crops of that length."""
        return Corpus(self.sequences[:n_proteins], self.annotations[:n_proteins], crop_residues)

    def crop(self, index: int, rng: np.random.Generator) -> Crop:
        """Cut `crop_residues` out of a protein, or take it whole if it is shorter.

        Half of the crops are said to lie anywhere in the longest protein readable: otherwise the
        late positions, which few proteins reach, would keep their untrained embeddings.
        """
        sequence = self.sequences[index]
        start = int(rng.integers(max(len(sequence) - self.crop_residues, 0) + 1))
        cut = sequence[start : start + self.crop_residues]
        offset = start if rng.random() < 0.5 else int(rng.integers(MAX_RESIDUES - len(cut) + 1))
        return Crop(cut, offset, self.annotations[index])

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[list[Crop]]:
        """Yield batches of crops for ever, each protein once an epoch."""
        while True:
            order = rng.permutation(len(self))
            for first in range(0, len(self) - size + 1, size):
                yield [self.crop(index, rng) for index in order[first : first + size]]


def annotation_terms(biosphere: Biosphere) -> list[str]:
    """Return every term that annotates a protein, sorted."""
    cells = biosphere.annotations[[aspect.name for aspect in ASPECTS]].to_numpy().ravel()
    return sorted({term for cell in cells for term in cell.split(";") if term})


def corpus_of(biosphere: Biosphere, terms: list[str]) -> Corpus:
    """Return the proteins of a biosphere with their annotations numbered as in `terms`."""
    column = {term: number for number, term in enumerate(terms)}
    annotations = np.zeros((len(biosphere), len(terms)), dtype=np.float32)
    for aspect in ASPECTS:
        for row, cell in enumerate(biosphere.annotations[aspect.name]):
            annotations[row, [column[term] for term in cell.split(";") if term]] = 1
    return Corpus(biosphere.proteins.sequences, annotations)
