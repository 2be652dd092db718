"""Figures of specification curves: a number under every combination of choices."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, folded

# Choices and their levels, where they are called otherwise than in tables.
CHOICES = {
    "truncation": "proteins cut after",
    "padding": "padded to",
    "averaging": "average of amino acids",
    "proteins": "number of proteins",
    "draw": "draw of proteins",
    "mode": "alignment",
    "gaps": "gap costs",
    "denominator": "identical residues over",
    "interplay": "their interplay",
    "mean_with_special": "mean, special tokens too",
    "final": "last residue",
    "first": "classification token",
    "max": "largest value",
}
NUMBERS = {
    "effective_dimensions": "effective dimensions",
    "local_dimensions": "effective dimensions of an amino acid",
    "cosine_squared": "r, cosine – squared distance",
    "cosine_identity": "r, cosine – identity",
    "score_identity": "r, score – identity",
}
# A choice and its level, or None in the choice's heading.
Rows = list[tuple[str, str | None]]
# Columns of the matrix: more specifications than these are gathered, and shares are tinted.
_MOST_COLUMNS = 150


@style.styled
def specification_curves(frame: pd.DataFrame, value: str, choices: Sequence[str]) -> Figure:
    """Draw a number under every specification, sorted, above a matrix of their choices.

    Parameters
    ----------
    frame : DataFrame
        ``Study.choices.table(value)``, with ``published`` where there is such a value.
    value : str
        Column of the number; rows without it are not drawn.
    choices : sequence of str
        Columns of the choices, as rows of the matrix from top to bottom.

    Returns
    -------
    Figure
        One panel per model. Ring: what the other chapters choose. Dashed: published.
    """
    named = style.labelled(frame.dropna(subset=value))
    if named.empty:
        return style.nothing_to_draw(f"not defined under any specification: {NUMBERS[value]}")
    looks, rows = style.looks(named), _matrix_rows(named, choices)
    width, height = max(2.2 + 1.3 * len(looks), 6.5), 0.165 * len(rows)
    figure = Figure(figsize=(width, 3.1 + height))
    shape = {"sharex": "col", "sharey": "row", "squeeze": False, "height_ratios": (2, height)}
    tops, bottoms = figure.subplots(2, len(looks), **shape)
    for top, bottom, (name, look) in zip(tops, bottoms, looks.items(), strict=True):
        model = named[named["label"] == name].sort_values(value, kind="stable")
        _curve(top, model, value, look["color"])
        top.set_title(folded(name, 15 if len(looks) > 2 else 40), fontsize=8)
        _matrix(bottom, model, rows, look["color"])
    tops[0].set_ylabel(folded(NUMBERS[value], 26))
    if value.endswith("dimensions"):
        tops[0].set_yscale("log")
        style.mark_decades(tops[0].yaxis)
    heads = [choice_name(level or choice) for choice, level in rows]
    bottoms[0].set_yticks(np.arange(len(rows)) + 0.5, heads, fontsize=7.5)
    for text, (_, level) in zip(bottoms[0].get_yticklabels(), rows, strict=True):
        text.set_fontweight("normal" if level else "bold")
    return style.key(figure)


def _matrix_rows(named: pd.DataFrame, choices: Sequence[str]) -> Rows:
    """Return the rows of the matrix: each choice's heading, then its levels as they occur."""
    rows: Rows = []
    for choice in choices:
        # Levels of models that have a choice: the others' single one would be a blank row.
        chosen = named.groupby("label")[choice].transform("nunique") > 1
        if chosen.any():
            rows += [(choice, None), *((choice, level) for level in named[choice][chosen].unique())]
    return rows or [("no choice changes these", None)]


def _curve(axes: Axes, model: pd.DataFrame, value: str, colour: str) -> None:
    """Draw one model's sorted numbers, and mark the report's own."""
    number = pd.Series(model[value].to_numpy(), np.arange(len(model)) + 0.5)
    look = {"marker": "." if len(model) < 60 else "", "label": "every specification, sorted"}
    axes.plot(number, color=colour, **look)
    if model["own"].any():
        ring = {"marker": "o", "ls": "", "mfc": "none", "ms": 7.5, "color": style.INK}
        own = number[model["own"].to_numpy(bool)]
        axes.plot(own, label="as in the other chapters", **ring)
    for published in model.get("published", pd.Series(dtype=float)).dropna().unique():
        axes.axhline(published, label="published", **style.DASHED)
    axes.grid(axis="y")
    axes.set_xlim(0, len(model))
    axes.tick_params(bottom=False, labelbottom=False)


def _matrix(axes: Axes, model: pd.DataFrame, rows: Rows, colour: str) -> None:
    """Tint each place of the curve by the share of its specifications that have a level."""
    columns = min(len(model), _MOST_COLUMNS)
    place = np.arange(len(model)) * columns // len(model)
    tints = np.full((len(rows), columns), np.nan)
    for number, (choice, level) in enumerate(rows):
        if level and model[choice].nunique() > 1:
            tints[number] = (model[choice] == level).groupby(place).mean()
    shades = LinearSegmentedColormap.from_list("tints", [style.GROUND, colour])
    look = {"cmap": shades, "vmin": 0, "vmax": 1, "rasterized": True}
    edges = np.linspace(0, len(model), columns + 1)
    axes.pcolormesh(edges, range(len(rows) + 1), tints, **look)
    axes.set(ylim=(len(rows), 0), xticks=[])
    axes.set_xlabel(f"{len(model):,} ways", fontsize=8)
    axes.tick_params(left=False)


@style.styled
def choice_shares(frame: pd.DataFrame) -> Figure:
    """Draw which share of each number's variation each choice explains, as a heat map.

    Parameters
    ----------
    frame : DataFrame
        ``number`` (of `NUMBERS`), ``label``, ``choice`` and ``share``, from
        `specifications.explained`.

    Returns
    -------
    Figure
        One row per number and model, one column per choice; blank where there is no such choice.
    """
    if frame.empty:
        return style.nothing_to_draw("no number varies by choice")
    wide = frame.pivot_table("share", ["number", "label"], "choice", sort=False, dropna=False)
    wide = wide.dropna(how="all")[sorted(wide, key="interplay".__eq__)]
    numbers = wide.index.get_level_values("number")
    named = wide.droplevel("number").rename(columns=lambda name: folded(choice_name(name), 14))
    named = named.rename_axis(index=None, columns=None)
    axes = Figure(figsize=(3.4 + 0.62 * wide.shape[1], 1.9 + 0.27 * len(wide))).subplots()
    look = {"cmap": "Blues", "vmin": 0, "vmax": 1, "cbar": False, "linewidths": 0.5}
    sns.heatmap(named, ax=axes, annot=True, fmt=".0%", annot_kws={"size": 7.5}, **look)
    axes.tick_params(labelsize=8)
    axes.set_xticks(axes.get_xticks(), list(named), rotation=45, ha="right", rotation_mode="anchor")
    for number in numbers.unique():
        places = np.flatnonzero(numbers == number)
        axes.axhline(places[0], color=style.INK, lw=1)
        beside = {"xycoords": axes.get_yaxis_transform(), "va": "center"}
        style.say(axes, folded(NUMBERS[number], 20), (1.01, places.mean() + 0.5), **beside)
    return axes.figure


def choice_name(name: str) -> str:
    """Return what a choice, or one of its levels, is called."""
    return CHOICES.get(name) or LABELS.get(name, name)
