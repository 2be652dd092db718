"""All-against-all phmmer: which proteins of a set resemble which, and over how much of both."""

import math
import sys
import time
from collections.abc import Callable
from functools import cached_property
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
    progress: bool = True,
    tell: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """Search with each protein among all; done before, or in part, it is taken up from disk.

    Parameters
    ----------
    proteins : Proteins
    progress : bool
        Whether to show a bar on a terminal.
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
        _search(proteins, missing, progress, tell)
    return pd.concat(map(pd.read_parquet, blocks), ignore_index=True)


def _search(
    proteins: Proteins,
    blocks: dict[Path, np.ndarray],
    progress: bool,
    tell: Callable[[str], None],
) -> None:
    """Search with every block of queries, writing a file of hits for each as it is done."""
    search = _Search(proteins)
    residues = [int(proteins.lengths[block].sum()) for block in blocks.values()]
    cores = available_cores()
    tell(
        f"phmmer: {sum(map(len, blocks.values())):,} of {len(proteins):,} proteins against all, "
        f"about {_in_words(search.seconds_per_residue() * sum(residues) / cores)} on {cores} cores"
    )
    files = list(blocks)
    with tqdm(total=sum(residues), desc="phmmer", unit=" residues", unit_scale=True,
              disable=None if progress else True) as bar:  # fmt: skip
        for number, hits in run_blocks(search, blocks.values()):
            with replacing(files[number]) as partial:
                hits.to_parquet(partial)
            bar.update(residues[number])


class _Search:
    """Searches among proteins, each named by its number; called with the numbers of queries."""

    def __init__(self, proteins: Proteins):
        self._lengths = proteins.lengths
        self._sequences = proteins.sequences

    @cached_property
    def _targets(self) -> DigitalSequenceBlock:
        alphabet = Alphabet.amino()
        return DigitalSequenceBlock(alphabet, [
            TextSequence(name=str(number), sequence=sequence).digitize(alphabet)
            for number, sequence in enumerate(self._sequences)
        ])  # fmt: skip

    def __call__(self, queries: np.ndarray) -> pd.DataFrame:
        found = self._found(queries, self._targets)
        names = ["query", "target", "e_value", "score", "query_residues", "target_residues"]
        hits = pd.DataFrame(found, columns=names).astype({"query": int, "target": int})
        for side in ("query", "target"):
            hits[f"{side}_coverage"] = hits.pop(f"{side}_residues") / self._lengths[hits[side]]
        return hits

    def seconds_per_residue(self) -> float:
        """Return what a query's residue takes on one core, timed on proteins of mean length."""
        targets = self._targets[:: max(1, len(self._targets) // (100 * _TIMED))]
        typical = np.argsort(np.abs(self._lengths - self._lengths.mean()))[:_TIMED]
        start = time.perf_counter()
        self._found(typical, targets)
        seconds = time.perf_counter() - start
        share = sum(map(len, targets)) / self._lengths.sum()
        return seconds / share / self._lengths[typical].sum()

    def _found(self, queries: np.ndarray, targets: DigitalSequenceBlock) -> list[tuple]:
        """Return query, target, E-value, score, residues aligned of both, of each hit."""
        chosen = [self._targets[int(query)] for query in queries]
        rows = []
        for hits in pyhmmer.phmmer(chosen, targets, cpus=1, **_OPTIONS):
            for hit in hits:
                at = hit.best_domain.alignment
                aligned = at.hmm_to - at.hmm_from + 1, at.target_to - at.target_from + 1
                if hit.reported and hit.name != hits.query.name:
                    rows.append((hits.query.name, hit.name, hit.evalue, hit.score, *aligned))
        return rows


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{max(2, round(seconds))} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
