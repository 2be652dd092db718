"""`plm-geometry embed`: proteins and a model to vectors."""

from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.cli.options import Cluster, Fasta, read_proteins
from plm_geometry.cli.terminal import say


def embed(
    model: Annotated[str, typer.Argument(help="Key (see `models`), directory or hub id.")],
    proteins: Fasta,
    out: Annotated[
        Path, typer.Option(help="FILE.h5 (UniProt's layout), or a directory for a store.")
    ],
    layers: Annotated[str, typer.Option(help="last, all, or numbers such as 0,6,-1.")] = "last",
    residues: Annotated[
        Path | None,
        typer.Option(help="Also write every residue's vector, to this .h5.", show_default=False),
    ] = None,
    max_residues: Annotated[
        int | None,
        typer.Option(min=1, help="Cut longer proteins there; off by default.", show_default=False),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto (every GPU, else cpu), cpu, cuda:0,cuda:1, ...")
    ] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, bf16 or fp16.")] = "fp32",
    pooling: Annotated[
        str,
        typer.Option(
            help="mean, mean_with_special, first or max over a protein's residues; final."
        ),
    ] = "mean",
    residues_per_batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Padded residues that run together [default: what is fastest here].",
            show_default=False,
        ),
    ] = None,
    padded_length: Annotated[
        str,
        typer.Option(
            help="Of ProteinBERT: none, power of two, or the number of positions (512, 1024)."
        ),
    ] = "none",
    cluster: Cluster = None,
) -> None:
    """Embed proteins with a model, into HDF5 or a store.

    One vector a protein, and the moments of all residues.
    Proteins longer than the model takes are counted, named and left out. A run that was stopped
    goes on where it was when the same command is given again.
    """
    from plm_geometry.cli.jobs import EmbedJob

    job = EmbedJob(model, out, layers, residues, max_residues, device, precision, pooling,
                   residues_per_batch, padded_length, cluster)  # fmt: skip
    job.run(read_proteins(proteins), tell=say)
    for word, named in (("cut", job.cut), ("left out", job.left_out)):
        if named:
            say(f"{word}: {len(named):,} proteins")
        for accession, why in named.items():
            say(f"{word}: {accession} ({why})")
    typer.echo(out)
    if job.ran_out_of_memory:
        raise typer.Exit(1)
