"""How large batches should be on this device, and what a run will cost."""

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plm_geometry.embedding.forward import is_out_of_memory
from plm_geometry.embedding.plan import Plan, padded_residues
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.models import Embedder

# Padded residues a batch may hold. Large batches fill a GPU; on a CPU they spill its caches.
_CANDIDATES = {"cpu": (512, 1024, 2048, 4096, 8192), "cuda": tuple(2**k for k in range(13, 19))}
_DEFAULT = {"cpu": 2048, "cuda": 65_536}
# Moments that are held together: a matrix for each letter of each group.
_MOMENTS_BYTES = 3e9
_LETTERS = 26
# Timing costs each candidate twice; it must be a small part of the work.
_SMALLEST_SHARE = 100
# A candidate this much slower than the best so far ends the search: larger ones only get worse.
_CLEARLY_SLOWER = 1.25


def choose_budget(proteins: Proteins, model: "Embedder") -> int:
    """Return how many padded residues a batch should hold.

    Where the work is long enough, batches of typical proteins are timed from small to large, and
    the size with the most residues a second is taken.

    Parameters
    ----------
    proteins : Proteins
        What will be embedded.
    model : Embedder
        On its device.

    Returns
    -------
    int
        Padded residues a batch.
    """
    if model.residues_per_batch:
        return model.residues_per_batch
    kind = "cuda" if model.device.type == "cuda" else "cpu"
    candidates = _CANDIDATES[kind]
    if proteins.lengths.sum() < _SMALLEST_SHARE * sum(candidates):
        return _DEFAULT[kind]
    best, best_cost = candidates[0], np.inf
    for budget in candidates:
        cost = _seconds_per_residue(proteins, model, budget)
        if cost < best_cost:
            best, best_cost = budget, cost
        elif cost > _CLEARLY_SLOWER * best_cost:
            break
    return best


def groups_at_once(residue_width: int) -> int:
    """Return of how many groups of proteins the residues' moments are held in memory together."""
    return max(1, int(_MOMENTS_BYTES / (_LETTERS * 8 * residue_width**2)))


def _seconds_per_residue(proteins: Proteins, model: "Embedder", budget: int) -> float:
    """Time one batch of proteins of about the median length; infinity where it does not run."""
    from plm_geometry.models import ProteinError

    order = np.argsort(proteins.lengths, kind="stable")
    middle = len(order) // 2
    count = max(1, budget // max(1, int(proteins.lengths[order[middle]])))
    chosen = order[max(0, middle - count // 2) :][:count]
    some = proteins.select(chosen)
    try:
        seconds = min(_seconds(model, some) for _ in range(2))
    except ProteinError:
        return np.inf  # the run itself will name the protein
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return np.inf
    return seconds / some.lengths.sum()


def _seconds(model: "Embedder", proteins: Proteins) -> float:
    start = time.perf_counter()
    # Fetching a number waits for the GPU.
    model.read(proteins).hidden[-1].sum().item()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Forecast:
    """What a run will take, before it begins.

    Attributes
    ----------
    n_proteins, n_residues : int
        The work.
    padded_share : float
        Of the positions computed, those that are padding.
    disk_bytes : int
        Vectors and moments, uncompressed.
    """

    n_proteins: int
    n_residues: int
    padded_share: float
    disk_bytes: int

    def __str__(self) -> str:
        megabytes = math.ceil(self.disk_bytes / 1e6)
        return (
            f"{self.n_proteins:,} proteins, {self.n_residues:,} residues, "
            f"{self.padded_share:.1%} padding, at most {megabytes:,} MB on disk"
        )


def forecast(proteins: Proteins, model: "Embedder", plan: Plan, n_layers: int = 1) -> Forecast:
    """Return what embedding `proteins` by `plan` will take."""
    residues = int(proteins.lengths.sum())
    vectors = 4 * n_layers * len(proteins) * model.width
    # Float64 moments of up to 26 letters: of each layer twice, for while they are being replaced,
    # and of the last one by group, as triangles; beside them means, sums and headers.
    n_groups = len(np.unique(plan.groups))
    files, square = 2 * n_layers + n_groups, 8 * model.residue_width**2
    scatters = (2 * n_layers + n_groups / 2) * square
    moments = _LETTERS * (scatters + files * (40 * model.residue_width + 2_000))
    padded = 0 if model.is_recurrent else 1 - residues / padded_residues(proteins.lengths, plan)
    return Forecast(len(proteins), residues, padded, int(vectors + moments))
