"""What figures and tables of verdicts and of real checkpoints show, in a sentence or two each."""

import pandas as pd

from plm_geometry.figures.findings.words import UNKNOWN, by_role, number_of
from plm_geometry.figures.labels import extent, rounded


def verdicts(frame: pd.DataFrame) -> str:
    """Say how many rows have which verdict.

    Parameters
    ----------
    frame : DataFrame
        Rows of ``verdicts.verdicts(...)``.
    """
    counted = frame["verdict"].value_counts(sort=False)
    if counted.empty:
        return "There is no number to compare."
    said = [f"{verdict} in {number_of(n, len(frame))}" for verdict, n in counted.items()]
    return f"Verdicts: {', '.join(said)}."


def reasons(frame: pd.DataFrame) -> str:
    """Say which reason is the most frequent.

    Parameters
    ----------
    frame : DataFrame
        ``verdicts.reasons(...)``, the most frequent first.
    """
    if frame.empty:
        return "Every row has a verdict."
    count = number_of(frame["rows"].iloc[0], frame["rows"].sum())
    return f"The most frequent reason holds for {count} rows."


def rounding_of_quotations(frame: pd.DataFrame) -> str:
    """Say how many quoted scores the source's rounds to.

    Parameters
    ----------
    frame : DataFrame
        ``isoscore`` as the source prints it, and ``quoted_by_paper``.
    """
    quoted = frame.dropna(subset="quoted_by_paper")
    same = quoted["isoscore"].round(2) == quoted["quoted_by_paper"].round(2)
    given = number_of(int(same.sum()), len(quoted))
    return f"Rounded to two digits, the source gives {given} scores that the paper quotes."


def layer_scores(frame: pd.DataFrame) -> str:
    """Say between which scores the layers lie: rows of ``verdicts.verdicts(...)``."""
    return f"Word tokens score {extent(frame['published'], '.4f')} by layer."


def sources(frame: pd.DataFrame) -> str:
    """Say how many runs there are, and over how many proteins each.

    Parameters
    ----------
    frame : DataFrame
        ``records.sources(...)``.
    """
    each = frame.drop_duplicates("record")["proteins"]
    sizes = " to ".join(dict.fromkeys(f"{each.agg(end):,}" for end in ("min", "max")))
    runs = "1 run" if len(each) == 1 else f"{len(each)} runs"
    checkpoints = frame.loc[frame["role"] == "model", "model"].nunique()
    return f"{runs} of {sizes} proteins; real checkpoints among their models: {checkpoints}."


def checkpoint_isotropy(frame: pd.DataFrame) -> str:
    """Say how many dimensions real checkpoints use, and controls on the same proteins.

    Parameters
    ----------
    frame : DataFrame
        ``records.measured(...)``.
    """
    of_k = frame[frame["quantity"] == "effective_dimensions"]
    named = of_k.assign(label=of_k["title"] + ", " + of_k["record"])
    return f"Effective dimensions: {by_role(named, 'value', '.1f')}."


def shares_of_width(frame: pd.DataFrame) -> str:
    """Say which share of their width real checkpoints use.

    Parameters
    ----------
    frame : DataFrame
        ``role, title, record, effective_dimensions, embedding_dimensions``.
    """
    shares = frame.assign(
        label=frame["title"] + ", " + frame["record"],
        share=frame["effective_dimensions"] / frame["embedding_dimensions"],
    )
    return f"Share of the width in use: {by_role(shares, 'share', '.1%')}."


def checkpoint_correlations(frame: pd.DataFrame) -> str:
    """Say how often real checkpoints have the printed sign.

    Parameters
    ----------
    frame : DataFrame
        ``role, value, published``: entries of correlation matrices.
    """
    models = frame[frame["role"] == "model"].dropna(subset="published")
    if models.empty:
        return f"How real checkpoints correlate is {UNKNOWN}."
    same = number_of(int((models["value"] * models["published"] > 0).sum()), len(models))
    away = (models["value"] - models["published"]).abs().max()
    return (
        f"Entries of real checkpoints with the printed sign: {same}; furthest off, "
        f"{rounded(away, 2)}."
    )


def entries_holding(frame: pd.DataFrame) -> str:
    """Say how many intervals hold the printed number: ``role, low, high, published``."""
    known = frame[frame["role"] == "model"].dropna(subset=["published", "low", "high"])
    if known.empty:
        return f"Whether an interval holds the printed number is {UNKNOWN}."
    inside = known["published"].between(known["low"], known["high"])
    return (
        "Intervals of real checkpoints that hold the printed number: "
        f"{number_of(int(inside.sum()), len(known))}."
    )


def claims(frame: pd.DataFrame) -> str:
    """Say how many ranges over real checkpoints hold the printed number.

    Parameters
    ----------
    frame : DataFrame
        ``claim, whose, role, value, published``, one row a value.
    """
    models = frame[frame["role"] == "model"].dropna(subset=["value", "published"])
    found = models.groupby("claim", sort=False).agg(
        low=("value", "min"),
        high=("value", "max"),
        first=("published", "min"),
        last=("published", "max"),
    )
    inside = (found["low"] <= found["last"]) & (found["high"] >= found["first"])
    return (
        "Ranges over real checkpoints that meet the printed ones: "
        f"{number_of(int(inside.sum()), len(found))}."
    )
