"""`plm-geometry isotropy`: the measures of a file of vectors."""

import json
from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.terminal import say


def isotropy(
    file: Annotated[Path, typer.Argument(help=".npy, .h5 or .parquet, one vector a protein.")],
    transpose: Annotated[
        bool, typer.Option("--transpose", help="The file holds (dimensions, vectors).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Measure the isotropy of a file of vectors.

    IsoScore, effective dimensions (the participation ratio) and the exact mean cosine similarity,
    over all vectors of a .npy, .h5 (UniProt's or bio_embeddings' layout) or Parquet file.
    """
    from plm_geometry.vectors import file_isotropy

    row = file_isotropy(file, transpose=transpose)
    for warning in row["warnings"]:
        say(f"warning: {warning}")
    if as_json:
        typer.echo(json.dumps(row))
        return
    for name, value in row.items():
        if name != "warnings":
            typer.echo(f"{name:24} {'-' if value is None else format(value, '.6g')}")
