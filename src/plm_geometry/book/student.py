"""Student editions: chapters as notebooks with empty answers in place of solutions.

Cells of exercises and solutions carry these tags; CONTRIBUTING.md says how one is written.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing
from plm_geometry.book.parameters import chapter_names, read_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

# A directive of sphinx-exercise, alone in its cell: fence, title, options and text.
_EXERCISE = re.compile(r"(:{3,}|`{3,})\{exercise\} *(.*)\n((?::[\w-]+:.*\n)*)((?s:.*))\n\1\s*")
_MARK = "plm_geometry"  # where an edition's metadata say what it is
_ANSWER = "**Your answer**"
_ANSWER_CODE = "# Your answer"


def student_edition(chapter: str) -> "NotebookNode":
    """Return a chapter in which empty answers stand in place of solutions.

    Exercises become headings with their text, for Jupyter does not know the directive. Each is
    followed by a cell for an answer in words and, where its solution has code, one for code. All
    other cells are the chapter's, with their metadata; nothing is executed.

    Parameters
    ----------
    chapter : str
        Its name.

    Returns
    -------
    NotebookNode
        The same chapter gives the same notebook, cell identifiers included.

    Raises
    ------
    InputError
        If there is no such chapter, or a cell of an exercise or a solution lacks its tag.
    """
    from nbformat.v4 import new_notebook

    original = read_notebook(chapter)
    # Paired, Jupyter would write a text beside it.
    metadata = {key: value for key, value in original.metadata.items() if key != "jupytext"}
    edition = new_notebook(cells=list(_student_cells(original.cells)), metadata=metadata)
    for number, cell in enumerate(edition.cells):
        cell.id = f"cell-{number}"
        if re.search(r"\{(exercise|solution)", cell.source):
            raise InputError(
                f"Chapter {chapter}: an exercise or a solution is not in a cell of its own with "
                f"that tag ({cell.source[:40]!r}); tag every cell of it."
            )
    about = {"chapter": chapter, "edition": "student", "sha256": _digest(edition.cells)}
    edition.metadata[_MARK] = about
    return edition


def _student_cells(cells: Iterable["NotebookNode"]) -> Iterator["NotebookNode"]:
    """Yield the cells of a student edition."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    answer, has_code = {"tags": ["answer"]}, False
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags and (found := _EXERCISE.fullmatch(cell.source)):
            text = f"### Exercise: {found[2]}\n\n{found[4].strip()}"
            yield new_markdown_cell(text, metadata={"tags": ["exercise"]})
            yield new_markdown_cell(_ANSWER, metadata=answer)
            has_code = False
        elif "solution" not in tags:
            yield cell
        elif cell.cell_type == "code" and not has_code:
            yield new_code_cell(_ANSWER_CODE, metadata=answer)
            has_code = True


def write_editions(
    directory: Path, chapters: Iterable[str] | None = None, *, keep_answers: bool = True
) -> list[Path]:
    """Write the student edition of each chapter as ``<directory>/<chapter>.ipynb``.

    Parameters
    ----------
    directory : Path
        Created if missing.
    chapters : iterable of str, optional
        Their names; by default all.
    keep_answers : bool
        Refuse to overwrite files that hold somebody's answers.

    Returns
    -------
    list of Path
        The notebooks.

    Raises
    ------
    InputError
        As `student_edition`, and if answers are kept and a file there is no student edition, or
        one with somebody's answers: nothing is written then.
    """
    import nbformat

    names = chapter_names() if chapters is None else chapters
    editions = {directory / f"{name}.ipynb": student_edition(name) for name in names}
    for path in editions:
        if keep_answers and path.exists() and not _is_unchanged_edition(path):
            raise InputError(
                f"{path} is no student edition as this command writes it, or holds answers; move "
                "it away, or name another directory with --out."
            )
    for path, edition in editions.items():
        with replacing(path) as partial:
            nbformat.write(edition, partial)
    return list(editions)


def _is_unchanged_edition(path: Path) -> bool:
    """Tell whether a file is a student edition in which nobody has changed a cell."""
    try:
        found = json.loads(path.read_text())
        return found["metadata"][_MARK]["sha256"] == _digest(found["cells"])
    except (ValueError, KeyError, TypeError):  # no JSON, or no notebook of this kind
        return False


def _digest(cells: Iterable[Mapping[str, Any]]) -> str:
    """Return the hash of what cells say; executing them leaves it as it is."""
    # On disk a source is a list of lines.
    said = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return sha256(json.dumps(said).encode()).hexdigest()
