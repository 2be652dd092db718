"""How figures look: colour-blind-safe colours, panels, and dots on intervals, one row per model."""

import itertools
import textwrap
from collections.abc import Sequence

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from plm_geometry.figures.words import folded, labels

# Okabe and Ito's palette, in the order of the paper's models.
PALETTE = ("#0072B2", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
GREY = "#6B6B6B"
INK = "#1F1F1F"
# A solid, slightly warm ground: pages show figures unchanged whether they are light or dark.
GROUND = "#FCFBF8"
# Inches. A telephone shows a figure this wide at two thirds of its size: no letter on it is then
# smaller than 8 pixels.
WIDTH = 5.8
# The smallest letters, in points: ticks with names, remarks.
SMALL = 9.5

STYLE = {
    "figure.facecolor": GROUND,
    "figure.constrained_layout.use": True,
    "figure.labelsize": 11,
    "savefig.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "axes.axisbelow": True,
    # Plain numbers on logarithmic axes: "0.001", not a power of ten.
    "axes.formatter.min_exponent": 5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.labelsize": 11,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "grid.color": "#DDDAD2",
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    # Fixed salt and outlined text: the same figure is the same file, and looks alike everywhere.
    "svg.hashsalt": "plm-geometry",
    "svg.fonttype": "path",
}
DASHED = {"color": INK, "ls": "--", "lw": 1}
# The ground behind words that lines may cross.
PATCH = {"fc": GROUND, "lw": 0, "pad": 1, "alpha": 0.8}
# A published value, which dots may cover.
PRINTED = {"colour": INK, "face": "none", "marker": "D"}


# Makes a function draw in this style, whatever the session's settings are.
styled = matplotlib.rc_context(STYLE)


def looks(rows: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return matplotlib's settings of each model's line, by its ``label``, from its ``role``.

    Models differ in colour, grey controls in their dashes; from the seventh model on, when
    colours repeat, models differ in dashes too. What others published is in ink.
    """
    roles = rows.drop_duplicates("label").set_index("label")["role"]
    colours = itertools.cycle(PALETTE)
    dashes, found = itertools.cycle(["--", ":", "-."]), {}
    for name, role in roles.items():
        colour = {"control": GREY, "published": INK}.get(role) or next(colours)
        plain = colour != GREY and colour not in [look["color"] for look in found.values()]
        found[name] = {"color": colour, "ls": "-" if plain else next(dashes), "lw": 1.6}
    return found


def colours(rows: pd.DataFrame) -> list[str]:
    """Return the colour of each row, one a ``label``: see `looks`."""
    by_label = looks(rows)
    return [by_label[name]["color"] for name in rows["label"]]


def labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows a figure shows, with the ``label`` and ``colour`` of their model.

    Minis stand in tables: they are left out where there are models.
    """
    shown = frame[frame["role"] != "mini"] if "model" in set(frame["role"]) else frame
    return shown.reset_index(drop=True).assign(label=labels).assign(colour=colours)


def panels(
    count: int, x: str, y: str, size: tuple = (2.9, 2.5), across: int = 2, **shared: bool
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels of a size in inches, in rows of up to `across`.

    They are narrower where the figure would be wider than `WIDTH`. Their axes are called `x` and
    `y` together; what they share is as in `Figure.subplots`.
    """
    columns = max(min(across, count), 1)
    rows = max(-(-count // columns), 1)
    figure = Figure(figsize=(min(size[0] * columns, WIDTH), size[1] * rows + 0.6))
    grid = list(figure.subplots(rows, columns, squeeze=False, **shared).flat)
    for unused in grid[count:]:
        unused.remove()
    for lowest in grid[max(0, count - columns) : count]:
        # Shared axes are labelled in the last row only, which may be short.
        lowest.tick_params(labelbottom=True)
    figure.supxlabel(x)
    figure.supylabel(y)
    return figure, grid[:count]


def model_panels(
    rows: pd.DataFrame, x: str, y: str, **look: object
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame, str]]]:
    """Return a figure with a titled panel for each ``label``: its axes, its rows, its colour."""
    by_label = looks(rows)
    figure, grid = panels(len(by_label), x, y, **look)
    parts = []
    for axes, (name, look) in zip(grid, by_label.items(), strict=True):
        axes.set_title(folded(name))
        parts.append((axes, rows[rows["label"] == name], look["color"]))
    return figure, parts


def forest(
    axes: Axes,
    rows: pd.DataFrame,
    value: str,
    ends: tuple[str, str] | None = ("low", "high"),
    *,
    names: Sequence[str] | None = None,
    by: str = "label",
    colour: str | None = None,
    face: str | None = None,
    below: float = 0.0,
    marker: str = "o",
    label: str | None = None,
) -> None:
    """Draw each row's value as a dot on its interval, in the line of its name.

    Parameters
    ----------
    axes : Axes
        May hold other values of the same names already.
    rows : DataFrame
        With the columns `value`, `ends` and `by`, and, unless there is one colour, ``colour``.
    ends : (str, str) or None
        Columns of the interval's ends, unless there is none.
    names : sequence of str, optional
        What `by` holds, from top to bottom; by default in the order of `rows`.
    colour, face : colour, optional
        By default each row's ``colour``, also within the dot.
    below : float
        How much further down, in lines: to set several values of a name apart.
    marker : str
        What stands for a value; unfilled ones are drawn longer.
    label : str, optional
        What `key` says of these values: in ink, where their colours are those of models.
    """
    names = list(rows[by].unique() if names is None else names)
    place = rows[by].map(names.index).astype(float) + below  # text, of no rows
    hue = rows["colour"] if colour is None else colour
    if ends is not None:
        axes.hlines(place, *rows[[*ends]].astype(float).to_numpy().T, colors=hue, lw=1.5)
    look = {"c": hue, "s": 100} if marker == "|" else {"c": face or hue, "edgecolors": hue, "s": 40}
    axes.scatter(rows[value].astype(float), place, marker=marker, lw=1.3, zorder=3, **look)
    mark = {"marker": marker, "color": colour or INK, "ls": "-" if ends else ""}
    axes.plot([], [], mfc=face or colour or INK, label=label, **mark)
    axes.set_yticks(range(len(names)), names, fontsize=SMALL)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x")


def line(
    axes: Axes, x: pd.Series, rows: pd.DataFrame, value: str, said: str | None, look: dict
) -> None:
    """Draw a column of rows as a line, each value on its interval.

    Parameters
    ----------
    axes : Axes
    x : Series, length n_rows
    rows : DataFrame
        With the column `value` and its ends, ``<value>_low`` and ``<value>_high``.
    value : str
    said : str or None
        What `key` calls the line.
    look : dict
        Matplotlib's settings of the line, with its ``color``.
    """
    axes.plot(x, rows[value], label=said, **{"ms": 5} | look)
    ends = (rows[f"{value}_{end}"].astype(float) for end in ("low", "high"))
    axes.vlines(x, *ends, color=look["color"], lw=1, alpha=0.7)


def key(figure: Figure, **legend: object) -> Figure:
    """Return the figure, with what is labelled in any of its panels explained above them."""
    found = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in figure.axes]
    marks = {said: mark for mark, said in itertools.chain(*found)}
    figure.legend(marks.values(), marks, **{"loc": "outside upper center", "ncols": 2} | legend)
    return figure


def say(axes: Axes, text: str, place: tuple, offset: tuple = (0, 0), **look: object) -> None:
    """Write small beside a place in the panel, `offset` in points."""
    axes.annotate(
        text, place, xytext=offset, textcoords="offset points", **{"fontsize": SMALL} | look
    )


def nothing_to_draw(why: str, axes: Axes | None = None) -> Figure:
    """Return a figure that says why there is none, or why one panel is empty."""
    if axes is None:
        axes = Figure(figsize=(WIDTH, 1.2)).subplots()
        axes.axis("off")
    look = {"ha": "center", "va": "center", "color": GREY, "xycoords": "axes fraction"}
    say(axes, textwrap.fill(why, 36), (0.5, 0.5), **look)
    return axes.figure


def mark_decades(axis: Axis) -> None:
    """Label a logarithmic axis at 1, 2 and 5 of each decade, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")
