"""Blocks of proteins through a model: vectors, residue moments, and memory running out."""

from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.plan import Plan, batches
from plm_geometry.embedding.pooling import (
    LayerMoments,
    ResidueBuffer,
    ResidueSampler,
    merge_into,
    pool,
    residue_vectors,
)
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.models import Embedder, Output


@dataclass
class Block:
    """What a block of proteins gives.

    Attributes
    ----------
    vectors : ndarray of float32, shape (n_layers, n_proteins, width)
        NaN where a protein was left out.
    moments : dict of int to dict of str to Moments
        Of the residue embeddings, by layer and letter; see `pooling.LayerMoments`.
    residues : dict of str to ndarray
        Residue embeddings by accession, where they are kept.
    sampled : ndarray of float32, shape (n_sampled, residue_width)
        Embeddings of the residues of the sample, of the last layer kept; NaN likewise.
    left_out : dict of str to str
        Accessions that did not fit into memory, and why.
    """

    vectors: np.ndarray
    moments: LayerMoments
    residues: dict[str, np.ndarray]
    sampled: np.ndarray
    left_out: dict[str, str]


@dataclass
class ForwardPass:
    """A model, on one device or several, and what to keep of what it computes.

    Attributes
    ----------
    proteins : Proteins
        All of them; blocks are slices of the plan's order.
    models : tuple of Embedder
        The same model on each device.
    layers : tuple of int
        Layers to keep.
    pooling : str
        From residues to the protein.
    keep_residues : bool
        Whether residue embeddings are kept.
    residue_moments : bool
        Whether they are added to the moments of their amino acids.
    sample : ndarray of int
        Residues that are kept all the same, a few: sorted numbers, counted in the plan's order.
    """

    proteins: Proteins
    models: tuple["Embedder", ...]
    layers: tuple[int, ...]
    pooling: str
    keep_residues: bool
    residue_moments: bool
    sample: np.ndarray

    def __post_init__(self) -> None:
        self._idle = SimpleQueue()
        for model in self.models:
            self._idle.put(model)

    @property
    def options(self) -> dict[str, object]:
        """What to keep, apart from the models: for the same pass elsewhere."""
        kept = ("layers", "pooling", "keep_residues", "residue_moments", "sample")
        return {name: getattr(self, name) for name in kept}

    def sampled_rows(self, plan: Plan, block: slice) -> slice:
        """Return which of the sample lie in a block."""
        lengths = self.proteins.lengths[plan.order[: block.stop]]
        ends = lengths[: block.start].sum(), lengths.sum()
        return slice(*map(int, np.searchsorted(self.sample, ends)))

    def block(self, plan: Plan, block: slice, bar: tqdm) -> Block:
        """Compute one block on a model that is idle."""
        model = self._idle.get()
        try:
            return self._compute(model, plan, block, bar)
        finally:
            self._idle.put(model)

    def _compute(self, model: "Embedder", plan: Plan, block: slice, bar: tqdm) -> Block:
        members = plan.order[block]
        lengths = self.proteins.lengths[members]
        vectors = np.full((len(self.layers), len(members), model.width), np.nan, np.float32)
        buffer, residues, left_out = ResidueBuffer(), {}, {}
        sampler = self._sampler(model, plan, block)
        budget, padded = plan.residues_per_batch, not model.is_recurrent
        for batch in batches(lengths, budget, padded=padded):
            rows = range(*batch.indices(len(members)))
            for some, pooled, found in self._results(model, members, rows, left_out):
                vectors[:, list(some)] = pooled
                chosen = self.proteins.select(members[list(some)])
                _check_finite(model, chosen, pooled)
                if self.residue_moments:
                    read = [model.as_read(sequence) for sequence in chosen.sequences]
                    buffer.add(found, read, plan.groups[block][list(some)])
                sampler.take(int(lengths[: some.start].sum()), found[-1])
                if self.keep_residues:
                    parts = np.split(found[-1], np.cumsum(chosen.lengths)[:-1])
                    residues |= dict(zip(chosen.accessions, parts, strict=True))
            bar.update(int(lengths[batch].sum()))
        return Block(vectors, buffer.finish(), residues, sampler.vectors, left_out)

    def _sampler(self, model: "Embedder", plan: Plan, block: slice) -> ResidueSampler:
        first_residue = int(self.proteins.lengths[plan.order[: block.start]].sum())
        numbers = self.sample[self.sampled_rows(plan, block)] - first_residue
        return ResidueSampler(numbers, model.residue_width)

    def _results(
        self, model: "Embedder", members: np.ndarray, rows: range, left_out: dict[str, str]
    ) -> Iterator[tuple[range, np.ndarray, list[np.ndarray]]]:
        """Yield rows, their vectors and their residues' vectors.

        Out of memory, the batch is halved, down to one protein.
        """
        try:
            output = self._forward(model, members, rows)
            # Within the try: a copy in float32 may be what does not fit.
            result = rows, pool(output, self.pooling), residue_vectors(output)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            result = None
        if result is not None:
            yield result
        elif len(rows) == 1:
            left_out[self.proteins.accessions[members[rows[0]]]] = "out of memory even alone"
        else:
            middle = len(rows) // 2
            yield from self._results(model, members, rows[:middle], left_out)
            yield from self._results(model, members, rows[middle:], left_out)

    def _forward(self, model: "Embedder", members: np.ndarray, rows: range) -> "Output":
        from plm_geometry.models import ProteinError

        chosen = self.proteins.select(members[list(rows)])
        try:
            return model.read(chosen, self.layers)
        except ProteinError as error:
            raise error.named(chosen.accessions[error.index]) from error


def _check_finite(model: "Embedder", proteins: Proteins, vectors: np.ndarray) -> None:
    """Refuse NaN and infinity by the name of the protein, shape ``(n_layers, n, width)``."""
    finite = np.isfinite(vectors).all(axis=(0, 2))
    if not finite.all():
        raise InputError(
            f"{model.name} computes NaN or infinity for protein "
            f"{proteins.accessions[finite.argmin()]}: its weights are damaged, or half precision "
            "does not reach; try precision fp32 or bf16."
        )


def join_blocks(blocks: Sequence[Block]) -> Block:
    """Return consecutive blocks as one."""
    moments: LayerMoments = {}
    for block in blocks:
        merge_into(moments, block.moments)
    return Block(
        vectors=np.concatenate([block.vectors for block in blocks], axis=1),
        moments=moments,
        residues=dict(ChainMap(*[block.residues for block in blocks])),
        sampled=np.concatenate([block.sampled for block in blocks]),
        left_out=dict(ChainMap(*[block.left_out for block in blocks])),
    )


def is_out_of_memory(error: Exception) -> bool:
    """Tell memory trouble from other errors: torch often raises a bare RuntimeError for it."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        sign in str(error) for sign in ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    )
