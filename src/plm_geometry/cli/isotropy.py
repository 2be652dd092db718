"""`plm-geometry isotropy`: the measures of a file of vectors."""

import json
import math
from collections.abc import Mapping
from enum import StrEnum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing
from plm_geometry.cli.options import read_proteins
from plm_geometry.cli.terminal import aligned, say

if TYPE_CHECKING:
    from plm_geometry.embedding.file_isotropy import FileIsotropy


class Per(StrEnum):
    """What one vector stands for."""

    protein = auto()
    residue = auto()


_PICTURES = (".svg", ".png", ".pdf")


def isotropy(
    file: Annotated[
        Path,
        typer.Argument(help=".npy, .npz, .h5, .parquet, .csv, .pt, .safetensors or a store."),
    ],
    per: Annotated[
        Per, typer.Option(help="Measure proteins, or residues: a file of one matrix per protein.")
    ] = Per.protein,
    fasta: Annotated[
        Path | None,
        typer.Option(
            help="Sequences of the proteins: residues are measured by amino acid too.",
            show_default=False,
        ),
    ] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="The file holds (dimensions, vectors).")
    ] = False,
    layer: Annotated[
        int | None,
        typer.Option(help="Layer of a store that holds several.", show_default=False),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="Array, or list column of a .parquet file, where there are several.",
            show_default=False,
        ),
    ] = None,
    blocks: Annotated[
        int,
        typer.Option(
            min=10,
            help="Blocks of vectors that the intervals' jackknife leaves out in turn; fewer "
            "where they would not fit in memory.",
        ),
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="What the draw of blocks depends on.")] = 0,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw spectrum, coordinates and intervals into this .svg, .png or .pdf.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Measure the isotropy of a file of vectors.

    IsoScore, effective dimensions (the participation ratio) and the exact mean cosine similarity,
    over all vectors of a file, each with a 95 % interval. A .npy, .h5 (UniProt's or
    bio_embeddings' layout, or a matrix) or .parquet file or a store may be larger than memory.

    Example: plm-geometry isotropy my.h5 --plot my.svg
    """
    from plm_geometry.embedding.file_isotropy import file_isotropy

    if plot is not None and plot.suffix not in _PICTURES:
        raise InputError(f"{plot} has none of the endings {', '.join(_PICTURES)}; choose one.")
    if per is Per.residue or fasta is not None:
        _measure_residues(file, fasta, seed, as_json=as_json)
        return
    found = file_isotropy(
        file,
        key=key if layer is None else str(layer),
        transpose=transpose,
        n_blocks=blocks,
        seed=seed,
    )
    for sentence in found.warnings:
        say(f"warning: {sentence}")
    if plot is not None:
        _draw(found, file.name, plot)
    if as_json:
        typer.echo(json.dumps(found.row | {"warnings": found.warnings} | _provenance(file)))
    else:
        typer.echo(_table(found.row))


def _measure_residues(file: Path, fasta: Path | None, seed: int, *, as_json: bool) -> None:
    """Print local isotropy: over all residues, and by amino acid where sequences are given."""
    import pandas as pd

    from plm_geometry.embedding.file_isotropy import residue_isotropy

    proteins = None if fasta is None else read_proteins(fasta)
    rows, average = residue_isotropy(file, proteins, seed=seed, tell=say)
    rows = pd.DataFrame(rows)
    if as_json:
        rows = json.loads(rows.to_json(orient="records", double_precision=15))  # None for NaN
        average = json.loads(pd.Series(average).to_json(double_precision=15))
        typer.echo(json.dumps({"residues": rows, "average": average} | _provenance(file)))
        return
    columns = {
        "": rows["residue"],
        "residues": [f"{n:,}" for n in rows["n"]],
        "effective dimensions": [_number(k, 4) for k in rows["effective_dimensions"]],
        "95 % interval": [_span(*ends) for ends in zip(
            rows["effective_dimensions_low"], rows["effective_dimensions_high"], strict=True)],
        "IsoScore": [_number(score, 4) for score in rows["isoscore"]],
        "mean cosine similarity": [_number(c, 4) for c in rows["mean_cosine_similarity"]],
    }  # fmt: skip
    typer.echo(aligned({name: list(column) for name, column in columns.items()}))
    if proteins is not None:
        mean, low, high = (average[f"average_dimensions{e}"] for e in ("", "_low", "_high"))
        typer.echo(f"\nMean over amino acids: {_number(mean, 4)} dimensions"
                   f" (95 % interval: {_span(low, high)})")  # fmt: skip


def _draw(found: "FileIsotropy", title: str, path: Path) -> None:
    """Write the figure of a file of vectors."""
    import matplotlib

    from plm_geometry.figures.style import STYLE
    from plm_geometry.figures.vectors import vector_file
    from plm_geometry.isotropy.spectrum import coordinate_shares, eigenvalues

    coordinates = coordinate_shares(found.cloud)
    figure = vector_file(found.row, eigenvalues(found.cloud), coordinates, title)
    with replacing(path) as partial, matplotlib.rc_context(STYLE):
        figure.savefig(partial, format=path.suffix.removeprefix("."), dpi=150)


def _provenance(file: Path) -> dict[str, Any]:
    """Return what `plm-geometry verdict --add` must know of the file and of this run."""
    from plm_geometry.base import provenance

    return {
        "file": file.name,
        "model_name": provenance.model_name(file),
        "sha256": provenance.sha256_of(file),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }


def _table(row: Mapping[str, Any]) -> str:
    """Return what a person wants to see of the `row`."""
    names = ["isoscore", "effective_dimensions", "mean_cosine_similarity"]
    columns = {
        "": ["IsoScore", "effective dimensions", "mean cosine similarity"],
        "value": [_number(row[name], 6) for name in names],
        "corrected": [_number(row.get(f"{name}_corrected"), 4) for name in names[:2]] + [""],
        "95 % interval": [_span(row[f"{name}_low"], row[f"{name}_high"]) for name in names],
        "meaning": [
            "0: all on one line; 1: the same variance in all directions",
            f"participation ratio, 1 to {row['d']:,}; rounded up as in print: "
            f"{row['printed_dimensions']:,}",
            "over all pairs of different vectors",
        ],
    }
    lines = [f"{row['n']:,} vectors of {row['d']:,} dimensions", "", aligned(columns)]
    if row["blocks"]:
        lines += [
            "",
            "Corrected for the bias of few vectors, and the interval of the corrected value, by",
            f"leaving out in turn {row['blocks']} blocks of vectors drawn with seed {row['seed']}.",
        ]
    return "\n".join(lines)


def _is_missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _number(value: float | None, digits: int) -> str:
    return "-" if _is_missing(value) else f"{value:.{digits}g}"


def _span(low: float | None, high: float | None) -> str:
    return "-" if _is_missing(low) else f"{_number(low, 4)} to {_number(high, 4)}"
