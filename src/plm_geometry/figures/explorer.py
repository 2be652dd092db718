"""Single pairs to look at: a scatter whose points name their proteins and show the alignment."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plm_geometry.figures.labels import LABELS, folded
from plm_geometry.figures.style import INK, PALETTE, STYLE, panels, styled
from plm_geometry.pairs import AlignedText

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Interactive

# Columns of an alignment that fit beside a point on a telephone.
_COLUMNS = 44
_GROUND = STYLE["figure.facecolor"]
_GRID = STYLE["grid.color"]


@styled
def sampled_pairs(frame: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw single pairs, cosine similarity against sequence identity, one panel a model.

    Parameters
    ----------
    frame : DataFrame
        ``Study.sampled_pairs()``: sequence_identity, and each model's cosine similarity.
    titles : mapping of str to str
        Which columns of `frame` to draw, and what each panel is called.
    """
    figure, grid = panels(len(titles), across=3, width=3.2, height=2.5, sharex=True)
    for axes, (column, title) in zip(grid, titles.items(), strict=True):
        _dots(axes, frame, column)
        axes.set_title(folded(title))
    figure.supxlabel(LABELS["sequence_identity"], fontsize=10)
    figure.supylabel(LABELS["cosine_similarity"], fontsize=10)
    return figure


def _dots(axes: Axes, frame: pd.DataFrame, column: str) -> None:
    axes.scatter(frame["sequence_identity"], frame[column], s=6, color=PALETTE[0], alpha=0.5,
                 edgecolors="none", rasterized=True)  # fmt: skip


def pair_explorer(frame: pd.DataFrame, titles: Mapping[str, str]) -> "Interactive":
    """Return the same scatter of one model at a time, to point at.

    Parameters
    ----------
    frame : DataFrame
        As for `sampled_pairs`, with accession_a, accession_b, length_a, length_b,
        alignment_score and ``alignment``, an `AlignedText` or None.
    titles : mapping of str to str
        Which columns of `frame` a menu offers, and what it calls them.

    Returns
    -------
    plotly.graph_objects.Figure
        A point says which two proteins it is, and shows the stretch of their alignment that has
        most identities.
    """
    import plotly.graph_objects as go

    first = next(iter(titles))
    points = go.Scatter(
        x=frame["sequence_identity"].round(4),
        y=frame[first].round(5),
        mode="markers",
        marker={"color": PALETTE[0], "size": 6, "opacity": 0.6},
        customdata=[_said(row) for row in frame.itertuples()],
        hovertemplate="%{customdata}<br>cosine similarity %{y:.4f}<extra></extra>",
    )
    return go.Figure(points, _layout(_menu(frame, titles)))


def _menu(frame: pd.DataFrame, titles: Mapping[str, str]) -> list[dict[str, object]]:
    """Return a menu that puts another model's cosine similarities at the points."""
    buttons = [
        {"method": "restyle", "label": title, "args": [{"y": [frame[column].round(5).tolist()]}]}
        for column, title in titles.items()
    ]
    return [{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.03, "yanchor": "bottom",
             "bgcolor": "#FFFFFF", "bordercolor": INK, "font": {"size": 11}}]  # fmt: skip


def _layout(menus: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the look of the other figures: solid ground, no frame, a faint grid."""
    axis = {"gridcolor": _GRID, "linecolor": INK, "zeroline": False, "ticks": "outside"}
    return {
        "updatemenus": list(menus),
        "template": "none",
        "paper_bgcolor": _GROUND,
        "plot_bgcolor": _GROUND,
        "font": {"family": "DejaVu Sans, Verdana, sans-serif", "color": INK, "size": 13},
        "hoverlabel": {"align": "left", "bgcolor": "#FFFFFF", "bordercolor": INK,
                       "font": {"family": "DejaVu Sans Mono, Menlo, Consolas, monospace",
                                "size": 10, "color": INK}},
        "hovermode": "closest",
        "height": 460,
        "margin": {"l": 64, "r": 16, "t": 72, "b": 56},
        "showlegend": False,
        "xaxis": axis | {"title": {"text": LABELS["sequence_identity"]},
                         "range": [-0.02, 1.02]},
        "yaxis": axis | {"title": {"text": LABELS["cosine_similarity"]}},
    }  # fmt: skip


def _said(row: object) -> str:
    """Return what a point says: names, lengths, identity, score, and part of the alignment."""
    named = f"<b>{escape(row.accession_a)}</b> ({row.length_a}) and " \
            f"<b>{escape(row.accession_b)}</b> ({row.length_b} residues)"  # fmt: skip
    numbers = f"identity {row.sequence_identity:.1%}, score {row.alignment_score:g}"
    return "<br>".join([named, numbers, *_lines(row.alignment)])


def _lines(aligned: AlignedText | None) -> list[str]:
    """Return the alignment's best stretch; blanks that a browser keeps."""
    if aligned is None:
        return ["(too long to show the alignment)"]
    shown = aligned.window(_COLUMNS)
    columns = len(aligned.marks)
    note = f"{columns} columns" if columns <= _COLUMNS else f"best {_COLUMNS} of {columns} columns"
    return [note, *(line.replace(" ", "\N{NO-BREAK SPACE}") for line in shown)]
