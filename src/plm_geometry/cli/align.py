"""`plm-geometry align`: pairs of proteins to a Parquet table of alignments."""

from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.cli.options import Cluster, Fasta, read_proteins
from plm_geometry.cli.terminal import say


def align(
    proteins: Fasta,
    out: Annotated[Path, typer.Option(help="Parquet file for the pairs.")],
    n_pairs: Annotated[
        int | None,
        typer.Option(
            "--pairs",
            min=1,
            help="Pairs to draw at random, without replacement [default: 10000].",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all-pairs", help="Align all pairs there are.")] = False,
    pairs_from: Annotated[
        Path | None,
        typer.Option(
            help="Align these: a table with columns accession_a and accession_b (.tsv, .csv, "
            ".parquet).",
            show_default=False,
        ),
    ] = None,
    stratified: Annotated[
        bool,
        typer.Option(
            "--stratified",
            help="Draw half of --pairs among similar ones, and write for how many pairs each "
            "stands (weight).",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="What the draw depends on.")] = 1,
    matrix: Annotated[str, typer.Option(help="Amino-acid matrix of Biopython.")] = "PAM250",
    gap_open: Annotated[float, typer.Option(help="Cost of a gap's first residue.")] = 11,
    gap_extend: Annotated[float, typer.Option(help="Cost of each further residue.")] = 1,
    mode: Annotated[str, typer.Option(help="global, semiglobal or local.")] = "global",
    denominator: Annotated[
        str,
        typer.Option(
            help="Of the sequence identity: alignment_length, aligned_columns or shorter."
        ),
    ] = "alignment_length",
    engine: Annotated[
        str, typer.Option(help="parasail, or biopython as a reference.")
    ] = "parasail",
    ties: Annotated[
        str,
        typer.Option(help="max: most identities of all optimal alignments; or engine: any one."),
    ] = "max",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads [default: all cores].", show_default=False)
    ] = None,
    cluster: Cluster = None,
) -> None:
    """Align pairs of proteins, into Parquet.

    One row a pair: accessions, alignment score, identities, alignment length, sequence identity.
    Settings and seed are kept in the file. A run that was stopped goes on where it was when the
    same command is given again. Chapters take the file by -p pairs_file FILE.

    Example: plm-geometry align my.fasta.gz --pairs 100000 --out pairs.parquet
    """
    from plm_geometry.cli import jobs
    from plm_geometry.pairs import AlignmentSettings

    settings = AlignmentSettings(matrix, gap_open, gap_extend, mode, denominator, engine, ties)
    choice = jobs.PairChoice(n_pairs, every, pairs_from, stratified, seed)
    jobs.align_file(read_proteins(proteins), out, choice, settings, workers, cluster, tell=say)
    typer.echo(out)
