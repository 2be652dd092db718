"""What figures and tables of single pairs show, in a sentence or two each."""

from collections.abc import Mapping

import pandas as pd

from plm_geometry.figures.findings.words import (
    by_role,
    ends,
    judged,
    most,
    named,
    number_of,
    whose,
)
from plm_geometry.figures.labels import LABELS
from plm_geometry.figures.pairs import LEAST_PAIRS, TWILIGHT, Density

# The two ends of sequence identity that bands are compared at.
_LOW, _HIGH = 0.3, 0.9


def strata(frame: pd.DataFrame) -> str:
    """Say how much more often similar pairs are aligned than drawn at random.

    Parameters
    ----------
    frame : DataFrame
        By bin of identity, ascending: ``size`` (pairs aligned), ``share`` (of all pairs).
    """
    last = frame.iloc[-1]
    return (
        f"Of identity {frame.index[-1]} are {last['size'] / frame['size'].sum():.1%} of the pairs "
        f"aligned and {last['share']:.2g} of all pairs."
    )


def pair_scatter(densities: Mapping[str, Density], measure: str) -> str:
    """Say where the median goes with identity, in how many panels, and where it goes furthest.

    Parameters
    ----------
    densities : mapping of str to Density
        As of `figures.pair_scatter`.
    measure : str
        What they show.
    """
    rows = [_course(found.spread) | {"label": label} for label, found in densities.items()]
    table = pd.DataFrame(rows).dropna(subset=["first", "last"])
    if table.empty:
        return f"There are too few pairs to follow {LABELS[measure]} along identity."
    first, before, last = (_distance(table[end], measure) for end in ("first", "before", "last"))
    nearer = last < first
    # To nothing is furthest, however little there was before.
    top = table.loc[first.div(last.where(last > 0, 0)).where(nearer, 0).idxmax()]
    furthest = (
        f", furthest in {top['label']}, where {LABELS[measure]} goes from {top['first']:.3g} to "
        f"{top['last']:.3g}"
    )
    said = (
        f"From an identity of {top['low']:.2f} to {top['high']:.2f} the median pair comes nearer "
        f"in {number_of(int(nearer.sum()), len(table))} panels{furthest if nearer.any() else ''}."
    )
    if all(found.log for found in densities.values()):
        falling = number_of(int((last < before).sum()), len(table))
        said += f" It still does so from the last bin but one to the last in {falling}."
    return said


def sampled_pairs(frame: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Say how much closer the dots lie together where identity is high.

    Parameters
    ----------
    frame, titles
        As of `figures.sampled_pairs`.
    """
    ranges = {
        titles[column]: _width(frame, column, frame["sequence_identity"] >= _HIGH)
        / _width(frame, column, frame["sequence_identity"] < _LOW)
        for column in titles
    }
    ratio = pd.Series(ranges, dtype=float).reset_index(name="ratio").dropna()
    if ratio.empty:
        return "There are too few dots at one of the two ends of identity to compare them."
    closer = number_of(int((ratio["ratio"] < 1).sum()), len(ratio))
    said = ends(ratio["ratio"], ratio["index"], ".2g")
    return (
        f"At an identity of {_HIGH:g} and more the dots lie closer together than below {_LOW:g} in "
        f"{closer} panels; 90% of them span this many times as much: {said}."
    )


def spread(frame: pd.DataFrame) -> str:
    """Say how wide the band of cosine similarities is at low and at high identity.

    Parameters
    ----------
    frame : DataFrame
        ``Study.spread(...)``: labels, distance, bin_low, width.
    """
    cosine = frame[frame["distance"] == "cosine_similarity"]
    low, high = (by_role(cosine[cosine["bin_low"] == end], "width", ".2g") for end in (0, _HIGH))
    return (
        f"Width of the band of cosine similarities below an identity of {_LOW:g}: {low}. At "
        f"{_HIGH:g} and more: {high}."
    )


def narrowing(frame: pd.DataFrame) -> str:
    """Say in how many rows the band is narrower at high identity, beyond doubt."""
    if frame.empty:
        return "No band can be compared: there are too few pairs at one of the two ends."
    narrower = number_of(int((frame["width_ratio_high"] < 1).sum()), len(frame))
    cosine = frame[frame["distance"] == "cosine_similarity"]
    return (
        f"The interval of the ratio lies below 1 in {narrower} rows. The ratio for cosine "
        f"similarity: {by_role(cosine, 'width_ratio', '.2g')}."
    )


def dependence(frame: pd.DataFrame) -> str:
    """Say in how many rows a distance tells bits of identity, and where most."""
    above = frame["mutual_information"] > frame["mutual_information_null"]
    counted = judged(frame)
    models = number_of(int(above[counted.index].sum()), len(counted))
    names = named(frame) + ", " + frame["distance"].map(LABELS)
    return (
        f"The bits are above their null in {models} rows of {whose(counted)}; most are "
        f"{most(counted['mutual_information'], names, '.3f')}."
    )


def discrimination(frame: pd.DataFrame, measure: str) -> str:
    """Say how well cosine similarity parts pairs in the twilight zone, and above it.

    Parameters
    ----------
    frame, measure
        As of `figures.discrimination`.
    """
    cosine = frame[frame["distance"] == "cosine_similarity"]
    low, high = TWILIGHT
    zone = cosine[(cosine["bin_low"] >= low) & (cosine["bin_high"] <= high)]
    above = cosine[cosine["bin_low"] >= high]
    inside, beyond = (by_role(_mean_of(rows, measure), measure, ".2f") for rows in (zone, above))
    what = LABELS[measure]
    return (
        f"Mean {what} of cosine similarity from {low:.0%} to {high:.0%} identity: {inside}. Above: "
        f"{beyond}."
    )


def silent(frame: pd.DataFrame) -> str:
    """Say for how many rows there is an identity below which the distance says nothing.

    Parameters
    ----------
    frame : DataFrame
        ``role, label, measure, silent``.
    """
    models = judged(frame)
    found = number_of(int(models["silent"].notna().sum()), len(models))
    highest = ""
    if models["silent"].notna().any():
        names = named(models) + ", " + models["measure"]
        highest = f"; the highest is {most(models['silent'].astype(float), names, '.0%')}"
    return f"Rows of {whose(models)} with such an identity: {found}{highest}."


def _course(spread: pd.DataFrame) -> dict[str, float]:
    """Return the median of the first, the last but one and the last bin of those that are drawn."""
    shown = spread[spread["n"] >= LEAST_PAIRS].dropna(subset="median")
    if len(shown) < 2:
        return dict.fromkeys(("low", "high", "first", "before", "last"), float("nan"))
    centre = (shown["bin_low"] + shown["bin_high"]) / 2
    medians = shown["median"].iloc[[0, -2, -1]]
    outer = {"low": centre.iloc[0], "high": centre.iloc[-1]}
    return outer | dict(zip(("first", "before", "last"), medians, strict=True))


def _distance(values: pd.Series, measure: str) -> pd.Series:
    """Return values as something that is small between neighbours."""
    return 1 - values if measure == "cosine_similarity" else values


def _width(frame: pd.DataFrame, column: str, rows: pd.Series) -> float:
    """Return how far 90% of some pairs' cosines lie apart; NaN of too few pairs."""
    cosines = frame.loc[rows, column].dropna()
    if len(cosines) < LEAST_PAIRS:
        return float("nan")
    low, high = cosines.quantile([0.05, 0.95])
    return high - low if high > low else float("nan")


def _mean_of(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return each model's mean over its bins."""
    return rows.groupby(["title", "role"], sort=False)[measure].mean().reset_index()
