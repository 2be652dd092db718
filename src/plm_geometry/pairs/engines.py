"""The two alignment engines behind one interface: parasail (fast) and Biopython (reference)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import parasail
from Bio.Align import PairwiseAligner, substitution_matrices

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import kernels
from plm_geometry.pairs.sides import lengths, taken
from plm_geometry.pairs.substitution import Scoring, Weights
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

_PARASAIL_PREFIX = {"global": "nw", "semiglobal": "sg", "local": "sw"}
_STANDARD = frozenset(STANDARD_RESIDUES.encode())
_PLAIN = Weights(score=1)
# Below this score the best is to align nothing, which parasail never does.
_LEAST_ALIGNED_SCORE = {"global": -np.inf, "semiglobal": 0, "local": 1}
# Residues that one column of each CIGAR operation (M I D N S H P = X) takes from both proteins.
_CIGAR_STEPS = np.array([[1, 1, 0, 0, 1, 0, 0, 1, 1], [1, 0, 1, 1, 0, 0, 0, 1, 1]])

# An optimum that an engine cannot hold.
BEYOND = int(np.iinfo(np.int64).min)


class Counts(NamedTuple):
    """An alignment in numbers; free gaps at its ends are no part of it."""

    score: int
    identities: int
    length: int
    aligned_columns: int


class Engine(Protocol):
    """What both engines can do; proteins are `bytes` of letters that `scoring` knows."""

    scoring: Scoring
    mode: str
    capacity: int  # bounds the integers that the engine computes with exactly

    def optima(
        self,
        first: Sequence[bytes],
        second: Sequence[bytes],
        weights: Sequence[Weights],
        which: np.ndarray,
    ) -> np.ndarray:
        """Return the highest worth of any alignment of each pair, `BEYOND` if over capacity.

        Pair ``k`` is worth what ``weights[which[k]]`` makes of it.
        """

    def own_alignment(self, first: bytes, second: bytes) -> Counts:
        """Return the counts of the alignment that the engine picks among the best."""


def make_engine(name: str, scoring: Scoring, mode: str) -> Engine:
    """Return the engine called `name`: ``"parasail"`` or ``"biopython"``."""
    return {"parasail": ParasailEngine, "biopython": BiopythonEngine}[name](scoring, mode)


class ParasailEngine:
    """Vectorised alignment in 16 or 32 bits; releases the interpreter lock while it computes.

    Only its ``scan`` kernels are used: in parasail 1.3.4 the ``striped`` ones return wrong
    scores when opening a gap costs no more than extending it.
    """

    # Kernels flag a score that runs over the top; the bottom is bounded beforehand, with room.
    capacity = 2**31 - 2**28

    def __init__(self, scoring: Scoring, mode: str) -> None:
        self.scoring = scoring
        self.mode = mode
        prefix = _PARASAIL_PREFIX[mode]
        self._score_kernel = f"{prefix}_scan_32"
        self._tracing_kernels = (
            (2**15, getattr(parasail, f"{prefix}_trace_scan_16")),
            (2**31, getattr(parasail, f"{prefix}_trace_scan_32")),
        )
        self._prepared = lru_cache(maxsize=None)(self._prepare)

    def optima(
        self,
        first: Sequence[bytes],
        second: Sequence[bytes],
        weights: Sequence[Weights],
        which: np.ndarray,
    ) -> np.ndarray:
        """Return the highest worth of any alignment of each pair, `BEYOND` if over capacity."""
        found = np.full(len(first), BEYOND)
        prepared = [self._prepared(given) for given in weights]
        fits = np.flatnonzero(self._within_capacity(first, second, prepared, which))
        if not fits.size:
            return found
        gap_open, gap_extend, matrices = np.array(
            [(w.gap_open, w.gap_extend, kernels.address(matrix)) for w, matrix in prepared]
        ).T[:, which[fits]]
        pairs = taken(fits, first, second)
        worth, saturated = kernels.scores(
            self._score_kernel, *pairs, gap_open, gap_extend, matrices
        )
        # parasail never lets two proteins lie wholly apart, which costs nothing if ends are free.
        least = 0 if self.mode == "semiglobal" else -self.capacity
        found[fits] = np.where(saturated, BEYOND, np.maximum(worth, least))
        return found

    def _within_capacity(
        self,
        first: Sequence[bytes],
        second: Sequence[bytes],
        prepared: Sequence[tuple[Scoring, parasail.Matrix]],
        which: np.ndarray,
    ) -> np.ndarray:
        """Return, pair by pair, whether nothing can run under the bottom of the integers."""
        most = [weighted.residues_within(self.capacity) for weighted, _ in prepared]
        return sum(lengths(first, second)) <= np.array(most, np.int64)[which]

    def own_alignment(self, first: bytes, second: bytes) -> Counts:
        """Return the counts of the alignment that parasail picks among the best."""
        result = self._trace(first, second)
        if result.score < _LEAST_ALIGNED_SCORE[self.mode]:
            return Counts(0, 0, 0, 0)
        # Outer gaps of a local path only lead to where the alignment begins.
        free_ends = self.mode != "global"
        return _counts(result.score, first, second, _path(result.cigar), free_ends=free_ends)

    def best_path(self, first: bytes, second: bytes, weights: Weights) -> np.ndarray:
        """Return where the path of an alignment worth most turns, in both proteins.

        Its shape is ``(2, n_corners)``; a single corner is a path along which nothing is aligned.
        """
        result = self._trace(first, second, weights)
        if result.score < _LEAST_ALIGNED_SCORE[self.mode]:
            return np.zeros((2, 1), dtype=np.int64)
        return _path(result.cigar)

    def _trace(self, first: bytes, second: bytes, weights: Weights = _PLAIN) -> parasail.Result:
        """Run the narrowest kernel that holds the result; parasail flags where one does not.

        Its ``stats`` kernels would do with less memory, but count no column of a global
        alignment's leading gap (parasail 1.3.4).
        """
        scoring, matrix = self._prepared(weights)
        for limit, kernel in self._tracing_kernels:
            if scoring.reach(len(first) + len(second)) < limit:
                result = kernel(first, second, scoring.gap_open, scoring.gap_extend, matrix)
                if not result.saturated:
                    return result
        raise InputError(
            f"two proteins of {len(first)} and {len(second)} residues score beyond 32 bits; "
            "use smaller gap penalties or engine='biopython'."
        )

    def _prepare(self, weights: Weights) -> tuple[Scoring, parasail.Matrix]:
        """Return the weighted scoring and parasail's copy of its matrix."""
        weighted = self.scoring.weighted(weights)
        matrix = parasail.matrix_create(weighted.letters, 0, 0)
        for (i, j), value in np.ndenumerate(weighted.matrix):
            matrix.set_value(i, j, int(value))
        return weighted, matrix


class BiopythonEngine:
    """Alignment by Biopython's ``PairwiseAligner``, in float64: slower, without a length limit."""

    capacity = 2**53

    def __init__(self, scoring: Scoring, mode: str) -> None:
        self.scoring = scoring
        self.mode = mode
        self._aligner = lru_cache(maxsize=None)(self._make_aligner)

    def optima(
        self,
        first: Sequence[bytes],
        second: Sequence[bytes],
        weights: Sequence[Weights],
        which: np.ndarray,
    ) -> np.ndarray:
        """Return the highest worth of any alignment of each pair, `BEYOND` if over capacity."""
        pairs = zip(first, second, which.tolist(), strict=True)
        return np.array([self._optimum(a, b, weights[k]) for a, b, k in pairs], dtype=np.int64)

    def _optimum(self, first: bytes, second: bytes, weights: Weights) -> int:
        weighted, aligner = self._aligner(weights)
        highest = weighted.largest_step * min(len(first), len(second))
        if max(weighted.reach(len(first) + len(second)), highest) > self.capacity:
            return BEYOND
        return int(aligner.score(first.decode(), second.decode()))

    def own_alignment(self, first: bytes, second: bytes) -> Counts:
        """Return the counts of the alignment that Biopython lists first among the best."""
        _, aligner = self._aligner(_PLAIN)
        alignments = aligner.align(first.decode(), second.decode())
        alignment = next(iter(alignments), None)
        if alignment is None:  # a local alignment without a positive score
            return Counts(0, 0, 0, 0)
        return _counts(
            int(alignment.score),
            first,
            second,
            alignment.coordinates,
            free_ends=self.mode != "global",
        )

    def _make_aligner(self, weights: Weights) -> tuple[Scoring, PairwiseAligner]:
        """Return the weighted scoring and an aligner that scores by it."""
        weighted = self.scoring.weighted(weights)
        aligner = PairwiseAligner(mode="local" if self.mode == "local" else "global")
        aligner.substitution_matrix = substitution_matrices.Array(
            weighted.letters, dims=2, data=weighted.matrix.astype(float)
        )
        aligner.open_gap_score = -weighted.gap_open
        aligner.extend_gap_score = -weighted.gap_extend
        if self.mode == "semiglobal":
            aligner.end_gap_score = 0
        return weighted, aligner


def _path(cigar: parasail.Cigar) -> np.ndarray:
    """Return where an alignment's path turns, in both proteins, shape ``(2, n_corners)``."""
    steps = _CIGAR_STEPS[:, cigar.seq & 15] * (cigar.seq >> 4).astype(np.int64)
    begin = np.array([[cigar.beg_query], [cigar.beg_ref]])
    return np.hstack([begin, begin + np.cumsum(steps, axis=1)])


def _counts(
    score: int, first: bytes, second: bytes, path: np.ndarray, *, free_ends: bool
) -> Counts:
    """Count along a path; identical are equal letters of the twenty, not two unknown residues."""
    steps = np.diff(path)
    aligned = steps.min(axis=0)
    identities = 0
    for (i, j), n in zip(path.T[:-1].tolist(), aligned.tolist(), strict=True):
        identities += sum(
            a == b and a in _STANDARD
            for a, b in zip(first[i : i + n], second[j : j + n], strict=True)
        )
    columns = steps.max(axis=0)
    if free_ends:
        within = np.flatnonzero(aligned)
        columns = columns[within[0] : within[-1] + 1] if within.size else columns[:0]
    return Counts(score, identities, int(columns.sum()), int(aligned.sum()))
