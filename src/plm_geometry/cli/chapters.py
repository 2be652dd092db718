"""`plm-geometry run` and `book`: chapters executed, and the book built from them."""

from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.base import paths
from plm_geometry.cli.terminal import read_overrides, say


def run(
    chapter: Annotated[str, typer.Argument(help="Chapter, e.g. 03_correlation.")],
    profile: Annotated[
        str, typer.Option(help="offline, laptop, paper, or a YAML file of parameters.")
    ] = "offline",
    parameter: Annotated[
        list[str],
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME VALUE",
            help="Override a parameter of the chapter; may be repeated. Lists: a,b,c.",
            show_default=False,
        ),
    ] = [],  # noqa: B006  (typer copies it)
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where a run with overrides goes [default: runs/CHAPTER-HASH].",
            show_default=False,
        ),
    ] = None,
    parameters: Annotated[
        bool, typer.Option("--parameters", help="List the chapter's parameters and stop.")
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
            typer.echo(f"{name}: {declared.type_name} = {declared.default!r}  # {declared.help}")
        return
    if paths.WORK != paths.ROOT:
        say(f"note: caches and runs go to {paths.WORK}")
    where = run_chapter(chapter, profile, read_overrides(parameter), out=out, tell=say)
    typer.echo(where)


def book(
    profile: Annotated[
        str, typer.Option(help="Profile whose chapters the book shows.")
    ] = "offline",
) -> None:
    """Execute what has changed and build the HTML book."""
    from plm_geometry.book import chapters

    typer.echo(chapters.build_book(profile, tell=say))
