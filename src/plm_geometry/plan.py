"""Which proteins run together: batches and blocks as a function of the lengths and a budget."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from plm_geometry.errors import NothingLeftError
from plm_geometry.proteins import Proteins

# No protein of a batch is shorter than this share of the longest: the rest would be padding.
_SHORTEST_SHARE = 0.9


@dataclass(frozen=True)
class Plan:
    """Which proteins run together: a function of the lengths and the budget alone.

    Attributes
    ----------
    order : ndarray of int, shape (n_proteins,)
        Proteins from the longest to the shortest, so that memory trouble shows at once.
    rows_per_block : int
        Proteins that are finished, and stored, together.
    residues_per_batch : int
        Padded residues that a batch may hold; a longer protein runs alone.
    """

    order: np.ndarray
    rows_per_block: int
    residues_per_batch: int

    def blocks(self) -> list[slice]:
        """Return the blocks as slices of `order`."""
        starts = range(0, len(self.order), self.rows_per_block)
        return [slice(s, min(s + self.rows_per_block, len(self.order))) for s in starts]

    def to_json(self) -> dict[str, Any]:
        """Return the plan in plain types."""
        return {**vars(self), "order": self.order.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Plan":
        """Read back what `to_json` returned."""
        return cls(**{**stored, "order": np.array(stored["order"], dtype=np.int64)})


def make_plan(lengths: np.ndarray, residues_per_batch: int) -> Plan:
    """Sort proteins by length, longest first, and cut the order into blocks of a few batches."""
    order = np.argsort(-lengths, kind="stable")
    proteins_per_batch = residues_per_batch / max(1.0, float(lengths.mean()))
    rows = int(np.clip(2 ** np.ceil(np.log2(4 * max(proteins_per_batch, 1))), 32, 4096))
    return Plan(order, rows, residues_per_batch)


def batches(lengths: Sequence[int], residues_per_batch: int) -> Iterator[slice]:
    """Yield slices of `lengths` (longest first) whose padded size stays within the budget."""
    start = 0
    while start < len(lengths):
        longest = int(lengths[start])
        stop = min(start + max(1, residues_per_batch // longest), len(lengths))
        while lengths[stop - 1] < _SHORTEST_SHARE * longest:
            stop -= 1
        yield slice(start, stop)
        start = stop


def within_limit(proteins: Proteins, max_residues: int | None) -> tuple[Proteins, dict[str, str]]:
    """Leave out the proteins that are longer than `max_residues`, and say so of each.

    Returns
    -------
    proteins : Proteins
        Those that are left, in order.
    left_out : dict of str to str
        Accession to reason.

    Raises
    ------
    NothingLeftError
        If none is left.
    """
    if max_residues is None or (proteins.lengths <= max_residues).all():
        return proteins, {}
    keep = proteins.lengths <= max_residues
    if not keep.any():
        raise NothingLeftError(
            f"all {len(proteins)} proteins of {proteins.source} are longer than the "
            f"{max_residues} residues this model takes; choose a model without that limit."
        )
    left_out = {
        proteins.accessions[i]: f"{proteins.lengths[i]} residues, the model takes {max_residues}"
        for i in np.flatnonzero(~keep)
    }
    return proteins.select(np.flatnonzero(keep)), left_out


def cut_to(proteins: Proteins, max_residues: int) -> tuple[Proteins, dict[str, str]]:
    """Cut proteins after `max_residues` residues, and say so of each that is cut.

    Returns
    -------
    proteins : Proteins
        All of them, in order.
    cut : dict of str to str
        Accession to what was done.
    """
    cut = {
        proteins.accessions[i]: f"cut from {proteins.lengths[i]} to {max_residues} residues"
        for i in np.flatnonzero(proteins.lengths > max_residues)
    }
    sequences = tuple(sequence[:max_residues] for sequence in proteins.sequences)
    return replace(proteins, sequences=sequences), cut


def padded_residues(lengths: np.ndarray, plan: Plan) -> int:
    """Return how many positions a plan computes, padding included (special tokens are not)."""
    ordered = lengths[plan.order]
    return sum(
        int(block_lengths[batch].max()) * len(block_lengths[batch])
        for block_lengths in (ordered[block] for block in plan.blocks())
        for batch in batches(block_lengths, plan.residues_per_batch)
    )
