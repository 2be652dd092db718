"""A set of pairs to align, cut into blocks of equal work."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from plm_geometry.base.compute import run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.pairs.alignment import AlignmentSettings
from plm_geometry.pairs.blocks import BlockAligner, alignable_sequences
from plm_geometry.pairs.substitution import load_scoring
from plm_geometry.proteins.fasta import Proteins

# A block takes a second or two at most, so that little is lost with it; there are enough of
# them to keep cores busy; and none is so small that handing it out costs more than its work.
_MOST_CELLS = 2_000_000_000
_USUAL_BLOCKS = 128
_FEWEST_CELLS = 10_000_000


@dataclass(frozen=True)
class AlignmentJob:
    """Pairs to align, cut into blocks of about equal work.

    Attributes
    ----------
    proteins : Proteins
        The proteins.
    first, second : numpy.ndarray of int, shape ``(n_pairs,)``
        Pairs, as indices into `proteins`.
    settings : AlignmentSettings
        How to align.

    Raises
    ------
    InputError
        If there are no pairs, or an index is out of range.
    """

    proteins: Proteins
    first: np.ndarray
    second: np.ndarray
    settings: AlignmentSettings

    def __post_init__(self) -> None:
        if len(self.first) == 0 or len(self.first) != len(self.second):
            raise InputError(
                f"pairs to align have {len(self.first)} first and {len(self.second)} second "
                "proteins; give at least one pair, and both proteins of each."
            )
        if not min(self.first.min(), self.second.min()) >= 0:
            raise InputError("a pair has a negative protein index; count proteins from 0.")
        if (highest := max(self.first.max(), self.second.max())) >= len(self.proteins):
            raise InputError(
                f"a pair names protein {highest}, but there are {len(self.proteins)}, "
                "counted from 0."
            )

    @cached_property
    def cells(self) -> np.ndarray:
        """Work of each pair: the product of its proteins' lengths, shape ``(n_pairs,)``."""
        lengths = self.proteins.lengths
        return lengths[self.first] * lengths[self.second]

    def run(
        self, pairs: np.ndarray, *, workers: int | None, cluster: str | None, progress: bool
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Align pairs, the longest first, and yield them block by block as they are finished.

        Parameters
        ----------
        pairs : numpy.ndarray of int
            Which ones, as positions in `first`.
        workers, cluster, progress
            As in `align_pairs`.

        Yields
        ------
        block : numpy.ndarray of int
            Some of `pairs`.
        counts : numpy.ndarray of int64, shape ``(n_block, 4)``
            What `BlockAligner` returns for them.
        """
        ordered = self._in_accession_order()
        aligner = BlockAligner(
            alignable_sequences(self.proteins, np.unique(ordered), self.settings.matrix),
            self.settings,
        )
        blocks = self._cut(pairs)
        work = (ordered[:, block] for block in blocks)
        with _Progress(len(pairs), int(self.cells[pairs].sum()), shown=progress) as bar:
            for index, counts in run_blocks(aligner, work, workers=workers, cluster=cluster):
                block = blocks[index]
                bar.add(len(block), int(self.cells[block].sum()))
                yield block, counts

    def table(self, pairs: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
        """Return the table that `align_pairs` describes, for these pairs and their counts."""
        accessions = np.array(self.proteins.accessions, dtype=object)
        chosen = self.settings
        scale = load_scoring(chosen.matrix, chosen.gap_open, chosen.gap_extend).scale
        score, identities, length, denominator = counts.T
        return pd.DataFrame(
            {
                "accession_a": accessions[self.first[pairs]],
                "accession_b": accessions[self.second[pairs]],
                "alignment_score": score / scale,
                "identities": identities,
                "alignment_length": length,
                # Two proteins of which nothing is aligned have no residue in common.
                "sequence_identity": identities / np.maximum(denominator, 1),
            }
        )

    def _cut(self, pairs: np.ndarray) -> list[np.ndarray]:
        """Cut pairs into blocks of about equal work, the longest pairs first."""
        longest_first = pairs[np.argsort(-self.cells[pairs], kind="stable")]
        work = self.cells[longest_first]
        target = np.clip(work.sum() // _USUAL_BLOCKS, _FEWEST_CELLS, _MOST_CELLS)
        _, starts = np.unique((np.cumsum(work) - work) // target, return_index=True)
        return np.split(longest_first, starts[1:])

    def _in_accession_order(self) -> np.ndarray:
        """Return the pairs with each one's lower accession first, shape ``(2, n_pairs)``."""
        ranks = np.empty(len(self.proteins), dtype=np.int64)
        ranks[np.argsort(self.proteins.accessions)] = np.arange(len(self.proteins))
        pairs = np.stack([self.first, self.second])
        return np.where(ranks[self.first] > ranks[self.second], pairs[::-1], pairs)


class _Progress(tqdm):
    """A bar over matrix cells, which are the work, that also counts pairs."""

    def __init__(self, n_pairs: int, n_cells: int, *, shown: bool) -> None:
        self._done = 0
        self._n_pairs = n_pairs
        super().__init__(
            total=n_cells,
            desc="aligning",
            unit="cell",
            unit_scale=True,
            disable=None if shown else True,  # None: only on a terminal
        )

    def add(self, n_pairs: int, n_cells: int) -> None:
        """Count a finished block."""
        self._done += n_pairs
        per_second = self._done / max(self.format_dict["elapsed"], 1e-9)
        self.set_postfix_str(
            f"{self._done:,} of {self._n_pairs:,} pairs, {per_second:,.0f} pairs/s", refresh=False
        )
        self.update(n_cells)
