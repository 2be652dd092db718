"""`plm-geometry families`: families and remote homologues of proteins, by phmmer."""

from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.cli.options import Fasta, read_proteins
from plm_geometry.cli.terminal import say


def families(
    proteins: Fasta,
    out: Annotated[Path, typer.Option(help="Directory for the tables.", show_default=False)],
) -> None:
    """Find families and remote homologues, by phmmer of all against all.

    Writes families.tsv (which chapters take by -p families FILE), remote_pairs.tsv and
    families.json, with thresholds and counts. A run that was stopped goes on where it was.
    """
    from plm_geometry.proteins.families import write_families

    for name, value in write_families(read_proteins(proteins), out, tell=say).items():
        say(f"{name.replace('_', ' ')}: {value}")
    typer.echo(out / "families.tsv")
