"""Figures of pairs of proteins: their distances against identity, and what these tell apart."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plm_geometry.association import binned_spread
from plm_geometry.base.errors import InputError
from plm_geometry.figures.labels import LABELS, folded, labels
from plm_geometry.figures.style import GREY, INK, lines, mark_decades, panels, say_nothing, styled

# What a vertical axis can show: a monotonic function of a pair table's column.
_MEASURES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "cosine_similarity": ("cosine_similarity", np.positive),
    "cosine_distance": ("cosine_similarity", lambda cosine: 1 - cosine),
    "squared_euclidean": ("squared_euclidean", np.positive),
    "euclidean": ("squared_euclidean", np.sqrt),
}
_CELLS = 60
_IDENTITY_EDGES = np.linspace(0, 1, _CELLS + 1)
_BIN_EDGES = np.linspace(0, 1, 21)
# Quantiles of fewer pairs would be drawn as if they were known.
LEAST_PAIRS = 10
# Equal proteins are at distance 0, which no logarithmic axis has: they are drawn at its foot.
_FOOT = 1e-5
_ORANGE = "#D55E00"
# Without its palest tenth: a cell with one pair must be seen on the ground.
_COLOURS = matplotlib.colors.ListedColormap(sns.color_palette("mako_r", 256)[26:])
# Rost (1999): below it alignments miss relatives, above it they hardly do.
TWILIGHT = (0.20, 0.35)


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
        values = function(frame[column].to_numpy(np.float64))
        spread = _transformed(spreads[column], function)
        found[measure, log] = _density(identity, values, weight, spread, log)
    return found


def _transformed(
    spread: pd.DataFrame, function: Callable[[np.ndarray], np.ndarray]
) -> pd.DataFrame:
    """Return the quantiles of a monotonic function of what `spread` describes."""
    quantiles = np.sort(function(spread[["q05", "median", "q95"]].to_numpy()), axis=1)
    named = dict(zip(["q05", "median", "q95"], quantiles.T, strict=True))
    return spread[["bin_low", "bin_high", "n"]].assign(**named)


def _density(
    identity: np.ndarray, values: np.ndarray, weight: np.ndarray, spread: pd.DataFrame, log: bool
) -> Density:
    """Add up the weights in each cell."""
    known = ~np.isnan(values)
    identity, values, weight = identity[known], values[known], weight[known]
    if log:
        positive = values[values > 0]
        values = values.clip(min=_FOOT * (np.median(positive) if len(positive) else 1))
    edges = _edges(values, log)
    scaled = (np.log(values), np.log(edges)) if log else (values, edges)
    row, column = _cell(identity, _IDENTITY_EDGES), _cell(scaled[0], scaled[1])
    counted = np.bincount(row * _CELLS + column, weight, minlength=_CELLS**2)
    return Density(counted.reshape(_CELLS, _CELLS), edges, spread, log)


def _cell(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the number of each value's cell among even ones; the last holds its upper edge."""
    share = (values - edges[0]) / (edges[-1] - edges[0])
    return (share * _CELLS).astype(np.int32).clip(0, _CELLS - 1)


def _edges(values: np.ndarray, log: bool) -> np.ndarray:
    """Return the cells' edges: even ones, on a logarithmic axis in the logarithm."""
    low, high = (values.min(), values.max()) if len(values) else (1, 1)
    if low == high:  # no cell is of no width
        beside = 0.5 * abs(low) + (0 if log else _FOOT)
        low, high = low - beside, high + beside
    return np.geomspace(low, high, _CELLS + 1) if log else np.linspace(low, high, _CELLS + 1)


@styled
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
    figure, grid = panels(len(densities), across=3, width=3.2, height=2.7, sharex=True)
    most = max(found.weight.max() for found in densities.values())
    scale = matplotlib.colors.LogNorm(1, max(most, 2))
    for axes, (title, found) in zip(grid, densities.items(), strict=True):
        cells = axes.pcolormesh(_IDENTITY_EDGES, found.edges, np.ma.masked_equal(found.weight.T, 0),
                                cmap=_COLOURS, norm=scale, rasterized=True)  # fmt: skip
        _spread_lines(axes, found.spread)
        if not found.weight.any():
            say_nothing(axes, f"no pair has a {LABELS[measure]}")
        axes.set_yscale("log" if found.log else "linear")
        if found.log and found.edges[-1] < 100 * found.edges[0]:
            mark_decades(axes.yaxis)  # a power of ten or two label no axis
        axes.set_title(folded(title))
    figure.colorbar(cells, ax=grid, label="pairs in a cell", shrink=0.6, aspect=40)
    figure.supxlabel("sequence identity", fontsize=10)
    figure.supylabel(LABELS[measure], fontsize=10)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _spread_lines(axes: Axes, spread: pd.DataFrame) -> None:
    """Draw the binned median and the band of 90% of the pairs."""
    shown = spread.where(spread.n >= LEAST_PAIRS)  # gaps, where too few are known
    centre = (spread.bin_low + spread.bin_high) / 2
    line = {"color": _ORANGE, "zorder": 3, "marker": ".", "ms": 3}
    axes.plot(centre, shown["median"], lw=2, label="median of a bin", **line)
    axes.plot(centre, shown.q05, lw=1.3, ls="--", label="5% and 95% of a bin", **line)
    axes.plot(centre, shown.q95, lw=1.3, ls="--", **line)


@styled
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
    named = frame.assign(label=labels(frame))
    styles = lines(named)
    figure, grid = panels(len(styles), across=3, width=2.9, height=2.3, sharex=True, sharey=True)
    for axes, (name, model) in zip(grid, named.groupby("label", sort=False), strict=True):
        axes.axvspan(*TWILIGHT, color=GREY, alpha=0.18, lw=0)
        axes.axhline(0.5, color=INK, lw=0.8, ls="--")
        for number, (_, rows) in enumerate(model.groupby("distance", sort=False)):
            _by_bin(axes, rows.dropna(subset=measure), measure, styles[name]["color"], number)
        axes.set(xlim=(0, 1), ylim=(0, 1.05))
        axes.set_title(folded(name))
    figure.supxlabel("sequence identity, local alignment", fontsize=10)
    figure.supylabel(LABELS[measure], fontsize=10)
    marks = [Line2D([], [], marker="os"[number], mfc=INK if number == 0 else "none", color=INK,
                    label=LABELS[distance])
             for number, distance in enumerate(frame.distance.unique())]  # fmt: skip
    figure.legend(handles=marks, loc="outside upper center", ncols=2)
    return figure


def _by_bin(axes: Axes, rows: pd.DataFrame, measure: str, colour: str, number: int) -> None:
    """Draw one distance's values with their intervals, beside the other's."""
    places = (rows.bin_low + rows.bin_high) / 2 + 0.012 * (2 * number - 1)
    axes.vlines(places, rows[f"{measure}_low"], rows[f"{measure}_high"], color=colour, lw=1.2)
    axes.plot(places, rows[measure], color=colour, lw=1, ls="-:"[number], marker="os"[number],
              ms=4, mfc=colour if number == 0 else "none")  # fmt: skip
