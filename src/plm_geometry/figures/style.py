"""How figures look: colours that a colour-blind reader can tell apart, settings, panels."""

import itertools
import textwrap
from collections.abc import Callable
from functools import wraps

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

# Okabe and Ito's palette, in the order of the paper's models; controls are grey.
PALETTE = ("#0072B2", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
GREY = "#6B6B6B"
INK = "#1F1F1F"

# A solid, slightly warm ground: pages show figures unchanged whether they are light or dark.
STYLE = {
    "figure.facecolor": "#FCFBF8",
    "savefig.facecolor": "#FCFBF8",
    "axes.facecolor": "#FCFBF8",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": "#DDDAD2",
    "legend.frameon": False,
    # Fixed salt and outlined text: the same figure is the same file, and looks alike everywhere.
    "svg.hashsalt": "plm-geometry",
    "svg.fonttype": "path",
}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make `draw` use the report's style, whatever the session's settings are."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def without_minis(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make `draw` leave out the rows of minis, which stand in tables, where there are models."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        return draw(*map(_without_minis, args), **kwargs)

    return drawn


def _without_minis(given: object) -> object:
    is_table = isinstance(given, pd.DataFrame) and "role" in given
    if not is_table or "model" not in set(given["role"]):
        return given
    return given[given["role"] != "mini"].reset_index(drop=True)


def colours(frame: pd.DataFrame) -> list[str]:
    """Return a colour for each row: one a model, in the order of the rows, and grey controls."""
    models = [row for row in frame.index if frame.role[row] != "control"]
    return [PALETTE[models.index(row) % len(PALETTE)] if row in models else GREY
            for row in frame.index]  # fmt: skip


def lines(named: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return matplotlib's settings of each model's line, by label.

    Models differ in colour, grey controls in their dashes; from the seventh model on, when
    colours repeat, models differ in dashes too.

    Parameters
    ----------
    named : DataFrame
        Any number of rows a model, with ``label`` and ``role``.
    """
    models = named.drop_duplicates("label").reset_index(drop=True)
    dashes, seen, found = itertools.cycle(["--", ":", "-."]), set(), {}
    for name, colour in zip(models.label, colours(models), strict=True):
        plain = colour != GREY and colour not in seen
        found[name] = {"color": colour, "ls": "-" if plain else next(dashes), "lw": 1.6}
        seen.add(colour)
    return found


def panels(
    count: int,
    *,
    across: int,
    width: float,
    height: float,
    sharex: bool = False,
    sharey: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels of a size in inches, in rows of up to `across`."""
    columns = max(min(across, count), 1)
    rows = max(-(-count // columns), 1)
    figure = Figure(figsize=(width * columns, height * rows + 0.6), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey).flat)
    for unused in grid[count:]:
        unused.remove()
    for lowest in grid[max(0, count - columns) : count]:
        # Shared axes are labelled in the last row only, which may be short.
        lowest.tick_params(labelbottom=True)
    return figure, grid[:count]


def say_nothing(axes: Axes, why: str) -> None:
    """Say in the middle of a panel why it is empty."""
    axes.annotate(textwrap.fill(why, 36), (0.5, 0.5), xycoords="axes fraction", ha="center",
                  va="center", fontsize=8, color=GREY)  # fmt: skip


def nothing_to_draw(why: str) -> Figure:
    """Return a figure that says why there is none."""
    figure = Figure(figsize=(6, 1.2))
    axes = figure.subplots()
    axes.axis("off")
    say_nothing(axes, why)
    return figure


def mark_decades(axis: Axis) -> None:
    """Label a logarithmic axis at 1, 2 and 5 of each decade, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")
