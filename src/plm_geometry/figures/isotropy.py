"""Figures of isotropy: dimensions, cosines of pairs, and what pooling does."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import FORMATS, LABELS, folded

_COSINE_BINS = np.linspace(-1, 1, 101)


@style.styled
def global_isotropy(frame: pd.DataFrame) -> Figure:
    """Draw effective dimensions and mean cosine similarity of each model, with intervals.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside(Study.isotropy.table())``.

    Returns
    -------
    Figure
        Left: effective dimensions (logarithmic), corrected ones as a tick on their interval, the
        paper's as open diamonds. Right: mean cosine similarity, which the paper does not print.
    """
    rows = style.labelled(frame).assign(mean_cosine_similarity_corrected=np.nan)
    figure = Figure(figsize=(8, 0.5 * len(rows) + 1.8))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    interval = {"below": 0.25, "marker": "|", "label": "corrected, with its 95% interval"}
    for axes, name in ((left, "effective_dimensions"), (right, "mean_cosine_similarity")):
        style.forest(axes, rows, name, None, label="this run")
        # An interval is often narrower than the dot it belongs to: it stands under it.
        style.forest(axes, rows, f"{name}_corrected", (f"{name}_low", f"{name}_high"), **interval)
        for place, value in rows[name].dropna().items():
            style.say(axes, f"{value:{FORMATS[name]}}", (value, place), (0, 8), ha="center")
        axes.set_xlabel(LABELS[name])
        axes.margins(x=0.15)
    paper = {"label": "published (the paper's own model)", **style.PRINTED}
    style.forest(left, rows, "published_effective_dimensions", None, **paper)
    left.set_xscale("log")
    return style.key(figure)


@style.styled
def pairwise_cosines(frame: pd.DataFrame) -> Figure:
    """Draw how the cosines of random pairs are spread, raw and centred, one row per model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.isotropy.pairwise_cosines()``: labels, of ("proteins" or "residues"), centred,
        cosine.

    Returns
    -------
    Figure
        A column for proteins and, where the run has any, one for residues. All histograms are
        drawn equally high: a narrow peak would make the others invisible.
    """
    named = style.labelled(frame)
    looks, kinds = style.looks(named), named["of"].unique()
    figure = Figure(figsize=(8, 0.75 * len(looks) + 1.4))
    grid = figure.subplots(len(looks), len(kinds), squeeze=False, sharex=True)
    for row, (name, look) in zip(grid, looks.items(), strict=True):
        for axes, kind in zip(row, kinds, strict=True):
            here = named[(named["label"] == name) & (named["of"] == kind)]
            _cosine_histograms(axes, here.dropna(subset="cosine"), look["color"])
        row[0].set_ylabel(folded(name), rotation=0, ha="right", va="center", fontsize=8)
    for axes, kind in zip(grid[0], kinds, strict=True):
        axes.set_title(f"pairs of {kind}")
    figure.supxlabel(LABELS["cosine_similarity"])
    return style.key(figure)


def _cosine_histograms(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Draw raw cosines as a filled histogram and centred ones as an outline."""
    axes.set(yticks=[], xlim=(-1, 1))
    axes.axvline(0, color=style.GREY, lw=0.6)
    if rows.empty:
        style.say(axes, "none", (0.5, 0.4), xycoords="axes fraction", ha="center")
        return
    filled = {"fill": True, "color": colour, "alpha": 0.6, "label": "as they are"}
    outlined = {"color": style.INK, "lw": 1.1, "label": "less their common mean"}
    for centred, look in ((False, filled), (True, outlined)):
        counts, _ = np.histogram(rows["cosine"][rows["centred"] == centred], _COSINE_BINS)
        axes.stairs(counts / max(counts.max(), 1), _COSINE_BINS, **look)
