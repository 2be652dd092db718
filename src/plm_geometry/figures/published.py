"""Figures of published numbers beside runs: the paper's under other choices, natural language's."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS


@style.styled
def under_choices(frame: pd.DataFrame) -> Figure:
    """Draw numbers with one choice changed at a time, beside what is printed.

    Parameters
    ----------
    frame : DataFrame
        ``number`` (what it is, one panel each), ``choice`` (a row: what is chosen), ``label`` and
        ``role`` (of what it is measured), ``value, low, high``, and ``printed``, missing where
        nothing is printed that it could be held against.

    Returns
    -------
    Figure
        One panel per number, one row per choice, one mark for each label; printed numbers dashed.
    """
    if frame.empty:
        return style.nothing_to_draw("no chapter of this build has tried other choices")
    panels = frame.groupby("number", sort=False)
    rows = panels["choice"].nunique()[frame["number"].unique()]
    figure = Figure(figsize=(5.8, 0.36 * rows.sum() + 1.2 * len(rows) + 0.8))
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=rows + 1)[:, 0]
    for axes, (number, part) in zip(grid, panels, strict=True):
        names, looks = part["choice"].unique(), style.looks(part)
        for place, (label, look) in enumerate(looks.items()):
            mark = {"colour": look["color"], "marker": "osD^vP"[place % 6], "label": label}
            mark["below"] = 0.6 * (place / max(len(looks) - 1, 1) - 0.5)
            of_label = part[part["label"] == label]
            style.forest(axes, of_label, "value", names=names, by="choice", **mark)
        for printed in part["printed"].dropna().unique():
            axes.axvline(printed, label="printed", **style.DASHED)
        axes.set_title(number, loc="left")
    return style.key(figure)


@style.styled
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
        Left: word tokens by layer, the last one as a diamond. Right: one row per cloud, a panel
        each for word tokens, residues and whole proteins. What others published is an open
        diamond.
    """
    named = style.labelled(clouds).dropna(subset="isoscore")
    groups = named.groupby("of", sort=False)
    figure = Figure(figsize=(9.5, 0.26 * len(named) + 2.2))
    left, right = figure.subfigures(1, 2, width_ratios=(2, 3))
    _by_layer(left.subplots(), layers)
    look = {"sharex": True, "squeeze": False, "height_ratios": groups.size()[named["of"].unique()]}
    grid = right.subplots(len(groups), 1, **look)[:, 0]
    for axes, (of, rows) in zip(grid, groups, strict=True):
        paper, names = rows["role"] == "published", rows["label"]
        style.forest(axes, rows[paper], "isoscore", None, names=names, **style.PRINTED)
        style.forest(axes, rows[~paper], "isoscore", None, names=names)
        axes.set_title(f"{of}, last layer", loc="left", fontsize=8)
    axes.set(xscale="log", xlabel=LABELS["isoscore"])
    return figure


def _by_layer(axes: Axes, layers: pd.DataFrame) -> None:
    """Draw one line per natural-language model, named at its last layer."""
    models = layers.groupby("title", sort=False)
    for dash, (title, model) in zip(("-", "--", "-.", ":"), models, strict=True):
        axes.plot(model["layer"], model["isoscore"], ls=dash, color=style.INK, lw=1.4)
        end = tuple(model.loc[model["last"], ["layer", "isoscore"]].iloc[0])
        axes.plot(*end, marker="D", mfc="none", color=style.INK)
        style.say(axes, title, end, (9, 0), va="center", bbox=style.PATCH)
    axes.set(yscale="log", xlabel="layer", ylabel=LABELS["isoscore"])
    # Room for the names at the right.
    axes.set_xlim(0.5, layers["layer"].max() + 2.5)
    axes.set_xticks(range(2, layers["layer"].max() + 1, 2))
    style.mark_decades(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title("word tokens, layer by layer")
