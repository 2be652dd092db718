"""The whole book as one PDF: its pages, printed by Chromium, in the order of the contents."""

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer
import yaml
from browser import open_chromium, open_page

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import DictionaryObject

# A page of paper is as wide as a small screen's; at this size code and tables have more of it.
_SCALE = 0.85
_MARGIN = {"top": "16mm", "bottom": "16mm", "left": "15mm", "right": "15mm"}


def page_names(contents: Path) -> list[str]:
    """Return the pages of a book in the order of its ``_toc.yml``, without suffix."""
    listed = yaml.safe_load(contents.read_text())
    return [listed["root"], *_below(listed)]


def _below(entry: Mapping) -> Iterator[str]:
    """Yield the pages that an entry of the contents holds, each before those below it."""
    for part in entry.get("parts", []):
        yield from _below(part)
    for page in [*entry.get("chapters", []), *entry.get("sections", [])]:
        if "file" in page:
            yield page["file"]
        yield from _below(page)


def write_pdf(
    out: Path,
    site: Path = paths.SITE,
    contents: Path = paths.ROOT / "_toc.yml",
    *,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Print a built book into one PDF.

    Each page of the book is a bookmark, its sections lie below it, and links between pages stay
    inside the PDF.

    Parameters
    ----------
    out : Path
        The PDF.
    site : Path
        The built book.
    contents : Path
        Its ``_toc.yml``.
    tell : callable
        What takes the lines that say what happens.

    Raises
    ------
    InputError
        If the book is not built or a page of it is missing, or there is no Chromium.
    """
    names = page_names(contents)
    for name in names:
        if not (site / f"{name}.html").is_file():
            raise InputError(
                f"{site / name}.html does not exist; build the book first: `make book`."
            )
    printed = {}
    with open_chromium() as browser:
        for name in names:
            tell(f"pdf: {name}")
            printed[site / f"{name}.html"] = _print(browser, site / f"{name}.html")
    with replacing(out) as partial:
        _join(printed).write(partial)


def _print(browser: "Browser", file: Path) -> tuple[str, bytes]:
    """Return a page's title and the page as PDF."""
    page = browser.new_page(color_scheme="light")
    page.emulate_media(media="print")
    open_page(page, file)
    title = page.locator("h1").first.evaluate("(h1) => h1.firstChild.textContent").strip()
    as_pdf = page.pdf(format="A4", margin=_MARGIN, scale=_SCALE, print_background=True,
                      outline=True, tagged=True)  # fmt: skip
    page.close()
    return title, as_pdf


def _join(printed: Mapping[Path, tuple[str, bytes]]) -> "PdfWriter":
    """Put printed pages behind one another, and make links between them links in the PDF."""
    from pypdf import PdfReader, PdfWriter

    writer, starts = PdfWriter(), {}
    for file, (title, as_pdf) in printed.items():
        reader = PdfReader(io.BytesIO(as_pdf))
        _name_no_places(reader)
        starts[file.resolve()] = start = len(writer.pages)
        writer.append(reader, import_outline=False)
        _bookmark(writer, reader, title, start)
    for link in _links(writer):
        _keep_inside(link, starts, writer)
    writer.add_metadata({"/Title": next(iter(printed.values()))[0]})
    return writer


def _bookmark(writer: "PdfWriter", reader: "PdfReader", title: str, start: int) -> None:
    """Set a bookmark for a page of the book, which begins at `start`, and below it its sections."""
    parent = writer.add_outline_item(title=title, page_number=start)
    sections = next((mark for mark in reader.outline if isinstance(mark, list)), [])
    for mark in sections:
        if not isinstance(mark, list):
            place = start + reader.get_destination_page_number(mark)
            writer.add_outline_item(title=mark.title, page_number=place, parent=parent)


def _links(book: "PdfReader | PdfWriter") -> Iterator["DictionaryObject"]:
    for page in book.pages:
        for annotation in page.get("/Annots") or []:
            link = annotation.get_object()
            if link.get("/Subtype") == "/Link":
                yield link


def _name_no_places(reader: "PdfReader") -> None:
    """Make links to named places point at them, as two pages may use one name for two places."""
    from pypdf.generic import NameObject

    named = reader.named_destinations
    for link in _links(reader):
        if (target := named.get(str(link.get("/Dest")))) is not None:
            link[NameObject("/Dest")] = target.dest_array


def _keep_inside(link: "DictionaryObject", starts: Mapping[Path, int], writer: "PdfWriter") -> None:
    """Turn a link to a file of the book into one to its page; other files have no place there."""
    from pypdf.generic import ArrayObject, NameObject

    action = link.get("/A")
    address = urlsplit(str(action.get_object().get("/URI", ""))) if action else None
    if address is None or address.scheme != "file":
        return
    del link["/A"]
    if (start := starts.get(Path(unquote(address.path)))) is not None:
        where = writer.pages[start].indirect_reference
        link[NameObject("/Dest")] = ArrayObject([where, NameObject("/Fit")])


def main(
    out: Annotated[Path, typer.Option(help="The PDF.")] = paths.SITE.parent / "plm-geometry.pdf",
) -> None:
    """Print the built book into one PDF; requires Chromium, and `make book` first."""
    try:
        write_pdf(out, tell=lambda line: typer.echo(line, err=True))
    except InputError as error:
        typer.echo(f"pdf: {error}", err=True)
        sys.exit(2)
    typer.echo(out)


if __name__ == "__main__":
    typer.run(main)
