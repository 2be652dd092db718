"""Figures of pairs of proteins: how many, their distances, what these tell apart, single pairs."""

from collections.abc import Callable, Mapping, Sequence
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
from plm_geometry.base.errors import InputError
from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, folded

# What a vertical axis can show: a monotonic function of a pair table's column.
_MEASURES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "cosine_similarity": ("cosine_similarity", np.positive),
    "cosine_distance": ("cosine_similarity", lambda cosine: 1 - cosine),
    "squared_euclidean": ("squared_euclidean", np.positive),
    "euclidean": ("squared_euclidean", np.sqrt),
}
_CELLS = 60
_QUANTILES = ["q05", "median", "q95"]
# Quantiles of fewer pairs would be drawn as if they were known.
LEAST_PAIRS = 10
# Equal proteins are at distance 0, which no logarithmic axis has: they are drawn at its foot.
_FOOT = 1e-5
# Rost (1999): below it alignments miss relatives, above it they hardly do.
TWILIGHT = (0.20, 0.35)
# Columns of an alignment that fit beside a point on a telephone.
_COLUMNS = 44


class Density(NamedTuple):
    """How many pairs lie where, of one model and measure: small, whatever the number of pairs.

    Attributes
    ----------
    weight : ndarray, shape ``(n_identity, n_distance)``
        For how many pairs those in each cell stand.
    edges : ndarray, shape ``(n_distance + 1,)``
        Of the cells along the distance; those along identity are the same everywhere.
    spread : DataFrame
        ``bin_low, bin_high, n, median, q05, q95`` of the distance by bins of identity.
    log : bool
        Whether the distance's axis is logarithmic.
    """

    weight: np.ndarray
    edges: np.ndarray
    spread: pd.DataFrame
    log: bool


def densities(
    frame: pd.DataFrame, views: Sequence[tuple[str, bool]]
) -> dict[tuple[str, bool], Density]:
    """Count one model's pairs by sequence identity and distance.

    Parameters
    ----------
    frame : DataFrame
        A pair table: sequence_identity, cosine_similarity, squared_euclidean, and weight if the
        pairs were not drawn alike. Pairs without a cosine are left out of its views.
    views : sequence of (str, bool)
        What the vertical axis shows, one of cosine_similarity, cosine_distance,
        squared_euclidean and euclidean, and whether it is logarithmic.

    Raises
    ------
    InputError
        If there is no such measure.
    """
    for measure, _ in views:
        if measure not in _MEASURES:
            raise InputError(f"measure is {measure!r}; choose one of {', '.join(_MEASURES)}.")
    identity = frame["sequence_identity"].to_numpy(np.float64)
    weight = frame["weight"].to_numpy(np.float64) if "weight" in frame else np.ones(len(frame))
    # Sorting millions of pairs takes longest: once a column, as the measures are monotonic in it.
    spreads = {
        column: binned_spread(identity, frame[column], np.linspace(0, 1, 21), weights=weight)
        for column in {_MEASURES[measure][0] for measure, _ in views}
    }
    found = {}
    for measure, log in views:
        column, function = _MEASURES[measure]
        spread = spreads[column][["bin_low", "bin_high", "n", *_QUANTILES]].copy()
        spread[_QUANTILES] = np.sort(function(spread[_QUANTILES].to_numpy()), axis=1)
        values = function(frame[column].to_numpy(np.float64))
        found[measure, log] = Density(*_counted(identity, values, weight, log), spread, log)
    return found


def _counted(
    identity: np.ndarray, values: np.ndarray, weight: np.ndarray, log: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Add up the weights in each cell, even ones or, on a logarithmic axis, in the logarithm."""
    known = ~np.isnan(values)
    identity, values, weight = identity[known], values[known], weight[known]
    if log:
        positive = values[values > 0]
        values = np.log(values.clip(min=_FOOT * (np.median(positive) if len(positive) else 1)))
    limits = ((0, 1), (values.min(), values.max()) if len(values) else (0, 1))
    counted, _, edges = np.histogram2d(identity, values, _CELLS, limits, weights=weight)
    return counted, np.exp(edges) if log else edges


@style.styled
def pair_scatter(densities: Mapping[str, Density], measure: str) -> Figure:
    """Draw the density of pairs, distance against sequence identity, one panel a model.

    Parameters
    ----------
    densities : mapping of str to Density
        Title to one view of `densities`, the same of each model.
    measure : str
        What the view shows.

    Returns
    -------
    Figure
        Cells are images inside the vector file, whose size does not grow with the pairs.
    """
    x, y = LABELS["sequence_identity"], LABELS[measure]
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
            style.nothing_to_draw(f"no pair has a {LABELS[measure]}", axes)
        axes.set_yscale("log" if found.log else "linear")
        if found.log and found.edges[-1] < 100 * found.edges[0]:
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
def discrimination(frame: pd.DataFrame, measure: str = "auc") -> Figure:
    """Draw how well distances tell homologous from unrelated pairs, one panel a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.discrimination()``: labels, distance, bin_low, bin_high, and `measure` with its
        bounds.
    measure : {"auc", "average_precision"}
        What to draw; 0.5 is chance in either.

    Returns
    -------
    Figure
        The twilight zone, 20 to 35% identity, is shaded.
    """
    named, x = style.labelled(frame), "sequence identity, local alignment"
    figure, parts = style.model_panels(named, x, LABELS[measure], sharex=True, sharey=True)
    for axes, model, colour in parts:
        axes.axvspan(*TWILIGHT, color=style.GREY, alpha=0.18, lw=0)
        axes.axhline(0.5, color=style.INK, lw=0.8, ls="--")
        for number, (distance, rows) in enumerate(model.groupby("distance", sort=False)):
            rows = rows.dropna(subset=measure)
            places = (rows["bin_low"] + rows["bin_high"]) / 2 + (-0.012, 0.012)[number]
            axes.vlines(places, rows[f"{measure}_low"], rows[f"{measure}_high"], color=colour)
            mark = {"marker": "os"[number], "ls": "-:"[number], "ms": 4, "lw": 1, "color": colour}
            mark["mfc"] = (colour, style.GROUND)[number]
            axes.plot(places, rows[measure], label=LABELS[distance], **mark)
        axes.set(xlim=(0, 1), ylim=(0, 1.05))
    return style.key(figure)


@style.styled
def sampled_pairs(frame: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw single pairs, cosine similarity against sequence identity, one panel a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.sampled_pairs()``: sequence_identity, and each model's cosine similarity.
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
