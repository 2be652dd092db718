"""Figures of published numbers beside runs: the paper's, natural language's, other machines'."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, labels


@style.styled
def checkpoint_correlations(frame: pd.DataFrame) -> Figure:
    """Draw the entries of correlation matrices of other machines' runs, and the printed ones.

    Parameters
    ----------
    frame : DataFrame
        name (of the entry), published, sample, title, role, value, low, high.

    Returns
    -------
    Figure
        One row per entry; the printed number as an open diamond, one mark per run and model below.
    """
    named = _of_records(frame)
    line, looks = {"names": named["name"].unique(), "by": "name"}, style.looks(named)
    axes = Figure(figsize=(8.6, 0.16 * len(line["names"]) * (len(looks) + 2) + 1.4)).subplots()
    for number, (label, look) in enumerate(looks.items()):
        mark = {"colour": look["color"], "marker": "osD^vP"[number % 6], "label": label}
        mark["below"] = 0.7 * (number + 1) / (len(looks) + 1)
        style.forest(axes, named[named["label"] == label], "value", **line, **mark)
    said = {"label": "printed for ProtBERT", **style.PRINTED}
    style.forest(axes, named.drop_duplicates("name"), "published", None, **line, **said)
    axes.axvline(0, color=style.GREY, lw=0.8)
    axes.set(xlabel="Pearson correlation", ylim=(len(line["names"]) - 0.1, -0.25))
    return style.key(axes.figure, ncols=2, fontsize=8)


def _of_records(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose ``label`` says model and proteins, with its ``colour``."""
    named = frame.assign(label=labels(frame) + ", " + frame["sample"])
    return named.assign(colour=style.colours)


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
