"""Figures of correlations over pairs: matrices, intervals, alignment settings, and the sign."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import LABELS, between, folded, rounded


def square(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the symmetric matrix of one model's correlations.

    Parameters
    ----------
    rows : DataFrame
        ``a, b, estimate``: each two measures once.

    Returns
    -------
    DataFrame, shape ``(n_measures, n_measures)``
        Measures in the order in which `rows` has them, ones on the diagonal.
    """
    names = pd.unique(rows[["a", "b"]].to_numpy().ravel())
    upper = rows.pivot(index="a", columns="b", values="estimate").reindex(names, columns=names)
    matrix = upper.fillna(upper.T).rename_axis(None).rename_axis(None, axis=1)
    return matrix.mask(np.eye(len(names), dtype=bool), 1.0)


@style.styled
def correlation_matrices(
    matrices: Mapping[str, pd.DataFrame], kind: str = "Pearson correlation"
) -> Figure:
    """Draw matrices of correlations side by side, each under its title.

    Parameters
    ----------
    matrices : mapping of str to DataFrame
        Title to a square matrix with values in [-1, 1]. What is not defined has no colour, and
        a dash.
    kind : str
        Which correlation, for the colour scale.
    """
    figure, grid = style.panels(len(matrices), "", "", (2.6, 2.7), 4, sharex=True, sharey=True)
    look = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1, "cbar": False, "linewidths": 1, "fmt": ""}
    for axes, (title, matrix) in zip(grid, matrices.items(), strict=True):
        short = [LABELS[name].replace(" distance", "").replace(" ", "\n") for name in matrix]
        named = matrix.set_axis(short).set_axis(short, axis=1)
        said = named.map(rounded, decimals=3)
        sns.heatmap(named.fillna(0), ax=axes, annot=said, annot_kws={"size": 8}, **look)
        axes.tick_params(axis="x", rotation=90, labelsize=8)
        axes.tick_params(axis="y", rotation=0, labelsize=8)
        axes.set_title(folded(title))
    bar = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-1, 1), "RdBu_r")
    figure.colorbar(bar, ax=grid, label=kind, location="bottom", shrink=0.5, aspect=40)
    return figure


@style.styled
def correlation_intervals(raw: pd.DataFrame, adjusted: pd.DataFrame) -> Figure:
    """Draw correlations with their intervals, raw and adjusted for lengths, one panel per entry.

    Parameters
    ----------
    raw : DataFrame
        ``published.beside_correlations(Study.correlation.table())``, of the entries to draw.
    adjusted : DataFrame
        ``Study.correlation.table(adjusted=True)``, of the same entries.

    Returns
    -------
    Figure
        Dots and lines: raw, with the interval that assumes independent pairs as a pale bar
        behind; open dots: adjusted; open diamonds: published.
    """
    raw, adjusted = style.labelled(raw), style.labelled(adjusted)
    entries = raw[["a", "b"]].drop_duplicates().to_numpy()
    size = (4.2, 0.42 * raw["label"].nunique() + 0.7)
    figure, grid = style.panels(len(entries), "Pearson correlation", "", size, 2, sharey=True)
    pale = {"color": style.GREY, "lw": 9, "alpha": 0.35, "label": "if pairs were independent"}
    below = {"below": 0.3, "face": style.GROUND, "label": "adjusted for lengths"}
    for axes, (a, b) in zip(grid, entries, strict=True):
        entry, partial = (rows[(rows["a"] == a) & (rows["b"] == b)] for rows in (raw, adjusted))
        axes.hlines(range(len(entry)), entry["pairwise_low"], entry["pairwise_high"], **pale)
        style.forest(axes, entry, "estimate", label="as they are, with 95% interval")
        style.forest(axes, partial, "estimate", **below)
        style.forest(axes, entry, "published", None, label="published", **style.PRINTED)
        axes.axvline(0, color=style.GREY, lw=0.8)
        axes.set_title(between(a, b).replace(" – ", " –\n"))
    return style.key(figure, ncols=2)


@style.styled
def score_against_settings(frame: pd.DataFrame, published: float) -> Figure:
    """Draw the correlation of score and identity under each alignment setting, one panel per mode.

    Parameters
    ----------
    frame : DataFrame
        ``Study.correlation.settings_grid()``: mode, gap_open, gap_extend, denominator, estimate,
        low, high.
    published : float
        The paper's value, drawn as a line.
    """
    gaps = [f"{row.gap_open:g}/{row.gap_extend:g}" for row in frame.itertuples()]
    frame = frame.assign(gaps=gaps, denominator=frame["denominator"].map(LABELS))
    names, denominators = frame["gaps"].unique(), frame["denominator"].unique()
    parts = frame.groupby("mode", sort=False)
    figure = Figure(figsize=(9, (0.26 * len(denominators) + 0.1) * len(names) + 1.8))
    grid = figure.subplots(1, len(parts), sharey=True, sharex=True, squeeze=False)[0]
    for axes, (mode, part) in zip(grid, parts, strict=True):
        for number, denominator in enumerate(denominators):
            look = {"colour": style.PALETTE[(0, 2, 4, 3)[number]], "marker": "osD^"[number]}
            look["below"] = 0.22 * (number - (len(denominators) - 1) / 2)
            rows, look["label"] = part[part["denominator"] == denominator], denominator
            style.forest(axes, rows, "estimate", names=names, by="gaps", **look)
        axes.axvline(published, label=f"published: {published:g}", **style.DASHED)
        axes.set_title(mode)
    grid[0].set_ylabel("gaps: first residue / each further")
    figure.supxlabel("correlation of alignment score and sequence identity")
    return style.key(figure, ncols=4, title="identical residues over")


@style.styled
def signs(curves: pd.DataFrame, points: pd.DataFrame, published: float) -> Figure:
    """Draw the sign against how much the vectors' lengths vary.

    Parameters
    ----------
    curves : DataFrame
        ``signs.simulated_signs()``.
    points : DataFrame
        ``label, role, r, norm_variation``; role "published" for published embeddings.
    published : float
        The paper's correlation: a dashed line.

    Returns
    -------
    Figure
        Constructed clouds as lines, models as points.
    """
    axes = Figure(figsize=(5.8, 6)).subplots()
    _simulated(axes, curves)
    for label, look in style.looks(points).items():
        rows = points[points["label"] == label]
        marker = {"published": "D", "control": "s"}.get(rows["role"].iloc[0], "o")
        mark = {"marker": marker, "ls": "", "color": look["color"], "mec": style.GROUND, "ms": 8}
        axes.plot(rows["norm_variation"], rows["r"], label=label, zorder=5, **mark)
    axes.axhline(published, **style.DASHED)
    axes.axhline(0, color=style.GREY, lw=0.8)
    place = {"xycoords": axes.get_yaxis_transform(), "ha": "right"}
    style.say(axes, f"published: {rounded(published, 3)}", (0.99, published), (0, 3), **place)
    return style.key(axes.figure, ncols=1, loc="outside lower center")


def _simulated(axes: Axes, curves: pd.DataFrame) -> None:
    """Draw one line for each kind of constructed lengths and directions."""
    dashes = {"independent": "-", "tied": "--", "two groups": ":"}
    around = sorted(curves["around"].dropna().unique())
    tints = dict(zip(around, ("#B9B4A6", "#8A8577", "#4A463B"), strict=False))
    for (kind, cosine), curve in curves.groupby(["lengths", "around"], sort=False, dropna=False):
        look = {"ls": dashes[kind], "color": tints.get(cosine, style.PALETTE[2])}
        said = kind if kind == "two groups" else f"lengths {kind}, mean cosine {cosine:g}"
        look["label"] = f"constructed: {said}"
        axes.plot(*curve.sort_values("norm_variation")[["norm_variation", "r"]].T.values, **look)
    axes.set(xlabel="variation of the vectors' lengths", ylim=(-1.03, 1.03), xlim=(0, 1.5))
    axes.set_ylabel("r, cosine similarity – squared distance")
    axes.grid()
