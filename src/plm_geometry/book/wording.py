"""Words and numbers for people: counts, lists and shares of them, numbers with a true minus."""

import math
import re
from collections.abc import Sequence

import pandas as pd

from plm_geometry.figures.words import DASH, extent, rounded


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return "1 model", "4 models"; of other plurals than by an s, give that, too."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {nouns or noun + 's'}"


def share_of(count: int, total: int, noun: str) -> str:
    """Return "all 4 models", "2 of the 4 models", "none of the 4 models"."""
    if count == total:
        return f"the {noun}" if total == 1 else f"all {plural(total, noun)}"
    return f"{count or 'none'} of the {plural(total, noun)}"


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does: "a", "a and b", "a, b, and c"."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"


def decided(low: float, high: float, said: Sequence[str] = ("less", "more")) -> str:
    """Return what an interval of a difference decides: less, more, or "undecided"."""
    return said[0] if high < 0 else said[1] if low > 0 else "undecided"


def estimated(value: float, low: float, high: float, spec: str) -> str:
    """Return "0.47 (0.34 to 0.60)" in the format `spec`; without interval, the number alone."""
    ends = "" if math.isnan(low + high) else f" ({low:{spec}} to {high:{spec}})"
    return f"{value:{spec}}{ends}"


def over_models(frame: pd.DataFrame, column: str, spec: str) -> str:
    """Return one row's number with its interval, or the range of several: "0.15 to 0.49"."""
    known = frame.dropna(subset=column)
    if len(known) != 1:
        return extent(known[column], spec)
    (row,) = known[[column, f"{column}_low", f"{column}_high"]].to_numpy(dtype=float)
    return estimated(*row, spec)


def by_outcome(
    frame: pd.DataFrame,
    column: str,
    said: Sequence[str] = ("less", "more"),
    *,
    spec: str = "+z.2f",
    null: float = 0,
) -> str:
    """Say which way intervals decide for whom: "more for A and B (+0.15 to +0.49) and ...".

    Parameters
    ----------
    frame : DataFrame
        A row per model: ``title``, `column`, and its interval in ``..._low`` and ``..._high``.
    column : str
        A difference or a ratio; rows without it are left out.
    said : sequence of two str
        What is said of an interval below `null`, and above. Any other is *undecided*.
    spec : str
        The format of numbers: of several rows the range, of one with its interval.
    null : float
        What the difference or ratio is where nothing differs.
    """
    known, parts = frame.dropna(subset=column), []
    ends = zip(known[f"{column}_low"] - null, known[f"{column}_high"] - null, strict=True)
    outcome = pd.Series([decided(*both, said) for both in ends], known.index, dtype=object)
    for what in [word for word in (*said, "undecided") if (outcome == word).any()]:
        rows = known[outcome == what]
        is_long = 2 < len(rows) == len(known)
        whom = f"all {len(rows)}" if is_long else listed(rows["title"].tolist())
        number = over_models(rows, column, spec).replace(" (", ", interval ").rstrip(")")
        parts.append(f"{what if what in said else f'*{what}*'} for {whom} ({number})")
    return listed(parts) or DASH


def typographic(text: str) -> str:
    """Put a minus sign for the hyphen before a number, and a dash for a number that is none."""
    text = re.sub(r"(?<![\w.])[+-]?nan\b%?", DASH, text)
    return re.sub(r"(?<![\w.)])-(?=\d)", "\N{MINUS SIGN}", text)


def formatted(value: object, decimals: int | None = None) -> str:
    """Return a value as a reader expects it; what is missing is a dash.

    Parameters
    ----------
    value : str or number
        Whole numbers get commas between thousands.
    decimals : int, optional
        As in `figures.rounded`; by default other fractions are shown to four digits.
    """
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, str):
        return typographic(value)
    if float(value).is_integer() and decimals is None:
        return typographic(f"{int(value):,}")
    if decimals is not None:
        return rounded(value, decimals)
    return typographic(f"{value:.4g}")
