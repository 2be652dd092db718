"""Figures of pairs of proteins: correlations between measures, and what lies behind them."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from plm_geometry.figures.labels import LABELS, folded, rounded
from plm_geometry.figures.style import panels, styled


@styled
def correlation_matrices(matrices: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw matrices of correlations side by side, each under its title.

    Parameters
    ----------
    matrices : mapping of str to DataFrame
        Title to a square matrix with values in [-1, 1].
    """
    figure, grid = panels(len(matrices), across=4, width=2.6, height=2.7, sharex=True, sharey=True)
    for axes, (title, matrix) in zip(grid, matrices.items(), strict=True):
        _correlation_matrix(axes, matrix, title)
    bar = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-1, 1), "RdBu_r")
    figure.colorbar(bar, ax=grid, label="Pearson correlation", location="bottom", shrink=0.5,
                    aspect=40)  # fmt: skip
    return figure


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
    figure, grid = panels(len(pairs), across=3, width=3.2, height=2.7, sharex=True)
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
