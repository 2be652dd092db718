"""Substitution matrices: which there are, and the exact integers in which alignments are scored."""

import difflib
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import lcm
from typing import NamedTuple

import numpy as np
from Bio.Align import substitution_matrices

from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import OTHER_RESIDUES, STANDARD_RESIDUES

# What matrices do not score becomes what it is closest to: selenocysteine cysteine,
# pyrrolysine lysine, and J (leucine or isoleucine) unknown.
REPLACED_LETTERS = {"U": "C", "O": "K", "J": "X"}
_SCORED_LETTERS = "".join(sorted(set(STANDARD_RESIDUES + OTHER_RESIDUES) - set(REPLACED_LETTERS)))
# More decimals than any matrix has; a penalty of a third has no exact integer multiple here.
_DECIMALS = 3


class Weights(NamedTuple):
    """What an alignment is worth: score and identities count for it, its columns against it.

    With `score` large against the others, the alignment worth most is the best-scoring one
    that has most identities or fewest columns.
    """

    score: int
    identity: int = 0
    aligned_column: int = 0
    gap_column: int = 0


@dataclass(frozen=True, eq=False)
class Scoring:
    """A substitution matrix and gap penalties, times a common factor that makes all integers.

    Attributes
    ----------
    letters : str
        The letters that can be aligned.
    matrix : numpy.ndarray of int64, shape ``(n_letters, n_letters)``
        Scores of aligned letters.
    gap_open, gap_extend : int
        Cost of a gap's first residue, and of each further one; not negative.
    scale : int
        The factor: a score in the matrix's own units is an integer score over `scale`.
    """

    letters: str
    matrix: np.ndarray
    gap_open: int
    gap_extend: int
    scale: int

    @cached_property
    def identical(self) -> np.ndarray:
        """Where a pair of letters is an identity: the same one of the twenty amino acids.

        X aligned with X (or B with B, Z with Z) says that two residues are unknown,
        not that they are the same.
        """
        standard = np.array([letter in STANDARD_RESIDUES for letter in self.letters])
        return np.diag(standard)

    def reach(self, n_residues: int | np.ndarray) -> int | np.ndarray:
        """Return how far below zero a cell can lie when two proteins sum to `n_residues`."""
        return 3 * self.gap_open + self.gap_extend * n_residues + self.largest_step

    def residues_within(self, capacity: int) -> int:
        """Return the most residues that two proteins may sum to for a `reach` of `capacity`."""
        left = capacity - self.reach(0)
        if left < 0:
            return -1
        return left // self.gap_extend if self.gap_extend else sys.maxsize

    @cached_property
    def largest_step(self) -> int:
        """The most that one aligned pair of letters adds to a score, or takes from it."""
        return int(np.abs(self.matrix).max())

    def weighted(self, weights: Weights) -> "Scoring":
        """Return the scoring under which an alignment's score is its worth by `weights`."""
        return Scoring(
            self.letters,
            self.matrix * weights.score
            + self.identical * weights.identity
            - weights.aligned_column,
            self.gap_open * weights.score + weights.gap_column,
            self.gap_extend * weights.score + weights.gap_column,
            self.scale,
        )


@lru_cache
def matrix_names() -> tuple[str, ...]:
    """Return the names of the amino-acid matrices that Biopython ships."""
    return tuple(name for name in substitution_matrices.load() if _letters_of(name))


def check_matrix(name: str) -> None:
    """Raise `InputError` unless `name` is an amino-acid matrix that Biopython ships."""
    if name in matrix_names():
        return
    available = ", ".join(matrix_names())
    if name in substitution_matrices.load():
        raise InputError(
            f"matrix {name!r} is for nucleotides or codons, not for proteins; "
            f"the amino-acid matrices are {available}."
        )
    nearest = difflib.get_close_matches(str(name).upper(), matrix_names(), n=3)
    hint = f"the nearest are {', '.join(nearest)} of " if nearest else "choose one of "
    raise InputError(f"there is no matrix {name!r}; {hint}{available}.")


def load_scoring(name: str, gap_open: float, gap_extend: float) -> Scoring:
    """Load a matrix and put it and the gap penalties on one exact integer scale.

    Parameters
    ----------
    name : str
        One of `matrix_names`.
    gap_open, gap_extend : float
        Penalties in the matrix's units, not negative.

    Returns
    -------
    Scoring
        `scale` is 1 for integer matrices with integer penalties.

    Raises
    ------
    InputError
        If the matrix is unknown or not for amino acids.
    """
    check_matrix(name)
    table = substitution_matrices.load(name)
    letters = _letters_of(name)
    values = np.array([[table[a, b] for b in letters] for a in letters], dtype=float)
    exact = [_fraction(value) for value in (*values.ravel(), gap_open, gap_extend)]
    scale = lcm(*(value.denominator for value in exact))
    *scores, integer_open, integer_extend = (int(value * scale) for value in exact)
    matrix = np.array(scores, dtype=np.int64).reshape(values.shape)
    return Scoring(letters, matrix, integer_open, integer_extend, scale)


def _letters_of(name: str) -> str:
    """Return the letters a matrix scores and proteins use; empty where it is for other things."""
    alphabet = substitution_matrices.load(name).alphabet
    if not set(STANDARD_RESIDUES) <= set(alphabet):
        return ""
    return "".join(letter for letter in _SCORED_LETTERS if letter in alphabet)


def _fraction(value: float) -> Fraction:
    """Return a printed decimal as the fraction that was meant, not its binary neighbour."""
    return Fraction(round(float(value), _DECIMALS)).limit_denominator(10**_DECIMALS)
