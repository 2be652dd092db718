"""Figures of local isotropy: amino acids by model, in the order of their side chains."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures.labels import FORMATS, LABELS, folded, folded_at_marks, labels
from plm_geometry.figures.style import (
    GREY,
    INK,
    colours,
    lines,
    nothing_to_draw,
    panels,
    styled,
    without_minis,
)

# Amino acids by the chemistry of their side chains.
RESIDUE_CLASSES = {
    "aliphatic": "GAVLIMP",
    "aromatic": "FWY",
    "polar": "STCNQ",
    "positive": "KRH",
    "negative": "DE",
}
_NO_SPREAD = "the residues of no amino acid differ here"


def residue_order(found: pd.Index) -> list[str]:
    """Return the amino acids among `found`, by the class of their side chains."""
    return [residue for residue in "".join(RESIDUE_CLASSES.values()) if residue in set(found)]


def _class_sizes(residues: list[str]) -> dict[str, int]:
    """Return how many of `residues` each class has, for the classes that have any."""
    sizes = {
        name: sum(residue in members for residue in residues)
        for name, members in RESIDUE_CLASSES.items()
    }
    return {name: size for name, size in sizes.items() if size}


def _twenty(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the labelled rows of the twenty amino acids that have a value."""
    named = frame.assign(label=labels(frame))
    return named[named.residue.isin(residue_order(named.residue))].dropna(subset=column)


@styled
@without_minis
def local_heatmap(frame: pd.DataFrame, column: str) -> Figure:
    """Draw one value for each amino acid and model as an annotated heat map.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_isotropy()``: long, one row a residue and model.
    column : {"isoscore", "effective_dimensions", "mean_cosine_similarity"}
        What to draw; letters beyond the twenty amino acids are left to the table.

    Returns
    -------
    Figure
        Colours span the models' values: a control outside them takes the colour at the end.
        Where there are only controls, colours span theirs.
    """
    named = _twenty(frame, column)
    if named.empty:
        return nothing_to_draw(_NO_SPREAD)
    wide = named.pivot(index="residue", columns="label", values=column)
    wide = wide.loc[residue_order(wide.index), named.label.unique()]
    models = named[named.role != "control"]
    low, high = (named if models.empty else models)[column].agg(["min", "max"])
    figure = Figure(figsize=(1.5 * wide.shape[1] + 1.8, 7), layout="constrained")
    axes = figure.subplots()
    sns.heatmap(wide, ax=axes, cmap="cividis", annot=True, fmt=FORMATS[column],
                vmin=low, vmax=high, annot_kws={"size": 8}, linewidths=0.5,
                cbar_kws={"label": LABELS[column], "aspect": 40,
                          "extend": _beyond(wide, low, high)})  # fmt: skip
    names = [folded_at_marks(name) for name in wide]
    axes.set_xticks(axes.get_xticks(), names, rotation=0, fontsize=8)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", rotation=0, length=0)
    _mark_classes(axes, list(wide.index))
    return figure


def _beyond(wide: pd.DataFrame, low: float, high: float) -> str:
    """Say at which ends of the colour bar values lie outside it, in matplotlib's words."""
    below, above = bool((wide < low).any(axis=None)), bool((wide > high).any(axis=None))
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def _mark_classes(axes: Axes, residues: list[str]) -> None:
    """Part the classes of amino acids by a line, and name them at the left."""
    start = 0
    for name, size in _class_sizes(residues).items():
        axes.axhline(start + size, color="white", lw=3)
        axes.text(-0.06, start + size / 2, name, rotation=90, ha="center", va="center",
                  transform=axes.get_yaxis_transform(), fontsize=8, color=GREY)  # fmt: skip
        start += size


@styled
@without_minis
def local_spread(frame: pd.DataFrame) -> Figure:
    """Draw how many dimensions the twenty amino acids use in each model.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside_local(Study.local_isotropy())``: the paper's average is a dashed
        line over the rows it holds for.
    """
    twenty = _twenty(frame, "effective_dimensions")
    if twenty.empty:
        return nothing_to_draw(_NO_SPREAD)
    models = twenty.drop_duplicates("label").set_index("label", drop=False)
    figure = Figure(figsize=(8, 0.5 * len(models) + 1.3), layout="constrained")
    axes = figure.subplots()
    # Moved up or down so that none hides another: the same way in every run, as seaborn does not.
    beside = np.random.default_rng(0).uniform(-0.15, 0.15, len(twenty))
    row = models.index.get_indexer(twenty["label"])
    axes.scatter(twenty["effective_dimensions"], row + beside, s=25, alpha=0.8,
                 color=np.array(colours(models))[row])  # fmt: skip
    axes.set_yticks(range(len(models)), models.index)
    axes.invert_yaxis()
    means = twenty.groupby("label", sort=False).effective_dimensions.mean()
    axes.scatter(means, range(len(means)), marker="|", s=500, color=INK, lw=2, zorder=4,
                 label="mean of the twenty")  # fmt: skip
    _published_average(axes, models.published_dimensions)
    axes.set(xlabel="effective dimensions of an amino acid", ylabel="", xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _published_average(axes: Axes, averages: pd.Series) -> None:
    """Draw a dashed line over each row that the paper prints an average for."""
    rows = np.flatnonzero(averages.notna())
    if len(rows):
        printed = averages.iloc[rows]
        axes.vlines(printed, rows - 0.5, rows + 0.5, color=INK, ls="--", lw=1,
                    label=f"published: about {printed.iloc[0]:g}")  # fmt: skip


@styled
@without_minis
def local_intervals(frame: pd.DataFrame, column: str) -> Figure:
    """Draw one value of each amino acid with its interval, one panel a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_isotropy()``.
    column : {"isoscore", "effective_dimensions", "mean_cosine_similarity"}
        What to draw, with ``<column>_low`` and ``<column>_high``.

    Returns
    -------
    Figure
        Amino acids stand in the order of their side chains' chemistry. Each panel has its own
        vertical scale.
    """
    named = _twenty(frame, column)
    if named.empty:
        return nothing_to_draw(_NO_SPREAD)
    order, styles = residue_order(named.residue), lines(named)
    figure, grid = panels(len(styles), across=2, width=4.6, height=1.9, sharex=True)
    for axes, (name, model) in zip(grid, named.groupby("label", sort=False), strict=True):
        model = model.set_index("residue").reindex(order)
        places, colour = np.arange(len(order)), styles[name]["color"]
        axes.vlines(places, model[f"{column}_low"], model[f"{column}_high"], color=colour, lw=1.6)
        axes.scatter(places, model[column], color=colour, s=22, zorder=3)
        axes.set_xticks(places, order, fontsize=8)
        axes.set_title(folded(name, 48), pad=14)
        axes.margins(x=0.02)
        name_classes(axes, order)
    figure.supylabel(LABELS[column], fontsize=10)
    return figure


def name_classes(axes: Axes, residues: list[str]) -> None:
    """Part the classes of amino acids by a line, and name them above."""
    start = 0
    for name, size in _class_sizes(residues).items():
        if start:
            axes.axvline(start - 0.5, color=GREY, lw=0.6, ls=":")
        axes.text(start + size / 2 - 0.5, 1.01, name, ha="center", va="bottom", fontsize=6.5,
                  transform=axes.get_xaxis_transform(), color=GREY)  # fmt: skip
        start += size


@styled
@without_minis
def local_variance(frame: pd.DataFrame) -> Figure:
    """Draw how much of residues' variance lies between amino acids, and how much within.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_variance()``: labels, between, within; the two add up to 1.
    """
    figure = Figure(figsize=(8, 0.42 * len(frame) + 1.3), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(frame))
    axes.barh(rows, frame.between, color=colours(frame), label="between amino acids")
    axes.barh(rows, frame.within, left=frame.between, color=colours(frame), alpha=0.3,
              label="within an amino acid")  # fmt: skip
    for row, share in zip(rows, frame.between, strict=True):
        said, end = ("not defined", 0) if np.isnan(share) else (f"{share:.0%}", share)
        axes.annotate(said, (end, row), xytext=(4, 0), textcoords="offset points", va="center",
                      fontsize=8)  # fmt: skip
    axes.set_yticks(rows, labels(frame))
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.07), xlabel="share of the variance of all residues")
    axes.xaxis.set_major_formatter("{x:.0%}")
    legend = figure.legend(loc="outside upper center", ncols=2)
    for patch in legend.get_patches():
        patch.set_facecolor(GREY)
    return figure
