"""Verbs for chapters: `run`, the `book` built from them, its `pdf`, and `student` editions."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option, echo

from plm_geometry.base import paths
from plm_geometry.cli.options import Overrides, read_overrides
from plm_geometry.cli.terminal import say

_PROFILE = "offline, laptop, paper, or a YAML file of parameters."


def run(
    chapter: Annotated[str, Argument(help="Chapter, e.g. 03_correlation.")],
    profile: Annotated[str, Option(help=_PROFILE)] = "offline",
    parameter: Overrides = [],  # noqa: B006  (typer copies it)
    out: Annotated[
        Path | None,
        Option(help="Where a run with overrides goes [default: runs/CHAPTER-HASH]."),
    ] = None,
    parameters: Annotated[
        bool, Option("--parameters", help="List the chapter's parameters and stop.")
    ] = False,
) -> None:
    """Execute one chapter, on a profile or on your proteins.

    Without overrides the result goes where the book takes it from. With -p or --out it goes to a
    directory of its own: executed notebook, HTML, tables (CSV), figures (SVG, PNG), summary.json.

    Example: plm-geometry run 03_correlation -p proteins my.fasta.gz -p n_proteins 300
    """
    from plm_geometry.book.chapters import run_chapter
    from plm_geometry.book.parameters import read_parameters

    if parameters:
        for name, declared in read_parameters(chapter).items():
            echo(f"{name}: {declared.type_name} = {declared.default!r}  # {declared.help}")
        return
    if paths.WORK != paths.ROOT:
        say(f"note: caches and runs go to {paths.WORK}")
    echo(run_chapter(chapter, profile, read_overrides(parameter), out=out, tell=say))


def book(
    profile: Annotated[str, Option(help="Profile whose chapters the book shows.")] = "offline",
) -> None:
    """Execute what has changed and build the HTML book.

    Example: plm-geometry book --profile laptop
    """
    from plm_geometry.book import chapters

    echo(chapters.build_book(profile, tell=say))


def pdf(
    out: Annotated[Path | None, Option(help="The PDF [default: _build/plm-geometry.pdf].")] = None,
) -> None:
    """Print the built book into one PDF; requires Chromium, and `make book` first.

    Example: plm-geometry pdf --out report.pdf
    """
    tool = [sys.executable, paths.BOOK / "tools" / "pdf.py"]
    done = subprocess.run([*tool, *(["--out", out] if out else [])], check=False)
    if done.returncode:
        raise Exit(done.returncode)


def student(
    chapters: Annotated[
        list[str] | None, Argument(help="Chapters, e.g. 04_scatter [default: all].")
    ] = None,
    out: Annotated[Path, Option(help="Directory of the notebooks.")] = Path("student"),
) -> None:
    """Write the student edition of chapters: notebooks with empty answers for solutions.

    Nothing is executed. A notebook of that name is replaced only if it is a student edition that
    nobody has written in.

    Example: plm-geometry student 01_global_isotropy --out handout
    """
    from plm_geometry.book.student import write_editions

    for path in write_editions(out, chapters or None):
        echo(path)
