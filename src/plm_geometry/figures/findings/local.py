"""What figures and tables of amino acids show, in a sentence or two each."""

import numpy as np
import pandas as pd

from plm_geometry.figures.findings.words import (
    UNKNOWN,
    by_role,
    ends,
    judged,
    named,
    number_of,
    whose,
)
from plm_geometry.figures.labels import FORMATS, LABELS
from plm_geometry.figures.local import residue_order


def averages(frame: pd.DataFrame) -> str:
    """Say how many dimensions an amino acid uses on average, and what is printed.

    Parameters
    ----------
    frame : DataFrame
        One row a model: labels, ``average_dimensions``, ``published_dimensions``.
    """
    printed = frame["published_dimensions"].dropna()
    beside = f" (the paper prints about {printed.iloc[0]:g})" if len(printed) else ""
    said = by_role(frame, "average_dimensions", ".1f")
    return f"An amino acid uses on average, in dimensions{beside}: {said}."


def local_spread(frame: pd.DataFrame) -> str:
    """Say how far the amino acids of one model lie apart, and in which furthest."""
    twenty = judged(_twenty(frame, "effective_dimensions"))
    if twenty.empty:
        return f"Dimensions of amino acids are {UNKNOWN}."
    found = {name: rows.effective_dimensions for name, rows in twenty.groupby(named(twenty))}
    widest = max(found, key=lambda name: np.ptp(found[name]))
    residues = twenty["residue"].loc[found[widest].index]
    return (
        f"Amino acids lie furthest apart in {widest}: from {ends(found[widest], residues, '.1f')} "
        "dimensions."
    )


def local_intervals(frame: pd.DataFrame) -> str:
    """Say in how many models the thinnest and the widest amino acid can be told apart."""
    twenty = judged(_twenty(frame, "effective_dimensions"))
    known = twenty.dropna(subset=["effective_dimensions_low", "effective_dimensions_high"])
    if known.empty:
        return "No interval of an amino acid is known: there are too few proteins for one."
    groups = [rows for _, rows in known.groupby(named(known))]
    apart = sum(_are_apart(rows) for rows in groups)
    return (
        "The intervals of the amino acids with the fewest and the most dimensions lie apart in "
        f"{number_of(apart, len(groups))} {whose(known)}."
    )


def by_residue(frame: pd.DataFrame) -> str:
    """Say which amino acid has the fewest dimensions in most models, and which the most."""
    twenty = judged(_twenty(frame, "effective_dimensions"))
    if twenty.empty:
        return f"Dimensions of amino acids are {UNKNOWN}."
    values = twenty.groupby(named(twenty)).effective_dimensions
    said = []
    for what, places in (("fewest", values.idxmin()), ("most", values.idxmax())):
        counted = twenty.loc[places, "residue"].value_counts()
        count = f"{number_of(counted.iloc[0], len(places))} {whose(twenty)}"
        said.append(f"with the {what} dimensions {counted.index[0]} ({count})")
    return f"Most often {' and '.join(said)}."


def local_heatmap(frame: pd.DataFrame, column: str) -> str:
    """Say between which values amino acids lie, and which these are.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_isotropy()``.
    column : {"isoscore", "effective_dimensions", "mean_cosine_similarity"}
        What is drawn.
    """
    twenty = judged(_twenty(frame, column))
    said = ends(twenty[column], twenty["residue"] + " of " + named(twenty), FORMATS[column])
    what = LABELS[column]
    return f"{what[0].upper()}{what[1:]} by amino acid: {said}."


def local_variance(frame: pd.DataFrame) -> str:
    """Say which share of the residues' variance lies between amino acids."""
    return (
        f"Between amino acids lies this share of the variance: {by_role(frame, 'between', '.0%')}."
    )


def letters(frame: pd.DataFrame) -> str:
    """Say which letters there are beyond the twenty, and how many residues they are.

    Parameters
    ----------
    frame : DataFrame
        ``Study.letters()``.
    """
    return (
        f"Beyond the twenty amino acids there are {frame['residues'].sum():,} residues, of "
        f"{', '.join(frame['letter'])}."
    )


def clouds_of_letters(frame: pd.DataFrame) -> str:
    """Say how many dimensions the letters beyond the twenty use.

    Parameters
    ----------
    frame : DataFrame
        Their rows of ``Study.local_isotropy()``.
    """
    models = judged(frame)
    said = ends(models["effective_dimensions"], models["residue"] + " of " + named(models), ".1f")
    return f"Dimensions of letters beyond the twenty: {said}."


def _twenty(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame[frame["residue"].isin(residue_order(frame["residue"]))].dropna(subset=column)


def _are_apart(rows: pd.DataFrame) -> bool:
    """Tell whether the intervals at the two ends share no value."""
    low, high = (rows.loc[rows["effective_dimensions"].agg(end)] for end in ("idxmin", "idxmax"))
    return bool(low["effective_dimensions_high"] < high["effective_dimensions_low"])
