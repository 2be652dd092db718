"""Figures of retrieval: against effective dimensions, and against the components kept."""

from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures import style

_WHY = "No two of these proteins are known to be relatives."
# The front figure is read on a phone, too: its letters are large for its width.
_SIZE, _LETTERS = (6.2, 5.6), 12
# Where a name may stand, seen from its dot: in points, and which corner of it is there.
_PLACES = [
    (side * 9, up * 9, side, up) for side, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1))
] + [(side * 9, up * 14, side, up) for side in (-1, 1) for up in (1, -1)]
_ANCHORS = {1: "left", -1: "right", 0: "center"}, {1: "bottom", -1: "top", 0: "center"}


@matplotlib.rc_context(style.STYLE | {"font.size": _LETTERS})
def more_dimensions(
    table: pd.DataFrame,
    remedied: pd.DataFrame | None = None,
    recorded: pd.DataFrame | None = None,
    dose: pd.DataFrame | None = None,
    states: pd.DataFrame | None = None,
) -> Figure:
    """Draw top-1 retrieval against effective dimensions, one dot for each model and control.

    Parameters
    ----------
    table : DataFrame
        ``Study.retrieval.table()``.
    remedied : DataFrame, optional
        An arrow from a dot each: ``title``, ``role``; ``effective_dimensions`` and ``top_1``
        after, and both with ``_before``. It is as long as what lies between before and after, in
        the ratio of dimensions.
    recorded : DataFrame, optional
        Of other proteins, open diamonds: ``title``, ``effective_dimensions``, ``top_1``; an arrow
        joins the rows of a title.
    dose : DataFrame, optional
        For the inset: ``title``, ``role``, ``share`` of the residues permuted, and ``moved``.
    states : DataFrame, optional
        Single states in place of means, squares joined to the dots of their models: ``title``,
        ``effective_dimensions``, ``top_1``.
    """
    rows = style.labelled(table.dropna(subset=["effective_dimensions", "top_1"]))
    if rows.empty:
        return style.nothing_to_draw(_WHY)
    figure = Figure(figsize=_SIZE, layout="none")
    axes = figure.add_axes((0.12, 0.12, 0.86, 0.8))
    axes.set(xscale="log", xlim=(1.2, 900), ylim=(0, 1), ylabel="nearest protein is a relative")
    axes.set(xlabel="effective dimensions k")
    axes.set_title("More dimensions is not more meaning", fontsize=_LETTERS + 2)
    style.mark_decades(axes.xaxis)
    axes.grid(visible=True)
    names, moves = [*_dots(axes, rows)], [*_moves(rows, remedied)]
    if recorded is not None:
        names += _diamonds(axes, recorded)
        moves += _between(recorded)
    taken = [place for move in moves for place in _arrow(axes, *move)]
    if states is not None:
        taken += _squares(axes, rows, states)
    _write_names(axes, names, taken)
    if dose is not None and len(dose):
        _inset(axes, style.labelled(dose))
    return figure


def _dots(axes: Axes, rows: pd.DataFrame) -> Iterator[tuple[str, float, float, str]]:
    """Draw dots on their intervals, open for controls; yield their names, places and colours."""
    for row in rows.itertuples():
        x, y, face = row.effective_dimensions, row.top_1, row.colour
        axes.vlines(x, row.top_1_low, row.top_1_high, color=row.colour, lw=1.2, alpha=0.45)
        face = style.GROUND if row.role == "control" else row.colour
        axes.plot(x, y, "o", ms=10, mfc=face, mec=row.colour, mew=1.8, zorder=4)
        yield row.title, x, y, row.colour


def _squares(axes: Axes, rows: pd.DataFrame, states: pd.DataFrame) -> list[np.ndarray]:
    """Draw single states as squares, dotted lines to them; return places along these."""
    taken = []
    for row in rows.merge(states, on="title", suffixes=("", "_state")).itertuples():
        start = np.array([row.effective_dimensions, row.top_1])
        end = np.array([row.effective_dimensions_state, row.top_1_state])
        axes.plot(*np.stack([start, end]).T, ":", color=row.colour, lw=1.6)
        axes.plot(*end, "s", ms=8, mfc=row.colour, mec=row.colour, zorder=4)
        taken += [*_way(start, end)]
    if taken:  # the one farthest right says what all are
        style.say(
            axes, "final state", max(taken, key=lambda place: place[0]), (9, -4), color=style.INK
        )
    return taken


def _diamonds(axes: Axes, recorded: pd.DataFrame) -> Iterator[tuple[str, float, float, str]]:
    """Draw the first row of each title as a diamond; yield as `_dots`."""
    for row in recorded.drop_duplicates("title").itertuples():
        x, y = row.effective_dimensions, row.top_1
        axes.plot(x, y, "D", ms=8, mfc=style.GROUND, mec=style.INK, mew=1.5, zorder=4)
        yield row.title, x, y, style.INK


def _between(recorded: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """Yield arrows from the first row of each title to its others."""
    for _, rows in recorded.groupby("title", sort=False):
        first, *others = rows[["effective_dimensions", "top_1"]].to_numpy(dtype=float)
        yield from ((first, other, style.INK) for other in others)


def _moves(
    rows: pd.DataFrame, remedied: pd.DataFrame | None
) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """Yield start, end and colour of each remedy's arrow."""
    dots = rows.set_index("title")
    for move in () if remedied is None else remedied.itertuples():
        if move.title in dots.index:
            dot = dots.loc[move.title]
            start = np.array([dot.effective_dimensions, dot.top_1])
            ratio = move.effective_dimensions / move.effective_dimensions_before
            yield start, start * [ratio, 1] + [0, move.top_1 - move.top_1_before], dot.colour


def _arrow(axes: Axes, start: np.ndarray, end: np.ndarray, colour: str) -> np.ndarray:
    """Draw an arrow; return places along it, where no name may stand."""
    look = {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 6, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=look | {"mutation_scale": 13}, zorder=3)
    return _way(start, end)


def _way(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return places along a line that is straight on the logarithmic axis, shape (24, 2)."""
    way = np.linspace(0, 1, 24)[:, None]
    return np.hstack([(start * (end / start) ** way)[:, :1], (start + (end - start) * way)[:, 1:]])


def _write_names(axes: Axes, names: list[tuple], taken: list[np.ndarray]) -> None:
    """Write each name beside its dot, where it covers least of dots, arrows and other names."""
    points = [*((x, y) for _, x, y, _ in names), *taken]
    to_points = 72 / axes.figure.dpi
    filled = [_box(*axes.transData.transform(point) * to_points, 12, 12) for point in points]
    frame = axes.bbox.extents * to_points
    for name, x, y, colour in names:
        dot = axes.transData.transform((x, y)) * to_points
        lines = name.replace(", ", "\n").split("\n")
        wide, high = 0.52 * _LETTERS * max(map(len, lines)), 1.2 * _LETTERS * len(lines)
        boxes = [
            _box(dot[0] + right + side * wide / 2, dot[1] + up + above * high / 2, wide, high)
            for right, up, side, above in _PLACES
        ]
        best = int(np.argmin([_covered(box, filled, frame) for box in boxes]))
        right, up, side, above = _PLACES[best]
        filled.append(boxes[best])
        look = {"ha": _ANCHORS[0][side], "va": _ANCHORS[1][above], "zorder": 5}
        look |= {"color": colour, "fontsize": _LETTERS - 1}
        style.say(axes, "\n".join(lines), (x, y), (right, up), **look)


def _box(x: float, y: float, wide: float, high: float) -> np.ndarray:
    return np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])


def _covered(box: np.ndarray, filled: list[np.ndarray], frame: np.ndarray) -> float:
    """Return how much of other boxes a box covers; much more, if it leaves the frame."""
    others = np.array(filled)
    shared = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    outside = np.maximum(frame[:2] - box[:2], 0).sum() + np.maximum(box[2:] - frame[2:], 0).sum()
    return shared.clip(min=0).prod(axis=1).sum() + 1000 * outside


def _inset(axes: Axes, dose: pd.DataFrame) -> None:
    """Draw how far vectors move when residues are permuted."""
    small = axes.inset_axes((0.66, 0.7, 0.32, 0.22))
    for name, look in style.looks(dose).items():
        rows = dose[dose["label"] == name]
        small.plot(100 * rows["share"], rows["moved"], **look)
    small.set_title("residues shuffled (%)", fontsize=10, fontweight="normal")
    small.set_ylabel("vector moves", fontsize=9)
    small.tick_params(labelsize=9)


@style.styled
def retrieval_by_components(curves: pd.DataFrame) -> Figure:
    """Draw top-1 retrieval against the components kept, raw and whitened.

    Parameters
    ----------
    curves : DataFrame
        ``Study.retrieval.by_components()``.

    Returns
    -------
    Figure
        One line a model or control, with a band for its interval where it is a model; on the raw
        ones a dot at the effective dimensions.
    """
    if curves.empty:
        return style.nothing_to_draw(_WHY)
    rows = style.labelled(curves)
    figure, grid = style.panels(
        2, "principal components kept", "nearest protein is a relative", (4, 4), 2, sharey=True
    )
    for axes, (whitened, kept) in zip(grid, rows.groupby("whitened"), strict=True):
        axes.set(xscale="log", title="whitened" if whitened else "raw")
        style.mark_decades(axes.xaxis)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(visible=True)
        for name, look in style.looks(rows).items():
            _curve(axes, kept[kept["label"] == name], name, look, with_dot=not whitened)
    return style.key(figure, ncols=2)


def _curve(axes: Axes, rows: pd.DataFrame, name: str, look: dict, *, with_dot: bool) -> None:
    x = rows["components"].to_numpy(dtype=float)
    axes.plot(x, rows["top_1"], label=name, **look)
    if len(rows) and rows["role"].iloc[0] != "control":
        ends = rows[["top_1_low", "top_1_high"]].to_numpy(dtype=float).T
        axes.fill_between(x, *ends, color=look["color"], alpha=0.12, lw=0)
    if with_dot and len(rows):
        k = rows["effective_dimensions"].iloc[0]
        height = np.interp(np.log(k), np.log(x), rows["top_1"])
        axes.plot(k, height, "o", ms=8, mfc=look["color"], mec=style.INK)
