"""A built book of a few plain pages, and whether there is a browser to open them."""

import os
import shutil
from pathlib import Path

import browser
import pytest

HERE = any(map(shutil.which, browser._NAMES)) or browser.VARIABLE in os.environ
with_chromium = pytest.mark.skipif(not HERE, reason="there is no Chromium on this machine")

CONTENTS = """root: index
parts:
  - caption: Results
    chapters:
      - file: chapters/one
        sections:
          - file: two
"""
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><main><h1>{title}<a class="headerlink" href="#place">#</a></h1>
<h2 id="place">A place</h2>{body}</main></body></html>"""


def write_page(site: Path, name: str, title: str, body: str = "") -> Path:
    path = site / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGE.format(title=title, body=body))
    return path


def write_book(root: Path) -> Path:
    """Write a book without faults, and its ``_toc.yml`` beside it; return the pages' folder."""
    (root / "_toc.yml").write_text(CONTENTS)
    site = root / "html"
    write_page(site, "index", "The book", '<a href="chapters/one.html">One</a>')
    write_page(site, "chapters/one", "Chapter one",
               '<a href="../two.html#place">Two</a> <a href="#place">here</a>')  # fmt: skip
    write_page(site, "two", "Page two", '<a href="https://example.org/">elsewhere</a>')
    return site
