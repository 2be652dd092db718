"""What is wrong with a page is found, on the screen where it is wrong, and nothing else."""

import pages
import pytest

from plm_geometry.base.errors import InputError
from small_book import with_chromium, write_book, write_page

# A checker that finds what the page itself declares; axe-core comes by npm, which tests do not use.
AXE = """const declared = () => [...document.querySelectorAll("[data-impact]")];
window.axe = {run: async () => ({violations: declared()
  .map((node) => ({id: "declared", impact: node.dataset.impact, nodes: [{target: [node.id]}]}))})};
"""


@pytest.fixture
def site(tmp_path):
    return write_book(tmp_path)


@pytest.fixture
def axe(tmp_path):
    path = tmp_path / "axe.js"
    path.write_text(AXE)
    return path


def faults(site):
    return [str(fault) for fault in pages.check_links(site)]


def test_a_sound_book_has_no_faults(site):
    assert faults(site) == []


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ('<a href="gone.html">x</a>', "links to gone.html, which does not exist"),
        ('<a href="chapters/one.html#gone">x</a>', "one.html#gone, a place that the page does not"),
        ('<a href="#gone">x</a>', "links to #gone, a place that the page does not have"),
        ('<a href="chapters/">x</a>', "links to chapters/, which does not exist"),
        ('<img src="gone.svg" alt="Drawn.">', "links to gone.svg, which does not exist"),
        ('<img src="data:image/gif;base64,AA" alt=" ">', "has no alternative text"),
        ('<img src="data:image/gif;base64,AA">', "has no alternative text"),
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https://cdn.example.org"),
        ('<script src="//cdn.example.org/x.js"></script>', "loads //cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "loads https://example.org"),
    ],
)
def test_each_fault_is_named_with_its_page(site, body, what):
    write_page(site, "three", "Page three", body)
    [fault] = faults(site)
    assert fault.startswith("three.html: ")
    assert what in fault


@pytest.mark.parametrize(
    "body",
    [
        '<a href="https://example.org/x">x</a>',
        '<a href="mailto:a@example.org">x</a>',
        '<link rel="canonical" href="https://example.org/x">',
        '<a href="chapters/one.html?highlight=x#place">x</a>',
        '<a name="old"></a><a href="#old">x</a><a href="#">x</a>',
    ],
)
def test_what_is_no_fault_is_not_named(site, body):
    write_page(site, "three", "Page three", body)
    assert faults(site) == []


def test_templates_among_the_static_files_are_no_pages(site):
    write_page(site, "_static/macros", "A template", '<a href="gone.html">x</a>')
    assert [path.name for path in pages.page_files(site)] == ["one.html", "index.html", "two.html"]


def test_a_folder_without_a_book_is_refused_in_one_sentence(tmp_path, capsys, monkeypatch):
    with pytest.raises(InputError, match="build it with `make book` first"):
        pages.page_files(tmp_path)
    monkeypatch.setattr("sys.argv", ["pages", str(tmp_path), "--axe", __file__])
    with pytest.raises(SystemExit) as stop:
        pages.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_axe_core_one_sentence_says_how_to_get_it(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["pages", str(site), "--axe", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as stop:
        pages.main()
    assert stop.value.code == 2
    assert "run `npm ci` first" in capsys.readouterr().err


def seen(site, axe, *files, shots=None):
    return [str(fault) for fault in pages.check_in_browser(site, files, axe, shots)]


@with_chromium
def test_a_browser_finds_nothing_wrong_with_a_sound_page_and_takes_its_pictures(
    site, axe, tmp_path
):
    shots = tmp_path / "shots"
    assert seen(site, axe, site / "index.html", site / "chapters/one.html", shots=shots) == []
    assert len(list(shots.glob("*.png"))) == 8
    assert (shots / "chapters-one.html-390-dark.png").stat().st_size > 0


# What is on a page, on how many of the four screens it is wrong, and how that is said.
WRONG = {
    "error": ("<script>console.error('oh')</script>", 4, "console: oh"),
    "thrown": ("<script>throw new Error('oh')</script>", 4, "console: oh"),
    "network": ('<script>fetch("https://example.org/x").catch(() => {})</script>', 4,
                "asks the network for https://example.org/x"),
    "wide": ('<div style="width: 800px">wide</div>', 2, "scrolls sideways by"),
    "folded": ('<details><div style="width: 800px">wide</div></details>', 2, "scrolls sideways by"),
    "grave": ('<p id="bad" data-impact="critical">x</p>', 4, "axe-core: declared (critical): bad"),
    "dark": ("<style>@media (prefers-color-scheme: dark) { p { width: 5000px } }</style><p>x</p>",
             2, "dark: scrolls sideways by"),
    "code": (f'<pre style="overflow-x: auto">{"x" * 70}</pre>', 2, 'xxx" is cut off by'),
    "table": ('<div style="overflow-x: auto"><table><td><p style="width: 50em">a</p></table></div>',
              2, 'div "a" is cut off by'),
    "cell": ('<table style="table-layout: fixed; width: 9px"><td>long<td>x</table>', 4,
             'td "long" is cut off by'),
    "minor": ('<p id="x" data-impact="moderate">x</p>', 0, ""),
    "sound": ("<p>x</p>", 0, ""),
}  # fmt: skip


@with_chromium
def test_a_browser_finds_each_kind_of_fault_where_it_is_and_no_other(site, axe):
    files = [write_page(site, name, name, body) for name, (body, _, _) in WRONG.items()]
    found = seen(site, axe, *files)
    for name, (_, screens, what) in WRONG.items():
        faults = [fault for fault in found if fault.startswith(f"{name}.html: ")]
        where = {fault.split(": ")[1] for fault in faults if what in fault}
        assert len(where) == screens, faults
        assert screens or not faults
