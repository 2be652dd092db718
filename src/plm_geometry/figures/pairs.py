"""Figures of pairs of proteins: how many, their distances, what these tell apart, single pairs."""

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.association import binned_spread
from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, folded

_CELLS = 60
# Quantiles of fewer pairs would be drawn as if they were known.
LEAST_PAIRS = 10
# Equal proteins are at distance 0, which no logarithmic axis has: they are drawn at its foot.
_FOOT = 1e-5
# Rost (1999): below it alignments miss relatives, above it they hardly do.
TWILIGHT = (0.20, 0.35)
# Columns of an alignment that fit beside a point on a telephone.
_COLUMNS = 44


class Density(NamedTuple):
    """How many pairs lie where, of one model: small, whatever the number of pairs.

    Attributes
    ----------
    weight : ndarray, shape ``(n_identity, n_distance)``
        For how many pairs those in each cell stand.
    edges : ndarray, shape ``(n_distance + 1,)``
        Of the cells along the distance, even in its logarithm; those along identity are the same
        everywhere.
    spread : DataFrame
        ``bin_low, bin_high, n, median, q05, q95`` of the distance by bins of identity.
    """

    weight: np.ndarray
    edges: np.ndarray
    spread: pd.DataFrame


def density(frame: pd.DataFrame) -> Density:
    """Count one model's pairs by sequence identity and one minus cosine similarity.

    Parameters
    ----------
    frame : DataFrame
        A pair table: sequence_identity, cosine_similarity, and weight if the pairs were not drawn
        alike. Pairs without a cosine are left out.
    """
    frame = frame.dropna(subset="cosine_similarity")
    identity, distance = frame["sequence_identity"], 1 - frame["cosine_similarity"]
    weight = frame["weight"] if "weight" in frame else np.ones(len(frame))
    spread = binned_spread(identity, distance, np.linspace(0, 1, 21), weights=weight)
    typical = distance[distance > 0].median() if (distance > 0).any() else 1
    logs = np.log(distance.clip(lower=_FOOT * typical))
    limits = ((0, 1), (logs.min(), logs.max()) if len(logs) else (0, 1))
    counted, _, edges = np.histogram2d(identity, logs, _CELLS, limits, weights=weight)
    return Density(counted, np.exp(edges), spread)


@style.styled
def pair_scatter(densities: Mapping[str, Density]) -> Figure:
    """Draw the density of pairs, one minus cosine against sequence identity, one panel per model.

    Parameters
    ----------
    densities : mapping of str to Density
        Title to the `density` of each model.

    Returns
    -------
    Figure
        Cells are images inside the vector file, whose size does not grow with the pairs.
    """
    x, y = LABELS["sequence_identity"], LABELS["cosine_distance"]
    figure, grid = style.panels(len(densities), x, y, (3.2, 2.7), sharex=True)
    most = max(found.weight.max() for found in densities.values())
    # Without its palest tenth: a cell with one pair must be seen on the ground.
    shades = matplotlib.colors.ListedColormap(sns.color_palette("mako_r", 256)[26:])
    look = {"cmap": shades, "norm": matplotlib.colors.LogNorm(1, max(most, 2))}
    for axes, (title, found) in zip(grid, densities.items(), strict=True):
        weight, edges = np.ma.masked_equal(found.weight.T, 0), np.linspace(0, 1, _CELLS + 1)
        cells = axes.pcolormesh(edges, found.edges, weight, rasterized=True, **look)
        _spread_lines(axes, found.spread)
        if not found.weight.any():
            style.nothing_to_draw("no pair has a cosine similarity", axes)
        axes.set_yscale("log")
        if found.edges[-1] < 100 * found.edges[0]:
            style.mark_decades(axes.yaxis)  # a power of ten or two label no axis
        axes.set_title(folded(title))
    figure.colorbar(cells, ax=grid, label="pairs in a cell", shrink=0.6, aspect=40)
    return style.key(figure)


def _spread_lines(axes: Axes, spread: pd.DataFrame) -> None:
    """Draw the binned median and the band of 90% of the pairs."""
    shown = spread.where(spread["n"] >= LEAST_PAIRS)  # gaps, where too few are known
    centre = (spread["bin_low"] + spread["bin_high"]) / 2
    line = {"color": style.PALETTE[2], "zorder": 3, "marker": ".", "ms": 3}
    axes.plot(centre, shown["median"], lw=2, label="median of a bin", **line)
    axes.plot(centre, shown["q05"], lw=1.3, ls="--", label="5% and 95% of a bin", **line)
    axes.plot(centre, shown["q95"], lw=1.3, ls="--", **line)


@style.styled
def discrimination(frame: pd.DataFrame) -> Figure:
    """Draw how well distances tell homologous from unrelated pairs, one panel per model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.scatter.discrimination()``: labels, distance, bin_low, bin_high, and auc, of which
        0.5 is chance, with its bounds; or auc_difference from a control's, which is drawn then.

    Returns
    -------
    Figure
        The twilight zone, 20 to 35% identity, is shaded.
    """
    shown, chance = ("auc_difference", 0) if "auc_difference" in frame else ("auc", 0.5)
    named = style.labelled(frame.dropna(subset=[shown, f"{shown}_low"]))
    if named.empty:
        return style.nothing_to_draw("no bin has ten families: none is testable")
    x = "sequence identity, local alignment"
    figure, parts = style.model_panels(named, x, LABELS[shown], sharex=True, sharey=True)
    for axes, model, colour in parts:
        axes.axvspan(*TWILIGHT, color=style.GREY, alpha=0.18, lw=0)
        axes.axhline(chance, color=style.INK, lw=0.8, ls="--")
        for number, (distance, rows) in enumerate(model.groupby("distance", sort=False)):
            places = (rows["bin_low"] + rows["bin_high"]) / 2 + (-0.012, 0.012)[number]
            mark = {"marker": "os"[number], "ls": "-:"[number], "ms": 4, "lw": 1, "color": colour}
            mark["mfc"] = (colour, style.GROUND)[number]
            style.line(axes, places, rows, shown, LABELS[distance], mark)
        axes.set_xlim(0, 1)
    return style.key(figure)


@style.styled
def sampled_pairs(frame: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw single pairs, cosine similarity against sequence identity, one panel per model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pairs.sampled(n)``: sequence_identity, and each model's cosine similarity.
    titles : mapping of str to str
        Which columns of `frame` to draw, and what each panel is called.
    """
    x, y = LABELS["sequence_identity"], LABELS["cosine_similarity"]
    figure, grid = style.panels(len(titles), x, y, sharex=True)
    look = {"color": style.PALETTE[0], "alpha": 0.5, "ms": 4, "mew": 0, "rasterized": True}
    for axes, (column, title) in zip(grid, titles.items(), strict=True):
        axes.plot(frame["sequence_identity"], frame[column], ".", **look)
        axes.set_title(folded(title))
    return figure


def pair_explorer(frame: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Return the same scatter of one model at a time, to point at.

    Parameters
    ----------
    frame : DataFrame
        As for `sampled_pairs`, with accession_a, accession_b, length_a, length_b,
        alignment_score and ``alignment``, an `AlignedText` or None.
    titles : mapping of str to str
        Which columns of `frame` a menu offers, and what it calls them.

    Returns
    -------
    plotly.graph_objects.Figure
        A point says which two proteins it is, and shows the stretch of their alignment that has
        most identities.
    """
    shown = frame[list(titles)].round(5)
    points = go.Scatter(
        x=frame["sequence_identity"].round(4),
        y=shown.iloc[:, 0],
        mode="markers",
        marker={"color": style.PALETTE[0], "size": 6, "opacity": 0.6},
        customdata=[_said(row) for row in frame.itertuples()],
        hovertemplate="%{customdata}<br>cosine similarity %{y:.4f}<extra></extra>",
    )
    buttons = [
        {"method": "restyle", "label": title, "args": [{"y": [shown[column].tolist()]}]}
        for column, title in titles.items()
    ]
    white = {"bgcolor": "#FFFFFF", "bordercolor": style.INK}
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.03, "yanchor": "bottom"}
    mono = {"family": "DejaVu Sans Mono, Menlo, Consolas, monospace", "size": 10}
    hover = {"align": "left", "font": mono, **white}
    font = {"family": "DejaVu Sans, Verdana, sans-serif", "color": style.INK, "size": 13}
    ground = {"template": "none", "paper_bgcolor": style.GROUND, "plot_bgcolor": style.GROUND}
    figure = go.Figure(points)
    figure.update_layout(updatemenus=[menu | white], hoverlabel=hover, font=font, **ground)
    axis = {"gridcolor": style.STYLE["grid.color"], "zeroline": False, "ticks": "outside"}
    figure.update_xaxes(title=LABELS["sequence_identity"], range=(-0.02, 1.02), **axis)
    return figure.update_yaxes(title=LABELS["cosine_similarity"], **axis).update_layout(height=460)


def _said(row: object) -> str:
    """Return what a point says: names, lengths, identity, score, and the alignment's best part."""
    a, b = (f"<b>{escape(name)}</b>" for name in (row.accession_a, row.accession_b))
    names = f"{a} ({row.length_a}) and {b} ({row.length_b} residues)"
    numbers = f"identity {row.sequence_identity:.1%}, score {row.alignment_score:g}"
    if row.alignment is None:
        return "<br>".join([names, numbers, "(too long to show the alignment)"])
    columns = len(row.alignment.marks)
    note = f"{columns} columns" if columns <= _COLUMNS else f"best {_COLUMNS} of {columns} columns"
    # Blanks that a browser keeps.
    lines = [line.replace(" ", "\N{NO-BREAK SPACE}") for line in row.alignment.window(_COLUMNS)]
    return "<br>".join([names, numbers, note, *lines])
