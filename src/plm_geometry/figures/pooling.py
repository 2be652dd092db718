"""Figures of readouts: the ladder of poolings, networks read in several ways, other widths."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS

# Where the mean of all residues and a single state stand, to the right of the numbers of residues.
_MEAN, _STATE = 1024, 4096
_PLACES = {1: "1", 4: "4", 16: "16", 64: "64", 256: "256", _MEAN: "all", _STATE: "one\nstate"}
_VALUES = ("effective_dimensions", "top_1")
_TOP_1 = "share of nearest that are relatives"
READOUTS = {
    "mean": "mean of residues",
    "first": "[CLS]",
    "final": "final state",
    "own": "own vector",
    "max": "maximum",
}


def readout_name(readout: str) -> str:
    """Return a readout's name in words."""
    return READOUTS.get(readout, readout.replace("mean_of_", "mean of "))


@style.styled
def pooling_ladder(frame: pd.DataFrame) -> Figure:
    """Draw dimensions and retrieval against the number of residues that the mean is over.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pooling.ladder()``.

    Returns
    -------
    Figure
        Left effective dimensions, right retrieval: a line per model, over numbers of residues up
        to all; a single state, the final or that of the classification token, is a diamond.
    """
    if frame.empty:
        return style.nothing_to_draw("no model of this run has residues to pool")
    rows = style.labelled(frame[frame["readout"] != "max"])
    rows = rows.assign(place=rows["residues"].replace(np.inf, _MEAN).fillna(_STATE))
    figure = Figure(figsize=(8, 4))
    grid = figure.subplots(1, 2)
    for axes, value in zip(grid, _VALUES, strict=True):
        if _is_unknown(rows, value, axes):
            continue
        for name, look in style.looks(rows).items():
            _ladder(axes, rows[rows["label"] == name].sort_values("place"), value, name, look)
        axes.set_xscale("log")
        axes.set_xticks(list(_PLACES), list(_PLACES.values()), fontsize=8)
        axes.set_xticks([], minor=True)
        axes.set_title(LABELS.get(value, "nearest relative, top 1"))
        axes.grid(axis="y")
    grid[0].set_yscale("log")
    style.mark_decades(grid[0].yaxis)
    figure.supxlabel("residues that the mean is over")
    return style.key(figure, ncols=2)


def _is_unknown(rows: pd.DataFrame, value: str, axes: Axes) -> bool:
    """Tell whether no row has a value, and say in the panel why."""
    if rows[value].notna().any():
        return False
    is_retrieval = value == "top_1"
    axes.set_title(LABELS.get(value, "nearest relative, top 1"))
    # Ticks may be shared with a panel that has values.
    axes.tick_params(bottom=False, labelbottom=False, left=False, labelleft=False)
    why = "families are not known" if is_retrieval else "the vectors do not differ"
    style.nothing_to_draw(why, axes)
    return True


def _ladder(axes: Axes, rows: pd.DataFrame, value: str, name: str, look: dict) -> None:
    """Draw one model's values as a line, its single state as a diamond, both with intervals."""
    known = rows.dropna(subset=value)
    for part, marker in ((known["place"] < _STATE, "o"), (known["place"] == _STATE, "D")):
        some = known[part]
        ends = (some[f"{value}_low"].astype(float), some[f"{value}_high"].astype(float))
        axes.vlines(some["place"], *ends, color=look["color"], lw=1, alpha=0.6)
        axes.plot(some["place"], some[value], **look | {"marker": marker, "ms": 5})
    axes.plot([], [], label=name, **look)


@style.styled
def readout_forest(frame: pd.DataFrame) -> Figure:
    """Draw dimensions and retrieval of each network's readouts, trained and not.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pooling.readouts()``.

    Returns
    -------
    Figure
        A line per network and readout; filled trained, open untrained; dots with the last
        LayerNorm, squares without.
    """
    rows = frame.assign(name=frame["network"] + ", " + frame["readout"].map(readout_name))
    names = list(rows["name"].unique())
    hues = dict(zip(frame["network"].unique(), style.PALETTE, strict=False))
    rows = rows.assign(colour=rows["network"].map(hues))
    figure = Figure(figsize=(8, 0.7 * len(names) + 1.8))
    grid = figure.subplots(1, 2, sharey=True)
    for axes, value in zip(grid, _VALUES, strict=True):
        if _is_unknown(rows, value, axes):
            continue
        for number, (trained, norm) in enumerate([(True, True), (True, False),
                                                  (False, True), (False, False)]):  # fmt: skip
            some = rows[(rows["trained"] == trained) & (rows["norm"] == norm)]
            said = ("trained" if trained else "untrained") + ("" if norm else ", no last LayerNorm")
            look = {"marker": "o" if norm else "s", "face": None if trained else style.GROUND}
            ends = f"{value}_low", f"{value}_high"
            place = {"below": 0.18 * number - 0.27, "names": names, "by": "name", "label": said}
            if len(some):
                style.forest(axes, some, value, ends, **look, **place)
        axes.set_xlabel(LABELS.get(value, _TOP_1))
    grid[0].set_xscale("log")
    style.mark_decades(grid[0].xaxis)
    return style.key(figure, ncols=2)


@style.styled
def widths(frame: pd.DataFrame) -> Figure:
    """Draw dimensions, IsoScore and retrieval of one model projected to other widths.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pooling.widths()``.

    Returns
    -------
    Figure
        Dots: random projections; squares: leading components; dashed: what is expected of random
        projections; a level line: the model at its own width.
    """
    figure, grid = style.panels(3, "width after projection", "", size=(2.7, 3.0))
    whole = frame[frame["how"] == "all"].iloc[0]
    looks = {"random": (style.PALETTE[0], "o", "random"),
             "components": (style.PALETTE[2], "s", "leading components")}  # fmt: skip
    for axes, value in zip(grid, ("effective_dimensions", "isoscore", "top_1"), strict=True):
        if _is_unknown(frame, value, axes):
            continue
        for how, (colour, marker, said) in looks.items():
            some = frame[frame["how"] == how]
            axes.scatter(some["width"], some[value], c=colour, marker=marker, s=18, label=said)
        axes.axhline(whole[value], color=style.GREY, lw=1, label="at its own width")
        expected = frame[frame["how"] == "random"].drop_duplicates("width")
        curve = {"effective_dimensions": expected["expected"],
                 "isoscore": (expected["expected"] - 1) / (expected["width"] - 1)}  # fmt: skip
        if value in curve:
            axes.plot(expected["width"], curve[value], label="expected of random", **style.DASHED)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(LABELS.get(value, "nearest relative, top 1"))
        axes.grid(axis="y")
    grid[1].set_yscale("log")
    style.mark_decades(grid[1].yaxis)
    return style.key(figure, ncols=2)
