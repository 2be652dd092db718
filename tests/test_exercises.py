"""Exercises: each has one solution, it runs and keeps its word, and no student sees it."""

import re

import nbformat
import pytest

from chapter_cells import run_cells
from plm_geometry.base import paths
from plm_geometry.book.parameters import chapter_names, read_notebook, read_parameters
from plm_geometry.book.student import student_edition

CHAPTERS = chapter_names()
# The chapters of the lab page's two sessions: one for each section of the paper.
LAB = CHAPTERS[:4]
KINDS = ["Read", "Change", "Compute", "Extend", "Prove"]
# Enough for every table and figure, little enough for a test.
SMALL = {
    "n_proteins": 70,
    "models": ["mini_protein_bert"],
    "controls": ["composition"],
    "n_pairs": 300,
}
EXERCISE = re.compile(r"\{exercise\} (.+)\n:label: (\S+)\n")
SOLUTION = re.compile(r"\{solution(?:-start)?\} (\S+)\n:label: (\S+)\n:class: dropdown\n")
GATED = re.compile(r"\n(:{3,})\{solution-start\}.*?\n(:{3,})\{solution-end\}\n\2", re.DOTALL)
SINGLE = re.compile(r"\n(:{3,}|`{3,})\{solution\}.*?\n\1(?=\n|$)", re.DOTALL)


@pytest.fixture(params=CHAPTERS)
def chapter(request):
    return request.param


@pytest.fixture(params=LAB)
def lab_chapter(request):
    return request.param


def source(chapter):
    return (paths.NOTEBOOKS / f"{chapter}.md").read_text()


def solutions(text):
    return [found.group() for pattern in (GATED, SINGLE) for found in pattern.finditer(text)]


def without_solutions(text):
    return SINGLE.sub("", GATED.sub("", text))


def telling_lines(text):
    """Lines that say something: no fences, options or breaks between cells."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if len(line) > 9 and not re.match(r":|`|\+\+\+|---", line)]


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


def said(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


# As they are written


def test_every_exercise_is_followed_by_its_own_solution(chapter):
    text = source(chapter)
    labels = [label for _, label in EXERCISE.findall(text)]
    assert labels
    assert text.count("{exercise") == len(labels)
    assert all(label.startswith("ex-") for label in labels)
    expected = [(label, label.replace("ex-", "sol-", 1)) for label in labels]
    assert SOLUTION.findall(text) == expected
    assert len(solutions(text)) == len(labels)


def test_no_label_is_used_twice():
    labels = [label for name in CHAPTERS for _, label in EXERCISE.findall(source(name))]
    assert len(labels) == len(set(labels))


def test_cells_are_tagged_as_what_they_are_part_of(chapter):
    inside = False
    for cell in read_notebook(chapter).cells:
        begins, ends = ("{solution-" + end in cell.source for end in ("start}", "end}"))
        inside = inside or begins
        assert inside == is_solution(cell), cell.source
        inside = inside and not ends


def test_a_lab_chapter_has_exercises_that_rise_from_reading_to_proving(lab_chapter):
    text = source(lab_chapter)
    kinds = re.findall(r"\{exercise\} .+\n:label: \S+\n\*\*(\w+)\.\*\*", text)
    assert set(kinds) == set(KINDS)


def test_every_chapter_has_exercises_that_rise(chapter):
    text = source(chapter)
    kinds = re.findall(r"\{exercise\} .+\n:label: \S+\n\*\*(\w+)\.\*\*", text)
    assert len(kinds) == len(EXERCISE.findall(text)) >= 2
    assert kinds == sorted(kinds, key=KINDS.index)
    assert len(set(kinds)) >= 2


def test_every_solution_runs_and_checks_itself(chapter):
    for solution in solutions(source(chapter)):
        assert "```{code-cell}" in solution
        assert re.search(r"^ *assert ", solution, re.MULTILINE), solution


def test_the_lab_page_uses_every_exercise_by_its_title_and_no_other():
    page = (paths.BOOK / "lab.md").read_text()
    known = {found for name in CHAPTERS for found in EXERCISE.findall(source(name))}
    assert set(re.findall(r"\{ref\}`([^`<]+) <(ex-[^`>]+)>`", page)) == known
    assert "{ref}`ex-" not in page


def test_the_lab_page_hands_out_the_student_edition_of_every_chapter():
    page = (paths.BOOK / "lab.md").read_text()
    found = re.findall(r"\{download\}`(\S+) <(\S+)>`", page)
    assert [name for name, _ in found] == [f"{name}.ipynb" for name in CHAPTERS]
    for name, path in found:
        assert (paths.BOOK / path).resolve() == paths.EDITIONS / name


@pytest.mark.parametrize(("name", "minutes"), [("Thirty", 30), ("Ninety", 90)])
def test_the_minutes_of_a_session_add_up(name, minutes):
    assert sum(map(int, re.findall(r"^\| (\d+) \|", session(name), re.MULTILINE))) == minutes


def test_the_shortest_session_needs_no_notebook_and_no_command():
    text = session("Thirty")
    assert not re.search(r"\{download\}|```shell|plm-geometry |make ", text)
    pages = re.findall(r"\]\(([\w/]+)\.(?:md|ipynb)\)", text)
    assert set(pages) >= {"index", "questions", "chapters/05_what_isotropy_buys"}


def session(name):
    page = (paths.BOOK / "lab.md").read_text()
    return page.partition(f"## {name} minutes")[2].partition("\n## ")[0]


# In the student edition


def test_a_student_edition_is_a_valid_notebook_without_outputs(chapter):
    edition = student_edition(chapter)
    nbformat.validate(edition)
    assert edition.metadata.kernelspec.name == "python3"
    assert not any(cell.outputs for cell in edition.cells if cell.cell_type == "code")


def test_a_student_edition_holds_no_line_of_any_solution(chapter):
    given = said(student_edition(chapter))
    elsewhere = set(telling_lines(without_solutions(source(chapter))))
    secret = set(telling_lines("\n".join(solutions(source(chapter))))) - elsewhere
    assert len(secret) >= len(EXERCISE.findall(source(chapter)))
    assert not [line for line in secret if line in given]
    assert "{solution" not in given


def test_a_student_edition_holds_everything_else(chapter):
    given = said(student_edition(chapter))
    rest = without_solutions(source(chapter)).partition("\n---\n")[2]
    rest = re.sub(r"\n---\n.*?\n---\n", "\n", rest, flags=re.DOTALL)  # metadata of cells
    missing = [line for line in telling_lines(rest) if line not in given]
    assert not missing
    for title, _ in EXERCISE.findall(source(chapter)):
        assert f"### Exercise: {title}\n" in given


def test_other_cells_keep_their_metadata(chapter):
    kept = [cell for cell in read_notebook(chapter).cells if cell.cell_type == "code"]
    kept = [(cell.source, cell.metadata) for cell in kept if not is_solution(cell)]
    edition = [cell for cell in student_edition(chapter).cells if cell.cell_type == "code"]
    given = [(c.source, c.metadata) for c in edition if c.metadata.get("tags") != ["answer"]]
    assert given == kept


def test_every_exercise_is_followed_by_room_for_an_answer(chapter):
    cells = student_edition(chapter).cells
    asked = [i for i, cell in enumerate(cells) if cell.source.startswith("### Exercise: ")]
    assert len(asked) == len(EXERCISE.findall(source(chapter)))
    assert all(cells[i + 1].metadata.get("tags") == ["answer"] for i in asked)


# As they run


@pytest.fixture(scope="module", params=CHAPTERS)
def executed(request, tmp_path_factory):
    """A student edition on few proteins, and then the solutions, in this process."""
    notebook = student_edition(request.param)
    answers = [cell for cell in read_notebook(request.param).cells if is_solution(cell)]
    notebook.cells += [cell for cell in answers if cell.cell_type == "code"]
    declared = read_parameters(request.param)
    given = {name: SMALL[name] for name in SMALL if name in declared}
    return request.param, run_cells(notebook, tmp_path_factory.mktemp("lab"), **given)


def test_the_student_edition_executes_and_so_does_every_solution(executed):
    chapter, ran = executed
    answers = [(cell, shown) for cell, shown in ran.cells if is_solution(cell)]
    assert len(answers) == len(solutions(source(chapter)))
    for cell, shown in answers:
        assert shown, cell.source
