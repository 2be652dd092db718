"""Checks of the built pages: links, and what a browser and axe-core find wrong with them.

``python book/tools/pages.py`` (`make pages`) opens each page of the built book from the file
system, on a wide and on a narrow screen, in light and in dark colours. It needs Chromium and
axe-core (`npm ci`), takes minutes, and is run by the publishing workflow and by hand.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer
from browser import open_chromium, open_page

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from playwright.sync_api import Browser, Page

WIDTHS = (1400, 390)
SCHEMES = ("light", "dark")
AXE = paths.ROOT / "node_modules" / "axe-core" / "axe.min.js"
_SHOTS = paths.SITE.parent / "pages"
_HEIGHT = 900
# What a page loads by itself, by element; what an anchor leads to is loaded when it is followed.
_LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "object": "data",
           "link": "href"}  # fmt: skip
_LOADING_RELATIONS = {"stylesheet", "preload", "icon", "manifest", "modulepreload"}
_GRAVE = {"serious", "critical"}
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Boxes whose content is wider than they are, each by its words: a reader would have to scroll them,
# or sees one cell run into the next.
_CUT_OFF = """[...document.querySelectorAll("pre, th, td, figure, :has(> table)")]
    .filter((it) => it.scrollWidth > it.clientWidth)
    .map((it) => `${it.localName} "${it.textContent.trim().replace(/\\s+/g, " ").slice(0, 40)}"` +
        ` is cut off by ${it.scrollWidth - it.clientWidth} px`)"""
# axe-core would read style sheets as requests, which a browser refuses for local files.
_AUDIT = "axe.run(document, {resultTypes: ['violations'], preload: false})"
_STILL = "* { animation: none !important; transition: none !important; }"
_UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true; })"


@dataclass(frozen=True)
class Fault:
    """Something wrong with a page.

    Attributes
    ----------
    page : str
        Its path in the book.
    what : str
        What is wrong.
    where : str
        On which screen, if not on all: "390 px, dark".
    """

    page: str
    what: str
    where: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.page, self.where, self.what]))


def page_files(site: Path) -> list[Path]:
    """Return the pages of a built book, without the templates among its static files.

    Raises
    ------
    InputError
        If there is no book.
    """
    found = [path for path in sorted(site.rglob("*.html"))
             if not path.relative_to(site).parts[0].startswith("_")]  # fmt: skip
    if not found:
        raise InputError(f"There is no book in {site}; build it with `make book` first.")
    return found


# Links and alternative texts, read from the files


def check_links(site: Path) -> list[Fault]:
    """Return what is wrong with the links and images of all pages.

    A link inside the book must lead to a file that exists and, where it names a place on a
    page, to an element of that name. Nothing may be loaded from elsewhere. Every image has an
    alternative text.
    """
    soups = {path.resolve(): _parsed(path) for path in page_files(site)}
    places = {path: _places(soup) for path, soup in soups.items()}
    names = {path: str(path.relative_to(site.resolve())) for path in soups}
    return [
        Fault(names[path], what)
        for path, soup in soups.items()
        for what in _link_faults(path, soup, places)
    ]


def _parsed(path: Path) -> "BeautifulSoup":
    from bs4 import BeautifulSoup

    return BeautifulSoup(path.read_bytes(), "html.parser")


def _places(soup: "BeautifulSoup") -> set[str]:
    """Return what can stand behind the ``#`` of a link to this page."""
    named = {tag["name"] for tag in soup.select("a[name]")}
    return {tag["id"] for tag in soup.select("[id]")} | named | {"", "top"}


def _link_faults(
    path: Path, soup: "BeautifulSoup", places: Mapping[Path, set[str]]
) -> Iterator[str]:
    for tag in soup.select("a[href]"):
        yield from _target_faults(path, tag["href"], places)
    for tag in soup.find_all(list(_LOADED)):
        if address := _loaded(tag):
            if _is_elsewhere(address):
                yield f"loads {address}"
            else:
                yield from _target_faults(path, address, places)
    for image in soup.find_all("img"):
        if not image.get("alt", "").strip():
            yield f"image {image.get('src', '')[:80]} has no alternative text"


def _loaded(tag: "Tag") -> str | None:
    """Return the address that an element makes the browser load, if any."""
    if tag.name == "link" and not _LOADING_RELATIONS & set(tag.get("rel", [])):
        return None
    return tag.get(_LOADED[tag.name])


def _is_elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"http", "https"} or (not parts.scheme and bool(parts.netloc))


def _target_faults(path: Path, address: str, places: Mapping[Path, set[str]]) -> Iterator[str]:
    """Yield what is wrong with a link that stays inside the book."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        yield f"links to {address}, which does not exist"
    elif target in places and unquote(parts.fragment) not in places[target]:
        yield f"links to {address}, a place that the page does not have"


# What a browser finds


@dataclass
class Screen:
    """One way to look at the pages, and what went wrong on the page now open.

    Attributes
    ----------
    width : int
        Of the window, in pixels.
    scheme : str
        "light" or "dark".
    """

    width: int
    scheme: str
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.width} px, {self.scheme}"

    def open(self, browser: "Browser") -> "Page":
        """Return a window of this size and scheme without a network, which collects complaints."""
        context = browser.new_context(
            viewport={"width": self.width, "height": _HEIGHT}, color_scheme=self.scheme,
            offline=True,
        )  # fmt: skip
        page = context.new_page()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", lambda request: self._see(request.url))
        page.on("requestfailed", lambda request: self._hear("error", f"no {request.url}"))
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error":
            self.complaints.append(f"console: {text}")

    def _see(self, url: str) -> None:
        if urlsplit(url).scheme not in {"file", "data", "blob", "about"}:
            self.complaints.append(f"asks the network for {url}")


def check_in_browser(
    site: Path, files: Iterable[Path], axe: Path, shots: Path | None = None
) -> Iterator[Fault]:
    """Open pages on every screen, and yield what is wrong with them.

    Parameters
    ----------
    site : Path
        The built book.
    files : iterable of Path
        Which of its pages.
    axe : Path
        The script of axe-core.
    shots : Path, optional
        Where a picture of each page on each screen goes.

    Yields
    ------
    Fault
        An error in the console, a request to the network, a page that scrolls
        sideways, code or a table that is cut off, a serious or critical finding of axe-core.
    """
    files = list(files)
    with open_chromium() as browser:
        for screen in (Screen(width, scheme) for width in WIDTHS for scheme in SCHEMES):
            page = screen.open(browser)
            for file in files:
                name = file.relative_to(site).as_posix()
                picture = shots / f"{name.replace('/', '-')}-{screen.width}-{screen.scheme}.png" \
                    if shots else None  # fmt: skip
                for what in _seen(page, screen, file, axe, picture):
                    yield Fault(name, what, str(screen))
            page.context.close()


def _seen(
    page: "Page", screen: Screen, file: Path, axe: Path, picture: Path | None
) -> Iterator[str]:
    """Yield what is wrong with one page on one screen."""
    screen.complaints.clear()
    open_page(page, file)
    if picture:
        page.screenshot(path=picture, full_page=True)
    # What is folded away is part of the page, too; it must not be looked at while it fades in.
    page.add_style_tag(content=_STILL)
    page.evaluate(_UNFOLD)
    if (over := page.evaluate(_OVERFLOW)) > 0:
        yield f"scrolls sideways by {over} px"
    yield from page.evaluate(_CUT_OFF)
    page.add_script_tag(path=axe)
    yield from _grave(page.evaluate(_AUDIT)["violations"])
    yield from screen.complaints


def _grave(violations: Iterable[Mapping]) -> Iterator[str]:
    """Yield the serious and critical findings, each with the elements it concerns."""
    for violation in violations:
        if violation["impact"] in _GRAVE:
            nodes = violation["nodes"]
            shown = "; ".join(" ".join(map(str, node["target"])) for node in nodes[:3])
            more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
            yield f"axe-core: {violation['id']} ({violation['impact']}): {shown}{more}"


def check_search(site: Path, word: str) -> list[Fault]:
    """Return a fault if searching the book for `word`, without a network, finds nothing."""
    with open_chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        open_page(page, site / "search.html", f"?q={word}")
        page.wait_for_function("document.querySelector('#search-results .search-summary')")
        page.wait_for_timeout(1000)  # results come in one by one
        found = page.locator("#search-results li").count()
    return [] if found else [Fault("search.html", f"finds no page with {word!r}")]


def check(
    site: Annotated[Path, typer.Argument(help="The built book.")] = paths.SITE,
    axe: Annotated[Path, typer.Option(help="axe-core's script.")] = AXE,
    shots: Annotated[Path, typer.Option(help="Where pictures of the pages go.")] = _SHOTS,
    word: Annotated[str, typer.Option(help="A word that a search must find.")] = "isotropy",
) -> None:
    """Check every page of the built book; the status is 1 if anything is wrong."""
    if not axe.is_file():
        raise InputError(f"axe-core is not in {axe}; run `npm ci` first.")
    shots.mkdir(parents=True, exist_ok=True)
    files = page_files(site)
    found = 0
    for faults in (check_links(site), check_search(site, word),
                   check_in_browser(site, files, axe, shots)):  # fmt: skip
        for fault in faults:
            found += 1
            typer.echo(fault)
    typer.echo(f"{len(files)} pages, {found} faults; pictures in {shots}")
    raise typer.Exit(1 if found else 0)


def main() -> None:
    """Run `check` from the command line."""
    try:
        typer.run(check)
    except InputError as error:
        typer.echo(f"pages: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
