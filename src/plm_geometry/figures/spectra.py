"""Figures of why vectors are anisotropic: components, and shapes one can see."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, rounded

# Components below this share of the variance are the rounding of vectors in single precision.
_SMALLEST_SHARE = 1e-8


@style.styled
def spectrum(frame: pd.DataFrame) -> Figure:
    """Draw the share of variance along each principal component, one line per model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.isotropy.spectra()``: labels, component (from 1), share; all components of each
        model, as its effective dimensions, the dot on its line, are one over the sum of squared
        shares. A model whose vectors are all the same has no shares and no line.
    """
    named = style.labelled(frame).dropna(subset="share")
    axes = Figure(figsize=(8, 4.8)).subplots()
    for name, look in style.looks(named).items():
        share = named[named["label"] == name].set_index("component")["share"]
        _spectrum(axes, share, f"{name}: {1 / (share**2).sum():.1f}", look)
    return style.key(axes.figure, ncols=2, title="dots: effective dimensions")


def _spectrum(axes: Axes, share: pd.Series, name: str, look: Mapping[str, object]) -> None:
    """Draw the shares of components, and a dot at their effective dimensions."""
    dimensions = 1 / (share**2).sum()
    drawn = share[share > _SMALLEST_SHARE]
    axes.plot(drawn, label=name, **look)
    height = np.exp(np.interp(dimensions, drawn.index, np.log(drawn)))
    axes.plot(dimensions, height, marker="o", ms=8, mfc=look["color"], mec=style.INK)
    axes.set(xscale="log", yscale="log", xlabel="principal component", ylabel="share of variance")
    axes.grid(visible=True)


@style.styled
def constructed_clouds(clouds: Mapping[str, np.ndarray], table: pd.DataFrame) -> Figure:
    """Draw clouds small, and under each its yardsticks.

    Parameters
    ----------
    clouds : mapping of str to ndarray, shape (n, 3)
        ``clouds.constructed(n, seed=...)``, each drawn to its own scale.
    table : DataFrame
        One row per cloud, in the same order, and one column per yardstick.

    Returns
    -------
    Figure
        Cells are tinted from the lowest to the highest value of their row.
    """
    heights = [1.9, 0.27 * table.shape[1]]
    figure = Figure(figsize=(9, sum(heights) + 0.1), layout="none")
    edges = {"left": 0.23, "right": 0.99, "bottom": 0.01, "top": 0.99, "wspace": 0, "hspace": 0.02}
    grid = figure.add_gridspec(2, len(clouds), height_ratios=heights, **edges)
    for place, (name, cloud) in enumerate(clouds.items()):
        axes = figure.add_subplot(grid[0, place], projection="3d")
        _cloud(axes, cloud)
        axes.set_title(name, y=1.0)
    # A yardstick that hardly varies stays pale.
    tint = (table - table.min()) / (table.max() - table.min()).clip(lower=0.1)
    said = table.astype(float).map(rounded, decimals=2).T.rename(index=LABELS)
    axes = figure.add_subplot(grid[1, :])
    # Half of the colour map at most, so that numbers stay legible.
    look = {"cmap": "Blues", "vmin": 0, "vmax": 2, "cbar": False, "xticklabels": False}
    numbers = {"annot": said, "fmt": "", "annot_kws": {"size": 8, "color": style.INK}}
    sns.heatmap(tint.T.fillna(0).set_axis(said.index), ax=axes, **numbers, **look)
    axes.tick_params(left=False, labelsize=8)
    return figure


def _cloud(axes: Axes, cloud: np.ndarray) -> None:
    """Draw a cloud, and axes through the origin, where cosines are measured."""
    reach = np.abs(cloud).max()
    axes.scatter(*cloud.T, s=3, color=style.PALETTE[0], alpha=0.5, lw=0)
    for direction in reach * np.eye(3):
        axes.plot(*np.stack([-direction, direction]).T, color=style.INK, lw=0.6)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-reach, reach))
    axes.set_box_aspect((1, 1, 1), zoom=1.4)
    axes.set_axis_off()


@style.styled
def vector_file(
    row: Mapping, components: np.ndarray, coordinates: np.ndarray | None, title: str
) -> Figure:
    """Draw why the vectors of one file are as isotropic as they are.

    Parameters
    ----------
    row : mapping of str to number or None
        Of `measures.isotropy_row` and `measures.interval_row`.
    components : ndarray, shape (k,)
        Variance along each principal component, the largest first.
    coordinates : ndarray, shape (d,), or None
        What each coordinate adds to the mean cosine similarity, where that is known.
    title : str
        What the vectors are called.

    Returns
    -------
    Figure
        Left: the spectrum on logarithmic axes, with a dot at the effective dimensions and a band
        for their interval. Right: how the mean cosine similarity adds up over the coordinates,
        the strongest first. Each title says the measure, with its 95 % interval.
    """
    figure = Figure(figsize=(8, 4.4))
    left, right = figure.subplots(1, 2)
    figure.suptitle(f"{title}: {row['n']:,} vectors of {row['d']:,} dimensions", fontsize=10)
    for axes, name in ((left, "effective_dimensions"), (right, "mean_cosine_similarity")):
        value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        said = "not defined" if value is None else f"{value:.4g}"
        said += "" if low is None else f" (95 %: {low:.4g} to {high:.4g})"
        axes.set_title(f"{LABELS[name]}\n{said}")
        if axes is left and low is not None:
            axes.axvspan(low, high, color=style.GREY, alpha=0.2, lw=0)
    share = pd.Series(components / components.sum(), np.arange(1, len(components) + 1))
    _spectrum(left, share, "", {"color": style.PALETTE[0]})
    if coordinates is None or np.isnan(coordinates).any():
        return style.nothing_to_draw("not known", right)
    number, strongest = np.arange(1, len(coordinates) + 1), np.sort(coordinates)[::-1]
    right.plot(number, strongest.cumsum(), color=style.PALETTE[2], label="as they are")
    right.plot(number, coordinates.mean() * number, label="if all were alike", **style.DASHED)
    right.set(xscale="log", xlabel="coordinates, the strongest first", ylabel="mean cosine so far")
    right.grid()
    right.legend(fontsize=8)
    return figure
