"""Blocks of proteins computed by a cluster's workers, each of which loads the model itself."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.devices import load_models
from plm_geometry.embedding.forward import Block, ForwardPass, join_blocks
from plm_geometry.embedding.plan import Plan
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.models import Embedder

# A task brings back moments of every amino acid, 26 matrices of d x d. With so many residues for
# each of the d dimensions they weigh an eighth of the residues' own vectors.
_RESIDUES_PER_DIMENSION = 400


@dataclass(frozen=True)
class RemotePass:
    """What travels to a worker, once: the proteins, the plan, and how to load the model.

    Attributes
    ----------
    proteins : Proteins
    plan : Plan
    loaded_from : dict
        Arguments of `devices.load_models`.
    identity : dict of str to str
        Of the model here: a worker that loads another one refuses.
    options : dict
        Of the `ForwardPass`.
    """

    proteins: Proteins
    plan: Plan
    loaded_from: dict[str, str]
    identity: dict[str, str]
    options: dict[str, Any]

    @classmethod
    def of(cls, work: ForwardPass, plan: Plan) -> "RemotePass":
        """Return `work` as a pass that finds its model on the worker."""
        model = work.models[0]
        return cls(work.proteins, plan, model.loaded_from, model.identity, work.options)

    def __call__(self, blocks: list[slice]) -> Block:
        """Compute consecutive blocks of the plan; called on a worker."""
        model = _loaded(tuple(self.loaded_from.items()))
        if differing := [k for k, v in self.identity.items() if model.identity.get(k) != v]:
            raise InputError(
                f"a worker of the cluster loads another {self.loaded_from['name']} than this "
                f"machine (differs in {', '.join(differing)}); give all machines the same "
                "checkpoint."
            )
        work = ForwardPass(self.proteins, (model,), **self.options)
        hidden = tqdm(disable=True)
        return join_blocks([work.block(self.plan, block, hidden) for block in blocks])


@lru_cache(maxsize=1)
def _loaded(arguments: tuple[tuple[str, str], ...]) -> "Embedder":
    """Load the model once for all tasks; on the worker's first GPU, where it has one."""
    return load_models(**dict(arguments))[0]


def tasks(plan: Plan, work: ForwardPass, first: int) -> list[range]:
    """Return the plan's blocks from `first` on as tasks of consecutive ones of the same wave."""
    enough = _RESIDUES_PER_DIMENSION * work.models[0].residue_width
    lengths = work.proteins.lengths[plan.order]
    wave_ends = plan.groups_after().keys()
    found, start, residues = [], first, 0
    for number, block in enumerate(plan.blocks()[first:], start=first):
        residues += int(lengths[block].sum())
        if residues >= enough or number + 1 in wave_ends:
            found.append(range(start, number + 1))
            start, residues = number + 1, 0
    return found
