"""Words and numbers for people: counts, lists and shares of them, numbers with a true minus."""

import math
import re
from collections.abc import Sequence

import pandas as pd

from plm_geometry.figures.words import DASH, rounded


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
