"""`plm-geometry pdf`: the built book as one file."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.base import paths


def pdf(
    out: Annotated[
        Path | None,
        typer.Option(help="The PDF [default: _build/plm-geometry.pdf].", show_default=False),
    ] = None,
) -> None:
    """Print the built book into one PDF; requires Chromium, and `make book` first."""
    tool = [sys.executable, paths.BOOK / "tools" / "pdf.py"]
    done = subprocess.run([*tool, *(["--out", out] if out else [])], check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
