"""Student editions, of a chapter made for it: what goes, what stays, what is never overwritten."""

import json

import nbformat
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.book.student import student_edition, write_editions
from small_chapter import HEAD

OPENING = """# Toy

```{code-cell} ipython3
:tags: [parameters]

n: int = 3  # how many
```

"""
EXERCISES = """## What was seen

Three.

+++ {"tags": ["exercise"]}

:::{exercise} Words
:label: ex-words
How many?

$$
n = ?
$$
:::

+++ {"tags": ["solution"]}

:::{solution-start} ex-words
:class: dropdown
:::

Secretly three.

:::{solution-end}
:::

+++

Between two exercises.

+++ {"tags": ["exercise"]}

```{exercise} Numbers
:label: ex-numbers
Count them.
```

+++ {"tags": ["solution"]}

:::{solution-start} ex-numbers
:label: sol-numbers
:class: dropdown
:::

Secretly counted.

```{code-cell} ipython3
:tags: [solution]

secret = n
```

```{code-cell} ipython3
:tags: [solution]

assert secret == n
```

+++ {"tags": ["solution"]}

Secret end.

:::{solution-end}
:::
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a chapter; return its name."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)

    def chapter(text=EXERCISES, name="01_toy"):
        (tmp_path / f"{name}.md").write_text(HEAD + OPENING + text)
        return name

    return chapter


def cells(edition):
    return [(cell.cell_type, cell.source) for cell in edition.cells]


def test_solutions_become_room_for_answers_and_the_rest_stays(write):
    assert cells(student_edition(write())) == [
        ("markdown", "# Toy"),
        ("code", "n: int = 3  # how many"),
        ("markdown", "## What was seen\n\nThree."),
        ("markdown", "### Exercise: Words\n\nHow many?\n\n$$\nn = ?\n$$"),
        ("markdown", "**Your answer**"),
        ("markdown", "Between two exercises."),
        ("markdown", "### Exercise: Numbers\n\nCount them."),
        ("markdown", "**Your answer**"),
        ("code", "# Your answer"),
    ]


def test_metadata_stay_but_for_the_pairing_with_a_text(write):
    edition = student_edition(write())
    assert edition.metadata.kernelspec.name == "python3"
    assert "jupytext" not in edition.metadata
    assert edition.metadata.plm_geometry.chapter == "01_toy"
    assert edition.cells[1].metadata.tags == ["parameters"]


def test_a_cell_tagged_as_solution_goes_even_outside_the_gates(write):
    loose = '\n+++ {"tags": ["solution"]}\n\nA loose secret.\n\n'
    loose += "```{code-cell} ipython3\n:tags: [solution]\n\nloose = 1\n```\n"
    text = json.dumps(student_edition(write(EXERCISES + loose)))
    assert "ecret" not in text
    assert "loose" not in text


def test_the_same_chapter_gives_the_same_file(write, tmp_path):
    write()
    first, second = (write_editions(tmp_path / name)[0].read_bytes() for name in "ab")
    assert first == second


@pytest.mark.parametrize("tag", ["exercise", "solution"])
def test_an_exercise_or_a_solution_without_its_tag_is_refused(write, tag):
    untagged = EXERCISES.replace(f'+++ {{"tags": ["{tag}"]}}', "+++", 1)
    with pytest.raises(InputError, match="01_toy: an exercise or a solution is not in a cell"):
        student_edition(write(untagged))


def test_an_unknown_chapter_is_refused_with_the_known_ones(write):
    write()
    with pytest.raises(InputError, match="did you mean 01_toy"):
        student_edition("01_tyo")


def test_every_chapter_is_written_and_a_chosen_one_alone(write, tmp_path):
    write()
    write(name="02_other")
    every = write_editions(tmp_path / "all")
    assert [path.name for path in every] == ["01_toy.ipynb", "02_other.ipynb"]
    (one,) = write_editions(tmp_path / "one", ["02_other"])
    assert one.read_bytes() == every[1].read_bytes()
    assert [path.name for path in one.parent.iterdir()] == ["02_other.ipynb"]
    nbformat.validate(nbformat.read(one, as_version=4))


def test_an_edition_is_replaced_when_its_chapter_changes(write, tmp_path):
    write()
    (path,) = write_editions(tmp_path / "out")
    before = path.read_bytes()
    write(EXERCISES.replace("Three.", "Four."))
    write_editions(tmp_path / "out")
    assert path.read_bytes() != before
    assert "Four." in path.read_text()


def test_an_edition_that_was_only_executed_is_replaced(write, tmp_path):
    write()
    (path,) = write_editions(tmp_path / "out")
    before = path.read_bytes()
    run = nbformat.read(path, as_version=4)
    run.cells[1].execution_count = 1
    nbformat.write(run, path)
    write_editions(tmp_path / "out")
    assert path.read_bytes() == before


def with_an_answer(path):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[4].source += "\n\nThree."
    nbformat.write(notebook, path)


def with_other_text(path):
    path.write_text("years of work")


def with_a_list(path):
    path.write_text("[1, 2]")


def with_a_notebook_of_ones_own(path):
    nbformat.write(nbformat.v4.new_notebook(), path)


@pytest.mark.parametrize(
    "change", [with_an_answer, with_other_text, with_a_list, with_a_notebook_of_ones_own]
)
def test_what_somebody_wrote_is_not_replaced_and_nothing_else_is_written(write, tmp_path, change):
    write()
    write(name="02_other")
    first, second = write_editions(tmp_path / "out")
    first.unlink()
    change(second)
    kept = second.read_bytes()
    with pytest.raises(InputError, match=r"02_other.ipynb .* holds answers.*--out"):
        write_editions(tmp_path / "out")
    assert second.read_bytes() == kept
    assert not first.exists()


def test_the_command_prints_what_it_wrote_and_refuses_in_a_sentence(
    write, command, refused, tmp_path
):
    write()
    out = tmp_path / "handout"
    assert command("student", "01_toy", "--out", out)[:2] == (0, f"{out / '01_toy.ipynb'}\n")
    with_other_text(out / "01_toy.ipynb")
    assert "holds answers" in refused("student", "--out", out)
    assert "no chapter '01_tyo'" in refused("student", "01_tyo", "--out", out)
