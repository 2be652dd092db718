"""Figures of pairs of proteins: how many, their distances, what these tell apart, single pairs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.association import binned_spread
from plm_geometry.base.errors import InputError
from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, folded, labelled
from plm_geometry.pairs import AlignedText
from plm_geometry.paper.arithmetic import PAIR_COUNTS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Interactive

# What a vertical axis can show: a monotonic function of a pair table's column.
_MEASURES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "cosine_similarity": ("cosine_similarity", np.positive),
    "cosine_distance": ("cosine_similarity", lambda cosine: 1 - cosine),
    "squared_euclidean": ("squared_euclidean", np.positive),
    "euclidean": ("squared_euclidean", np.sqrt),
}
_CELLS = 60
_BIN_EDGES = np.linspace(0, 1, 21)
# Quantiles of fewer pairs would be drawn as if they were known.
LEAST_PAIRS = 10
# Equal proteins are at distance 0, which no logarithmic axis has: they are drawn at its foot.
_FOOT = 1e-5
# Rost (1999): below it alignments miss relatives, above it they hardly do.
TWILIGHT = (0.20, 0.35)
# Columns of an alignment that fit beside a point on a telephone.
_COLUMNS = 44


@dataclass(frozen=True)
class Density:
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
    frame: pd.DataFrame, views: Iterable[tuple[str, bool]]
) -> dict[tuple[str, bool], Density]:
    """Count one model's pairs by sequence identity and distance.

    Parameters
    ----------
    frame : DataFrame
        A pair table: sequence_identity, cosine_similarity, squared_euclidean, and weight if the
        pairs were not drawn alike. Pairs without a cosine are left out of its views.
    views : iterable of (str, bool)
        What the vertical axis shows, one of cosine_similarity, cosine_distance,
        squared_euclidean and euclidean, and whether it is logarithmic.

    Raises
    ------
    InputError
        If there is no such measure.
    """
    views = list(views)
    for measure, _ in views:
        if measure not in _MEASURES:
            raise InputError(f"measure is {measure!r}; choose one of {', '.join(_MEASURES)}.")
    identity = frame["sequence_identity"].to_numpy(np.float64)
    weight = frame["weight"].to_numpy(np.float64) if "weight" in frame else np.ones(len(frame))
    # Sorting millions of pairs takes longest: once a column, as the measures are monotonic in it.
    spreads = {
        column: binned_spread(identity, frame[column], _BIN_EDGES, weights=weight)
        for column in {_MEASURES[measure][0] for measure, _ in views}
    }
    found = {}
    for measure, log in views:
        column, function = _MEASURES[measure]
        quantiles = np.sort(function(spreads[column][["q05", "median", "q95"]].to_numpy()), axis=1)
        spread = spreads[column][["bin_low", "bin_high", "n"]]
        spread = spread.assign(**dict(zip(["q05", "median", "q95"], quantiles.T, strict=True)))
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
    figure, grid = style.panels(len(densities), width=3.2, height=2.7, sharex=True)
    most = max(found.weight.max() for found in densities.values())
    # Without its palest tenth: a cell with one pair must be seen on the ground.
    shades = matplotlib.colors.ListedColormap(sns.color_palette("mako_r", 256)[26:])
    look = {"cmap": shades, "norm": matplotlib.colors.LogNorm(1, max(most, 2))}
    for axes, (title, found) in zip(grid, densities.items(), strict=True):
        weight, edges = np.ma.masked_equal(found.weight.T, 0), np.linspace(0, 1, _CELLS + 1)
        cells = axes.pcolormesh(edges, found.edges, weight, rasterized=True, **look)
        _spread_lines(axes, found.spread)
        if not found.weight.any():
            style.say_why_empty(axes, f"no pair has a {LABELS[measure]}")
        axes.set_yscale("log" if found.log else "linear")
        if found.log and found.edges[-1] < 100 * found.edges[0]:
            style.mark_decades(axes.yaxis)  # a power of ten or two label no axis
        axes.set_title(folded(title))
    figure.colorbar(cells, ax=grid, label="pairs in a cell", shrink=0.6, aspect=40)
    figure.supxlabel("sequence identity")
    figure.supylabel(LABELS[measure])
    style.key(figure)
    return figure


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
    size = {"width": 2.9, "height": 2.3, "sharex": True, "sharey": True}
    figure, parts = style.model_panels(labelled(frame), **size)
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
    figure.supxlabel("sequence identity, local alignment")
    figure.supylabel(LABELS[measure])
    style.key(figure)
    return figure


@style.styled
def pair_counts(found: pd.DataFrame, n_pairs: float, expected: float) -> Figure:
    """Draw how many pairs a number of proteins makes, against what is printed.

    Parameters
    ----------
    found : DataFrame
        ``open_questions.proteins_for_pairs(n_pairs)``.
    n_pairs : float
        As printed: a dashed line.
    expected : float
        Proteins that are said to make them: a dotted line.
    """
    figure = Figure(figsize=(7, 3.6))
    axes = figure.subplots()
    numbers = np.linspace(1, 1.15 * expected, 200)
    printed = n_pairs / 1e6
    for counting, dash in (("unordered", "-"), ("ordered", "--")):
        counts = PAIR_COUNTS[counting](numbers) / 1e6
        axes.plot(numbers, counts, color=style.PALETTE[0], ls=dash, label=f"{counting} pairs")
        made = PAIR_COUNTS[counting](expected) / 1e6
        style.say(axes, f"{made:.1f} million", (expected, made), (-6, 3), ha="right")
        needed = found.set_index("counting").loc[counting, "proteins"]
        axes.plot(needed, printed, "o", color=style.PALETTE[2], zorder=4)
        style.say(axes, f"{needed:,}", (needed, printed), (-4, 6), ha="right")
    axes.axhline(printed, **style.DASHED, label="as printed")
    axes.axvline(expected, color=style.INK, ls=":", lw=1.2, label=f"{expected:,.0f} proteins")
    axes.set(xlabel="proteins", ylabel="million pairs", xlim=(0, None), ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y")
    axes.legend(loc="upper left")
    return figure


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
    figure, grid = style.panels(len(titles), width=3.2, height=2.5, sharex=True)
    look = {
        "s": 6,
        "color": style.PALETTE[0],
        "alpha": 0.5,
        "edgecolors": "none",
        "rasterized": True,
    }
    for axes, (column, title) in zip(grid, titles.items(), strict=True):
        axes.scatter(frame["sequence_identity"], frame[column], **look)
        axes.set_title(folded(title))
    figure.supxlabel(LABELS["sequence_identity"])
    figure.supylabel(LABELS["cosine_similarity"])
    return figure


def pair_explorer(frame: pd.DataFrame, titles: Mapping[str, str]) -> "Interactive":
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
    import plotly.graph_objects as go

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
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.03, "yanchor": "bottom"}
    white = {"bgcolor": "#FFFFFF", "bordercolor": style.INK}
    mono = {"family": "DejaVu Sans Mono, Menlo, Consolas, monospace", "size": 10}
    figure = go.Figure(points)
    figure.update_layout(
        updatemenus=[menu | white],
        template="none",
        paper_bgcolor=style.GROUND,
        plot_bgcolor=style.GROUND,
        font={"family": "DejaVu Sans, Verdana, sans-serif", "color": style.INK, "size": 13},
        hoverlabel={"align": "left", "font": mono, **white},
        height=460,
        margin={"l": 64, "r": 16, "t": 72, "b": 56},
    )
    axis = {"gridcolor": style.STYLE["grid.color"], "zeroline": False, "ticks": "outside"}
    figure.update_xaxes(title_text=LABELS["sequence_identity"], range=(-0.02, 1.02), **axis)
    figure.update_yaxes(title_text=LABELS["cosine_similarity"], **axis)
    return figure


def _said(row: object) -> str:
    """Return what a point says: names, lengths, identity, score, and part of the alignment."""
    named = [f"<b>{escape(name)}</b>" for name in (row.accession_a, row.accession_b)]
    names = f"{named[0]} ({row.length_a}) and {named[1]} ({row.length_b} residues)"
    numbers = f"identity {row.sequence_identity:.1%}, score {row.alignment_score:g}"
    return "<br>".join([names, numbers, *_lines(row.alignment)])


def _lines(aligned: AlignedText | None) -> list[str]:
    """Return the alignment's best stretch; blanks that a browser keeps."""
    if aligned is None:
        return ["(too long to show the alignment)"]
    columns = len(aligned.marks)
    note = f"{columns} columns" if columns <= _COLUMNS else f"best {_COLUMNS} of {columns} columns"
    lines = aligned.window(_COLUMNS)
    return [note, *(line.replace(" ", "\N{NO-BREAK SPACE}") for line in lines)]
