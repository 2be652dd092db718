"""A headless Chromium of this machine, to look at the book's pages and to print them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plm_geometry.base.errors import InputError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

# Where Chromium is, if it goes by none of these names.
VARIABLE = "PLM_GEOMETRY_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MILLISECONDS = 60_000
# Mathematics is set, and figures to point at are drawn.
_SETTLED = """async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
    return !document.querySelector(".interactive-figure");
}"""


@contextmanager
def open_chromium() -> Iterator["Browser"]:
    """Give a headless Chromium that ends with the block.

    Raises
    ------
    InputError
        If there is none, or the package that drives it is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise InputError(
            "Opening the pages requires the package playwright, which is not installed; "
            "run `pip install 'plm-geometry[site]'`."
        ) from error
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_chromium(driver))
        try:
            yield browser
        finally:
            browser.close()


def _chromium(driver: "Playwright") -> str:
    """Return the path of a Chromium: the one named, else an installed one, else playwright's."""
    if named := os.environ.get(VARIABLE):
        if Path(named).is_file():
            return named
        raise InputError(f"{VARIABLE} names {named}, which is no file; name the Chromium to use.")
    installed = filter(None, map(shutil.which, _NAMES))
    if found := next(installed, None):
        return found
    if Path(driver.chromium.executable_path).is_file():
        return driver.chromium.executable_path
    raise InputError(
        "Opening the pages requires Chromium, which was not found; install it (on Debian "
        f"`apt-get install chromium`), or set {VARIABLE} to its path."
    )


def open_page(page: "Page", file: Path, query: str = "") -> None:
    """Open a page of the book from the file system, and wait until it is whole."""
    page.goto(f"{file.resolve().as_uri()}{query}", timeout=_MILLISECONDS)
    page.wait_for_function(_SETTLED, timeout=_MILLISECONDS)
