"""The verb `retrieval`: whether the nearest vectors in a file are those of relatives."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option, echo

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import as_json
from plm_geometry.cli.options import AsJson, open_vectors, read_proteins
from plm_geometry.cli.terminal import aligned, interval, number, say

if TYPE_CHECKING:
    import numpy as np

    from plm_geometry.embedding.files import EmbeddingFile

_FILE = "One vector per protein: .npy, .npz, .h5, .parquet, .csv, .pt, .safetensors or a store."
_FAMILIES = "Table with columns accession and family; or bacterium."
_REMOTE = "Table with columns accession_a and accession_b: relatives that are looked for apart."
_FASTA = "Sequences: strangers alike in composition and length are looked among apart."
_SAID = {
    "all": "all relatives",
    "matched": "among like strangers",
    "direct": "direct relatives",
    "remote": "remote relatives",
}


def retrieval(
    file: Annotated[Path, Argument(help=_FILE)],
    families: Annotated[str, Option(help=_FAMILIES)],
    metric: Annotated[Literal["cosine", "euclidean"], Option(help="What is near.")] = "cosine",
    remote: Annotated[str | None, Option(help=_REMOTE)] = None,
    fasta: Annotated[Path | None, Option(help=_FASTA)] = None,
    json: AsJson = False,
) -> None:
    """Retrieve relatives by the vectors of a file.

    How often the nearest vector is that of a relative (top-1), and mean average precision, as means
    over families with 95 % intervals that leave out families.

    Example: plm-geometry retrieval my.h5 --families my_families.tsv
    """
    from plm_geometry.base.provenance import sha256_of

    found = open_vectors(file)
    accessions, family = _read_families(found, families)
    vectors, masks = found.vectors(accessions), {"all": {}}
    if fasta is not None:
        masks["matched"] = {"candidates": _matched(fasta, accessions, family)}
    if remote is not None:
        masks |= _remote(remote, accessions)
    rows = [{"relatives": kind} | _row(vectors, family, metric, masks[kind]) for kind in masks]
    about = {"file": file.name, "sha256": sha256_of(file), "metric": metric, "n": len(vectors)}
    echo(as_json(about | {"rows": rows}) if json else _text(rows, len(vectors)))


def _read_families(found: "EmbeddingFile", table: str) -> tuple[list[str], list[str]]:
    """Return the proteins of a file and the family of each, refusing where none has a relative."""
    from plm_geometry.proteins.families import read_families
    from plm_geometry.proteins.fasta import Proteins

    if table == "phmmer":
        raise InputError(
            "phmmer needs sequences; run plm-geometry families FASTA --out DIR and give "
            "DIR/families.tsv."
        )
    accessions = found.accessions
    proteins = Proteins(tuple(accessions), ("",) * len(accessions), found.path.name)
    family = [read_families(table, proteins)[accession] for accession in accessions]
    if len(set(family)) == len(family):
        raise InputError(
            f"no two of the {len(family):,} proteins of {found.path.name} are of one family, so "
            "there is nothing to retrieve; give a table with larger families."
        )
    return accessions, family


def _matched(fasta: Path, accessions: Sequence[str], family: Sequence[str]) -> "np.ndarray":
    """Return the candidates that are alike in composition and length."""
    from plm_geometry.association import matched_candidates

    proteins = read_proteins(fasta)
    place = {accession: i for i, accession in enumerate(proteins.accessions)}
    if missing := [accession for accession in accessions if accession not in place]:
        raise InputError(
            f"{fasta.name} lacks {len(missing):,} of {len(accessions):,} proteins, first "
            f"{missing[0]}; give the sequences of all."
        )
    some = proteins.select([place[accession] for accession in accessions])
    return matched_candidates(some.lengths, some.composition, family)


def _remote(table: str, accessions: Sequence[str]) -> dict[str, dict[str, "np.ndarray"]]:
    """Return what counts as direct, and as remote; say where the table knows no pair of these."""
    from plm_geometry.proteins.families import read_remote

    found = read_remote(table, accessions)
    if not found.any():
        say(f"note: {table} names no pair of these proteins, so that none is remote.")
    return {"direct": {"relevant": ~found}, "remote": {"relevant": found}}


def _row(
    vectors: "np.ndarray", family: Sequence[str], metric: str, masks: Mapping[str, "np.ndarray"]
) -> dict[str, Any]:
    """Return counts, and both measures with their intervals, None where undefined."""
    from plm_geometry.association import averages, retrieve

    found = retrieve(vectors, family, metric=metric, **masks)
    return {"queries": len(found), "families": found["family"].nunique()} | averages(found)


def _text(rows: Sequence[Mapping[str, Any]], n: int) -> str:
    """Return what a person wants to see."""
    columns = {
        "": [_SAID[row["relatives"]] for row in rows],
        "queries": [f"{row['queries']:,}" for row in rows],
        "families": [f"{row['families']:,}" for row in rows],
        "top-1": [number(row["top_1"], ".3f") for row in rows],
        "95 % interval": [interval(row, "top_1", ".3f") for row in rows],
        "average precision": [number(row["average_precision"], ".3f") for row in rows],
        "95 % interval ": [interval(row, "average_precision", ".3f") for row in rows],
    }
    end = "Means over families; intervals leave out families, and there is none of fewer than ten."
    return "\n\n".join([f"{n:,} proteins", aligned(columns), end])
