"""How alignments are scored: settings, substitution matrices, and the exact integers of both."""

import difflib
from dataclasses import dataclass, replace
from functools import cache, cached_property
from numbers import Real

import numpy as np
from Bio.Align import substitution_matrices

from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import OTHER_RESIDUES, STANDARD_RESIDUES

# What matrices do not score becomes what it is closest to: selenocysteine cysteine,
# pyrrolysine lysine, and J (leucine or isoleucine) unknown.
REPLACED_LETTERS = {"U": "C", "O": "K", "J": "X"}
_SCORED_LETTERS = "".join(sorted(set(STANDARD_RESIDUES + OTHER_RESIDUES) - set(REPLACED_LETTERS)))
# Scores and penalties count to three decimals: more than any matrix has.
_FINEST = 1000
_CHOICES = {
    "mode": ("global", "semiglobal", "local"),
    "denominator": ("alignment_length", "shorter", "aligned_columns"),
    "engine": ("parasail", "biopython"),
    "ties": ("max", "engine"),
}
# Beyond this, penalties do not fit the engines' integers next to the scores of long proteins.
_HIGHEST_PENALTY = 10_000


@dataclass(frozen=True)
class AlignmentSettings:
    """How proteins are aligned, and what their sequence identity is.

    Attributes
    ----------
    matrix : str
        An amino-acid substitution matrix that Biopython ships.
    gap_open, gap_extend : float
        What the first residue of a gap costs, and each further one.
    mode : {"global", "semiglobal", "local"}
        Whether gaps at the ends cost as others do, cost nothing, or only the best-scoring
        stretch is aligned.
    denominator : {"alignment_length", "shorter", "aligned_columns"}
        What the number of identical residues is divided by: the columns of the alignment
        (without gaps that cost nothing), the shorter protein's residues, or the columns
        without a gap.
    engine : {"parasail", "biopython"}
        What aligns; scores and, with ``ties="max"``, identities are the same in both.
    ties : {"max", "engine"}
        Which of the alignments that share the best score counts: one with most identical
        residues and of these a shortest one, or the one that the engine happens to return.

    Raises
    ------
    InputError
        If a value is not one of the above, a penalty is negative, or extending a gap
        costs more than opening one.
    """

    matrix: str = "PAM250"
    gap_open: float = 11
    gap_extend: float = 1
    mode: str = "global"
    denominator: str = "alignment_length"
    engine: str = "parasail"
    ties: str = "max"

    def __post_init__(self) -> None:
        _check_matrix(self.matrix)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(
                    f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}."
                )
        self._check_gaps()

    def _check_gaps(self) -> None:
        for name in ("gap_open", "gap_extend"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not 0 <= value <= _HIGHEST_PENALTY:
                raise InputError(
                    f"{name} is {value!r}; give a penalty from 0 to {_HIGHEST_PENALTY} "
                    "(a gap that costs 11 is 11, not -11)."
                )
        if self.gap_extend > self.gap_open:
            raise InputError(
                f"gap_extend ({self.gap_extend}) exceeds gap_open ({self.gap_open}); the first "
                "residue of a gap costs gap_open, which must be at least gap_extend."
            )


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
    def largest_step(self) -> int:
        """The most that one aligned pair of letters adds to a score, or takes from it."""
        return int(np.abs(self.matrix).max())

    def reach(self, n_residues: int) -> int:
        """Return how far below zero a cell can lie when two proteins sum to `n_residues`."""
        return 3 * self.gap_open + self.gap_extend * n_residues + self.largest_step

    def weighted(
        self, score: int, identity: int = 0, aligned_column: int = 0, gap_column: int = 0
    ) -> "Scoring":
        """Return the scoring under which an alignment's score is what it is worth.

        Its score and identities, times these weights, count for it, its columns against it. With
        `score` large against the others, the alignment worth most is the best-scoring one that
        has most identities or fewest columns. An identity is the same one of the twenty amino
        acids twice: X aligned with X (or B with B, Z with Z) says that two residues are unknown,
        not that they are the same.
        """
        identical = np.diag([letter in STANDARD_RESIDUES for letter in self.letters])
        return replace(
            self,
            matrix=self.matrix * score + identical * identity - aligned_column,
            gap_open=self.gap_open * score + gap_column,
            gap_extend=self.gap_extend * score + gap_column,
        )


@cache
def matrix_names() -> tuple[str, ...]:
    """Return the names of the amino-acid matrices that Biopython ships."""
    return tuple(name for name in substitution_matrices.load() if _letters_of(name))


def _check_matrix(name: str) -> None:
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


def load_scoring(settings: AlignmentSettings) -> Scoring:
    """Put a matrix and the gap penalties on one exact integer scale.

    Its `scale` is 1 for integer matrices with integer penalties.
    """
    table, letters = substitution_matrices.load(settings.matrix), _letters_of(settings.matrix)
    values = [table[a, b] for a in letters for b in letters]
    exact = np.array([*values, settings.gap_open, settings.gap_extend]) * _FINEST
    exact = np.rint(exact).astype(np.int64)
    divisor = int(np.gcd.reduce(exact, initial=_FINEST))
    *scores, gap_open, gap_extend = (exact // divisor).tolist()
    matrix = np.array(scores).reshape(len(letters), -1)
    return Scoring(letters, matrix, gap_open, gap_extend, _FINEST // divisor)


def _letters_of(name: str) -> str:
    """Return the letters a matrix scores and proteins use; empty where it is for other things."""
    alphabet = substitution_matrices.load(name).alphabet
    if not set(STANDARD_RESIDUES) <= set(alphabet):
        return ""
    return "".join(letter for letter in _SCORED_LETTERS if letter in alphabet)
