"""An alignment to read: two lines of residues and gaps, and marks between them."""

from typing import NamedTuple

import numpy as np

from plm_geometry.pairs.alignment import alignable_sequences
from plm_geometry.pairs.engines import Engine, identity_marks, make_engine
from plm_geometry.pairs.scoring import AlignmentSettings
from plm_geometry.proteins.fasta import Proteins

# Tracing keeps one byte per cell: 25 MB for two proteins of 5,000 residues.
_MOST_CELLS = 25_000_000


class AlignedText(NamedTuple):
    """Two aligned proteins, one letter or gap per column, and ``|`` where residues agree."""

    first: str
    marks: str
    second: str

    def window(self, columns: int) -> "AlignedText":
        """Return the first stretch of at most so many columns that has most identities."""
        identical = np.fromiter((mark == "|" for mark in self.marks), int, len(self.marks))
        counted = np.concatenate([[0], np.cumsum(identical)])
        ends = np.minimum(np.arange(len(counted)) + columns, len(self.marks))
        start = int(np.argmax(counted[ends] - counted))
        start = max(0, min(start, len(self.marks) - columns))
        return AlignedText(*(line[start : start + columns] for line in self))


def aligned_texts(
    proteins: Proteins,
    first: np.ndarray,
    second: np.ndarray,
    settings: AlignmentSettings | None = None,
) -> list[AlignedText | None]:
    """Write out one best alignment of each pair.

    Parameters
    ----------
    proteins : Proteins
        The proteins.
    first, second : numpy.ndarray of int, shape ``(n_pairs,)``
        Pairs, as indices into `proteins`.
    settings : AlignmentSettings, optional
        How to align; the defaults of `AlignmentSettings` if not given.

    Returns
    -------
    list of AlignedText or None
        Of the alignments that share the best score one with most identities, as `align_pairs`
        counts them by default; None for a pair of proteins so long that tracing their
        alignment would take more than 25 MB.
    """
    settings = settings or AlignmentSettings()
    engine = make_engine("parasail", settings)
    pairs = np.stack([first, second])
    sides = alignable_sequences(proteins, np.unique(pairs), settings)[pairs]
    return [_aligned(engine, *pair) for pair in sides.T]


def _aligned(engine: Engine, first: bytes, second: bytes) -> AlignedText | None:
    if len(first) * len(second) > _MOST_CELLS:
        return None
    # Rounded up to a power of two, so that few weights each have a matrix prepared.
    weights = 1 << min(len(first), len(second)).bit_length(), 1
    if engine.scoring.weighted(*weights).reach(len(first) + len(second)) >= engine.capacity:
        weights = 1, 0
    _, above, below = engine.alignment(first, second, *weights)
    return AlignedText(above, identity_marks(above, below), below)
