"""An alignment to read: two lines of residues and gaps, and marks between them."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from plm_geometry.pairs.alignment import AlignmentSettings
from plm_geometry.pairs.blocks import alignable_sequences
from plm_geometry.pairs.engines import ParasailEngine
from plm_geometry.pairs.substitution import Weights, load_scoring
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins

# Tracing keeps a byte a cell: 25 MB for two proteins of 5,000 residues.
_MOST_CELLS = 25_000_000
_GAP = "-"


class AlignedText(NamedTuple):
    """Two aligned proteins, a letter or a gap a column, and ``|`` where residues are identical."""

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
    scoring = load_scoring(settings.matrix, settings.gap_open, settings.gap_extend)
    engine = ParasailEngine(scoring, settings.mode)
    used = np.unique(np.concatenate([first, second]))
    letters = alignable_sequences(proteins, used, settings.matrix)
    return [_aligned(engine, letters[i], letters[j])
            for i, j in zip(first.tolist(), second.tolist(), strict=True)]  # fmt: skip


def _aligned(engine: ParasailEngine, first: bytes, second: bytes) -> AlignedText | None:
    if len(first) * len(second) > _MOST_CELLS:
        return None
    path = engine.best_path(first, second, _most_identities(engine, first, second))
    if engine.mode == "local":
        path = _aligned_part(path)
    above, below = _written(first.decode(), second.decode(), path)
    marks = "".join("|" if a == b and a in STANDARD_RESIDUES else " "
                    for a, b in zip(above, below, strict=True))  # fmt: skip
    return AlignedText(above, marks, below)


def _most_identities(engine: ParasailEngine, first: bytes, second: bytes) -> Weights:
    """Return weights by which identities decide among equal scores, where these fit."""
    # Rounded up to a power of two, so that few weights each have a matrix prepared.
    weights = Weights(score=1 << min(len(first), len(second)).bit_length(), identity=1)
    reach = engine.scoring.weighted(weights).reach(len(first) + len(second))
    return weights if reach < engine.capacity else Weights(score=1)


def _aligned_part(path: np.ndarray) -> np.ndarray:
    """Return a path without the gaps at its ends, which only lead to where it begins."""
    within = np.flatnonzero(np.diff(path).min(axis=0))
    return path[:, within[0] : within[-1] + 2] if within.size else path[:, :1]


def _written(first: str, second: str, path: np.ndarray) -> tuple[str, str]:
    """Return both lines of the alignment whose path turns at these corners."""
    above, below = [], []
    for (i, j), (k, m) in pairwise(path.T.tolist()):
        columns = max(k - i, m - j)
        above.append(first[i:k].ljust(columns, _GAP))
        below.append(second[j:m].ljust(columns, _GAP))
    return "".join(above), "".join(below)
