"""Every button of a page leads to what git tracks, or to a file that the book itself has."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import browser
import chapter_links
import jupytext
import pages
import pytest
import social_card
import theme_patches
import yaml
from bs4 import BeautifulSoup
from chapter_links import Repository
from pdf import page_names
from PIL import Image

from small_book import with_chromium

ROOT = Path(__file__).resolve().parents[1]
# Not this project's address, which has none: any will do to build links from.
ADDRESS = "https://github.com/an-owner/a-name"
REPOSITORY = Repository(ADDRESS, "main")
PAGES = page_names(ROOT / "_toc.yml")
CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]


@pytest.fixture(scope="module")
def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return set(listed.stdout.splitlines())


def groups(page, repository):
    return {group["label"]: group for group in chapter_links.buttons(page, repository)}


def tracked_path(url):
    """Return the repository's file that an address leads to, "" for the repository itself."""
    parts = urlsplit(url)
    if "urlpath" in parts.query:
        return parse_qs(parts.query)["urlpath"][0].removeprefix("lab/tree/")
    return re.sub(r"^(/github)?/an-owner/a-name(/(blob|edit)/main/)?", "", parts.path)


def test_there_are_chapters():
    assert len(CHAPTERS) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_every_remote_link_leads_to_a_tracked_file(page, tracked):
    found = groups(page, REPOSITORY)
    urls = [url for label in found if label != "download-buttons"
            for url in chapter_links.links(found[label])]  # fmt: skip
    paths = [tracked_path(url) for url in urls]
    assert len(paths) >= 3
    assert "" in paths
    for path in filter(None, paths):
        assert path in tracked, f"{page} links to {path}, which git does not track"


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_launches_and_downloads_its_tracked_notebook(page, tracked):
    name = page.removeprefix("chapters/")
    found = groups(page, REPOSITORY)
    for url in chapter_links.links(found["launch-buttons"]):
        assert tracked_path(url) == f"notebooks/{name}.ipynb"
    assert list(chapter_links.links(found["download-buttons"])) == [
        f"../downloads/{name}.ipynb",
        f"../downloads/{name}.py",
    ]
    assert {f"notebooks/{name}.ipynb", f"notebooks/{name}.md"} <= tracked


@pytest.mark.parametrize("page", PAGES)
def test_without_an_address_only_local_downloads_are_offered(page):
    found = groups(page, None)
    assert list(found) == (["download-buttons"] if page in CHAPTERS else [])
    for group in found.values():
        assert not [url for url in chapter_links.links(group) if "://" in url]


def test_a_chapters_downloads_replace_the_themes_and_other_buttons_stay():
    of_theme = [{"label": "download-buttons", "buttons": []}, {"label": "other", "buttons": []}]
    chapter = chapter_links.buttons("chapters/01_global_isotropy", None, of_theme)
    assert [button["label"] for button in chapter] == ["download-buttons", "other"]
    assert chapter[0]["buttons"]
    assert chapter_links.buttons("methods", None, of_theme) == of_theme


def test_the_address_is_the_configured_one_else_the_workflows():
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "an-owner/a-name",
              "GITHUB_REF_NAME": "side"}  # fmt: skip
    find = chapter_links.find_repository
    assert find("", "main", {}) is None
    assert find("", "main", github) == Repository(ADDRESS, "side")
    assert find("https://example.org/x/y.git", "main", github) == Repository(
        "https://example.org/x/y", "main"
    )


def test_colab_is_offered_for_github_only_and_binder_for_any_address():
    elsewhere = Repository("https://example.org/x/y", "main")
    found = groups(CHAPTERS[0], elsewhere)
    [binder] = chapter_links.links(found["launch-buttons"])
    assert "/git/https%3A%2F%2Fexample.org%2Fx%2Fy/main?" in binder
    assert REPOSITORY.binder("a.ipynb").startswith("https://mybinder.org/v2/gh/an-owner/a-name/")


def test_configuration_names_no_address():
    assert yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"][
        "repository_url"
    ] == ""  # fmt: skip


# A long comment and a string that no blank divides; a table as wide as those of a chapter.
CODE = f"""families: str = ""  # {"a file with columns accession and family, " * 4}

    address = "{"x" * 150}"
"""
HEADINGS = [f"a heading {number}" for number in range(9)]
WIDE = f"""# A page

```python
{CODE}```

| {" | ".join(HEADINGS)} |
|{"---|" * 9}
| {" | ".join("[0.0029, 0.0034]" for _ in HEADINGS)} |
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of one chapter and one page, built with the extensions and an address."""
    root = tmp_path_factory.mktemp("small")
    (root / "notebooks").mkdir()
    (root / "book" / "chapters").mkdir(parents=True)
    name = "01_global_isotropy"
    for suffix in (".md", ".ipynb"):
        text = (ROOT / "notebooks" / f"{name}{suffix}").read_text()
        (root / "notebooks" / f"{name}{suffix}").write_text(text)
    (root / "book" / "chapters" / f"{name}.md").write_text("# A chapter\n\nText.\n")
    (root / "book" / "index.md").write_text(
        "# A book\n\n```{toctree}\nchapters/" + name + "\nwide\n```\n"
    )
    (root / "book" / "wide.md").write_text(WIDE)
    command = [sys.executable, "-m", "sphinx", "-C", "-q", "-b", "html", "-E"]
    settings = {"extensions": "myst_parser,chapter_links,code_lines,plotly_script,one_thebe,"
                "theme_patches,social_card", "html_theme": "sphinx_book_theme",
                "repository_url": ADDRESS,
                "html_static_path": str(ROOT / "book" / "_static"),
                "html_css_files": "report.css", "html_js_files": "tables.js"}  # fmt: skip
    command += [part for key, value in settings.items() for part in ("-D", f"{key}={value}")]
    done = subprocess.run(
        [*command, str(root / "book"), str(root / "html")],
        capture_output=True, text=True, env=environment(ROOT / "book" / "_ext"), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(html=root / "html", name=name)


def environment(path):
    import os

    kept = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    return kept | {"PYTHONPATH": str(path)}


def hrefs(page):
    return {unquote(a["href"]) for a in BeautifulSoup(page.read_text(), "html.parser").select(
        ".article-header-buttons a")}  # fmt: skip


def test_a_built_page_has_the_buttons_and_the_files_they_lead_to(built):
    page = built.html / "chapters" / f"{built.name}.html"
    found = hrefs(page)
    local = {href for href in found if "://" not in href}
    assert local == {f"../downloads/{built.name}.ipynb", f"../downloads/{built.name}.py"}
    assert all((page.parent / href).is_file() for href in local)
    assert f"{ADDRESS}/edit/main/notebooks/{built.name}.md" in found
    assert f"{ADDRESS}/edit/main/book/index.md" in hrefs(built.html / "index.html")


def test_the_notebook_is_handed_out_as_tracked_and_the_script_runs_the_same_cells(built):
    original = ROOT / "notebooks" / f"{built.name}.ipynb"
    copy = built.html / "downloads" / f"{built.name}.ipynb"
    assert copy.read_bytes() == original.read_bytes()
    script = jupytext.read(copy.with_suffix(".py"))
    cells = json.loads(copy.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert [cell.source for cell in script.cells if cell.cell_type == "code"] == code


# What the theme, myst-nb and sphinxcontrib-bibtex write. Where a newer version writes otherwise, a
# patch may no longer be needed, or no longer work.
AS_WRITTEN = (
    '<link rel="preload" as="font" type="font/woff2" crossorigin href="_static/fa-solid.woff2" />',
    '<button class="btn search-button-field search-button__button" title="Search" '
    'aria-label="Search" data-bs-placement="bottom">',
    '<summary aria-label="Toggle hidden content">',
    '<div role="list" class="citation-list">',
    '<div class="pst-scrollable-table-container">',
)
PATCHED = (
    "",
    '<button class="btn search-button-field search-button__button" data-bs-placement="bottom">',
    "<summary>",
    '<div class="citation-list">',
    '<div class="pst-scrollable-table-container" tabindex="0">',
)


@pytest.mark.parametrize(("written", "wanted"), list(zip(AS_WRITTEN, PATCHED, strict=True)))
def test_each_patch_of_the_theme_mends_one_thing_and_leaves_the_rest(written, wanted):
    around = "<p>{}</p><a title='Search' aria-label='Search'>x</a>"
    assert theme_patches.patched(around.format(written)) == around.format(wanted)
    [used] = [patch for patch in theme_patches.PATCHES if patch.pattern.search(written)]
    assert used.mends.endswith(".")


def test_there_is_a_case_for_every_patch():
    assert len(theme_patches.PATCHES) == len(AS_WRITTEN)


def test_the_themes_faults_are_mended_in_built_pages(built):
    for page in [built.html / "index.html", built.html / "search.html"]:
        text = page.read_text()
        assert "search-button-field" in text
        assert not [patch.mends for patch in theme_patches.PATCHES if patch.pattern.search(text)]


def test_plotlys_script_lies_beside_the_pages_once(built):
    [script] = built.html.rglob("plotly*.js")
    assert script.relative_to(built.html).as_posix() == "_static/plotly.min.js"
    assert "plotly.js v" in script.read_text()[:400]


def test_each_line_of_code_is_an_element_and_copied_as_it_was_written(built):
    [code] = BeautifulSoup((built.html / "wide.html").read_text(), "html.parser").select("pre")
    assert code.text == CODE
    assert [line.text for line in code.select(".line")] == CODE.splitlines()


@with_chromium
def test_neither_code_nor_a_wide_table_is_cut_off_and_on_a_phone_values_have_their_headings(built):
    beside = """[...document.querySelectorAll("td:not(:first-child)")]
        .map(cell => getComputedStyle(cell, "::before").content)"""
    bare = "document.querySelector('link[href*=report]').remove()"
    headings = {1400: {"none"}, 390: {f'"{heading}"' for heading in HEADINGS[1:]}}
    without_style = {1400: ["pre"], 390: ["pre", "div"]}
    with browser.open_chromium() as chromium:
        for width in pages.WIDTHS:
            page = chromium.new_page(viewport={"width": width, "height": 900})
            browser.open_page(page, built.html / "wide.html")
            assert page.evaluate(pages._CUT_OFF) == []
            assert set(page.evaluate(beside)) == headings[width]
            page.evaluate(bare)
            found = [fault.split()[0] for fault in page.evaluate(pages._CUT_OFF)]
            assert found == without_style[width]


# What a link to a page shows in a message


def card(page):
    found = BeautifulSoup(page.read_text(), "html.parser").select("meta[property^=og]")
    return {tag["property"].removeprefix("og:"): tag["content"] for tag in found}


def test_a_page_says_its_title_and_shows_the_picture_that_the_book_has(built):
    for page in (built.html / "index.html", built.html / "chapters" / f"{built.name}.html"):
        said = card(page)
        assert said["title"] == BeautifulSoup(page.read_text(), "html.parser").h1.contents[0]
        assert (page.parent / said["image"]).resolve() == built.html / "_static" / "social.png"


def test_the_picture_is_as_large_as_is_said():
    with Image.open(ROOT / "book" / "_static" / "social.png") as picture:
        assert picture.size == social_card._SIZE


def test_the_address_of_the_picture_is_the_configured_one_else_that_of_githubs_pages():
    github = {"GITHUB_REPOSITORY": "An-Owner/a-name"}
    assert social_card.site_address("", {}) == ""
    assert social_card.site_address("", github) == "https://an-owner.github.io/a-name/"
    assert social_card.site_address("https://example.org/x", github) == "https://example.org/x/"
    page = social_card.tags("chapters/one", 'A "title"', "https://example.org/x/")
    assert 'og:image" content="https://example.org/x/_static/social.png"' in page
    assert 'og:url" content="https://example.org/x/chapters/one.html"' in page
    assert "A &quot;title&quot;" in page
