"""What figures and tables of specifications show, in a sentence or two each."""

import pandas as pd

from plm_geometry.figures.choices import NUMBERS, choice_name
from plm_geometry.figures.findings.words import UNKNOWN, ends, judged, named, number_of
from plm_geometry.figures.labels import rounded
from plm_geometry.specifications import INTERPLAY

# Numbers whose range is said as a ratio; of correlations it is said by its ends.
_RATIOS = ("effective_dimensions", "local_dimensions", "narrowing")


def specification_curves(frame: pd.DataFrame, value: str) -> str:
    """Say how far the number goes within one model, and in which furthest.

    Parameters
    ----------
    frame : DataFrame
        ``Study.specifications(value)``.
    value : str
        Column of the number.
    """
    known = judged(frame.dropna(subset=value))
    if known.empty:
        return f"How choices move {NUMBERS[value]} is {UNKNOWN}."
    ranges = known.groupby(named(known), sort=False)[value].agg(["min", "max", "size"])
    said, widest = "the range is widest", (ranges["max"] - ranges["min"]).idxmax()
    if value in _RATIOS:
        said = "the highest is most times the lowest"
        widest = (ranges["max"] / ranges["min"]).idxmax()
    low, high, size = ranges.loc[widest]
    return (
        f"By choice alone {said} in {widest}, from {rounded(low, 2)} to "
        f"{rounded(high, 2)} over {size:,.0f} specifications ({NUMBERS[value]})."
    )


def choices(frame: pd.DataFrame, total: int) -> str:
    """Say how many choices make how many specifications.

    Parameters
    ----------
    frame : DataFrame
        One row a choice.
    total : int
        Specifications of all numbers together.
    """
    return f"{len(frame)} choices make {total:,} specifications."


def ranges(frame: pd.DataFrame) -> str:
    """Say in which model choices move a number most, and in which least.

    Parameters
    ----------
    frame : DataFrame
        ``label, role, min, max``.
    """
    models = judged(frame)
    said = ends(models["max"] - models["min"], models["label"], ".2f")
    return f"Between the lowest and the highest lie {said}."


def choice_shares(frame: pd.DataFrame) -> str:
    """Say which single choice explains most of a number of a model.

    Parameters
    ----------
    frame : DataFrame
        As of `figures.choice_shares`, with ``role``.
    """
    single = judged(frame)
    single = single[single["choice"] != INTERPLAY].dropna(subset="share")
    if single.empty:
        return f"What choices explain is {UNKNOWN}."
    top = single.loc[single["share"].idxmax()]
    return (
        f"The largest share of a single choice is {top['share']:.0%}, of "
        f"{choice_name(top['choice'])}, in {top['label']} ({NUMBERS[top['number']]})."
    )


def conclusions(frame: pd.DataFrame) -> str:
    """Say how many conclusions hold always, and how many never.

    Parameters
    ----------
    frame : DataFrame
        One row a conclusion, one column a model: the share of specifications in which it holds.
    """
    known = frame.dropna(how="all")
    always = number_of(int((known.fillna(1) == 1).all(axis=1).sum()), len(known))
    never = number_of(int((known.fillna(0) == 0).all(axis=1).sum()), len(known))
    return f"Conclusions that hold under every choice: {always}; under no choice: {never}."
