"""Figures of correlations over pairs: matrices, intervals, and what alignment settings do."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plm_geometry.figures.labels import LABELS, between, folded, labels, rounded
from plm_geometry.figures.style import GREY, INK, PALETTE, colours, panels, styled

# Adjusted correlations stand under the raw ones of the same row.
_BELOW = 0.3


def square(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the symmetric matrix of one model's correlations.

    Parameters
    ----------
    rows : DataFrame
        ``a, b, estimate``: each two measures once.

    Returns
    -------
    DataFrame, shape ``(n_measures, n_measures)``
        Measures in the order in which `rows` has them, ones on the diagonal.
    """
    names = list(pd.unique(rows[["a", "b"]].to_numpy().ravel()))
    matrix = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for row in rows.itertuples():
        matrix.loc[row.a, row.b] = matrix.loc[row.b, row.a] = row.estimate
    return matrix


@styled
def correlation_matrices(
    matrices: Mapping[str, pd.DataFrame], kind: str = "Pearson correlation"
) -> Figure:
    """Draw matrices of correlations side by side, each under its title.

    Parameters
    ----------
    matrices : mapping of str to DataFrame
        Title to a square matrix with values in [-1, 1].
    kind : str
        Which correlation, for the colour scale.
    """
    figure, grid = panels(len(matrices), across=4, width=2.6, height=2.7, sharex=True, sharey=True)
    for axes, (title, matrix) in zip(grid, matrices.items(), strict=True):
        _correlation_matrix(axes, matrix, title)
    bar = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-1, 1), "RdBu_r")
    figure.colorbar(bar, ax=grid, label=kind, location="bottom", shrink=0.5, aspect=40)
    return figure


def _correlation_matrix(axes: Axes, matrix: pd.DataFrame, title: str) -> None:
    short = [LABELS[name].replace(" distance", "").replace(" ", "\n") for name in matrix]
    numbers = matrix.map(rounded, decimals=3)
    # What is not defined has no colour, and a dash.
    sns.heatmap(matrix.fillna(0), ax=axes, cmap="RdBu_r", vmin=-1, vmax=1, annot=numbers, fmt="",
                cbar=False, annot_kws={"size": 8}, linewidths=1)  # fmt: skip
    ticks = np.arange(len(short)) + 0.5
    axes.set_xticks(ticks, short, rotation=90, fontsize=8)
    axes.set_yticks(ticks, short, rotation=0, fontsize=8)
    axes.set_title(folded(title))
    axes.set(xlabel="", ylabel="")


@styled
def correlation_intervals(raw: pd.DataFrame, adjusted: pd.DataFrame) -> Figure:
    """Draw correlations with their intervals, raw and adjusted for lengths, a panel an entry.

    Parameters
    ----------
    raw : DataFrame
        ``published.beside_correlations(Study.correlations())``, of the entries to draw.
    adjusted : DataFrame
        ``Study.correlations(adjusted=True)``, of the same entries.

    Returns
    -------
    Figure
        Dots and lines: raw, with the interval of one who takes pairs for independent as a pale
        bar behind; open dots: adjusted; open diamonds: published.
    """
    entries = raw[["a", "b"]].drop_duplicates()
    rows = raw["model"].nunique()
    figure, grid = panels(len(entries), across=2, width=4.2, height=0.42 * rows + 0.7, sharey=True)
    for axes, (a, b) in zip(grid, entries.itertuples(index=False), strict=True):
        entry, partial = (rows[(rows.a == a) & (rows.b == b)] for rows in (raw, adjusted))
        _entry(axes, entry, partial)
        axes.set_title(between(a, b).replace(" – ", " –\n"))
    figure.supxlabel("Pearson correlation", fontsize=10)
    figure.legend(handles=_marks(), loc="outside upper center", ncols=2)
    return figure


def _entry(axes: Axes, raw: pd.DataFrame, adjusted: pd.DataFrame) -> None:
    """Draw one entry of the matrix, one row a model."""
    rows, colour = np.arange(len(raw)), colours(raw.reset_index(drop=True))
    axes.hlines(rows, raw.pairwise_low, raw.pairwise_high, colors=GREY, lw=9, alpha=0.35)
    for frame, places, face in ((raw, rows, colour), (adjusted, rows + _BELOW, "none")):
        axes.hlines(places, frame.low, frame.high, colors=colour, lw=1.4)
        axes.scatter(frame.estimate, places, c=face, edgecolors=colour, s=30, zorder=3)
    axes.scatter(raw.published, rows, marker="D", s=45, c="none", edgecolors=INK, zorder=4)
    axes.axvline(0, color=GREY, lw=0.8)
    axes.set_yticks(rows, labels(raw), fontsize=8)
    axes.set_ylim(len(raw) - 0.4, -0.5)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _marks() -> list[Line2D]:
    """Explain the marks of `correlation_intervals`."""
    return [
        Line2D([], [], marker="o", color=INK, lw=1.4, label="as they are, with 95% interval"),
        Line2D([], [], marker="o", mfc="none", color=INK, lw=1.4, label="adjusted for lengths"),
        Line2D([], [], color=GREY, lw=9, alpha=0.35, label="if pairs were independent"),
        Line2D([], [], marker="D", ls="", mfc="none", color=INK, label="published"),
    ]  # fmt: skip


@styled
def score_against_settings(frame: pd.DataFrame, published: float) -> Figure:
    """Draw the correlation of score and identity under each alignment setting, a panel a mode.

    Parameters
    ----------
    frame : DataFrame
        ``Study.settings_grid()``: mode, gap_open, gap_extend, denominator, estimate, low, high.
    published : float
        The paper's value, drawn as a line.
    """
    modes = frame["mode"].unique()
    figure = Figure(figsize=(8.6, 4.4), layout="constrained")
    grid = figure.subplots(1, len(modes), sharey=True, sharex=True, squeeze=False)[0]
    for axes, mode in zip(grid, modes, strict=True):
        _settings(axes, frame[frame["mode"] == mode])
        axes.axvline(published, color=INK, ls="--", lw=1, label=f"published: {published:g}")
        axes.set_title(mode)
    gaps = frame[["gap_open", "gap_extend"]].drop_duplicates()
    named = [f"{row.gap_open:g}/{row.gap_extend:g}" for row in gaps.itertuples()]
    grid[0].set_yticks(range(len(named)), named)
    grid[0].set_ylabel("gaps: first residue / each further")
    grid[0].invert_yaxis()
    figure.supxlabel("correlation of alignment score and sequence identity", fontsize=10)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=4,
                  title="identical residues over")  # fmt: skip
    return figure


def _settings(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw one mode's settings: a row for each gap cost, a mark for each denominator."""
    kinds = frame.groupby("denominator", sort=False)
    for number, (denominator, here) in enumerate(kinds):
        places = np.arange(len(here)) + 0.22 * (number - (len(kinds) - 1) / 2)
        colour = PALETTE[2 * number % len(PALETTE)]
        axes.hlines(places, here.low, here.high, colors=colour, lw=1.4)
        axes.scatter(here.estimate, places, c=colour, marker="osD"[number % 3], s=26, zorder=3,
                     label=LABELS[denominator])  # fmt: skip
    axes.grid(axis="x")
