"""The two alignment engines behind one interface: parasail (fast) and Biopython (reference)."""

from functools import lru_cache

import numpy as np
import parasail
from Bio.Align import PairwiseAligner, substitution_matrices

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import kernels
from plm_geometry.pairs.scoring import AlignmentSettings, Scoring, load_scoring
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

_PARASAIL_PREFIX = {"global": "nw", "semiglobal": "sg", "local": "sw"}
# Below this score the best is to align nothing, which parasail never does.
_LEAST_ALIGNED_SCORE = {"global": -np.inf, "semiglobal": 0, "local": 1}
GAP = "-"

# An optimum that an engine cannot hold.
BEYOND = int(np.iinfo(np.int64).min)


class Engine:
    """What both engines can do; proteins are `bytes` of letters that `scoring` knows."""

    # Bounds the integers that the engine computes with exactly.
    capacity: int

    def __init__(self, scoring: Scoring, mode: str) -> None:
        self.scoring = scoring
        self.mode = mode
        self._prepared = lru_cache(maxsize=None)(self._prepare)

    def optima(
        self,
        first: np.ndarray,
        second: np.ndarray,
        score: np.ndarray,
        identity: np.ndarray,
        columns: tuple[int, int],
    ) -> np.ndarray:
        """Return the highest worth of any alignment of each pair, `BEYOND` if over capacity.

        Parameters
        ----------
        first, second : numpy.ndarray of bytes objects, shape ``(n_pairs,)``
            The proteins of each pair.
        score, identity : numpy.ndarray of int64, shape ``(n_pairs,)``
            What they are worth in each pair, as in `Scoring.weighted`; few different ones, since
            each has a matrix prepared.
        columns : tuple of two int
            What an aligned column and one with a gap cost, the same in all pairs.

        Returns
        -------
        numpy.ndarray of int64, shape ``(n_pairs,)``
        """
        # As complex numbers, which sort many times faster than pairs of numbers do.
        distinct, which = np.unique(score + 1j * identity, return_inverse=True)
        prepared = [self._prepared(int(pair.real), int(pair.imag), *columns) for pair in distinct]
        return self._optima(first, second, prepared, which)


class ParasailEngine(Engine):
    """Vectorised alignment in 16 or 32 bits; releases the interpreter lock while it computes.

    Only its ``scan`` kernels are used: in parasail 1.3.4 the ``striped`` ones return wrong
    scores when opening a gap costs no more than extending it.
    """

    # Kernels flag a score that runs over the top; the bottom is bounded beforehand, with room.
    capacity = 2**31 - 2**28

    def alignment(
        self, first: bytes, second: bytes, score: int = 1, identity: int = 0
    ) -> tuple[int, str, str]:
        """Return the worth of one of the alignments worth most, and its two lines.

        A line has one letter or gap (``-``) per column. Both are empty where nothing is aligned,
        and hold nothing else than what is aligned in mode "local".

        Its ``stats`` kernels would do with less memory, but count no column of a global
        alignment's leading gap (parasail 1.3.4).
        """
        scoring, matrix = self._prepared(score, identity)
        for bits in (16, 32):
            if scoring.reach(len(first) + len(second)) >= 2 ** (bits - 1):
                continue
            kernel = getattr(parasail, f"{_PARASAIL_PREFIX[self.mode]}_trace_scan_{bits}")
            found = kernel(first, second, scoring.gap_open, scoring.gap_extend, matrix)
            if found.saturated:
                continue
            if found.score < _LEAST_ALIGNED_SCORE[self.mode]:
                return 0, "", ""
            return found.score, found.traceback.query, found.traceback.ref
        raise InputError(
            f"two proteins of {len(first)} and {len(second)} residues score beyond 32 bits; "
            "use smaller gap penalties or engine='biopython'."
        )

    def _optima(
        self,
        first: np.ndarray,
        second: np.ndarray,
        prepared: list[tuple[Scoring, parasail.Matrix]],
        which: np.ndarray,
    ) -> np.ndarray:
        """Return each pair's optimum under ``prepared[which]``."""
        found = np.full(len(first), BEYOND)
        n_residues = kernels.lengths(first) + kernels.lengths(second)
        # Nothing may run under the bottom of the integers; floats do not overflow asking.
        slope = np.array([w.gap_extend for w, _ in prepared], dtype=float)[which]
        at_zero = np.array([w.reach(0) for w, _ in prepared], dtype=float)[which]
        fits = np.flatnonzero(at_zero + slope * n_residues <= self.capacity)
        if not fits.size:
            return found
        calls = np.array([(w.gap_open, w.gap_extend, kernels.address(m)) for w, m in prepared])
        kernel = f"{_PARASAIL_PREFIX[self.mode]}_scan_32"
        worth, saturated = kernels.scores(
            kernel, first[fits], second[fits], calls.T[:, which[fits]]
        )
        # parasail never lets two proteins lie wholly apart, which costs nothing if ends are free.
        least = 0 if self.mode == "semiglobal" else -self.capacity
        found[fits] = np.where(saturated, BEYOND, np.maximum(worth, least))
        return found

    def _prepare(self, *weights: int) -> tuple[Scoring, parasail.Matrix]:
        """Return the weighted scoring and parasail's copy of its matrix."""
        weighted = self.scoring.weighted(*weights)
        matrix = parasail.matrix_create(weighted.letters, 0, 0)
        for (i, j), value in np.ndenumerate(weighted.matrix):
            matrix.set_value(i, j, int(value))
        return weighted, matrix


class BiopythonEngine(Engine):
    """Alignment by Biopython's ``PairwiseAligner``, in float64: slower, without a length limit."""

    capacity = 2**53

    def alignment(
        self, first: bytes, second: bytes, score: int = 1, identity: int = 0
    ) -> tuple[int, str, str]:
        """Return what `ParasailEngine.alignment` does, of the alignment that is listed first."""
        _, aligner = self._prepared(score, identity)
        found = next(iter(aligner.align(first.decode(), second.decode())), None)
        if found is None:  # a local alignment without a positive score
            return 0, "", ""
        return int(found.score), found[0], found[1]

    def _optima(
        self,
        first: np.ndarray,
        second: np.ndarray,
        prepared: list[tuple[Scoring, PairwiseAligner]],
        which: np.ndarray,
    ) -> np.ndarray:
        pairs = zip(first, second, which.tolist(), strict=True)
        return np.array([self._optimum(a, b, *prepared[k]) for a, b, k in pairs], dtype=np.int64)

    def _optimum(
        self, first: bytes, second: bytes, weighted: Scoring, aligner: PairwiseAligner
    ) -> int:
        highest = weighted.largest_step * min(len(first), len(second))
        if max(weighted.reach(len(first) + len(second)), highest) > self.capacity:
            return BEYOND
        return int(aligner.score(first.decode(), second.decode()))

    def _prepare(self, *weights: int) -> tuple[Scoring, PairwiseAligner]:
        """Return the weighted scoring and an aligner that scores by it."""
        weighted = self.scoring.weighted(*weights)
        aligner = PairwiseAligner(mode="local" if self.mode == "local" else "global")
        aligner.substitution_matrix = substitution_matrices.Array(
            weighted.letters, dims=2, data=weighted.matrix.astype(float)
        )
        aligner.open_gap_score = -weighted.gap_open
        aligner.extend_gap_score = -weighted.gap_extend
        if self.mode == "semiglobal":
            aligner.end_gap_score = 0
        return weighted, aligner


@lru_cache(maxsize=8)
def make_engine(name: str, settings: AlignmentSettings) -> Engine:
    """Return an engine, ``"parasail"`` or ``"biopython"``; it keeps its matrices prepared."""
    engine = {"parasail": ParasailEngine, "biopython": BiopythonEngine}[name]
    return engine(load_scoring(settings), settings.mode)


def identity_marks(above: str, below: str) -> str:
    """Return ``|`` where the lines of an alignment have the same of the twenty amino acids."""
    return "".join(
        "|" if a == b and a in STANDARD_RESIDUES else " " for a, b in zip(above, below, strict=True)
    )
