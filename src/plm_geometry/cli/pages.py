"""`plm-geometry pdf`: the built book as one file."""

from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.terminal import say


def pdf(
    out: Annotated[
        Path | None,
        typer.Option(help="The PDF [default: _build/plm-geometry.pdf].", show_default=False),
    ] = None,
) -> None:
    """Print the built book into one PDF; it takes Chromium, and `make book` first."""
    from plm_geometry import paths
    from plm_geometry.pdf import write_pdf

    out = out or paths.SITE.parent / "plm-geometry.pdf"
    write_pdf(out, tell=say)
    typer.echo(out)
