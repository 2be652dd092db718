"""A figure of constructed clouds: what each yardstick of isotropy says of a shape one can see."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures.labels import LABELS, rounded
from plm_geometry.figures.style import INK, PALETTE, styled


@styled
def constructed_clouds(clouds: Mapping[str, np.ndarray], table: pd.DataFrame) -> Figure:
    """Draw clouds small, and under each its yardsticks.

    Parameters
    ----------
    clouds : mapping of str to ndarray, shape (n, 3)
        ``clouds.constructed(n, seed=...)``, each drawn to its own scale.
    table : DataFrame
        One row a cloud, in the same order, and one column a yardstick.

    Returns
    -------
    Figure
        Cells are tinted from the lowest to the highest value of their row.
    """
    heights = [1.9, 0.27 * table.shape[1]]
    figure = Figure(figsize=(9, sum(heights) + 0.1))
    # A column for the yardsticks' names, then one a cloud, as wide as the table's below.
    widths = [1.6] + [1] * len(clouds)
    grid = figure.add_gridspec(
        2, len(widths), width_ratios=widths, height_ratios=heights, wspace=0, hspace=0.02,
        left=0.01, right=0.99, bottom=0.01, top=0.99,
    )  # fmt: skip
    for place, (name, cloud) in enumerate(clouds.items(), start=1):
        _cloud(figure.add_subplot(grid[0, place], projection="3d"), cloud)
        figure.axes[-1].set_title(name, y=1.0)
    _table(figure.add_subplot(grid[1, :]), table, widths[0])
    return figure


def _cloud(axes: Axes, cloud: np.ndarray) -> None:
    """Draw a cloud, and axes through the origin, where cosines are measured."""
    reach = np.abs(cloud).max()
    axes.scatter(*cloud.T, s=3, color=PALETTE[0], alpha=0.5, lw=0)
    for direction in reach * np.eye(3):
        axes.plot(*np.stack([-direction, direction]).T, color=INK, lw=0.6)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-reach, reach))
    axes.set_box_aspect((1, 1, 1), zoom=1.4)
    axes.set_axis_off()


def _table(axes: Axes, table: pd.DataFrame, first: float) -> None:
    """Write a table whose columns stand under the clouds; the names' column is `first` wide."""
    n_clouds, n_yardsticks = table.shape
    lowest = table.min()
    # A yardstick that hardly varies stays pale.
    tint = ((table - lowest) / (table.max() - lowest).clip(lower=0.1)).T.to_numpy()
    # Half of the colour map at most, so that numbers stay legible.
    axes.imshow(tint, cmap="Blues", vmin=0, vmax=2, aspect="auto",
                extent=(first, first + n_clouds, n_yardsticks, 0))  # fmt: skip
    for row, column in enumerate(table):
        axes.text(first - 0.08, row + 0.5, LABELS[column], ha="right", va="center", fontsize=8)
        for place, value in enumerate(table[column].astype(float)):
            said = "–" if np.isnan(value) else rounded(value, 2)
            axes.text(first + place + 0.5, row + 0.5, said, ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, first + n_clouds), ylim=(n_yardsticks, 0))
    axes.axis("off")
