"""Figures of what the paper leaves open: numbers of pairs, the sign, settings, pooling."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plm_geometry.figures.labels import LABELS, labels, rounded
from plm_geometry.figures.style import GREY, INK, PALETTE, STYLE, lines, nothing_to_draw, styled
from plm_geometry.paper.arithmetic import PAIR_COUNTS

_DASHES = {"unordered": "-", "ordered": "--"}


@styled
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
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    numbers = np.linspace(1, 1.15 * expected, 200)
    for counting, dash in _DASHES.items():
        axes.plot(numbers, PAIR_COUNTS[counting](numbers) / 1e6, color=PALETTE[0], ls=dash,
                  label=f"{counting} pairs")  # fmt: skip
        made = PAIR_COUNTS[counting](expected) / 1e6
        axes.annotate(f"{made:.1f} million", (expected, made), xytext=(-6, 3), fontsize=8,
                      textcoords="offset points", ha="right")  # fmt: skip
        needed = found.set_index("counting").loc[counting, "proteins"]
        axes.plot(needed, n_pairs / 1e6, "o", color=PALETTE[2], zorder=4)
        axes.annotate(f"{needed:,}", (needed, n_pairs / 1e6), xytext=(-4, 6), fontsize=8,
                      textcoords="offset points", ha="right")  # fmt: skip
    axes.axhline(n_pairs / 1e6, color=INK, ls=(0, (5, 3)), lw=1, label="as printed")
    axes.axvline(expected, color=INK, ls=":", lw=1.2, label=f"{expected:,.0f} proteins")
    axes.set(xlabel="proteins", ylabel="million pairs", xlim=(0, None), ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y")
    axes.legend(loc="upper left")
    return figure


@styled
def signs(curves: pd.DataFrame, points: pd.DataFrame, published: float) -> Figure:
    """Draw the sign against how much lengths vary, and what other lengths could make of it.

    Parameters
    ----------
    curves : DataFrame
        ``signs.simulated_signs()``.
    points : DataFrame
        ``label, role, r, norm_variation, best_r``; role "published" for published embeddings.
    published : float
        The paper's correlation: a dashed line.

    Returns
    -------
    Figure
        Left: constructed clouds as lines, models as points. Right: one row a model, from its sign
        to the most positive one that its directions reach with other lengths.
    """
    height = max(4.2, 0.36 * len(points) + 1.6)
    figure = Figure(figsize=(9.6, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _simulated(left, curves)
    styles = lines(points[points["role"] != "published"])
    colours = [styles[name]["color"] if name in styles else INK for name in points["label"]]
    marker = {True: "D", False: "o"}
    for row, colour in zip(points.itertuples(), colours, strict=True):
        left.plot(row.norm_variation, row.r, marker[row.role == "published"], color=colour,
                  mec="white", ms=7, zorder=5)  # fmt: skip
    _turned(right, points, colours)
    for axes, line in ((left, left.axhline), (right, right.axvline)):
        line(published, color=INK, ls="--", lw=1)
        line(0, color=GREY, lw=0.8)
        axes.set_axisbelow(True)
    left.annotate(f"published: {rounded(published, 3)}", (0.99, published), fontsize=8, ha="right",
                  xytext=(0, 3), textcoords="offset points",
                  xycoords=left.get_yaxis_transform())  # fmt: skip
    return figure


def _simulated(axes: Axes, curves: pd.DataFrame) -> None:
    dashes = {"independent": "-", "tied": "--", "two groups": ":"}
    around = sorted(curves["around"].dropna().unique())
    tints = dict(zip(around, ("#B9B4A6", "#8A8577", "#4A463B"), strict=False))
    for (kind, cosine), curve in curves.groupby(["lengths", "around"], sort=False, dropna=False):
        curve = curve.sort_values("norm_variation")
        colour = tints.get(cosine, PALETTE[2])
        named = kind if kind == "two groups" else f"{kind}, mean cosine {cosine:g}"
        axes.plot(curve["norm_variation"], curve["r"], ls=dashes[kind], color=colour, lw=1.6,
                  label=named)  # fmt: skip
    axes.set(xlabel="variation of the vectors' lengths", ylim=(-1.03, 1.03), xlim=(0, 1.5),
             ylabel="r, cosine similarity – squared distance")  # fmt: skip
    axes.grid()
    axes.legend(fontsize=7.5, title="lengths, constructed", title_fontsize=8, loc="lower right")


def _turned(axes: Axes, points: pd.DataFrame, colours: list[str]) -> None:
    rows = np.arange(len(points))
    axes.hlines(rows, points["r"], points["best_r"], colors=colours, lw=1.4)
    axes.scatter(points["r"], rows, c=colours, s=40, zorder=3)
    axes.scatter(points["best_r"], rows, c="none", edgecolors=colours, s=40, zorder=3)
    axes.set_yticks(rows, points["label"], fontsize=8)
    axes.set_ylim(len(points) - 0.4, -0.6)
    axes.set(xlim=(-1.05, 1.05), xlabel="r as it is, and with the best lengths")
    axes.grid(axis="x")
    faces = {"as it is": INK, "best lengths": "none"}
    handles = [
        Line2D([], [], marker="o", ls="", mfc=face, color=INK, label=name)
        for name, face in faces.items()
    ]
    # Above the panel: no corner of it is free for any number of rows.
    axes.legend(handles=handles, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


@styled
def settings_on_real_proteins(frame: pd.DataFrame, published: float) -> Figure:
    """Draw the correlation of score and identity by gap costs and denominator.

    Parameters
    ----------
    frame : DataFrame
        ``proteins`` (the data set), ``gap_open, gap_extend, denominator, estimate, low, high``.
    published : float
        The paper's value: a dashed line.
    """
    kinds = list(frame["denominator"].unique())
    gaps = frame[["gap_open", "gap_extend"]].drop_duplicates()
    named = [f"{row.gap_open:g}/{row.gap_extend:g}" for row in gaps.itertuples()]
    figure = Figure(figsize=(9, 0.5 * len(named) + 1.7), layout="constrained")
    grid = figure.subplots(1, len(kinds), sharey=True, sharex=True, squeeze=False)[0]
    for axes, kind in zip(grid, kinds, strict=True):
        _by_proteins(axes, frame[frame["denominator"] == kind], named)
        axes.axvline(published, color=INK, ls="--", lw=1, label=f"published: {published:g}")
        axes.set_title(LABELS[kind])
        axes.grid(axis="x")
    grid[0].set_yticks(range(len(named)), named)
    grid[0].set_ylabel("gaps: first / each further")
    grid[0].set_ylim(len(named) - 0.4, -0.6)
    figure.supxlabel("correlation of alignment score and sequence identity", fontsize=10)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _by_proteins(axes: Axes, frame: pd.DataFrame, named: list[str]) -> None:
    sets = frame.groupby("proteins", sort=False)
    for number, (name, rows) in enumerate(sets):
        gaps = [f"{row.gap_open:g}/{row.gap_extend:g}" for row in rows.itertuples()]
        places = np.array([named.index(gap) for gap in gaps]) + 0.18 * (
            number - (len(sets) - 1) / 2
        )
        colour = PALETTE[2 * number % len(PALETTE)]
        axes.hlines(places, rows["low"], rows["high"], colors=colour, lw=1.4)
        axes.scatter(rows["estimate"], places, c=colour, marker="osD"[number % 3], s=26, zorder=3,
                     label=name)  # fmt: skip


@styled
def pooling_isotropy(frame: pd.DataFrame) -> Figure:
    """Draw IsoScore of residues, of means of random residues and of proteins, one row a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pooled()``.
    """
    named = frame.assign(label=labels(frame)).dropna(subset="isoscore")
    if named.empty:
        return nothing_to_draw("the vectors of no model differ")
    names = list(named["label"].unique())
    marks = dict(zip(["residues", "means of random residues", "proteins"], "osD", strict=True))
    styles = lines(named)
    figure = Figure(figsize=(8, 0.46 * len(names) + 1.5), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(names):
        rows, colour = named[named["label"] == name], styles[name]["color"]
        axes.plot(rows["isoscore"], [place] * len(rows), color=colour, lw=1.2, zorder=2)
        for row in rows.itertuples():
            axes.plot(row.isoscore, place, marks[row.of], color=colour, ms=7, zorder=3,
                      mfc=colour if row.of == "proteins" else STYLE["axes.facecolor"])  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(xscale="log", xlabel=LABELS["isoscore"])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(axis="x", which="both")
    handles = [Line2D([], [], marker=mark, ls="", color=INK, label=of,
                      mfc=INK if of == "proteins" else STYLE["axes.facecolor"])
               for of, mark in marks.items()]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure
