"""Aligning a block of pairs: what each worker does, on its own."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plm_geometry.align.engines import Engine, make_engine
from plm_geometry.align.settings import AlignmentSettings
from plm_geometry.align.substitution import REPLACED_LETTERS, load_scoring
from plm_geometry.align.ties import most_identities
from plm_geometry.errors import InputError
from plm_geometry.proteins import Proteins

_REPLACE = str.maketrans(REPLACED_LETTERS)


@dataclass(frozen=True)
class BlockAligner:
    """Aligns blocks of pairs; whole in itself, so that it can be sent to another machine.

    Attributes
    ----------
    sequences : tuple of bytes
        All proteins, in letters that the matrix knows.
    settings : AlignmentSettings
        How to align.
    """

    sequences: tuple[bytes, ...]
    settings: AlignmentSettings

    def __call__(self, pairs: np.ndarray) -> np.ndarray:
        """Align the pairs of a block.

        Parameters
        ----------
        pairs : numpy.ndarray of int, shape ``(2, n_pairs)``
            Indices into `sequences`.

        Returns
        -------
        numpy.ndarray of int64, shape ``(n_pairs, 4)``
            Integer score, identities, alignment length, and what the identities are divided by.
        """
        engine, reference = _engines(self.settings)
        rows = np.empty((pairs.shape[1], 4), dtype=np.int64)
        for row, (i, j) in enumerate(pairs.T.tolist()):
            rows[row] = self._align(engine, reference, self.sequences[i], self.sequences[j])
        return rows

    def _align(
        self, engine: Engine, reference: Engine, first: bytes, second: bytes
    ) -> tuple[int, int, int, int]:
        """Return a pair's row."""
        if self.settings.ties == "max":
            counts = most_identities(engine, reference, first, second)
        else:
            counts = engine.own_alignment(first, second)
        if self.settings.denominator == "alignment_length":
            denominator = counts.length
        elif self.settings.denominator == "shorter":
            denominator = min(len(first), len(second))
        else:
            denominator = counts.aligned_columns
            if denominator is None:
                fewest = most_identities(engine, reference, first, second, count_gaps=False)
                denominator = fewest.length
        return *counts[:3], denominator


def alignable_sequences(proteins: Proteins, used: np.ndarray, matrix: str) -> tuple[bytes, ...]:
    """Return the proteins' sequences in letters that `matrix` scores.

    Raises
    ------
    InputError
        If a residue of a protein in `used` (indices) is not among them.
    """
    known = set(load_scoring(matrix, 0, 0).letters)
    sequences = tuple(sequence.translate(_REPLACE) for sequence in proteins.sequences)
    for index in used:
        if foreign := set(sequences[index]) - known:
            position = min(map(sequences[index].index, foreign))
            raise InputError(
                f"matrix {matrix} does not score {sequences[index][position]!r}, which protein "
                f"{proteins.accessions[index]} has at position {position + 1}; choose a matrix "
                "that does, such as PAM250, or leave the protein out."
            )
    return tuple(sequence.encode() for sequence in sequences)


@lru_cache(maxsize=8)
def _engines(settings: AlignmentSettings) -> tuple[Engine, Engine]:
    """Return the engine and the reference; they keep matrices prepared between blocks."""
    scoring = load_scoring(settings.matrix, settings.gap_open, settings.gap_extend)
    reference = make_engine("biopython", scoring, settings.mode)
    if settings.engine == "biopython":
        return reference, reference
    return make_engine(settings.engine, scoring, settings.mode), reference
