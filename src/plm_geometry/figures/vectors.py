"""The figure of one file of vectors: its spectrum, its coordinates, its measures."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures.labels import LABELS
from plm_geometry.figures.style import GREY, INK, PALETTE, styled

# Components below this share of the variance are rounding, not data.
_SMALLEST_SHARE = 1e-9


@styled
def vector_file(
    row: Mapping[str, float | int | None],
    components: np.ndarray,
    coordinates: np.ndarray | None,
    title: str,
) -> Figure:
    """Draw why the vectors of one file are as isotropic as they are.

    Parameters
    ----------
    row : mapping
        Of `isotropy.isotropy_row` and `isotropy.interval_row`.
    components : ndarray, shape (k,)
        Variance along each principal component, the largest first.
    coordinates : ndarray, shape (d,), or None
        What each coordinate adds to the mean cosine similarity, where that is known.
    title : str
        What the vectors are called.

    Returns
    -------
    Figure
        Above: the spectrum on logarithmic axes, with effective dimensions marked, and how the
        mean cosine similarity adds up over the coordinates, the strongest first. Below: the
        measures, with bars for their 95 % intervals.
    """
    figure = Figure(figsize=(8, 5.6), layout="constrained")
    grid = figure.subplots(2, 2, height_ratios=(5, 1))
    figure.suptitle(f"{title}: {row['n']:,} vectors of {row['d']:,} dimensions", fontsize=10)
    _spectrum(grid[0, 0], components / components.sum(), row)
    _coordinates(grid[0, 1], coordinates)
    _measure(grid[1, 0], row, "effective_dimensions")
    grid[1, 0].set(xscale="log", xlim=(0.9, 1.1 * row["d"]))
    grid[1, 0].xaxis.set_major_formatter("{x:g}")
    _measure(grid[1, 1], row, "mean_cosine_similarity")
    grid[1, 1].set_xlim(min(0, 1.2 * (row["mean_cosine_similarity_low"] or 0)), 1.02)
    figure.legend(*grid[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _spectrum(axes: Axes, shares: np.ndarray, row: Mapping[str, float | int | None]) -> None:
    """Draw each component's share of the variance, and how many would share it evenly."""
    drawn = shares[shares > _SMALLEST_SHARE]
    axes.plot(np.arange(1, len(drawn) + 1), drawn, color=PALETTE[0], lw=1.6)
    dimensions = row["effective_dimensions"]
    axes.axvline(dimensions, color=INK, ls="--", lw=1)
    axes.annotate(f"{dimensions:.4g} effective dimensions", (dimensions, drawn[0]), xytext=(4, 0),
                  textcoords="offset points", va="top", fontsize=8)  # fmt: skip
    if row["effective_dimensions_low"] is not None:
        ends = row["effective_dimensions_low"], row["effective_dimensions_high"]
        axes.axvspan(*ends, color=GREY, alpha=0.2, lw=0)
    axes.set(xscale="log", yscale="log", xlabel="principal component", ylabel="share of variance")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid()


def _coordinates(axes: Axes, shares: np.ndarray | None) -> None:
    """Draw how the mean cosine similarity adds up, and how it would if all were alike."""
    axes.set(xlabel="coordinates, the strongest first", ylabel=LABELS["mean_cosine_similarity"])
    if shares is None or np.isnan(shares).any():
        axes.annotate("not known", (0.5, 0.5), xycoords="axes fraction", ha="center")
        return
    number = np.arange(1, len(shares) + 1)
    axes.plot(number, np.cumsum(np.sort(shares)[::-1]), color=PALETTE[2], lw=1.6,
              label="as they are")  # fmt: skip
    axes.plot(number, shares.mean() * number, color=INK, ls="--", lw=1, label="if all were alike")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid()
    axes.legend(fontsize=8)


def _measure(axes: Axes, row: Mapping[str, float | int | None], name: str) -> None:
    """Draw a value as a dot, its corrected value as a diamond and the interval as a bar."""
    value, low, high = (row[f"{name}{ending}"] for ending in ("", "_low", "_high"))
    axes.set(yticks=[], ylim=(-1, 2), xlabel=LABELS[name])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    said = "not defined" if value is None else f"{value:.4g}"
    if low is not None:
        axes.plot((low, high), (0, 0), "|-", color=GREY, lw=3, ms=12, label="95 % interval")
        said += f" ({low:.4g} to {high:.4g})"
    if value is not None:
        axes.plot(value, 0, "o", color=INK, ms=5, label="value")
    if row.get(f"{name}_corrected") is not None:
        axes.plot(row[f"{name}_corrected"], 0, "D", mfc="none", mec=INK, label="less its bias")
    axes.annotate(said, (0.5, 0.7), xycoords="axes fraction", ha="center", fontsize=8)
