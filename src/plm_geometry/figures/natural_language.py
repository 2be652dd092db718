"""A figure of protein language models beside natural-language ones: like with like."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures.labels import LABELS, labels
from plm_geometry.figures.style import GREY, INK, STYLE, lines, mark_decades, styled, without_minis

_DASHES = ("-", "--", "-.", ":")


@styled
@without_minis
def natural_language(layers: pd.DataFrame, clouds: pd.DataFrame) -> Figure:
    """Draw IsoScores of word tokens by layer, and of the last layer beside a run's.

    Parameters
    ----------
    layers : DataFrame
        ``published.natural_language()``: title, layer, isoscore, last.
    clouds : DataFrame
        ``published.beside_language(...)``: of, title, role, isoscore.

    Returns
    -------
    Figure
        Left: word tokens by layer, the last one as a diamond. Right: one row a cloud, in groups,
        word tokens next to residues and whole proteins below. What others published is an open
        diamond.
    """
    figure = Figure(figsize=(9.5, 0.26 * len(clouds) + 1.7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    _by_layer(left, layers)
    _by_cloud(right, clouds.dropna(subset="isoscore").reset_index(drop=True))
    return figure


def _by_layer(axes: Axes, layers: pd.DataFrame) -> None:
    """Draw one line a natural-language model, named at its last layer."""
    for dash, (title, model) in zip(_DASHES, layers.groupby("title", sort=False), strict=True):
        axes.plot(model.layer, model.isoscore, ls=dash, color=INK, lw=1.4)
        end = model[model["last"]].iloc[0]
        axes.plot(end.layer, end.isoscore, marker="D", mfc="none", color=INK)
        # On the page's ground, since another model's line may pass behind.
        axes.annotate(title, (end.layer, end.isoscore), xytext=(9, 0), textcoords="offset points",
                      va="center", fontsize=8,
                      bbox={"fc": STYLE["axes.facecolor"], "lw": 0, "pad": 1})  # fmt: skip
    axes.set(yscale="log", xlabel="layer", ylabel=LABELS["isoscore"])
    # Room for the names at the right.
    axes.set_xlim(0.5, layers.layer.max() + 2.5)
    axes.set_xticks(range(2, layers.layer.max() + 1, 2))
    mark_decades(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title("word tokens, layer by layer")


def _by_cloud(axes: Axes, clouds: pd.DataFrame) -> None:
    """Draw one row a cloud, a line between groups, and each group's name above its rows."""
    # A row more for each group's name.
    group = (clouds.of != clouds.of.shift()).cumsum()
    rows = np.arange(len(clouds)) + group.to_numpy()
    clouds = clouds.assign(label=labels(clouds), row=rows)
    paper, run = (clouds[(clouds.role == "published") == flag] for flag in (True, False))
    styles = lines(run)
    axes.scatter(run.isoscore, run.row, c=[styles[name]["color"] for name in run.label], s=50,
                 zorder=3)  # fmt: skip
    axes.scatter(paper.isoscore, paper.row, marker="D", s=45, facecolors="none", edgecolors=INK,
                 zorder=3)  # fmt: skip
    for start, name in zip(rows[~group.duplicated()], clouds.of.unique(), strict=True):
        axes.annotate(f"{name}, last layer", (0.01, start - 1), fontsize=8, fontweight="bold",
                      xycoords=axes.get_yaxis_transform(), va="center")  # fmt: skip
        axes.axhline(start - 1.5, color=GREY, lw=0.6)
    axes.set(xscale="log", xlabel=LABELS["isoscore"])
    axes.set_yticks(rows, clouds.label, fontsize=8)
    axes.set_ylim(rows[-1] + 0.7, -0.5)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(axis="x")
    axes.set_axisbelow(True)
