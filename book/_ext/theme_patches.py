"""All changes to the theme's own pages, in one place.

Each patch names what it mends; `make pages` finds what still needs mending, and
tests/test_book_extensions.py checks that each patch still finds what it was made for. Colours are
mended at the head of _static/report.css: links are a shade stronger, since the theme's do not stand
out enough from the grounds of boxes and of every second row of a table, and the rows of an index
are dark on dark pages.
"""

import re
from pathlib import Path
from typing import NamedTuple


class Patch(NamedTuple):
    """A change to a page's text: what it mends, what it looks for, what it puts there."""

    mends: str
    pattern: re.Pattern[str]
    replacement: str


PATCHES = (
    Patch(
        "Fonts are fetched ahead in a way that browsers refuse for local files: three errors in "
        "the console of each page. The style sheet asks for them anyway.",
        re.compile(r'<link rel="preload" as="font"[^>]*/>\n?'),
        "",
    ),
    Patch(
        "The search button is called less than it shows (Search, Ctrl+K): who speaks to the "
        "browser says what is shown.",
        re.compile(r'(<button class="btn search-button-field [^>]*?) title="Search" '
                   r'aria-label="Search"'),
        r"\1",
    ),
    Patch(
        "The line that unfolds a cell's code is called otherwise than it reads.",
        re.compile(r'<summary aria-label="Toggle hidden content">'),
        "<summary>",
    ),
    Patch(
        "The bibliography is a list that has no items.",
        re.compile(r'<div role="list" class="citation-list">'),
        '<div class="citation-list">',
    ),
    Patch(
        "A table that scrolls by itself cannot be scrolled with the keys: it takes no focus.",
        re.compile(r'<div class="pst-scrollable-table-container">'),
        '<div class="pst-scrollable-table-container" tabindex="0">',
    ),
)  # fmt: skip


def patched(text: str) -> str:
    """Return a page with every patch."""
    for patch in PATCHES:
        text = patch.pattern.sub(patch.replacement, text)
    return text


def _patch_pages(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        if "_static" not in path.parts:
            path.write_text(patched(path.read_text()))


def setup(app) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", _patch_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
