"""Aligning a block of pairs: what each worker does, on its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.pairs.alignment import AlignmentSettings
from plm_geometry.pairs.engines import Engine, make_engine
from plm_geometry.pairs.sides import lengths
from plm_geometry.pairs.substitution import REPLACED_LETTERS, load_scoring
from plm_geometry.pairs.ties import most_identities
from plm_geometry.proteins.fasta import Proteins

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
        first, second = ([self.sequences[i] for i in side] for side in pairs.tolist())
        if self.settings.ties == "max":
            counts = most_identities(engine, reference, first, second)
            columns = self._aligned_columns(engine, reference, first, second, counts)
        else:
            own = np.array(
                [engine.own_alignment(*pair) for pair in zip(first, second, strict=True)], np.int64
            )
            counts, columns = own[:, :3], own[:, 3]
        denominator = {
            "alignment_length": counts[:, 2],
            "shorter": np.minimum(*lengths(first, second)),
            "aligned_columns": columns,
        }[self.settings.denominator]
        return np.column_stack([counts, denominator])

    def _aligned_columns(
        self,
        engine: Engine,
        reference: Engine,
        first: Sequence[bytes],
        second: Sequence[bytes],
        counts: np.ndarray,
    ) -> np.ndarray | None:
        """Return the fewest columns without a gap, if the identities are divided by them."""
        if self.settings.denominator != "aligned_columns":
            return None
        if self.settings.mode == "global":  # each takes a residue from both proteins
            return sum(lengths(first, second)) - counts[:, 2]
        return most_identities(engine, reference, first, second, count_gaps=False)[:, 2]


def alignable_sequences(proteins: Proteins, used: np.ndarray, matrix: str) -> tuple[bytes, ...]:
    """Return the proteins' sequences in letters that `matrix` scores.

    Raises
    ------
    InputError
        If a residue of a protein in `used` (indices) is not among them.
    """
    known = load_scoring(matrix, 0, 0).letters.encode()
    sequences = tuple(sequence.translate(_REPLACE).encode() for sequence in proteins.sequences)
    for index in used:
        if foreign := sequences[index].translate(None, delete=known):
            position = sequences[index].index(foreign[:1])
            raise InputError(
                f"matrix {matrix} does not score {foreign[:1].decode()!r}, which protein "
                f"{proteins.accessions[index]} has at position {position + 1}; choose a matrix "
                "that does, such as PAM250, or leave the protein out."
            )
    return sequences


@lru_cache(maxsize=8)
def _engines(settings: AlignmentSettings) -> tuple[Engine, Engine]:
    """Return the engine and the reference; they keep matrices prepared between blocks."""
    scoring = load_scoring(settings.matrix, settings.gap_open, settings.gap_extend)
    reference = make_engine("biopython", scoring, settings.mode)
    if settings.engine == "biopython":
        return reference, reference
    return make_engine(settings.engine, scoring, settings.mode), reference
