"""How proteins are aligned, and what their sequence identity is: checked where it is stated."""

from dataclasses import dataclass
from numbers import Real

from plm_geometry.base.errors import InputError
from plm_geometry.pairs.substitution import check_matrix

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
        check_matrix(self.matrix)
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
