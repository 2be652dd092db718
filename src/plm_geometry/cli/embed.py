"""The verb `embed`: proteins and a model to vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option, echo

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone
from plm_geometry.cli.options import Cluster, Fasta, is_made, read_proteins
from plm_geometry.cli.terminal import say

if TYPE_CHECKING:
    from plm_geometry.models import Embedder
    from plm_geometry.proteins.fasta import Proteins

_MaxResidues = Annotated[
    int | None, Option(min=1, help="Cut longer proteins there; off by default.")
]
_ResiduesPerBatch = Annotated[
    int | None,
    Option(min=1, help="Padded residues that run together [default: what suits the device]."),
]
_OUT = "FILE.h5 (UniProt's layout), or a directory for a store."
_POOLING = "mean, mean_with_special, first or max over a protein's residues; final."
_PADDED = "Of ProteinBERT: none, power of two, or the number of positions (512, 1024)."
_DEVICE = "auto (every GPU, else cpu), cpu, cuda:0,cuda:1, ..."


def embed(
    model: Annotated[str, Argument(help="Key (see `models`), directory or hub id.")],
    proteins: Fasta,
    out: Annotated[Path, Option(help=_OUT)],
    layers: Annotated[str, Option(help="last, all, or numbers such as 0,6,-1.")] = "last",
    residues: Annotated[
        Path | None, Option(help="Also write every residue's vector, to this .h5.")
    ] = None,
    max_residues: _MaxResidues = None,
    device: Annotated[str, Option(help=_DEVICE)] = "auto",
    precision: Annotated[str, Option(help="fp32, bf16 or fp16.")] = "fp32",
    pooling: Annotated[str, Option(help=_POOLING)] = "mean",
    residues_per_batch: _ResiduesPerBatch = None,
    padded_length: Annotated[str, Option(help=_PADDED)] = "none",
    cluster: Cluster = None,
) -> None:
    """Embed proteins with a model, into HDF5 or a store.

    One vector per protein, and the moments of all residues. Proteins longer than the model takes
    are counted, named and left out. The same command resumes a run that was stopped.

    Example: plm-geometry embed unirep_256 my.fasta.gz --out my.h5
    """
    from plm_geometry.embedding.files import load_models
    from plm_geometry.proteins.fasta import cut_to, within_limit

    found, cut = read_proteins(proteins), {}
    loaded = load_models(model, device=device, precision=precision, padded_length=padded_length)
    _refuse(model, loaded[0], out, residues)
    chosen = _read_layers(layers, loaded[0], out)
    if max_residues is not None:
        found, cut = cut_to(found, max_residues)
    found, left_out = within_limit(found, loaded[0].max_residues)
    what = {"layers": chosen, "pooling": pooling, "keep_residues": residues is not None}
    how = {"residues_per_batch": residues_per_batch, "copies": loaded[1:], "cluster": cluster}
    with alone(out, say):
        without_memory = _write(found, loaded[0], out, residues, what, how)
    _name_proteins("cut", cut)
    _name_proteins("left out", left_out | without_memory)
    echo(out)
    if without_memory:
        raise Exit(1)


def _refuse(name: str, model: "Embedder", out: Path, residues: Path | None) -> None:
    """Refuse what computes nothing, and one file for two things."""
    from plm_geometry.embedding.files import EmbeddingFile

    if residues == out:
        raise InputError(f"{out} cannot take both proteins and residues; name two files.")
    if isinstance(model, EmbeddingFile) and not model.has_residues:
        raise InputError(f"{name} holds embeddings already; name a model to compute them.")


def _read_layers(text: str, model: "Embedder", out: Path) -> tuple[int, ...]:
    """Read the layers asked for, refusing what the model or an HDF5 file does not have."""
    named = {"last": "-1", "all": ",".join(map(str, range(model.n_layers + 1)))}
    try:
        chosen = tuple(int(number) for number in named.get(text, text).split(","))
    except ValueError:
        raise InputError(
            f"layers {text!r} cannot be read; write last, all, or numbers such as 0,6,-1."
        ) from None
    if _is_h5(out) and len(chosen) > 1:
        raise InputError(
            f"{out} holds one layer, and {len(chosen)} were asked for; "
            "give a directory as output, which keeps them all."
        )
    model.layer_indices(chosen)
    return chosen


def _is_h5(out: Path) -> bool:
    from plm_geometry.embedding.formats import HDF5_SUFFIXES

    return out.suffix in HDF5_SUFFIXES


def _write(
    proteins: "Proteins",
    model: "Embedder",
    out: Path,
    residues: Path | None,
    what: dict[str, object],
    how: dict[str, object],
) -> dict[str, str]:
    """Embed into files, unless they are there; return whom there was no memory for, and why."""
    from plm_geometry.base.provenance import fingerprint
    from plm_geometry.embedding import run
    from plm_geometry.embedding.store import write_uniprot_h5

    # Until an HDF5 file is whole its work lies in a store beside it, which a next run takes up.
    directory = out.with_name(f"{out.name}.store") if _is_h5(out) else out
    mark = fingerprint(run.describe(proteins, model, **what))
    if _is_there_already(out, residues, directory, mark):
        say(f"{out} is there already, of the same proteins and model")
        return {}
    store = run.embed(proteins, model, directory, **what, **how, tell=say)
    found = run.load(store, proteins, layer=-1)
    if residues is not None:
        store.gather_residues(residues, model_name=model.name)
    if _is_h5(out):
        about = {"model_name": model.name, "fingerprint": mark}
        write_uniprot_h5(out, found.accessions, found.vectors, **about)
        if not found.left_out:
            store.remove()
    return dict(found.left_out)


def _is_there_already(out: Path, residues: Path | None, directory: Path, mark: str) -> bool:
    """Tell whether the HDF5 file is finished, and that of the residues, if it is asked for."""
    is_whole = _is_h5(out) and is_made(out, mark) and (residues is None or residues.exists())
    # A store beside it waits for proteins that there was no memory for.
    return is_whole and not directory.exists()


def _name_proteins(what: str, named: dict[str, str]) -> None:
    """Say how many proteins were cut or left out, and why each was."""
    if named:
        say(f"{what}: {len(named):,} proteins")
    for accession, why in named.items():
        say(f"{what}: {accession} ({why})")
