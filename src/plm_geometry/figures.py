"""One function a figure: data frame in, matplotlib figure out, in one colour-blind-safe style."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from plm_geometry.figure_style import (
    FORMATS,
    GREY,
    INK,
    LABELS,
    STYLE,
    colours,
    folded,
    label,
    labels,
    rounded,
    styled,
)

__all__ = [
    "LABELS",
    "STYLE",
    "correlation_matrices",
    "global_isotropy",
    "label",
    "labels",
    "local_heatmap",
    "local_spread",
    "pair_scatter",
    "residue_order",
    "rounded",
]

# Amino acids by the chemistry of their side chains.
RESIDUE_CLASSES = {
    "aliphatic": "GAVLIMP",
    "aromatic": "FWY",
    "polar": "STCNQ",
    "positive": "KRH",
    "negative": "DE",
}


@styled
def global_isotropy(frame: pd.DataFrame) -> Figure:
    """Draw effective dimensions and mean cosine similarity of each model.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside(Study.global_isotropy())``.

    Returns
    -------
    Figure
        Left: effective dimensions (logarithmic), the paper's as open diamonds.
        Right: mean cosine similarity between proteins, which the paper does not print.
    """
    figure = Figure(figsize=(8, 0.5 * len(frame) + 1.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    rows = np.arange(len(frame))
    _dots(left, frame, "effective_dimensions")
    left.scatter(frame.published_effective_dimensions, rows, marker="D", s=60, facecolors="none",
                 edgecolors=INK, linewidths=1.3, zorder=4)  # fmt: skip
    left.set_xscale("log")
    left.xaxis.set_major_formatter("{x:g}")
    left.set_xlim(0.8, 2 * np.nanmax(frame[["effective_dimensions",
                                            "published_effective_dimensions"]]))  # fmt: skip
    _dots(right, frame, "mean_cosine_similarity")
    right.set_xlim(min(0, 1.1 * frame.mean_cosine_similarity.min()), 1.05)
    left.set_yticks(rows, labels(frame))
    left.invert_yaxis()
    _key(figure)
    return figure


def _dots(axes: Axes, frame: pd.DataFrame, column: str) -> None:
    """Draw one dot a row, its number beside it."""
    rows = np.arange(len(frame))
    values = frame[column].astype(float)
    axes.scatter(values, rows, c=colours(frame), s=60, zorder=3)
    for row, value in zip(rows, values, strict=True):
        axes.annotate(format(value, FORMATS[column]), (value, row), xytext=(0, 8),
                      textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set_xlabel(LABELS[column])
    axes.set_ylim(-0.7, len(frame) - 0.5)
    axes.grid(axis="both")
    axes.set_axisbelow(True)


def _key(figure: Figure) -> None:
    """Explain the two kinds of marks above the panels."""
    marks = [
        matplotlib.lines.Line2D([], [], marker="o", ls="", color=INK, label="this run"),
        matplotlib.lines.Line2D([], [], marker="D", ls="", mfc="none", color=INK,
                                label="published (the paper's own model)"),
    ]  # fmt: skip
    figure.legend(handles=marks, loc="outside upper center", ncols=2)


def residue_order(found: pd.Index) -> list[str]:
    """Return the amino acids among `found`, by the class of their side chains."""
    return [residue for residue in "".join(RESIDUE_CLASSES.values()) if residue in set(found)]


@styled
def local_heatmap(frame: pd.DataFrame, column: str) -> Figure:
    """Draw one value for each amino acid and model as an annotated heat map.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_isotropy()``: long, one row a residue and model.
    column : {"isoscore", "effective_dimensions", "mean_cosine_similarity"}
        What to draw; letters beyond the twenty amino acids are left to the table.

    Returns
    -------
    Figure
        Colours span the models' values: a control outside them takes the colour at the end.
    """
    named = frame[frame.residue.isin(residue_order(frame.residue))].dropna(subset=column)
    named = named.assign(label=labels(named))
    wide = named.pivot(index="residue", columns="label", values=column)
    wide = wide.loc[residue_order(wide.index), named.label.unique()]
    low, high = named[column][named.role != "control"].agg(["min", "max"])
    figure = Figure(figsize=(1.5 * wide.shape[1] + 1.8, 7), layout="constrained")
    axes = figure.subplots()
    sns.heatmap(wide, ax=axes, cmap="cividis", annot=True, fmt=FORMATS[column],
                vmin=low, vmax=high, annot_kws={"size": 8}, linewidths=0.5,
                cbar_kws={"label": LABELS[column], "aspect": 40,
                          "extend": _beyond(wide, low, high)})  # fmt: skip
    axes.set_xticks(axes.get_xticks(), [_folded(name) for name in wide], rotation=0, fontsize=8)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", rotation=0, length=0)
    _mark_classes(axes, list(wide.index))
    return figure


def _beyond(wide: pd.DataFrame, low: float, high: float) -> str:
    """Say at which ends of the colour bar values lie outside it, in matplotlib's words."""
    below, above = bool((wide < low).any(axis=None)), bool((wide > high).any(axis=None))
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def _folded(name: str) -> str:
    """Break a label at its comma and bracket, so that neighbours on an axis do not touch."""
    return name.replace(", ", ",\n").replace(" (", "\n(")


def _mark_classes(axes: Axes, residues: list[str]) -> None:
    """Part the classes of amino acids by a line, and name them at the left."""
    start = 0
    for name, members in RESIDUE_CLASSES.items():
        count = sum(residue in members for residue in residues)
        if not count:
            continue
        axes.axhline(start + count, color="white", lw=3)
        axes.text(-0.06, start + count / 2, name, rotation=90, ha="center", va="center",
                  transform=axes.get_yaxis_transform(), fontsize=8, color=GREY)  # fmt: skip
        start += count


@styled
def local_spread(frame: pd.DataFrame) -> Figure:
    """Draw how many dimensions the twenty amino acids use in each model.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside_local(Study.local_isotropy())``: the paper's average is a dashed
        line over the rows it holds for.
    """
    named = frame.assign(label=labels(frame))
    twenty = named[named.residue.isin(residue_order(named.residue))]
    twenty = twenty.dropna(subset="effective_dimensions")
    models = twenty.drop_duplicates("label").set_index("label", drop=False)
    figure = Figure(figsize=(8, 0.5 * len(models) + 1.3), layout="constrained")
    axes = figure.subplots()
    sns.stripplot(twenty, x="effective_dimensions", y="label", hue="label", ax=axes, legend=False,
                  palette=dict(zip(models.index, colours(models), strict=True)), alpha=0.8,
                  jitter=0.15)  # fmt: skip
    means = twenty.groupby("label", sort=False).effective_dimensions.mean()
    axes.scatter(means, range(len(means)), marker="|", s=500, color=INK, lw=2, zorder=4,
                 label="mean of the twenty")  # fmt: skip
    _published_average(axes, models.published_dimensions)
    axes.set(xlabel="effective dimensions of an amino acid", ylabel="", xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _published_average(axes: Axes, averages: pd.Series) -> None:
    """Draw a dashed line over each row that the paper prints an average for."""
    rows = np.flatnonzero(averages.notna())
    if len(rows):
        printed = averages.iloc[rows]
        axes.vlines(printed, rows - 0.5, rows + 0.5, color=INK, ls="--", lw=1,
                    label=f"published: about {printed.iloc[0]:g}")  # fmt: skip


@styled
def correlation_matrices(matrices: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw matrices of correlations side by side, each under its title.

    Parameters
    ----------
    matrices : mapping of str to DataFrame
        Title to a square matrix with values in [-1, 1].
    """
    figure, grid = _panels(len(matrices), across=4, width=2.6, height=2.7, sharey=True)
    for axes, (title, matrix) in zip(grid, matrices.items(), strict=True):
        _correlation_matrix(axes, matrix, title)
    bar = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-1, 1), "RdBu_r")
    figure.colorbar(bar, ax=grid, label="Pearson correlation", location="bottom", shrink=0.5,
                    aspect=40)  # fmt: skip
    return figure


def _panels(
    count: int, *, across: int, width: float, height: float, sharey: bool
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels in rows of up to `across`, all labelled below."""
    columns = min(across, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.6), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=sharey).flat)
    for unused in grid[count:]:
        unused.remove()
    for lowest in grid[max(0, count - columns) : count]:
        # Shared axes are labelled in the last row only, which may be short.
        lowest.tick_params(labelbottom=True)
    return figure, grid[:count]


def _correlation_matrix(axes: Axes, matrix: pd.DataFrame, title: str) -> None:
    short = [LABELS[name].replace(" distance", "").replace(" ", "\n") for name in matrix]
    numbers = matrix.map(rounded, decimals=3)
    sns.heatmap(matrix, ax=axes, cmap="RdBu_r", vmin=-1, vmax=1, annot=numbers, fmt="", cbar=False,
                annot_kws={"size": 8}, linewidths=1)  # fmt: skip
    ticks = np.arange(len(short)) + 0.5
    axes.set_xticks(ticks, short, rotation=90, fontsize=8)
    axes.set_yticks(ticks, short, rotation=0, fontsize=8)
    axes.set_title(folded(title))
    axes.set(xlabel="", ylabel="")


@styled
def pair_scatter(
    pairs: Mapping[str, pd.DataFrame], spreads: Mapping[str, pd.DataFrame], column: str
) -> Figure:
    """Draw the pairs' distances against their sequence identity, one panel a model.

    Parameters
    ----------
    pairs : mapping of str to DataFrame
        Title to a pair table.
    spreads : mapping of str to DataFrame
        The same titles to ``association.binned_spread`` of `column` over sequence identity.
    column : {"cosine_similarity", "squared_euclidean", "euclidean"}
        The distance or similarity on the vertical axis.
    """
    figure, grid = _panels(len(pairs), across=3, width=3.2, height=2.7, sharey=False)
    clouds = []
    for axes, (title, frame) in zip(grid, pairs.items(), strict=True):
        clouds.append(axes.hexbin(frame.sequence_identity, frame[column], gridsize=45, mincnt=1,
                                  cmap="mako_r", linewidths=0.1, rasterized=True))  # fmt: skip
        _spread_lines(axes, spreads[title])
        axes.set_title(folded(title))
    _colour_counts(figure, grid, clouds)
    figure.supxlabel("sequence identity", fontsize=10)
    figure.supylabel(LABELS[column], fontsize=10)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _colour_counts(figure: Figure, grid: list[Axes], clouds: list[PolyCollection]) -> None:
    """Give all panels one logarithmic colour scale."""
    scale = matplotlib.colors.LogNorm(1, max(cloud.get_array().max() for cloud in clouds) + 1)
    for cloud in clouds:
        cloud.set_norm(scale)
    figure.colorbar(clouds[0], ax=grid, label="pairs in a cell", shrink=0.6, aspect=40)


def _spread_lines(axes: Axes, spread: pd.DataFrame) -> None:
    """Draw the binned median and the band of 90% of the pairs."""
    spread = spread[spread.n > 0]
    centre = (spread.bin_low + spread.bin_high) / 2
    line = {"color": "#D55E00", "zorder": 3}
    axes.plot(centre, spread["median"], lw=2, label="median of a bin", **line)
    axes.plot(centre, spread.q05, lw=1.3, ls="--", label="5% and 95% of a bin", **line)
    axes.plot(centre, spread.q95, lw=1.3, ls="--", **line)
