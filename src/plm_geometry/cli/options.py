"""Arguments that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plm_geometry.cli.terminal import say

if TYPE_CHECKING:
    from plm_geometry.proteins.fasta import Proteins

Fasta = Annotated[
    Path,
    typer.Argument(
        help="FASTA file, plain or compressed; or bacterium, swissprot.", show_default=False
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Dask scheduler, tcp://HOST:PORT, or local to start one here [default: none].",
        show_default=False,
    ),
]


def read_proteins(fasta: Path) -> "Proteins":
    """Read proteins, saying what was normalised."""
    from plm_geometry.proteins import datasets

    proteins = datasets.read_proteins(str(fasta))
    for what, count in proteins.notes.items():
        say(f"note: {fasta.name}: {what}, {count:,} times")
    return proteins
