"""The verb `isotropy`: the measures of a file of vectors, as a table, JSON or a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option, echo

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import as_json, replacing
from plm_geometry.cli.options import AsJson, read_proteins
from plm_geometry.cli.terminal import aligned, interval, number, say

if TYPE_CHECKING:
    from plm_geometry.embedding.file_isotropy import FileIsotropy

_PICTURES = (".svg", ".png", ".pdf")
_FILE = ".npy, .npz, .h5, .parquet, .csv, .pt, .safetensors or a store."
_PER = "Measure proteins, or residues: a file of one matrix per protein."
_KEY = "Array, or list column of a .parquet file, where there are several."
_BLOCKS = (
    "Blocks of vectors that the intervals' jackknife leaves out in turn; fewer where they would "
    "not fit in memory."
)
_Fasta = Annotated[
    Path | None,
    Option(help="Sequences of the proteins: residues are measured by amino acid too."),
]
_Plot = Annotated[
    Path | None,
    Option(help="Draw spectrum, coordinates and intervals into this .svg, .png or .pdf."),
]
_Transpose = Annotated[bool, Option("--transpose", help="The file holds (dimensions, vectors).")]


def isotropy(
    file: Annotated[Path, Argument(help=_FILE)],
    per: Annotated[Literal["protein", "residue"], Option(help=_PER)] = "protein",
    fasta: _Fasta = None,
    transpose: _Transpose = False,
    layer: Annotated[int | None, Option(help="Layer of a store that holds several.")] = None,
    key: Annotated[str | None, Option(help=_KEY)] = None,
    blocks: Annotated[int, Option(min=10, help=_BLOCKS)] = 20,
    seed: Annotated[int, Option(min=0, help="What the draw of blocks depends on.")] = 0,
    plot: _Plot = None,
    json: AsJson = False,
) -> None:
    """Measure the isotropy of a file of vectors.

    IsoScore, effective dimensions (the participation ratio) and the exact mean cosine similarity,
    over all vectors of a file, each with a 95 % interval. A .npy, .h5 (UniProt's or
    bio_embeddings' layout, or a matrix) or .parquet file or a store may be larger than memory.

    Example: plm-geometry isotropy my.h5 --plot my.svg
    """
    from plm_geometry.embedding.file_isotropy import file_isotropy, residue_isotropy

    if plot is not None and plot.suffix not in _PICTURES:
        raise InputError(f"{plot} has none of the endings {', '.join(_PICTURES)}; choose one.")
    if per == "residue" or fasta is not None:
        proteins = None if fasta is None else read_proteins(fasta)
        rows, average = residue_isotropy(file, proteins, seed=seed, tell=say)
        content = {"residues": rows, "average": average}
        text = _residue_table(rows, average)
    else:
        key = key if layer is None else str(layer)
        found = file_isotropy(file, key=key, transpose=transpose, n_blocks=blocks, seed=seed)
        for sentence in found.warnings:
            say(f"warning: {sentence}")
        if plot is not None:
            _draw(found, file.name, plot)
        content, text = found.row | {"warnings": found.warnings}, _table(found.row)
    echo(as_json(content | _provenance(file)) if json else text)


def _draw(found: "FileIsotropy", title: str, path: Path) -> None:
    """Write the figure of a file of vectors."""
    import matplotlib

    from plm_geometry.figures.spectra import vector_file
    from plm_geometry.figures.style import STYLE
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
        "model_name": provenance.said_by(file),
        "sha256": provenance.sha256_of(file),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }


def _table(row: Mapping[str, Any]) -> str:
    """Return what a person wants to see of a file's measures."""
    names = ["isoscore", "effective_dimensions", "mean_cosine_similarity"]
    columns = {
        "": ["IsoScore", "effective dimensions", "mean cosine similarity"],
        "value": [number(row[name], ".6g") for name in names],
        "corrected": [number(row.get(f"{name}_corrected")) for name in names[:2]] + [""],
        "95 % interval": [interval(row, name) for name in names],
        "meaning": [
            "0: all on one line; 1: the same variance in all directions",
            f"participation ratio, 1 to {row['d']:,}; rounded up as in print: "
            f"{row['printed_dimensions']:,}",
            "over all pairs of different vectors",
        ],
    }
    lines = [f"{row['n']:,} vectors of {row['d']:,} dimensions", aligned(columns)]
    if row["blocks"]:
        lines.append(
            "Values corrected for the bias of few vectors, and intervals, leave out in turn "
            f"{row['blocks']} blocks of vectors drawn with seed {row['seed']}."
        )
    return "\n\n".join(lines)


def _residue_table(rows: Sequence[Mapping[str, Any]], average: Mapping[str, float]) -> str:
    """Return the measures of all residues, and by amino acid where the sequences are known."""
    columns = {
        "": [row["residue"] for row in rows],
        "residues": [f"{row['n']:,}" for row in rows],
        "effective dimensions": [number(row["effective_dimensions"]) for row in rows],
        "95 % interval": [interval(row, "effective_dimensions") for row in rows],
        "IsoScore": [number(row["isoscore"]) for row in rows],
        "mean cosine similarity": [number(row["mean_cosine_similarity"]) for row in rows],
    }
    if len(rows) == 1:
        return aligned(columns)
    mean = number(average["average_dimensions"])
    ends = interval(average, "average_dimensions")
    return f"{aligned(columns)}\n\nMean over amino acids: {mean} dimensions (95 % interval: {ends})"
