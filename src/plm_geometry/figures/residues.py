"""Figures of proteins and of residues: amino acids in the order of their side chains."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import FORMATS, LABELS, folded

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


def _classes(residues: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield each class that `residues` has any of, and where its first and last stand."""
    for name, members in RESIDUE_CLASSES.items():
        if places := [place for place, residue in enumerate(residues) if residue in members]:
            yield name, places[0], places[-1]


def _name_columns(axes: Axes, residues: list[str]) -> None:
    """Name columns of amino acids, part their classes by a line, and name them above."""
    axes.set_xticks(range(len(residues)), residues, fontsize=8)
    axes.margins(x=0.02)
    above = {"xycoords": axes.get_xaxis_transform(), "ha": "center", "color": style.GREY}
    for name, first, last in _classes(residues):
        if first:
            axes.axvline(first - 0.5, color=style.GREY, lw=0.6, ls=":")
        style.say(axes, name, ((first + last) / 2, 1.01), fontsize=6.5, **above)


def _twenty(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the labelled rows of the twenty amino acids that have a value."""
    named = style.labelled(frame)
    return named[named["residue"].isin(residue_order(named["residue"]))].dropna(subset=column)


@style.styled
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
        return style.nothing_to_draw(_NO_SPREAD)
    wide = named.pivot(index="residue", columns="label", values=column)
    wide = wide.loc[residue_order(wide.index), named["label"].unique()]
    models = named[named["role"] != "control"]
    low, high = (named if models.empty else models)[column].agg(["min", "max"])
    axes = Figure(figsize=(1.5 * wide.shape[1] + 1.8, 7)).subplots()
    look = {"cmap": "cividis", "annot": True, "annot_kws": {"size": 8}, "linewidths": 0.5}
    bar = {"label": LABELS[column], "aspect": 40, "extend": "both"}
    sns.heatmap(wide, ax=axes, fmt=FORMATS[column], vmin=low, vmax=high, cbar_kws=bar, **look)
    axes.set_xticks(axes.get_xticks(), [folded(name, 14) for name in wide], fontsize=8)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", rotation=0, length=0)
    beside = {"xycoords": axes.get_yaxis_transform(), "rotation": 90, "color": style.GREY}
    for name, first, last in _classes(list(wide.index)):
        axes.axhline(last + 1, color="white", lw=3)
        place = (-0.06, (first + last + 1) / 2)
        style.say(axes, name, place, ha="center", va="center", **beside)
    return axes.figure


@style.styled
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
        return style.nothing_to_draw(_NO_SPREAD)
    models = twenty.groupby("label", sort=False)
    means, printed = models["effective_dimensions"].mean(), models["published_dimensions"].first()
    axes = Figure(figsize=(8, 0.5 * len(means) + 1.3)).subplots()
    # Moved up or down so that none hides another: the same way in every run, as seaborn does not.
    beside = np.random.default_rng(0).uniform(-0.15, 0.15, len(twenty))
    look = {"s": 25, "alpha": 0.8, "color": twenty["colour"]}
    places = means.index.get_indexer(twenty["label"]) + beside
    axes.scatter(twenty["effective_dimensions"], places, **look)
    rows = np.arange(len(means))
    mean = {"color": style.INK, "lw": 2, "zorder": 3, "label": "mean of the twenty"}
    axes.vlines(means, rows - 0.3, rows + 0.3, **mean)
    if printed.notna().any():
        said = f"published: about {printed.max():g}"
        axes.vlines(printed, rows - 0.5, rows + 0.5, label=said, **style.DASHED)
    axes.set_yticks(rows, means.index)
    axes.invert_yaxis()
    axes.set(xlabel="effective dimensions of an amino acid", xlim=(0, None))
    return style.key(axes.figure)


@style.styled
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
        return style.nothing_to_draw(_NO_SPREAD)
    order, size = residue_order(named["residue"]), {"size": (4.6, 1.9), "sharex": True}
    figure, parts = style.model_panels(named, "", LABELS[column], across=2, **size)
    for axes, rows, colour in parts:
        rows = rows.set_index("residue").reindex(order)
        places = range(len(order))
        axes.vlines(places, rows[f"{column}_low"], rows[f"{column}_high"], color=colour, lw=1.6)
        axes.scatter(places, rows[column], color=colour, s=22, zorder=3)
        axes.set_title(folded(rows["label"].dropna().iloc[0], 48), pad=14)
        _name_columns(axes, order)
    return figure


@style.styled
def local_variance(frame: pd.DataFrame) -> Figure:
    """Draw how much of residues' variance lies between amino acids, and how much within.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_variance()``: labels, between, within; the two add up to 1.
    """
    named = style.labelled(frame).set_index("label")
    axes = Figure(figsize=(8, 0.42 * len(named) + 1.3)).subplots()
    bars = named[["between", "within"]].add_suffix(" amino acids")
    look = {"stacked": True, "width": 0.8, "color": [style.PALETTE[0], "#A9CCE3"]}
    bars.plot.barh(ax=axes, legend=False, **look)
    said = named["between"].map("{:.0%}".format).where(named["between"].notna(), "not defined")
    axes.bar_label(axes.containers[0], said, padding=4, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.02), xlabel="share of the variance of all residues", ylabel="")
    axes.xaxis.set_major_formatter("{x:.0%}")
    return style.key(axes.figure)


@style.styled
def proteins(lengths: pd.DataFrame, composition: pd.DataFrame) -> Figure:
    """Draw the lengths and the amino-acid composition of a set of proteins.

    Parameters
    ----------
    lengths : DataFrame
        ``Study.protein_lengths()``: one row a protein, with ``length`` in residues.
    composition : DataFrame
        ``Study.composition()``: ``residue``, ``share``, and its share in ``swissprot``.

    Returns
    -------
    Figure
        Left: a histogram of lengths (logarithmic), the middle half shaded. Right: the share of
        each amino acid, by the chemistry of side chains, with Swiss-Prot's as a tick. Each
        title says what its panel shows.
    """
    figure = Figure(figsize=(9, 3.2))
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    _lengths(left, lengths["length"])
    shown = composition.set_index("residue").loc[residue_order(composition["residue"])]
    right.bar(shown.index, shown["share"], color=style.PALETTE[0], label="these proteins")
    tick = {"ms": 11, "mew": 2, "color": style.PALETTE[2], "label": "Swiss-Prot"}
    right.plot(shown.index, shown["swissprot"], "_", **tick)
    _name_columns(right, list(shown.index))
    right.yaxis.set_major_formatter("{x:.0%}")
    right.set_ylabel("share of the residues")
    furthest = (shown["share"] - shown["swissprot"]).abs().max()
    right.set_title(f"At most {100 * furthest:.1f} percentage points from Swiss-Prot", pad=14)
    return style.key(figure, loc="outside upper right", fontsize=8)


def _lengths(axes: Axes, lengths: pd.Series) -> None:
    """Draw lengths on a logarithmic axis, with the quartiles and the median."""
    low, median, high = lengths.quantile([0.25, 0.5, 0.75])
    # Wider than the lengths, so that proteins of one length have a bin of some width, too.
    edges = np.geomspace(lengths.min() / 1.05, lengths.max() * 1.05, 31)
    axes.axvspan(low, high, color=style.GREY, alpha=0.2, lw=0)
    axes.hist(lengths, bins=edges, color=style.PALETTE[0])
    axes.axvline(median, **style.DASHED)
    axes.set_xscale("log")
    style.mark_decades(axes.xaxis)
    axes.set(xlabel="residues in a protein", ylabel="proteins")
    axes.set_title(f"Half have {low:,.0f} to {high:,.0f}, median {median:,.0f}", pad=14)
