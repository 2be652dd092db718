"""Figures of published numbers beside runs, and of runs made elsewhere."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plm_geometry.figures.labels import LABELS, labels
from plm_geometry.figures.style import GREY, INK, PALETTE, colours, mark_decades, styled

# What is drawn on an axis of its own, and whether that is logarithmic.
_UNITS = {"IsoScore": True, "dimensions": True, "correlation": False}
_AGREES, _DIFFERS = PALETTE[3], PALETTE[2]
_MARKERS = "osD^vP"
# Runs made elsewhere stand under this build's.
_BELOW = 0.3


@styled
def published_and_run(table: pd.DataFrame) -> Figure:
    """Draw each published number, and the values of runs beside it, by their verdict.

    Parameters
    ----------
    table : DataFrame
        ``verdicts.verdicts(...)``: unit, name, published, value, low, high, verdict; ``record``,
        which is empty for this build.

    Returns
    -------
    Figure
        A panel a unit, a row a number: the printed value as an open diamond, this build's as
        dots, those of other runs as squares below, each with its 95 % interval.
    """
    units = [unit for unit in _UNITS if unit in set(table["unit"])]
    rows = [table.loc[table["unit"] == unit, "name"].nunique() for unit in units]
    figure = Figure(figsize=(8.6, 0.34 * sum(rows) + 2.4), layout="constrained")
    grid = figure.subplots(len(units), 1, height_ratios=rows, squeeze=False)[:, 0]
    for axes, unit in zip(grid, units, strict=True):
        _of_unit(axes, table[table["unit"] == unit])
        axes.set(xlabel=unit, xscale="log" if _UNITS[unit] else "linear")
        if _UNITS[unit]:
            axes.xaxis.set_major_formatter("{x:g}")
    figure.legend(handles=_marks(), loc="outside upper center", ncols=3)
    return figure


def _of_unit(axes: Axes, table: pd.DataFrame) -> None:
    names = list(table["name"].unique())
    place = table["name"].map(names.index)
    axes.scatter(table["published"], place, marker="D", s=42, c="none", edgecolors=INK, zorder=2)
    run = table.assign(place=place + _BELOW * (table["record"] != "")).dropna(subset="value")
    for (verdict, is_here), rows in run.groupby(["verdict", run["record"] == ""]):
        colour = {"agrees": _AGREES, "differs": _DIFFERS}.get(verdict, GREY)
        filled = colour if colour != GREY else "none"
        axes.hlines(rows["place"], rows["low"], rows["high"], colors=colour, lw=1.4)
        axes.scatter(rows["value"], rows["place"], marker="o" if is_here else "s", s=26, c=filled,
                     edgecolors=colour, zorder=3)  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _marks() -> list[Line2D]:
    """Explain the marks of `published_and_run`."""
    mark = {"ls": "", "color": INK}
    return [
        Line2D([], [], marker="D", mfc="none", **mark, label="printed"),
        Line2D([], [], marker="o", **mark, label="this build, with 95% interval"),
        Line2D([], [], marker="s", **mark, label="a run made elsewhere"),
        Line2D([], [], marker="o", ls="", color=_AGREES, label="agrees"),
        Line2D([], [], marker="o", ls="", color=_DIFFERS, label="differs"),
        Line2D([], [], marker="o", ls="", color=GREY, mfc="none", label="not comparable"),
    ]


@styled
def checkpoint_isotropy(frame: pd.DataFrame) -> Figure:
    """Draw effective dimensions and mean cosine similarity of runs made elsewhere.

    Parameters
    ----------
    frame : DataFrame
        ``records.measured(...)``: sample, model, title, role, quantity, value, low, high.

    Returns
    -------
    Figure
        One row a run and model, a run's controls below its model.
    """
    quantities = {"effective_dimensions": True, "mean_cosine_similarity": False}
    named = frame[frame["quantity"].isin(quantities)].assign(label=_of_record)
    names = list(named["label"].unique())
    figure = Figure(figsize=(8.6, 0.4 * len(names) + 1.0), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, 2, sharey=True), quantities, strict=True):
        rows = named[named["quantity"] == quantity]
        place, colour = rows["label"].map(names.index), colours(rows)
        axes.hlines(place, rows["low"], rows["high"], colors=colour, lw=1.6)
        axes.scatter(rows["value"], place, c=colour, s=45, zorder=3)
        axes.set(xlabel=LABELS[quantity], xscale="log" if quantities[quantity] else "linear")
        axes.grid(axis="both")
        axes.set_axisbelow(True)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    mark_decades(figure.axes[0].xaxis)
    return figure


@styled
def checkpoint_correlations(frame: pd.DataFrame) -> Figure:
    """Draw the entries of correlation matrices of runs made elsewhere, and the printed ones.

    Parameters
    ----------
    frame : DataFrame
        name (of the entry), published, sample, title, role, value, low, high.

    Returns
    -------
    Figure
        One row an entry; the printed number as an open diamond, one mark a run and model below.
    """
    named = frame.assign(label=_of_record)
    names, kinds = list(named["name"].unique()), list(named["label"].unique())
    figure = Figure(figsize=(8.6, 0.16 * len(names) * (len(kinds) + 2) + 1.4), layout="constrained")
    axes = figure.subplots()
    models = named.drop_duplicates("label").reset_index(drop=True)
    for number, (kind, colour) in enumerate(zip(kinds, colours(models), strict=True)):
        rows = named[named["label"] == kind]
        place = rows["name"].map(names.index) + 0.7 * (number + 1) / (len(kinds) + 1)
        axes.hlines(place, rows["low"], rows["high"], colors=colour, lw=1.4)
        axes.scatter(rows["value"], place, color=colour, s=26, zorder=3, label=kind,
                     marker=_MARKERS[number % len(_MARKERS)])  # fmt: skip
    printed = named.drop_duplicates("name")
    axes.scatter(printed["published"], printed["name"].map(names.index), marker="D", s=42,
                 c="none", edgecolors=INK, zorder=4, label="printed for ProtBERT")  # fmt: skip
    axes.axvline(0, color=GREY, lw=0.8)
    axes.set_yticks(np.arange(len(names)) + 0.3, names, fontsize=8)
    axes.set(xlabel="Pearson correlation", ylim=(len(names) - 0.1, -0.25))
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure


def _of_record(frame: pd.DataFrame) -> pd.Series:
    """Return each row's model and proteins, as one label."""
    return labels(frame) + ", " + frame["sample"]
