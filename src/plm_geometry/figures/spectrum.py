"""Figures of why a cloud is anisotropic: components, coordinates, and cosines of pairs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from plm_geometry.figures.labels import LABELS, folded, labels
from plm_geometry.figures.style import (
    GREY,
    INK,
    lines,
    mark_decades,
    nothing_to_draw,
    panels,
    styled,
    without_minis,
)

# Components below this share of the variance are the rounding of vectors in single precision.
_SMALLEST_SHARE = 1e-8
_NAMED_COORDINATES = 10
_COSINE_BINS = np.linspace(-1, 1, 101)


@styled
@without_minis
def spectrum(frame: pd.DataFrame) -> Figure:
    """Draw the share of variance along each principal component, one line a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.spectra()``: labels, component (from 1), share; all components of each model, as
        its effective dimensions, the dot on its line, are one over the sum of squared shares. A
        model whose vectors are all the same has no shares and no line.
    """
    named = frame.assign(label=labels(frame)).dropna(subset="share")
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    for name, style in lines(named).items():
        model = named[named.label == name]
        dimensions = 1 / (model.share**2).sum()
        drawn = model[model.share > _SMALLEST_SHARE]
        axes.plot(drawn.component, drawn.share, label=f"{name}: {dimensions:.1f}", **style)
        height = np.exp(np.interp(dimensions, drawn.component, np.log(drawn.share)))
        axes.plot(dimensions, height, marker="o", ms=8, mfc=style["color"], mec=INK)
    axes.set(xscale="log", yscale="log", xlabel="principal component", ylabel="share of variance")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid()
    figure.legend(loc="outside upper center", ncols=2, title="dots: effective dimensions")
    return figure


@styled
@without_minis
def coordinate_shares(frame: pd.DataFrame) -> Figure:
    """Draw the ten coordinates that make most of the mean cosine similarity, one panel a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.coordinates()``: labels, coordinate, share; all coordinates of each model. The
        dashed line is the share of each if all were alike. A model with a zero vector, which
        leaves them undefined, has no panel.
    """
    named = frame.assign(label=labels(frame)).dropna(subset="share")
    if named.empty:
        return nothing_to_draw(
            "every model has a vector of length 0, which has no cosine similarity"
        )
    styles = lines(named)
    figure, grid = panels(len(styles), across=3, width=2.9, height=2.3)
    for axes, (name, model) in zip(grid, named.groupby("label", sort=False), strict=True):
        top = model.nlargest(_NAMED_COORDINATES, "share")
        axes.bar(range(len(top)), top.share, color=styles[name]["color"])
        axes.axhline(model.share.mean(), color=INK, ls="--", lw=1)
        axes.set_xticks(range(len(top)), top.coordinate, fontsize=7)
        together = top.share.sum() / model.share.sum()
        axes.set_title(f"{folded(name)}\n{len(top)} of {len(model)}: {together:.0%}")
    figure.supxlabel("coordinate", fontsize=10)
    figure.supylabel("part of the mean cosine", fontsize=10)
    equal = Line2D([], [], color=INK, ls="--", lw=1, label="all coordinates alike")
    figure.legend(handles=[equal], loc="outside upper center")
    return figure


@styled
@without_minis
def after_removing(frame: pd.DataFrame) -> Figure:
    """Draw the IsoScore that is left without the strongest components, and coordinates.

    Parameters
    ----------
    frame : DataFrame
        ``Study.after_removing()``: labels, kind ("component" or "coordinate"), removed,
        isoscore.
    """
    named = frame.assign(label=labels(frame))
    counts = np.sort(named.removed.unique())
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    panel = figure.subplots(1, 2, sharey=True)
    positive = (named.isoscore > 0).groupby(named.kind).any()  # two vectors score 0 in every space
    for axes, kind in zip(panel, ("component", "coordinate"), strict=True):
        for name, style in lines(named).items():
            left = named[(named.label == name) & (named.kind == kind)].sort_values("removed")
            places = np.searchsorted(counts, left.removed)
            axes.plot(places, left.isoscore, marker="o", ms=4, label=name, **style)
        axes.set_xticks(range(len(counts)), counts)
        axes.set(xlabel=f"strongest {kind}s removed")
        if positive.all():
            axes.set_yscale("log")
            mark_decades(axes.yaxis)
        axes.grid(axis="y")
    panel[0].set_ylabel(LABELS["isoscore"])
    handles, names = panel[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, fontsize=8)
    return figure


@styled
@without_minis
def pairwise_cosines(frame: pd.DataFrame) -> Figure:
    """Draw how the cosines of random pairs are spread, raw and centred, one row a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pairwise_cosines()``: labels, of ("proteins" or "residues"), centred, cosine.

    Returns
    -------
    Figure
        A column for proteins and, where the run has any, one for residues. All histograms are
        drawn equally high: a narrow peak would make the others invisible.
    """
    named = frame.assign(label=labels(frame))
    styles, kinds = lines(named), named.of.unique()
    figure = Figure(figsize=(8, 0.75 * len(styles) + 1.4), layout="constrained")
    grid = figure.subplots(len(styles), len(kinds), squeeze=False, sharex=True)
    for row, (name, style) in zip(grid, styles.items(), strict=True):
        for axes, kind in zip(row, kinds, strict=True):
            here = named[(named.label == name) & (named.of == kind)]
            _cosine_histograms(axes, here.dropna(subset="cosine"), style["color"])
        row[0].set_ylabel(folded(name), rotation=0, ha="right", va="center", fontsize=8)
    for axes, kind in zip(grid[0], kinds, strict=True):
        axes.set_title(f"pairs of {kind}")
    figure.supxlabel(LABELS["cosine_similarity"], fontsize=10)
    handles = [Patch(color=GREY, alpha=0.6, label="as they are"),
               Line2D([], [], color=INK, lw=1.2, label="less their common mean")]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _cosine_histograms(axes: Axes, frame: pd.DataFrame, colour: str) -> None:
    """Draw raw cosines as a filled histogram and centred ones as an outline."""
    axes.set(yticks=[], xlim=(-1, 1))
    axes.axvline(0, color=GREY, lw=0.6)
    if frame.empty:
        axes.annotate("none", (0.5, 0.4), xycoords="axes fraction", ha="center", fontsize=8)
        return
    looks = {False: {"fill": True, "color": colour, "alpha": 0.6}, True: {"color": INK, "lw": 1.1}}
    for centred, look in looks.items():
        counts, _ = np.histogram(frame.cosine[frame.centred == centred], _COSINE_BINS)
        axes.stairs(counts / max(counts.max(), 1), _COSINE_BINS, **look)
