"""Aligning pairs of proteins, block by block, on all cores or a cluster."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from plm_geometry.base.compute import run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.pairs.engines import GAP, identity_marks, make_engine
from plm_geometry.pairs.kernels import lengths
from plm_geometry.pairs.scoring import REPLACED_LETTERS, AlignmentSettings, load_scoring
from plm_geometry.pairs.ties import most_identities
from plm_geometry.proteins.fasta import Proteins

# A block takes a second or two at most, so that little is lost with it; there are enough of
# them to keep cores busy; and none is so small that handing it out costs more than its work.
_MOST_CELLS = 2_000_000_000
_USUAL_BLOCKS = 128
_FEWEST_CELLS = 10_000_000


def align_pairs(
    proteins: Proteins,
    first: np.ndarray,
    second: np.ndarray,
    settings: AlignmentSettings | None = None,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Align pairs of proteins on all cores.

    The two proteins of a pair are aligned in the order of their accessions, so that swapping
    them changes nothing. The letters U, O and J are aligned as C, K and X (`replaced_residues`
    counts them); X with X, B with B and Z with Z are no identities.

    Parameters
    ----------
    proteins : Proteins
        The proteins.
    first, second : numpy.ndarray of int, shape ``(n_pairs,)``
        Pairs, as indices into `proteins`.
    settings : AlignmentSettings, optional
        How to align; the defaults of `AlignmentSettings` if not given.
    workers : int, optional
        Threads, or processes of a local cluster; as many as there are cores if not given.
    cluster : str, optional
        ``"local"`` or a Dask scheduler's ``"tcp://HOST:PORT"``; threads if not given.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per pair, in the order given: ``accession_a``, ``accession_b``,
        ``alignment_score`` (in the matrix's units), ``identities``, ``alignment_length``
        (columns), ``sequence_identity`` (0 to 1; 0 where nothing is aligned).

    Raises
    ------
    InputError
        If there are no pairs, an index is out of range, a residue is not in the matrix, or
        the cluster cannot be reached.
    """
    job = AlignmentJob(proteins, first, second, settings or AlignmentSettings())
    counts = np.empty((len(first), 4), dtype=np.int64)
    for block, found in job.run(job.blocks, workers=workers, cluster=cluster, progress=progress):
        counts[block] = found
    return job.table(counts)


def replaced_residues(proteins: Proteins) -> dict[str, int]:
    """Count the residues that are aligned as another letter: ``{"U as C": 3}``."""
    residues = Counter("".join(proteins.sequences))
    return {f"{a} as {b}": residues[a] for a, b in REPLACED_LETTERS.items() if residues[a]}


@dataclass(frozen=True)
class AlignmentJob:
    """Pairs to align, cut into blocks of about equal work.

    Attributes
    ----------
    proteins, first, second, settings
        As in `align_pairs`.

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
    def blocks(self) -> list[slice]:
        """Pairs cut, in their order, into blocks of about equally many cells of the matrices."""
        cells = self.proteins.lengths[self.first] * self.proteins.lengths[self.second]
        target = np.clip(cells.sum() // _USUAL_BLOCKS, _FEWEST_CELLS, _MOST_CELLS)
        _, starts = np.unique((np.cumsum(cells) - cells) // target, return_index=True)
        return [slice(*edges) for edges in pairwise([*starts.tolist(), len(cells)])]

    def run(
        self, blocks: Sequence[slice], *, workers: int | None, cluster: str | None, progress: bool
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Align some of the `blocks`, and yield each as it is finished.

        Parameters
        ----------
        blocks : sequence of slice
        workers, cluster, progress
            As in `align_pairs`.

        Yields
        ------
        block : slice
        counts : numpy.ndarray of int64, shape ``(n_block, 4)``
            What `_BlockAligner` returns for it.
        """
        pairs = self._in_accession_order()
        sequences = alignable_sequences(self.proteins, np.unique(pairs), self.settings)
        aligner = _BlockAligner(sequences, self.settings)
        work = (pairs[:, block] for block in blocks)
        n_pairs = sum(block.stop - block.start for block in blocks)
        hidden = None if progress else True  # None: only on a terminal
        with tqdm(total=n_pairs, desc="aligning", unit=" pairs", disable=hidden) as bar:
            for index, counts in run_blocks(aligner, work, workers=workers, cluster=cluster):
                bar.update(len(counts))
                yield blocks[index], counts

    def table(self, counts: np.ndarray) -> pd.DataFrame:
        """Return the table that `align_pairs` describes, of the counts of all pairs."""
        accessions = np.array(self.proteins.accessions, dtype=object)
        score, identities, length, denominator = counts.T
        return pd.DataFrame(
            {
                "accession_a": accessions[self.first],
                "accession_b": accessions[self.second],
                "alignment_score": score / load_scoring(self.settings).scale,
                "identities": identities,
                "alignment_length": length,
                # Two proteins of which nothing is aligned have no residue in common.
                "sequence_identity": identities / np.maximum(denominator, 1),
            }
        )

    def _in_accession_order(self) -> np.ndarray:
        """Return the pairs with each one's lower accession first, shape ``(2, n_pairs)``."""
        ranks = np.empty(len(self.proteins), dtype=np.int64)
        ranks[np.argsort(self.proteins.accessions)] = np.arange(len(self.proteins))
        pairs = np.stack([self.first, self.second])
        return np.where(ranks[self.first] > ranks[self.second], pairs[::-1], pairs)


def alignable_sequences(
    proteins: Proteins, used: np.ndarray, settings: AlignmentSettings
) -> np.ndarray:
    """Return the proteins' sequences in letters that the settings' matrix scores.

    Parameters
    ----------
    proteins : Proteins
    used : numpy.ndarray of int
        The proteins, as indices, whose letters are checked.
    settings : AlignmentSettings

    Returns
    -------
    numpy.ndarray of bytes objects, shape ``(n_proteins,)``

    Raises
    ------
    InputError
        If a residue of a protein in `used` is not among them.
    """
    known = load_scoring(settings).letters.encode()
    replacing = str.maketrans(REPLACED_LETTERS)
    sequences = [sequence.translate(replacing).encode() for sequence in proteins.sequences]
    for index in used:
        if foreign := sequences[index].translate(None, delete=known):
            position = sequences[index].index(foreign[:1])
            raise InputError(
                f"matrix {settings.matrix} does not score {foreign[:1].decode()!r}, which protein "
                f"{proteins.accessions[index]} has at position {position + 1}; choose a matrix "
                "that does, such as PAM250, or leave the protein out."
            )
    return np.array(sequences, dtype=object)


@dataclass(frozen=True)
class _BlockAligner:
    """Aligns blocks of pairs; whole in itself, so that it can be sent to another machine."""

    sequences: np.ndarray
    settings: AlignmentSettings

    def __call__(self, pairs: np.ndarray) -> np.ndarray:
        """Align the pairs of a block.

        Parameters
        ----------
        pairs : numpy.ndarray of int, shape ``(2, n_pairs)``
            Indices into `sequences`.

        Returns
        -------
        numpy.ndarray of int64, shape ``(n_pairs, 4)``
            Integer score, identities, alignment length, and what the identities are divided by.
        """
        first, second = self.sequences[pairs]
        counts = self._best if self.settings.ties == "max" else self._engines_own
        found, aligned_columns = counts(first, second)
        denominator = {
            "alignment_length": found[:, 2],
            "shorter": np.minimum(lengths(first), lengths(second)),
            "aligned_columns": aligned_columns,
        }[self.settings.denominator]
        return np.column_stack([found, denominator])

    def _best(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return counts, and the fewest columns without a gap if the identities are over them."""
        engines = [make_engine(name, self.settings) for name in (self.settings.engine, "biopython")]
        counts = most_identities(*engines, first, second)
        if self.settings.denominator != "aligned_columns":
            return counts, None
        if self.settings.mode == "global":  # each takes a residue from both proteins
            return counts, lengths(first) + lengths(second) - counts[:, 2]
        return counts, most_identities(*engines, first, second, count_gaps=False)[:, 2]

    def _engines_own(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return counts of the engine's own alignments, and their columns without a gap."""
        engine = make_engine(self.settings.engine, self.settings)
        lines = (engine.alignment(*pair) for pair in zip(first, second, strict=True))
        counts = np.array([_counts(*found, self.settings.mode) for found in lines])
        return counts[:, :3], counts[:, 3]


def _counts(score: int, above: str, below: str, mode: str) -> tuple[int, int, int, int]:
    """Count score, identities, columns, and columns without a gap; free ends are no columns."""
    aligned = np.flatnonzero([a != GAP != b for a, b in zip(above, below, strict=True)])
    n_columns = len(above)
    if mode != "global":
        n_columns = np.ptp(aligned) + 1 if aligned.size else 0
    return score, identity_marks(above, below).count("|"), n_columns, aligned.size
