"""Figures of global isotropy: each model's dimensions, and how many proteins they need."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from plm_geometry.figures.labels import FORMATS, LABELS, about, folded, labels
from plm_geometry.figures.style import (
    GREY,
    INK,
    STYLE,
    colours,
    lines,
    panels,
    styled,
    without_minis,
)

# An interval is often narrower than the dot it belongs to: it stands under it, in rows.
_BELOW = 0.25


@styled
@without_minis
def global_isotropy(frame: pd.DataFrame) -> Figure:
    """Draw effective dimensions and mean cosine similarity of each model, with intervals.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside(Study.global_isotropy())``.

    Returns
    -------
    Figure
        Left: effective dimensions (logarithmic), corrected ones as a tick on their interval, the
        paper's as open diamonds. Right: mean cosine similarity, which the paper does not print.
    """
    figure = Figure(figsize=(8, 0.5 * len(frame) + 1.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    rows = np.arange(len(frame))
    _dots(left, frame, "effective_dimensions")
    left.scatter(frame.effective_dimensions_corrected, rows + _BELOW, marker="|", s=60,
                 c=colours(frame))  # fmt: skip
    left.scatter(frame.published_effective_dimensions, rows, marker="D", s=60, facecolors="none",
                 edgecolors=INK, linewidths=1.3, zorder=4)  # fmt: skip
    left.set_xscale("log")
    left.xaxis.set_major_formatter("{x:g}")
    left.set_xlim(0.8, 2 * np.nanmax(frame.filter(like="effective_dimensions").astype(float)))
    _dots(right, frame, "mean_cosine_similarity")
    right.set_xlim(min(0, 1.1 * frame.mean_cosine_similarity.astype(float).min()), 1.15)
    left.set_yticks(rows, labels(frame))
    left.invert_yaxis()
    _key(figure)
    return figure


def _dots(axes: Axes, frame: pd.DataFrame, column: str) -> None:
    """Draw one dot a row, its number above and its interval below it."""
    rows = np.arange(len(frame))
    values = frame[column].astype(float)
    ends = [frame[f"{column}_{end}"].astype(float) for end in ("low", "high")]
    axes.hlines(rows + _BELOW, *ends, colors=colours(frame), lw=1.6)
    axes.scatter(values, rows, c=colours(frame), s=60, zorder=3)
    for row, value in zip(rows[values.notna()], values.dropna(), strict=True):
        axes.annotate(format(value, FORMATS[column]), (value, row), xytext=(0, 8),
                      textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set_xlabel(LABELS[column])
    axes.set_ylim(-0.7, len(frame) - 0.5)
    axes.grid(axis="both")
    axes.set_axisbelow(True)


def _key(figure: Figure) -> None:
    """Explain the three kinds of marks above the panels."""
    marks = [
        Line2D([], [], marker="o", ls="", color=INK, label="this run"),
        Line2D([], [], marker="|", ms=9, color=INK, label="corrected, with its 95% interval"),
        Line2D([], [], marker="D", ls="", mfc="none", color=INK,
               label="published (the paper's own model)"),
    ]  # fmt: skip
    figure.legend(handles=marks, loc="outside upper center", ncols=3)


@styled
@without_minis
def convergence(frame: pd.DataFrame, enough: pd.DataFrame) -> Figure:
    """Draw how effective dimensions settle as proteins are added, one panel a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.convergence()``: labels, n, effective_dimensions, low, high, corrected.
    enough : DataFrame
        ``Study.enough()``: model, plain, corrected: how many proteins settle the third digit. A
        line marks those of the plain estimate where it lies within the panel.
    """
    named = frame.assign(label=labels(frame))
    styles = lines(named)
    figure, grid = panels(named.label.nunique(), across=3, width=2.9, height=2.3, sharex=True)
    for axes, (name, model) in zip(grid, named.groupby("label", sort=False), strict=True):
        _settling(axes, model, styles[name]["color"])
        _mark_enough(axes, enough[enough.model == model.model.iloc[0]], model.n.max())
        axes.set_title(folded(name))
    handles = [
        Line2D([], [], color=GREY, marker="o", ms=3, label="plain (band: 95% of draws)"),
        Line2D([], [], color=INK, ls="--", label="corrected for the number of proteins"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    figure.supxlabel("proteins", fontsize=10)
    figure.supylabel(LABELS["effective_dimensions"], fontsize=10)
    return figure


def _settling(axes: Axes, model: pd.DataFrame, colour: str) -> None:
    """Draw one model's plain estimates with their band, and the corrected ones."""
    axes.fill_between(model.n, model.low, model.high, color=colour, alpha=0.25, lw=0)
    axes.plot(model.n, model.effective_dimensions, color=colour, marker="o", ms=3)
    axes.plot(model.n, model.corrected, color=INK, ls="--", lw=1.2)
    axes.set_xscale("log")
    # At most five sizes are named, the largest among them.
    named = model.n[:: -math.ceil(len(model) / 5)]
    axes.set_xticks(named, [f"{n:,}" for n in named], fontsize=8)
    axes.xaxis.set_minor_locator(NullLocator())


def _mark_enough(axes: Axes, enough: pd.DataFrame, largest: int) -> None:
    """Say how many proteins settle the third digit, and mark the place if the panel has it."""
    for row in enough.itertuples():
        if row.plain <= largest:
            axes.axvline(row.plain, color=INK, lw=0.8, ls=":")
        said = f"3rd digit, plain: {about(row.plain)}\ncorrected: {about(row.corrected)}"
        ground = {"fc": STYLE["axes.facecolor"], "lw": 0, "pad": 1, "alpha": 0.7}
        axes.annotate(said, (0.97, 0.04), xycoords="axes fraction", ha="right", fontsize=7,
                      bbox=ground)  # fmt: skip
