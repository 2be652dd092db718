"""What a chapter's pages show as HTML: tables, boxes, figures for other pages and to point at.

Their look is in ``book/_static/report.css``.
"""

import base64
import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd
from IPython.display import HTML

from plm_geometry.book.wording import listed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Interactive


class ShownTable(HTML):
    """A table as a notebook shows it: HTML for pages, aligned text for terminals.

    On a page it scrolls by itself where the screen is too narrow.

    Parameters
    ----------
    cells : DataFrame
        As they are to be read; the index is not shown.
    caption : str
        What stands over it.
    anchor : str
        The name by which pages link to it.
    """

    def __init__(self, cells: pd.DataFrame, caption: str, anchor: str):
        table = cells.to_html(index=False, border=0, justify="left", classes="report-table")
        opening, rest = table.split(">", 1)
        rest = rest.replace("_", "_<wbr>")  # where names may break; no tag has such a letter
        caption = html.escape(caption)
        super().__init__(
            f'<div class="table-scroll" id="{anchor}" role="region" tabindex="0" '
            f'aria-label="{caption}">{opening}><caption>{caption}</caption>{rest}</div>'
        )
        self._as_text = cells.to_string(index=False)

    def __repr__(self) -> str:
        return self._as_text


def note(title: str, said: Mapping[str, Iterable[str]]) -> HTML:
    """Return a box in the book's style.

    Parameters
    ----------
    title : str
    said : mapping of str to iterable of str
        Sentences, in each of which plain-text names are put where ``{}`` stands; one without
        names is left out.
    """
    sentences = [text.format(html.escape(listed(list(names)))) for text, names in said.items()
                 if len(list(names))]  # fmt: skip
    return HTML(
        f'<div class="admonition note"><p class="admonition-title">{title}</p>'
        f"<p>{' '.join(sentences)}</p></div>"
    )


def picture(svg: bytes, alt: str) -> HTML:
    """Return a figure that is whole in itself, for a page that cannot name a chapter's files.

    Parameters
    ----------
    svg : bytes
        As matplotlib writes it.
    alt : str
        What who cannot see it is told.
    """
    inside = base64.b64encode(svg).decode()
    return HTML(
        f'<figure class="of-chapter"><img alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{inside}"></figure>'
    )


def interactive_figure(figure: "Interactive", file: str, in_place_of: str) -> HTML:
    """Return a figure to point at, which the page's script draws.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    file : str
        Where it is kept among the chapter's figures: named where no script runs.
    in_place_of : str
        The name of the still figure whose place it takes.
    """
    drawing = figure.to_json().replace("</", "<\\/")
    return HTML(
        f'<div class="interactive-figure" data-in-place-of="{in_place_of}">'
        f"<p>To point at single points, open <code>figures/{file}</code>.</p>"
        f'<script type="application/json">{drawing}</script></div>'
    )
