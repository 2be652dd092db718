"""Chapters executed in this process, cell by cell, and what they leave.

No kernel, no papermill, no picture files: a chapter on a few proteins takes a second or two.
"""

import json
import warnings
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from matplotlib.figure import Figure

from plm_geometry import parameters, paths, report
from plm_geometry.proteins import Proteins, write_fasta


class Ran(NamedTuple):
    """What a chapter has left: where, what it displayed as text, its figures and numbers."""

    directory: Path
    shown: str
    figures: dict[str, Figure]
    numbers: dict[str, object]


def proteins_file(path: Path, sequences: list[str]) -> Path:
    names = tuple(f"P{i:03}" for i in range(len(sequences)))
    write_fasta(Proteins(names, tuple(sequences), "made"), path)
    return path


def run_cells(chapter: str, directory: Path, **given: object) -> Ran:
    """Execute a chapter's code cells, solutions too, with parameters as papermill injects them.

    A warning is an error: the book's pages have no place for it.
    """
    shown, drawn = [], {}

    def figure(self, figure, name):
        figure.draw_without_rendering()
        drawn[name] = figure

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        patch.setenv(report.OUT_VARIABLE, str(directory))
        patch.setattr(paths, "CACHE", directory / "cache")
        patch.setattr(report, "display", shown.append)
        patch.setattr("myst_nb.glue", lambda *_, **__: None)
        patch.setattr(report.Report, "figure", figure)
        patch.setattr(report.Report, "interactive", lambda *_, **__: None)
        _execute(parameters.read_notebook(chapter), given)
    summary = json.loads((directory / "summary.json").read_text())
    return Ran(directory, "\n".join(map(_text, shown)), drawn, summary["numbers"])


def _execute(notebook: nbformat.NotebookNode, given: dict[str, object]) -> None:
    names: dict[str, object] = {}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"<cell {number}>", "exec"), names)
        if "parameters" in cell.metadata.get("tags", []):
            assert set(given) <= set(names), "papermill would warn of unknown parameters"
            names |= given


def _text(shown: object) -> str:
    return getattr(shown, "data", None) or repr(shown)


def texts(figure: Figure) -> list[str]:
    """Return what stands in a figure's panels beside titles and labels."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]
