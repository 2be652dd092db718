"""All-against-all phmmer: which proteins of a set resemble which, and over how much of both."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyhmmer
from pyhmmer.easel import Alphabet, DigitalSequenceBlock, TextSequence
from tqdm import tqdm

from plm_geometry.base import paths
from plm_geometry.base.compute import available_cores, run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.proteins.fasta import Proteins

REPORTED_E_VALUE = 10.0  # HMMER's own default
# As `phmmer --nobias`: the filter against biased composition, which comes before any E-value, hides
# recombinases of the bacterium from each other that match along 90 % of both, with 1e-19.
_OPTIONS = {"E": REPORTED_E_VALUE, "bias_filter": False}
_LONGEST = 100_000  # HMMER refuses longer ones
_QUERIES_PER_BLOCK = 16  # seconds of work, which is what a stopped run loses
_TIMED = 8  # queries and, times a hundred, targets on which the forecast rests


def search_all(
    proteins: Proteins,
    *,
    tell: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """Search with each protein among all; done before, or in part, it is taken up from disk.

    Parameters
    ----------
    proteins : Proteins
    tell : callable
        Takes one line that says how long it will take, before it begins.

    Returns
    -------
    DataFrame
        One row a hit of E-value up to `REPORTED_E_VALUE` (the number of comparisons is that of
        the proteins), of a protein with itself left out: ``query`` and ``target`` (numbers of
        proteins), ``e_value`` and ``score`` (bits) of the whole sequences, ``query_coverage`` and
        ``target_coverage``, the share of each that the best domain's alignment spans.

    Raises
    ------
    InputError
        If a protein is longer than HMMER takes.
    """
    if (longest := int(proteins.lengths.max())) > _LONGEST:
        named = proteins.accessions[int(proteins.lengths.argmax())]
        raise InputError(
            f"{named} has {longest:,} residues, and phmmer takes {_LONGEST:,}; leave it out."
        )
    made_from = {
        "proteins": proteins.sha256,
        "pyhmmer": pyhmmer.__version__,
        "code": source_digest(sys.modules[__name__]),
    }
    directory = paths.CACHE / "phmmer" / fingerprint(made_from)[:16]
    # A stride through all lengths: every block is about equal work.
    n_blocks = math.ceil(len(proteins) / _QUERIES_PER_BLOCK)
    order = np.argsort(-proteins.lengths, kind="stable")
    blocks = {directory / f"{i:05d}.parquet": order[i::n_blocks] for i in range(n_blocks)}
    missing = {file: block for file, block in blocks.items() if not file.exists()}
    if missing:
        _search(proteins, missing, tell)
    return pd.concat(map(pd.read_parquet, blocks), ignore_index=True)


def _search(
    proteins: Proteins,
    blocks: dict[Path, np.ndarray],
    tell: Callable[[str], None],
) -> None:
    """Search with every block of queries, writing a file of hits for each as it is done."""
    alphabet, lengths = Alphabet.amino(), proteins.lengths
    texts = (TextSequence(name=str(i), sequence=s) for i, s in enumerate(proteins.sequences))
    targets = DigitalSequenceBlock(alphabet, [text.digitize(alphabet) for text in texts])
    residues = [int(lengths[block].sum()) for block in blocks.values()]
    cores = available_cores()
    tell(
        f"phmmer: {sum(map(len, blocks.values())):,} of {len(proteins):,} proteins against all, "
        f"about {_in_words(_seconds_per_residue(targets, lengths) * sum(residues) / cores)} on "
        f"{cores} cores"
    )
    files = list(blocks)
    with tqdm(total=sum(residues), desc="phmmer", unit=" residues", unit_scale=True,
              disable=None) as bar:  # fmt: skip
        for number, hits in run_blocks(
            lambda block: _hits(targets, block, targets), blocks.values()
        ):
            for side in ("query", "target"):
                hits[f"{side}_coverage"] = hits.pop(f"{side}_residues") / lengths[hits[side]]
            with replacing(files[number]) as partial:
                hits.to_parquet(partial)
            bar.update(residues[number])


def _hits(
    proteins: DigitalSequenceBlock, queries: np.ndarray, targets: DigitalSequenceBlock
) -> pd.DataFrame:
    """Return the hits of some of the proteins, by their numbers, and how much of both aligns."""
    rows = []
    chosen = [proteins[int(query)] for query in queries]
    for hits in pyhmmer.phmmer(chosen, targets, cpus=1, **_OPTIONS):
        for hit in hits:
            at = hit.best_domain.alignment
            aligned = at.hmm_to - at.hmm_from + 1, at.target_to - at.target_from + 1
            if hit.reported and hit.name != hits.query.name:
                rows.append((hits.query.name, hit.name, hit.evalue, hit.score, *aligned))
    names = ["query", "target", "e_value", "score", "query_residues", "target_residues"]
    return pd.DataFrame(rows, columns=names).astype({"query": int, "target": int})


def _seconds_per_residue(proteins: DigitalSequenceBlock, lengths: np.ndarray) -> float:
    """Return what a query's residue takes on one core, timed on proteins of mean length."""
    targets = proteins[:: max(1, len(proteins) // (100 * _TIMED))]
    typical = np.argsort(np.abs(lengths - lengths.mean()))[:_TIMED]
    start = time.perf_counter()
    _hits(proteins, typical, targets)
    seconds = time.perf_counter() - start
    share = sum(map(len, targets)) / lengths.sum()
    return seconds / share / lengths[typical].sum()


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{max(2, round(seconds))} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
