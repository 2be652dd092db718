"""Chapters executed in this process, cell by cell, and what they leave.

No kernel, no papermill, no picture files: a chapter on a few proteins takes a second or two.
"""

import io
import json
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode

from plm_geometry.base import paths
from plm_geometry.book import parameters, report
from plm_geometry.proteins.fasta import Proteins
from small_proteins import write_fasta


@dataclass
class Ran:
    """What a chapter has left.

    Attributes
    ----------
    directory : Path
        Tables and ``summary.json``.
    cells : list of (NotebookNode, list)
        Each code cell with what it displayed.
    figures : dict of str to Figure
    """

    directory: Path
    cells: list[tuple[NotebookNode, list[object]]] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)

    @cached_property
    def shown(self) -> str:
        """All that was displayed, as text."""
        every = (output for _, shown in self.cells for output in shown)
        return "\n".join(map(_text, every))

    @cached_property
    def numbers(self) -> dict[str, object]:
        return json.loads((self.directory / "summary.json").read_text())["numbers"]

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.directory / "tables" / f"{name}.csv")


def proteins_file(path: Path, sequences: list[str]) -> Path:
    names = tuple(f"P{i:03}" for i in range(len(sequences)))
    write_fasta(Proteins(names, tuple(sequences), "made"), path)
    return path


def run_cells(chapter: str | NotebookNode, directory: Path, **given: object) -> Ran:
    """Execute a chapter's code cells, solutions too, with parameters as papermill injects them.

    A warning is an error, and so is whatever is printed: the book's pages have no place for it.
    """
    notebook = parameters.read_notebook(chapter) if isinstance(chapter, str) else chapter
    if "models" in given and any("minis: list" in cell.source for cell in notebook.cells):
        given = {"minis": []} | given
    ran, names, printed = Ran(directory), {}, io.StringIO()

    def display(output):
        ran.cells[-1][1].append(output)

    def figure(_, drawn, name, alt=""):
        drawn.draw_without_rendering()
        ran.figures[name] = drawn
        display(drawn)

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        for harmless in (DeprecationWarning, ResourceWarning):  # which nobody is shown
            warnings.simplefilter("ignore", harmless)
        patch.setenv(report.OUT_VARIABLE, str(directory))
        patch.setattr(paths, "CACHE", directory / "cache")
        patch.setattr(report, "display", display)
        patch.setattr("myst_nb.glue", lambda *_, **__: None)
        patch.setattr(report.Report, "figure", figure)
        with redirect_stdout(printed), redirect_stderr(printed):
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    ran.cells.append((cell, []))
                    exec(compile(cell.source, f"<{cell.source[:30]}>", "exec"), names)
                if "parameters" in cell.metadata.get("tags", []):
                    assert set(given) <= set(names), "papermill would warn of unknown parameters"
                    names |= given
    assert printed.getvalue() == ""
    return ran


def _text(output: object) -> str:
    return getattr(output, "data", None) or repr(output)


def texts(figure: Figure) -> list[str]:
    """Return what stands in a figure's panels beside titles and labels."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]
