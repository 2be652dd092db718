"""Chapters run as asked for, once, and what goes wrong is said and harms nothing.

A chapter of its own is run here, which does what the real ones do in as little time as may be.
"""

import errno
import html
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import ComputationError, InputError, NothingLeftError
from plm_geometry.base.settings import EMBEDDING_PARAMETERS, Settings
from plm_geometry.book import chapters, parameters
from small_chapter import HEAD

SHIPPED = (paths.BACTERIUM, paths.MINIS, paths.ABLATION, paths.PUBLISHED)
SOURCES = chapters._SOURCES  # before a fixture replaces them

TOY = """# Toy

```{code-cell} ipython3
:tags: [parameters]

profile: str = "offline"  # where these values come from
proteins: str = "offline"  # a file
seed: int = 3  # how many
gap_open: float = 0.5  # of the whole
controls: list[str] = ["a", "b"]  # of things
```

```{code-cell} ipython3
import json, os, sys
from pathlib import Path
from plm_geometry.base.errors import InputError, NothingLeftError

if seed == 11: raise InputError("Eleven is too many; give ten.")
if seed == 12: raise NothingLeftError("Nothing is left.")
if seed == 13: os._exit(1)
if seed == 14: open("/dev/full", "wb", 0).write(b"a result")
if seed == 15: os.kill(os.getppid(), 9)
print("a word")
print("a bar", file=sys.stderr)
display("shown")
content = {"n": 1 // seed, "names": controls, "python": sys.executable, "at": os.getcwd()}
Path(os.environ["PLM_GEOMETRY_OUT"], "summary.json").write_text(json.dumps(content))
```
"""
OTHER = """# Other

```{code-cell} ipython3
:tags: [parameters]

max_residues: int = 1  # how deep
```
"""


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    """A house of its own with two chapters and a profile."""
    for name in ("NOTEBOOKS", "PROFILES", "RESULTS", "RUNS", "CHAPTERS", "RECORDS"):
        directory = tmp_path / name.lower()
        directory.mkdir()
        monkeypatch.setattr(paths, name, directory)
    (tmp_path / "package").mkdir()
    monkeypatch.setattr(chapters, "_SOURCES", (tmp_path / "package",))
    (tmp_path / "notebooks" / "01_toy.md").write_text(HEAD + TOY)
    (tmp_path / "notebooks" / "02_other.md").write_text(HEAD + OTHER)
    (tmp_path / "profiles" / "offline.yaml").write_text(
        "profile: offline\nseed: 4\nmax_residues: 2\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told():
    """Takes the lines that runs say, by its `append`."""
    return []


def summary(directory):
    return json.loads((directory / "summary.json").read_text())


def test_parameters_are_read_with_type_default_and_help():
    found = parameters.read_parameters("01_toy")
    assert list(found) == ["profile", "proteins", "seed", "gap_open", "controls"]
    assert found["controls"] == ("list[str]", ["a", "b"], "of things")


def test_a_profile_goes_before_the_notebook_and_an_override_before_the_profile():
    assert parameters.resolve_parameters("01_toy", "offline")["seed"] == 4
    assert parameters.resolve_parameters("01_toy", "offline", {"seed": "5"})["seed"] == 5
    assert "max_residues" not in parameters.resolve_parameters("01_toy", "offline")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "12", 12),
        ("gap_open", "1e-3", 0.001),
        ("gap_open", "2", 2.0),
        ("proteins", "12", "12"),
        ("controls", "x,y", ["x", "y"]),
        ("controls", "['x', 'y']", ["x", "y"]),
        ("controls", "", []),
    ],
)
def test_text_is_read_as_the_type_the_chapter_declares(name, text, value):
    found = parameters.resolve_parameters("01_toy", "offline", {name: text})[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "value"), [("seed", "many"), ("seed", "1.5"), ("seed", "-1"), ("gap_open", "half")]
)
def test_a_wrong_type_is_refused_by_name_and_value(name, value):
    with pytest.raises(InputError, match=rf"parameter '{name}' has value '{value}': input should"):
        parameters.resolve_parameters("01_toy", "offline", {name: value})


def test_a_wrong_type_in_a_profile_is_refused(house):
    (house / "profiles" / "offline.yaml").write_text("controls: [a]\nseed: 3\ngap_open: [1]\n")
    with pytest.raises(InputError, match="gap_open"):
        parameters.resolve_parameters("01_toy", "offline")


def test_an_unknown_override_lists_the_right_names_and_the_nearest():
    with pytest.raises(InputError, match=r"no parameter 'contorls' \(did you mean controls\?\)"):
        parameters.resolve_parameters("01_toy", "offline", {"contorls": "x"})


def test_another_chapters_parameter_is_no_override_of_this_one():
    with pytest.raises(InputError, match="no parameter 'max_residues'"):
        parameters.resolve_parameters("01_toy", "offline", {"max_residues": "3"})


def test_a_profile_key_that_no_chapter_declares_is_refused(house):
    (house / "profiles" / "offline.yaml").write_text("max_residue: 2\n")
    with pytest.raises(InputError, match=r"sets 'max_residue' \(did you mean max_residues\?\)"):
        parameters.resolve_parameters("01_toy", "offline")


@pytest.mark.parametrize("text", ["", "- 1\n", "n: [\n"])
def test_a_profile_that_is_no_mapping_is_refused(house, text):
    (house / "profiles" / "offline.yaml").write_text(text)
    with pytest.raises(InputError, match="offline"):
        parameters.resolve_parameters("01_toy", "offline")


def test_unknown_chapters_and_profiles_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'01_toi' \(did you mean 01_toy\?\); there are 01_toy"):
        chapters.run_chapter("01_toi")
    with pytest.raises(InputError, match=r"no profile 'offlien' \(did you mean offline\?\)"):
        chapters.run_chapter("01_toy", "offlien")


def test_the_profile_is_no_override():
    with pytest.raises(InputError, match="--profile"):
        parameters.resolve_parameters("01_toy", "offline", {"profile": "paper"})


def test_a_run_without_overrides_is_the_books_and_is_not_repeated(house, told):
    where = chapters.run_chapter("01_toy", tell=told.append)
    assert where == house / "results" / "offline" / "01_toy"
    found = summary(where)
    assert found["python"] == sys.executable
    assert found["at"] == str(house)
    book = house / "chapters" / "01_toy.ipynb"
    assert book.read_bytes() == (where / "01_toy.ipynb").read_bytes()

    assert chapters.run_chapter("01_toy", tell=told.append) == where
    assert "unchanged" in told[-1]
    assert summary(where) == found
    assert {path.name for path in where.parent.iterdir()} == {"01_toy", "01_toy.run.log"}


def test_every_table_that_comes_with_the_package_is_a_source_of_results():
    assert set(SHIPPED) <= set(SOURCES)


def test_a_change_of_source_data_text_or_parameters_is_noticed(house):
    fasta = house / "my.fasta"
    seen = set()
    for path in (fasta, house / "package" / "new.py", house / "notebooks" / "01_toy.md"):
        seen.add(chapters.chapter_fingerprint("01_toy", {"proteins": str(fasta), "n": 3}))
        path.write_text("changed\n")
    for n in (3, 4, 3):
        seen.add(chapters.chapter_fingerprint("01_toy", {"proteins": str(fasta), "n": n}))
    assert len(seen) == 5


def test_a_run_with_overrides_leaves_the_book_alone_and_shows_html_without_network(house, told):
    where = chapters.run_chapter("01_toy", overrides={"controls": "c"}, tell=told.append)
    assert where.parent == house / "runs"
    assert summary(where)["names"] == ["c"]
    page = (where / "01_toy.html").read_text()
    assert 'controls = ["c"]' in html.unescape(re.sub("<[^>]*>", "", page))
    assert 'src="http' not in page
    assert not list((house / "results").iterdir())
    assert not list((house / "chapters").iterdir())


def test_what_is_printed_is_in_the_log_and_in_no_output(house, told):
    where = chapters.run_chapter("01_toy", tell=told.append)
    printed = where.with_name("01_toy.run.log").read_text().splitlines()
    assert sorted(printed) == ["a bar", "a word"]
    outputs = [
        output
        for cell in nbformat.read(where / "01_toy.ipynb", as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert {output.output_type for output in outputs} == {"display_data", "execute_result"}


def test_a_failing_cell_leaves_what_was_there_and_says_chapter_reason_and_log(house, told):
    where = chapters.run_chapter("01_toy", tell=told.append)
    before = {path: path.read_bytes() for path in where.rglob("*") if path.is_file()}
    (house / "profiles" / "offline.yaml").write_text("seed: 0\n")
    with pytest.raises(ComputationError) as caught:
        chapters.run_chapter("01_toy", tell=told.append)
    assert str(caught.value).splitlines()[-1] == (
        "01_toy: cell 3 failed (ZeroDivisionError: integer division or modulo by zero); its log "
        "is results/offline/01_toy.run.log."
    )
    log = (house / "results" / "offline" / "01_toy.run.log").read_text()
    assert all(said in log for said in ("a word", "a bar", "ZeroDivisionError"))
    assert {path: path.read_bytes() for path in where.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in where.parent.iterdir()) == ["01_toy", "01_toy.run.log"]


@pytest.mark.parametrize("n", [13, 15])
def test_a_kernel_or_the_process_above_it_that_dies_is_said_to_have(house, told, n):
    (house / "profiles" / "offline.yaml").write_text(f"seed: {n}\n")
    why = r"^01_toy: its process was .* is results/offline/01"
    with pytest.raises(ComputationError, match=why):
        chapters.run_chapter("01_toy", tell=told.append)


@pytest.mark.parametrize(
    ("n", "error", "sentence"),
    [
        (11, InputError, "Eleven is too many; give ten."),
        (12, NothingLeftError, "Nothing is left."),
    ],
)
def test_a_sentence_raised_in_a_chapter_comes_out_as_it_is(n, error, sentence, told):
    with pytest.raises(InputError) as caught:
        chapters.run_chapter("01_toy", overrides={"seed": n}, tell=told.append)
    assert type(caught.value) is error
    assert str(caught.value) == sentence


def test_a_cell_on_a_full_disk_is_an_error_of_the_disk_and_names_the_result(house, told):
    with pytest.raises(OSError, match="No space left on device") as caught:
        chapters.run_chapter("01_toy", overrides={"seed": 14}, tell=told.append)
    assert caught.value.errno == errno.ENOSPC
    assert Path(caught.value.filename).parent == house / "runs"


def test_pages_are_gathered_outside_a_checkout_that_is_only_read(house, monkeypatch):
    for made in ("book/chapters", "book/_static", "elsewhere/book/chapters"):
        (house / made).mkdir(parents=True)
    (house / "book" / "chapters" / "01_toy.ipynb").write_text("of another time")
    (house / "book" / "index.md").write_text("# Hello")
    for name, place in (("ROOT", house), ("BOOK", house / "book"), ("WORK", house / "elsewhere"),
                        ("CHAPTERS", house / "elsewhere" / "book" / "chapters")):  # fmt: skip
        monkeypatch.setattr(paths, name, place)
    for text in ("# Hello", "# Changed"):  # a second time nothing is in the way
        (house / "book" / "index.md").write_text(text)
        gathered = chapters._gather_book()
        assert gathered == house / "elsewhere" / "book"
        assert (gathered / "index.md").read_text() == text
    assert sorted(os.listdir(gathered)) == ["_static", "chapters", "index.md"]
    assert not os.listdir(gathered / "chapters")
    assert (gathered.parent / "notebooks" / "01_toy.md").exists()


def test_a_directory_with_other_things_is_not_replaced(house):
    (house / "thesis").mkdir()
    (house / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds other things"):
        chapters.run_chapter("01_toy", overrides={"seed": "5"}, out=house / "thesis")
    assert (house / "thesis" / "chapter.tex").read_text() == "years of work"


def test_a_profile_of_ones_own_is_read_and_stays_out_of_the_book(house, told):
    (house / "mine.yaml").write_text("seed: 1\n")
    where = chapters.run_chapter("01_toy", str(house / "mine.yaml"), tell=told.append)
    assert where.parent == house / "runs"
    assert summary(where)["n"] == 1


READER = """# Reader

```{code-cell} ipython3
:tags: [parameters]

profile: str = "offline"  # whose results are read
summaries: str = ""  # or those of a directory
records: str = ""  # made elsewhere
```

```{code-cell} ipython3
import json, os
from pathlib import Path

read = [path.parent.name for path in sorted(Path("results", profile).glob("*/summary.json"))]
Path(os.environ["PLM_GEOMETRY_OUT"], "summary.json").write_text(json.dumps({"read": read}))
```
"""


@pytest.fixture
def reader(house):
    """A chapter that reads what others have measured, and whose name comes first."""
    (house / "notebooks" / "02_other.md").unlink()
    (house / "profiles" / "offline.yaml").write_text("profile: offline\nseed: 4\n")
    (house / "notebooks" / "00_reader.md").write_text(HEAD + READER)
    return "00_reader"


def test_a_chapter_that_reads_summaries_runs_after_all_others(house, reader, told):
    chapters.run_chapters("offline", tell=told.append)
    assert summary(house / "results" / "offline" / reader)["read"] == ["01_toy"]
    started = [line for line in told if "running" in line]
    assert [line.partition(":")[0] for line in started] == ["01_toy", reader]


def test_it_runs_alone_where_nothing_has_been_run(house, reader, told):
    where = chapters.run_chapter(reader, tell=told.append)
    assert summary(where)["read"] == []


def test_its_fingerprint_is_of_what_it_reads_and_no_other_chapters(house, reader):
    def marks():
        return [
            chapters.chapter_fingerprint(name, parameters.resolve_parameters(name, "offline"))
            for name in ("01_toy", reader)
        ]

    toy, first = marks()
    result = house / "results" / "offline" / "01_toy" / "summary.json"
    result.parent.mkdir(parents=True)
    result.write_text(json.dumps({"measured": [{"value": 1}]}))
    second = marks()[1]
    result.write_text(json.dumps({"measured": [{"value": 2}]}))
    third = marks()[1]
    (house / "records" / "some.json").write_text("{}")
    assert len({first, second, third, marks()[1]}) == 4
    # What has measured nothing itself, such as this very chapter's result, does not count.
    fourth = marks()
    own = house / "results" / "offline" / reader / "summary.json"
    own.parent.mkdir()
    own.write_text(json.dumps({"measured": []}))
    assert marks() == fourth
    assert fourth[0] == toy


def test_when_a_chapter_fails_those_beside_it_finish_and_its_readers_do_not_start(
    house, reader, told
):
    (house / "profiles" / "offline.yaml").write_text("seed: 0\n")
    with pytest.raises(ComputationError, match="01_toy"):
        chapters.run_chapters("offline", tell=told.append)
    assert not (house / "results" / "offline" / reader).exists()


def test_a_sentence_raised_in_a_book_says_which_chapter_it_is_from(house, reader, told):
    (house / "profiles" / "offline.yaml").write_text("seed: 11\n")
    with pytest.raises(InputError) as caught:
        chapters.run_chapters("offline", tell=told.append)
    assert str(caught.value) == (
        "01_toy: Eleven is too many; give ten. Its log is results/offline/01_toy.run.log."
    )


def test_the_book_hands_out_student_editions_which_it_writes_before_its_pages(
    house, monkeypatch, told
):
    monkeypatch.setattr(chapters, "_BOOK_SOURCES", (house / "notebooks",))
    site, editions = house / "_build" / "html", house / "_build" / "student"
    monkeypatch.setattr(paths, "SITE", site)
    monkeypatch.setattr(paths, "EDITIONS", editions)
    monkeypatch.setattr(chapters, "run_chapters", lambda profile, tell: None)
    found = []

    def build():
        found.append(sorted(path.name for path in editions.iterdir()))
        site.mkdir(exist_ok=True)
        (site / "index.html").touch()

    monkeypatch.setattr(chapters, "_build_pages", build)
    for text in (TOY, TOY, TOY.replace("# Toy", "# Another toy")):
        (house / "notebooks" / "01_toy.md").write_text(HEAD + text)
        assert chapters.build_book("offline", tell=told.append) == site / "index.html"
    # Once more only for the change.
    assert found == [["01_toy.ipynb", "02_other.ipynb"]] * 2
    assert "# Another toy" in (editions / "01_toy.ipynb").read_text()


def test_chapters_that_ask_for_the_same_embeddings_have_them_made_once():
    assert set(EMBEDDING_PARAMETERS) <= Settings.model_fields.keys()
    naming = {
        name for name, field in Settings.model_fields.items() if field.annotation == list[str]
    }
    # What is left out of changed sequences asks for no embeddings.
    assert naming - {"skip_variants"} <= set(EMBEDDING_PARAMETERS)
    runs = [
        SimpleNamespace(is_done=is_done, parameters=asked)
        for is_done, asked in (
            (False, {"models": ["a"], "n_pairs": 1}),
            (False, {"models": ["a"], "n_pairs": 2}),
            (False, {"models": ["b"], "n_pairs": 2}),
            (False, {"models": ["a"], "n_pairs": 1, "pooling": "max"}),
            (True, {"models": ["c"]}),
        )
    ]
    assert chapters._embedding_apart(runs) == runs[1:4]
