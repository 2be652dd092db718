"""Student editions: chapters as notebooks whose exercises have room for answers, and no solutions.

An exercise is a directive of sphinx-exercise. Its solution is either one directive, or *gated*:
all text and code cells between ``solution-start`` and ``solution-end``. CONTRIBUTING.md says how
one is written.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing
from plm_geometry.book.parameters import chapter_names, read_notebook

if TYPE_CHECKING:
    from markdown_it.token import Token
    from nbformat import NotebookNode

_DIRECTIVE = re.compile(r"\{(exercise|solution|solution-start|solution-end)\}\s*(.*)")
_OPTIONS = re.compile(r"\A(?::[\w-]+:.*\n?)+")
_SOLUTION = "solution"  # a cell with this tag never reaches a student
_MARK = "plm_geometry"  # where an edition's metadata say what it is
_ANSWER = "**Your answer**"
_ANSWER_CODE = "# Your answer"


class _Piece(NamedTuple):
    """A cell, or a part of a Markdown cell: a directive of an exercise, or what stands between."""

    kind: str  # of a directive its name, else the type of the cell
    title: str  # what stands behind the directive's name
    text: str
    cell: "NotebookNode"


def student_edition(chapter: str) -> "NotebookNode":
    """Return a chapter whose solutions have made room for empty answers.

    Exercises become headings with their text, for Jupyter does not know the directive. Every
    solution becomes a cell for an answer in words and, where it has code, one for code. All other
    cells are the chapter's, with their metadata; nothing is executed.

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
        If there is no such chapter, or a solution begins and does not end.
    """
    from nbformat.v4 import new_notebook

    original = read_notebook(chapter)
    pieces = [piece for cell in original.cells for piece in _pieces(cell)]
    _check_gates(chapter, [piece.kind for piece in pieces])
    # Paired, Jupyter would write a text beside it.
    metadata = {key: value for key, value in original.metadata.items() if key != "jupytext"}
    edition = new_notebook(cells=list(_student_cells(pieces)), metadata=metadata)
    for number, cell in enumerate(edition.cells):
        cell.id = f"cell-{number}"
    edition.metadata[_MARK] = {
        "chapter": chapter,
        "edition": "student",
        "sha256": _digest(edition.cells),
    }
    return edition


def write_editions(
    directory: Path, chapters: Iterable[str] | None = None, *, keep_answers: bool = True
) -> list[Path]:
    """Write the student edition of each chapter as ``<directory>/<chapter>.ipynb``.

    Parameters
    ----------
    directory : Path
        Made where it is not there.
    chapters : iterable of str, optional
        Their names; all where not given.
    keep_answers : bool
        Whether files that hold somebody's answers are refused, and not written over.

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


def _pieces(cell: "NotebookNode") -> Iterator[_Piece]:
    """Divide a Markdown cell at the directives of exercises and solutions; others stay whole."""
    if cell.cell_type != "markdown":
        yield _Piece(cell.cell_type, "", cell.source, cell)
        return
    lines = cell.source.splitlines()
    end = 0
    for token, kind, title in _directives(cell.source):
        yield from _text_piece(lines[end : token.map[0]], cell)
        yield _Piece(kind, title, _OPTIONS.sub("", token.content).strip("\n"), cell)
        end = token.map[1]
    yield from _text_piece(lines[end:], cell)


def _directives(text: str) -> Iterator[tuple["Token", str, str]]:
    """Yield the outermost exercises and solutions of a text, with their names and titles."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.colon_fence import colon_fence_plugin

    for token in MarkdownIt("commonmark").use(colon_fence_plugin).parse(text):
        if found := _DIRECTIVE.fullmatch(token.info.strip()):
            yield token, found[1], found[2]


def _text_piece(lines: Sequence[str], cell: "NotebookNode") -> Iterator[_Piece]:
    """Yield the text between two directives, if there is any."""
    if text := "\n".join(lines).strip("\n"):
        yield _Piece("markdown", "", text, cell)


def _check_gates(chapter: str, kinds: Iterable[str]) -> None:
    """Refuse solutions that begin without an end, or end without a beginning."""
    gates = [kind for kind in kinds if kind in ("solution-start", "solution-end")]
    if gates != ["solution-start", "solution-end"] * (len(gates) // 2):
        raise InputError(
            f"Chapter {chapter}: every solution-start needs its solution-end before the next "
            "solution; set them in pairs."
        )


def _student_cells(pieces: Iterable[_Piece]) -> Iterator["NotebookNode"]:
    """Yield the cells of a student edition."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    inside, has_code = False, False
    for piece in pieces:
        if piece.kind in ("solution", "solution-start"):
            yield new_markdown_cell(_ANSWER, metadata={"tags": ["answer"]})
            inside, has_code = piece.kind == "solution-start", False
        elif piece.kind == "solution-end":
            inside = False
        elif piece.kind == "exercise":
            text = f"### Exercise: {piece.title}\n\n{piece.text}"
            yield new_markdown_cell(text, metadata={"tags": ["exercise"]})
        elif not inside and _SOLUTION not in piece.cell.metadata.get("tags", []):
            yield _copied(piece)
        elif piece.kind == "code" and not has_code:
            yield new_code_cell(_ANSWER_CODE, metadata={"tags": ["answer"]})
            has_code = True


def _copied(piece: _Piece) -> "NotebookNode":
    """Return a cell with a piece's text and its cell's type and metadata."""
    from nbformat import v4

    new_cell = getattr(v4, f"new_{piece.cell.cell_type}_cell")
    return new_cell(piece.text, metadata=piece.cell.metadata)


def _is_unchanged_edition(path: Path) -> bool:
    """Tell whether a file is a student edition in which nobody has changed a cell."""
    try:
        found = json.loads(path.read_text())
        return found["metadata"][_MARK]["sha256"] == _digest(found["cells"])
    except (ValueError, KeyError, TypeError):  # no JSON, or no notebook of ours
        return False


def _digest(cells: Iterable[Mapping[str, Any]]) -> str:
    """Return the hash of what cells say; executing them leaves it as it is."""
    # On disk a source is a list of lines.
    said = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return sha256(json.dumps(said).encode()).hexdigest()
