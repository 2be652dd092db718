"""Figures of specification curves: a number under every combination of choices."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plm_geometry.figures.labels import LABELS, folded, labels
from plm_geometry.figures.style import (
    GREY,
    INK,
    STYLE,
    lines,
    mark_decades,
    nothing_to_draw,
    styled,
)

CHOICES = {
    "pooling": "pooling",
    "truncation": "proteins cut after",
    "layer": "layer",
    "padding": "padded to",
    "averaging": "average of amino acids",
    "proteins": "number of proteins",
    "draw": "draw of proteins",
    "mode": "alignment",
    "gaps": "gap costs",
    "denominator": "identical residues over",
    "threshold": "high identity from",
    "interplay": "their interplay",
}
LEVELS = {
    "mean_with_special": "mean, special tokens too",
    "final": "last residue",
    "first": "classification token",
    "max": "largest value",
    "alignment_length": LABELS["alignment_length"],
    "aligned_columns": LABELS["aligned_columns"],
    "shorter": LABELS["shorter"],
}
NUMBERS = {
    "effective_dimensions": "effective dimensions",
    "local_dimensions": "effective dimensions of an amino acid",
    "cosine_squared": "r, cosine – squared distance",
    "cosine_identity": "r, cosine – identity",
    "score_identity": "r, score – identity",
    "narrowing": "width of the band, high over low",
}
_LOGARITHMIC = ("effective_dimensions", "local_dimensions")
# Columns of the matrix: more specifications than these are gathered, and shares are tinted.
_MOST_COLUMNS = 150
_ROW = 0.165  # inches


@styled
def specification_curves(frame: pd.DataFrame, value: str, choices: Sequence[str]) -> Figure:
    """Draw a number under every specification, sorted, above a matrix of their choices.

    Parameters
    ----------
    frame : DataFrame
        ``Study.specifications(value)``, with ``published`` where there is such a value.
    value : str
        Column of the number; rows without it are not drawn.
    choices : sequence of str
        Columns of the choices, as rows of the matrix from top to bottom.

    Returns
    -------
    Figure
        One panel a model. Ring: what the other chapters choose. Dashed: published.
    """
    named = frame.dropna(subset=value).assign(label=labels(frame))
    models = list(named.groupby("label", sort=False))
    if not models:
        return nothing_to_draw(f"not defined under any specification: {NUMBERS[value]}")
    rows = _rows(named, choices) or [("no choice changes these", None)]
    styles = lines(named)
    height = _ROW * len(rows)
    width = max(2.2 + 1.3 * len(models), 6.5)
    figure = Figure(figsize=(width, 3.1 + height), layout="constrained")
    tops, bottoms = figure.subplots(
        2, len(models), sharex="col", sharey="row", squeeze=False, height_ratios=(2.0, height)
    )
    for top, bottom, (name, model) in zip(tops, bottoms, models, strict=True):
        model, colour = model.sort_values(value, ignore_index=True), styles[name]["color"]
        _curve(top, model, value, colour)
        top.set_title(folded(name, 15 if len(models) > 2 else 40), fontsize=8)
        _matrix(bottom, model, rows, colour)
    tops[0].set_ylabel(folded(NUMBERS[value], 26))
    if value in _LOGARITHMIC:
        tops[0].set_yscale("log")
        mark_decades(tops[0].yaxis)
    _name_rows(bottoms[0], rows)
    figure.legend(handles=_marks(named), loc="outside upper center", ncols=3)
    return figure


def _rows(frame: pd.DataFrame, choices: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return the rows of the matrix: each choice's heading, then its levels as they occur."""
    rows: list[tuple[str, str | None]] = []
    for choice in choices:
        # Levels of models that have a choice: the others' single one would be a blank row.
        chosen = frame.groupby("label")[choice].transform("nunique") > 1
        if chosen.any():
            rows += [(choice, None), *((choice, level) for level in frame[choice][chosen].unique())]
    return rows


def _curve(axes: Axes, model: pd.DataFrame, value: str, colour: str) -> None:
    """Draw one model's numbers in ascending order, and mark the report's own."""
    places = np.arange(len(model)) + 0.5
    axes.plot(places, model[value], color=colour, lw=1.6, marker="." if len(model) < 60 else "")
    own = model["own"].to_numpy(bool)
    axes.scatter(places[own], model[value][own], s=55, facecolors="none", edgecolors=INK, lw=1.4,
                 zorder=4)  # fmt: skip
    for published in model.get("published", pd.Series(dtype=float)).dropna().unique():
        axes.axhline(published, color=INK, ls="--", lw=1)
    axes.grid(axis="y")
    axes.set_xlim(0, len(model))
    axes.tick_params(bottom=False, labelbottom=False)


def _matrix(
    axes: Axes, model: pd.DataFrame, rows: Sequence[tuple[str, str | None]], colour: str
) -> None:
    """Tint each place of the curve by the share of its specifications that have a level."""
    starts = np.unique(np.linspace(0, len(model), _MOST_COLUMNS + 1).astype(int))
    tints = np.full((len(rows), len(starts) - 1), np.nan)
    for number, (choice, level) in enumerate(rows):
        if level is not None and model[choice].nunique() > 1:
            has = (model[choice] == level).to_numpy(float)
            tints[number] = np.add.reduceat(has, starts[:-1]) / np.diff(starts)
    colours = LinearSegmentedColormap.from_list("tints", [STYLE["axes.facecolor"], colour])
    edges = np.arange(len(rows) + 1)
    axes.pcolormesh(starts, edges, np.ma.masked_invalid(tints), cmap=colours, vmin=0, vmax=1,
                    rasterized=True)  # fmt: skip
    for number, (_, level) in enumerate(rows):
        if level is None and number:
            axes.axhline(number, color=GREY, lw=0.5)
    axes.set_ylim(len(rows), 0)
    axes.set_xticks([])
    axes.set_xlabel(f"{len(model):,} ways", fontsize=8)
    axes.tick_params(left=False)


def _name_rows(axes: Axes, rows: Sequence[tuple[str, str | None]]) -> None:
    named = [choice_name(choice if level is None else level) for choice, level in rows]
    axes.set_yticks(np.arange(len(rows)) + 0.5, named, fontsize=7.5)
    for text, (_, level) in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if level is None else "normal")


def _marks(frame: pd.DataFrame) -> list[Line2D]:
    marks = [Line2D([], [], color=INK, lw=1.6, label="every specification, sorted")]
    if frame["own"].any():
        marks.append(Line2D([], [], marker="o", ls="", mfc="none", ms=7.5, color=INK,
                            label="as in the other chapters"))  # fmt: skip
    if "published" in frame and frame["published"].notna().any():
        marks.append(Line2D([], [], color=INK, ls="--", lw=1, label="published"))
    return marks


@styled
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
        A row a number and model, a column a choice; blank where there is no such choice.
    """
    if frame.empty:
        return nothing_to_draw("no number varies by choice")
    wide = frame.pivot(index=["number", "label"], columns="choice", values="share")
    wide = wide.loc[_in_order(frame, ["number", "label"]), [c for c in CHOICES if c in wide]]
    figure = Figure(figsize=(3.4 + 0.62 * wide.shape[1], 1.9 + 0.27 * len(wide)),
                    layout="constrained")  # fmt: skip
    axes = figure.subplots()
    said = wide.map("{:.0%}".format).where(wide.notna(), "")
    sns.heatmap(wide, ax=axes, cmap="Blues", vmin=0, vmax=1, annot=said, fmt="", linewidths=0.5,
                annot_kws={"size": 7.5}, cbar=False)  # fmt: skip
    axes.set(xlabel="", ylabel="")
    axes.set_xticks(np.arange(wide.shape[1]) + 0.5, [folded(CHOICES[c], 14) for c in wide],
                    rotation=45, ha="right", rotation_mode="anchor", fontsize=8)  # fmt: skip
    axes.set_yticks(np.arange(len(wide)) + 0.5, wide.index.get_level_values("label"), fontsize=8,
                    rotation=0)  # fmt: skip
    _mark_numbers(axes, wide.index.get_level_values("number"))
    return figure


def _in_order(frame: pd.DataFrame, columns: list[str]) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(frame[columns].drop_duplicates())


def _mark_numbers(axes: Axes, numbers: pd.Index) -> None:
    """Part the numbers by a line, and name each at the right."""
    for number in numbers.unique():
        places = np.flatnonzero(numbers == number)
        axes.axhline(places[0], color=INK, lw=1)
        axes.annotate(folded(NUMBERS[number], 20), (1.01, places.mean() + 0.5), va="center",
                      xycoords=axes.get_yaxis_transform(), fontsize=8)  # fmt: skip


def choice_name(name: str) -> str:
    """Return what a choice, or one of its levels, is called."""
    return CHOICES.get(name) or LEVELS.get(name, name)


def choice_words(levels: Mapping[str, str]) -> str:
    """Return a specification as words: "pooling: mean; layer: last".

    Choices that a model does not have, of level "as it is", are left out.
    """
    known = {choice: level for choice, level in levels.items() if level != "as it is"}
    said = [f"{choice_name(choice)}: {choice_name(level)}" for choice, level in known.items()]
    return "; ".join(said)
