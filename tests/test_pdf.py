"""The PDF holds every page of the contents, in their order, and its links stay inside it."""

import browser
import pdf
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from small_book import with_chromium, write_book, write_page

TITLES = ["The book", "Chapter one", "Page two"]


@pytest.fixture
def site(tmp_path):
    return write_book(tmp_path)


@pytest.fixture
def book(site, tmp_path):
    from pypdf import PdfReader

    out = tmp_path / "book.pdf"
    pdf.write_pdf(out, site, tmp_path / "_toc.yml")
    return PdfReader(out)


def test_pages_come_in_the_order_of_the_contents_with_those_below_them(tmp_path):
    write_book(tmp_path)
    assert pdf.page_names(tmp_path / "_toc.yml") == ["index", "chapters/one", "two"]


def test_the_books_own_contents_name_its_first_page_and_every_chapter():
    names = pdf.page_names(paths.ROOT / "_toc.yml")
    assert names[0] == "index"
    assert {f"chapters/{path.stem}" for path in paths.NOTEBOOKS.glob("*.md")} <= set(names)
    assert len(names) == len(set(names))


def test_a_book_that_is_not_built_is_refused(site, tmp_path):
    (site / "two.html").unlink()
    with pytest.raises(InputError, match=r"two\.html does not exist; build the book first"):
        pdf.write_pdf(tmp_path / "book.pdf", site, tmp_path / "_toc.yml")


def test_without_chromium_the_tool_says_so_in_one_sentence(site, monkeypatch, tmp_path, capsys):
    # A book is there, and no browser: neither by name nor by playwright.
    monkeypatch.setattr(pdf.write_pdf, "__defaults__", (site, tmp_path / "_toc.yml"))
    monkeypatch.setattr(browser, "_NAMES", ())
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    with pytest.raises(SystemExit) as stop:
        pdf.main(tmp_path / "book.pdf")
    assert stop.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("pdf: ")
    assert "Chromium" in said[-1]
    assert not (tmp_path / "book.pdf").exists()


def test_the_command_runs_the_tool_and_ends_with_its_status(command, monkeypatch, tmp_path):
    monkeypatch.setenv("PLM_GEOMETRY_WORK", str(tmp_path))
    assert command("pdf")[0] == 2  # no book is built there


@with_chromium
def test_each_page_is_a_bookmark_that_leads_to_it(book):
    marks = [mark for mark in book.outline if not isinstance(mark, list)]
    assert [mark.title for mark in marks] == TITLES
    for mark, title in zip(marks, TITLES, strict=True):
        page = book.pages[book.get_destination_page_number(mark)]
        assert page.extract_text().startswith(title)


@with_chromium
def test_sections_lie_below_their_pages_bookmark(book):
    below = [mark for mark in book.outline if isinstance(mark, list)]
    assert "A place" in {str(mark.title) for mark in flat(below)}


def flat(marks):
    for mark in marks:
        yield from flat(mark) if isinstance(mark, list) else [mark]


@with_chromium
def test_links_between_pages_stay_inside_and_none_leads_to_this_machine(book):
    links = list(pdf._links(book))
    outside = [link["/A"]["/URI"] for link in links if "/A" in link]
    assert outside == ["https://example.org/"]
    targets = [page_number(book, link["/Dest"][0]) for link in links if "/Dest" in link]
    # The first page leads to the second; the second to the third, and twice (with its heading's
    # mark) to itself; the headings' marks of the others to themselves.
    assert sorted(targets) == [0, 1, 1, 1, 2, 2]


def page_number(book, reference):
    return book.get_page_number(reference.get_object())


@with_chromium
def test_on_paper_neither_a_long_line_nor_a_wide_table_is_cut_off(site):
    style = (paths.BOOK / "_static" / "report.css").read_text()
    cells = "".join(f"<td>effective dimensions {n}</td>" for n in range(15))
    body = (
        f'<style>{style}</style><div class="bd-article"><pre>{"a_long_name = " * 40}</pre>'
        f'<div class="table-scroll"><table class="report-table"><tr>{cells}</tr></table></div>'
        "</div>"
    )
    path = write_page(site, "two", "Page two", body)
    wider = """[...document.querySelectorAll("pre, .table-scroll")]
        .map(box => box.scrollWidth > box.clientWidth)"""
    with browser.open_chromium() as chromium:
        page = chromium.new_page(viewport={"width": 700, "height": 900})
        browser.open_page(page, path)
        assert page.evaluate(wider) == [False, True]  # on a screen so wide a table scrolls
        page.emulate_media(media="print")
        assert page.evaluate(wider) == [False, False]


@with_chromium
def test_a_link_to_a_file_that_is_no_page_is_left_out(site, tmp_path):
    from pypdf import PdfReader

    (site / "data.csv").write_text("a\n")
    write_page(site, "two", "Page two", '<a href="data.csv">data</a>')
    out = tmp_path / "book.pdf"
    pdf.write_pdf(out, site, tmp_path / "_toc.yml")
    assert not [link for link in pdf._links(PdfReader(out)) if "/A" in link]
    assert str(site).encode() not in out.read_bytes()
