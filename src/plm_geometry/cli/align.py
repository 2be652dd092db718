"""The verb `align`: pairs of proteins to a Parquet table of alignments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option, echo

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone
from plm_geometry.cli.options import Cluster, Fasta, read_proteins
from plm_geometry.cli.terminal import say

if TYPE_CHECKING:
    import numpy as np

_USUAL_PAIRS = 10_000
# Indices of so many pairs, and the columns of their alignments, take some tens of GB.
_MOST_PAIRS = 500_000_000

_NPairs = Annotated[
    int | None,
    Option("--pairs", min=1, help="Pairs to draw at random, without replacement [default: 10000]."),
]
_PairsFrom = Annotated[
    Path | None,
    Option(help="Table of the pairs: columns accession_a and accession_b (.tsv, .csv, .parquet)."),
]
_Stratified = Annotated[
    bool,
    Option(
        "--stratified",
        help="Draw half of --pairs among similar ones, and write for how many pairs each stands "
        "(weight).",
    ),
]
_DENOMINATOR = "Of the sequence identity: alignment_length, aligned_columns or shorter."
_TIES = "max: most identities of all optimal alignments; or engine: any one."


def align(
    proteins: Fasta,
    out: Annotated[Path, Option(help="Parquet file for the pairs.")],
    n_pairs: _NPairs = None,
    every: Annotated[bool, Option("--all-pairs", help="Align all pairs there are.")] = False,
    pairs_from: _PairsFrom = None,
    stratified: _Stratified = False,
    seed: Annotated[int, Option(min=0, help="What the draw depends on.")] = 1,
    matrix: Annotated[str, Option(help="Amino-acid matrix of Biopython.")] = "PAM250",
    gap_open: Annotated[float, Option(help="Cost of a gap's first residue.")] = 11,
    gap_extend: Annotated[float, Option(help="Cost of each further residue.")] = 1,
    mode: Annotated[str, Option(help="global, semiglobal or local.")] = "global",
    denominator: Annotated[str, Option(help=_DENOMINATOR)] = "alignment_length",
    engine: Annotated[str, Option(help="parasail, or biopython as a reference.")] = "parasail",
    ties: Annotated[str, Option(help=_TIES)] = "max",
    workers: Annotated[int | None, Option(min=1, help="Threads [default: all cores].")] = None,
    cluster: Cluster = None,
) -> None:
    """Align pairs of proteins, into Parquet.

    One row per pair: accessions, alignment score, identities, alignment length, sequence identity.
    Settings and seed are kept in the file. The same command resumes a run that was stopped.
    Chapters take the file by -p pairs_file FILE.

    Example: plm-geometry align my.fasta.gz --pairs 100000 --out pairs.parquet
    """
    from plm_geometry import pairs

    if (n_pairs is not None) + every + (pairs_from is not None) > 1:
        raise InputError("pairs are chosen twice; give one of --pairs, --all-pairs, --pairs-from.")
    if stratified and (every or pairs_from):
        raise InputError("--stratified is a way to draw pairs; it goes with --pairs alone.")
    settings = pairs.AlignmentSettings(
        matrix, gap_open, gap_extend, mode, denominator, engine, ties
    )
    found, columns = read_proteins(proteins), {}
    if pairs_from is not None:
        first, second = pairs.read_pairs(pairs_from, found.accessions)
    elif every:
        first, second = _all_pairs(len(found))
    elif stratified:
        drawn = pairs.draw_stratified(found.sequences, n_pairs or _USUAL_PAIRS, seed=seed)
        first, second, columns = drawn.first, drawn.second, {"weight": drawn.weight}
    else:
        first, second = pairs.draw_pairs(len(found), n_pairs or _USUAL_PAIRS, seed=seed)
    options = {"columns": columns, "note": {"seed": seed}, "workers": workers, "cluster": cluster}
    with alone(out, say):
        pairs.align_to_parquet(found, first, second, settings, out, **options)
    echo(out)


def _all_pairs(n: int) -> tuple["np.ndarray", "np.ndarray"]:
    """Return all pairs of `n` proteins, refusing more than fit into memory."""
    from plm_geometry import pairs

    if (n_pairs := pairs.count_pairs(n)) > _MOST_PAIRS:
        raise InputError(
            f"{n:,} proteins make {n_pairs:,} pairs, more than fit into memory "
            f"({_MOST_PAIRS:,}); draw some with --pairs."
        )
    return pairs.all_pairs(n)
