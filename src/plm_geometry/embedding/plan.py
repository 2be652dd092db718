"""Which proteins run together: waves, blocks and batches from their lengths and a budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# No protein of a batch is shorter than this share of the longest: the rest would be padding.
_SHORTEST_SHARE = 0.9


@dataclass(frozen=True)
class Plan:
    """Which proteins run together: a function of the lengths, the groups and the budget alone.

    Attributes
    ----------
    order : ndarray of int, shape (n_proteins,)
        Wave after wave, each from its longest protein to its shortest. The longest of all comes
        first, so that memory trouble shows at once.
    groups : ndarray of int, shape (n_proteins,)
        The group of each protein, in that order. The moments of a group's residues are kept
        apart, to be left out one at a time by a jackknife; a wave is the groups whose moments
        are held in memory together.
    wave_sizes : ndarray of int, shape (n_waves,)
        Proteins in each wave.
    rows_per_block : int
        Proteins that are finished, and stored, together; a wave's last block may be smaller.
    residues_per_batch : int
        Padded residues that a batch may hold; a longer protein runs alone.
    """

    order: np.ndarray
    groups: np.ndarray
    wave_sizes: np.ndarray
    rows_per_block: int
    residues_per_batch: int

    def blocks(self) -> list[slice]:
        """Return the blocks as slices of `order`; none reaches from one wave into another."""
        ends = np.cumsum(self.wave_sizes)
        return [
            slice(start, min(start + self.rows_per_block, end))
            for first, end in pairwise([0, *ends.tolist()])
            for start in range(first, end, self.rows_per_block)
        ]

    def groups_after(self) -> dict[int, list[int]]:
        """Return, by the number of proteins finished, the groups that are then complete."""
        ends = np.cumsum(self.wave_sizes)
        waves = np.split(self.groups, ends[:-1])
        return {int(n): np.unique(wave).tolist() for n, wave in zip(ends, waves, strict=True)}


def make_plan(lengths: np.ndarray, budget: int, groups: np.ndarray, at_once: int = 1) -> Plan:
    """Sort the proteins of each wave, longest first, and cut it into blocks of a few batches.

    Parameters
    ----------
    lengths : ndarray of int, shape (n_proteins,)
    budget : int
        Padded residues that a batch may hold.
    groups : ndarray of int, shape (n_proteins,)
        The group of each protein.
    at_once : int
        Groups that make a wave, at most: of more, batches are fuller, and moments take more
        memory.
    """
    longest = np.zeros(groups.max(initial=0) + 1, np.int64)
    np.maximum.at(longest, groups, lengths)
    rank = np.argsort(np.argsort(-longest, kind="stable"))
    n_waves = -(-len(longest) // at_once)
    wave = (rank * n_waves // len(longest))[groups]
    order = np.lexsort((-lengths, wave))
    wave_sizes = np.unique(wave, return_counts=True)[1]
    proteins_per_batch = budget / max(1.0, float(lengths.mean()))
    rows = int(np.clip(2 ** np.ceil(np.log2(4 * max(proteins_per_batch, 1))), 32, 4096))
    return Plan(order, groups[order], wave_sizes, rows, budget)


def draw_residues(n_residues: int, n_drawn: int, *, seed: int) -> np.ndarray:
    """Draw residues without replacement: sorted numbers from 0 below `n_residues`."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(n_residues, min(n_drawn, n_residues), replace=False, shuffle=False))


def batches(lengths: Sequence[int], budget: int, *, padded: bool = True) -> Iterator[slice]:
    """Yield slices of `lengths` (longest first) whose size stays within the budget.

    That is their padded size, and lengths are alike, unless the model needs no padding.
    """
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        longest = int(lengths[start])
        if padded:
            stop = min(start + budget // longest, len(lengths))
            while stop > start and lengths[stop - 1] < _SHORTEST_SHARE * longest:
                stop -= 1
        else:
            stop = int(np.searchsorted(ends, ends[start] - longest + budget, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop


def padded_residues(lengths: np.ndarray, plan: Plan) -> int:
    """Return how many positions a plan computes, padding included (special tokens are not)."""
    blocks = [lengths[plan.order][block] for block in plan.blocks()]
    return sum(
        int(block[batch].max()) * len(block[batch])
        for block in blocks
        for batch in batches(block, plan.residues_per_batch)
    )
