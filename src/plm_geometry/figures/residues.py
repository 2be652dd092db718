"""Figures of proteins and of residues: amino acids in the order of their side chains."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from plm_geometry.figures import style

# Amino acids by the chemistry of their side chains.
RESIDUE_CLASSES = {
    "aliphatic": "GAVLIMP",
    "aromatic": "FWY",
    "polar": "STCNQ",
    "positive": "KRH",
    "negative": "DE",
}
_NO_SPREAD = "the residues of no amino acid differ here"


def residue_order(found: pd.Index) -> list[str]:
    """Return the amino acids among `found`, by the class of their side chains."""
    return [residue for residue in "".join(RESIDUE_CLASSES.values()) if residue in set(found)]


def _twenty(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the labelled rows of the twenty amino acids that have a value."""
    named = style.labelled(frame)
    return named[named["residue"].isin(residue_order(named["residue"]))].dropna(subset=column)


@style.styled
def local_spread(frame: pd.DataFrame) -> Figure:
    """Draw how many dimensions the twenty amino acids use in each model.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside_local(Study.local_isotropy())``: the paper's average is a dashed
        line over the rows it holds for.
    """
    twenty = _twenty(frame, "effective_dimensions")
    if twenty.empty:
        return style.nothing_to_draw(_NO_SPREAD)
    models = twenty.groupby("label", sort=False)
    means, printed = models["effective_dimensions"].mean(), models["published_dimensions"].first()
    axes = Figure(figsize=(8, 0.5 * len(means) + 1.3)).subplots()
    # Moved up or down so that none hides another: the same way in every run, as seaborn does not.
    beside = np.random.default_rng(0).uniform(-0.15, 0.15, len(twenty))
    look = {"s": 25, "alpha": 0.8, "color": twenty["colour"]}
    places = means.index.get_indexer(twenty["label"]) + beside
    axes.scatter(twenty["effective_dimensions"], places, **look)
    rows = np.arange(len(means))
    mean = {"color": style.INK, "lw": 2, "zorder": 3, "label": "mean of the twenty"}
    axes.vlines(means, rows - 0.3, rows + 0.3, **mean)
    if printed.notna().any():
        said = f"published: about {printed.max():g}"
        axes.vlines(printed, rows - 0.5, rows + 0.5, label=said, **style.DASHED)
    axes.set_yticks(rows, means.index)
    axes.invert_yaxis()
    axes.set(xlabel="effective dimensions of an amino acid", xlim=(0, None))
    return style.key(axes.figure)


@style.styled
def local_variance(frame: pd.DataFrame) -> Figure:
    """Draw how much of residues' variance lies between amino acids, and how much within.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_variance()``: labels, between, within; the two add up to 1.
    """
    named = style.labelled(frame).set_index("label")
    axes = Figure(figsize=(8, 0.42 * len(named) + 1.3)).subplots()
    bars = named[["between", "within"]].add_suffix(" amino acids")
    look = {"stacked": True, "width": 0.8, "color": [style.PALETTE[0], "#A9CCE3"]}
    bars.plot.barh(ax=axes, legend=False, **look)
    said = named["between"].map("{:.0%}".format).where(named["between"].notna(), "not defined")
    axes.bar_label(axes.containers[0], said, padding=4, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.02), xlabel="share of the variance of all residues", ylabel="")
    axes.xaxis.set_major_formatter("{x:.0%}")
    return style.key(axes.figure)
