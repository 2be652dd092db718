"""Proteins and a model in, global embeddings and residue moments out, in one streaming pass.

Residue embeddings are never kept: they are pooled into the protein's vector and added to the
moments of their amino acid, so that memory does not grow with the number of proteins.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from math import ceil
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from tqdm import tqdm

import plm_geometry.embedding
import plm_geometry.models
from plm_geometry.base.compute import in_order, run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.embedding.files import load_models
from plm_geometry.embedding.forward import Block, Choices, ForwardPass
from plm_geometry.embedding.plan import draw_residues, make_plan, padded_residues
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.isotropy import moments
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.models.base import Embedder
from plm_geometry.proteins.fasta import Proteins

# Modules of both rooms whose code does not decide what an embedding is.
_WITHOUT = [
    f"{name}.py"
    for name in ("checking", "describe", "files", "formats", "vectors", "file_isotropy")
]
# Groups of proteins whose residues' moments are kept apart: what a jackknife leaves out in turn.
N_GROUPS = 10
# Residues whose vectors are kept for the distribution of their cosines.
_N_SAMPLED = 2_000
# Moments that are held together: a matrix for each letter of each group.
_MOMENTS_BYTES = 3e9
_LETTERS = 26
# Padded residues a batch may hold: large batches fill a GPU; on a CPU they spill its caches.
RESIDUES_PER_BATCH = {"cpu": 2048, "cuda": 65_536}
# Recording takes at most this share of the time: moments of a wide model are large.
_RECORDING_SHARE = 0.05
# A cluster's task brings back moments of every amino acid, 26 matrices of d x d. With so many
# residues for each of the d dimensions they weigh an eighth of the residues' own vectors.
_RESIDUES_PER_DIMENSION = 400


@dataclass(frozen=True)
class Embeddings:
    """What one pass of a model over proteins gives, for one layer.

    Attributes
    ----------
    accessions : tuple of str
        The proteins embedded, in the order given.
    vectors : ndarray of float32, shape (n_proteins, width)
        Their global embeddings.
    left_out : mapping of str to str
        Accessions that have no vector, and why.
    residue_groups : sequence of mappings of str to Moments
        Moments of the residue embeddings by amino-acid letter over each group of proteins, read
        from disk letter by letter. Of layers other than the last, all proteins are in one group.
    residue_sample : ndarray of float32, shape (n_sampled, residue_width), or None
        Embeddings of residues drawn at random, of the last layer.
    poolings : tuple of str
        What ``pooled(pooling)`` reads the vectors of, shaped as `vectors`; of a file, nothing.
    """

    accessions: tuple[str, ...]
    vectors: np.ndarray
    left_out: Mapping[str, str]
    residue_groups: Sequence[Mapping[str, Moments]] = ()
    residue_sample: np.ndarray | None = None
    poolings: tuple[str, ...] = ()
    pooled: Callable[[str], np.ndarray] | None = None

    @cached_property
    def residue_moments(self) -> dict[str, Moments]:
        """Moments of the residue embeddings by letter over all proteins; empty if none are kept."""
        groups = self.residue_groups
        letters = sorted(set().union(*groups))
        return {a: merge_all([group[a] for group in groups if a in group]) for a in letters}


def describe(proteins: Proteins, model: Embedder, **choices: Any) -> dict[str, Any]:
    """Return all that the embeddings depend on, for a store's fingerprint; see `Choices`."""
    computed_by = plm_geometry.models, plm_geometry.embedding, moments
    chosen = vars(Choices(**choices))
    families = chosen["families"]
    return chosen | {
        "proteins_sha256": proteins.sha256,
        "n_proteins": len(proteins),
        "model_name": model.name,
        "model": dict(model.identity),
        "layers": list(chosen["layers"]),
        "families": fingerprint({"families": list(families)}) if families is not None else "",
        "code": source_digest(*computed_by, without=_WITHOUT),
    }


def embed(
    proteins: Proteins,
    model: Embedder,
    directory: Path,
    *,
    residues_per_batch: int | None = None,
    copies: Sequence[Embedder] = (),
    cluster: str | None = None,
    progress: bool = True,
    tell: Callable[[str], None] = lambda line: None,
    **choices: Any,
) -> EmbeddingStore:
    """Embed `proteins` with `model` into the store at `directory`, resuming what is there.

    Parameters
    ----------
    proteins : Proteins
        All within the model's limit (`within_limit`).
    model : Embedder
        A loaded model.
    directory : Path
        Where the store is or will be.
    residues_per_batch : int, optional
        Padded residues a batch may hold; by default what suits the model or its device. A store
        that was begun keeps its own.
    copies : sequence of Embedder
        The same model on other devices, one worker each (`load_models`).
    cluster : str, optional
        ``"tcp://HOST:PORT"`` of a Dask scheduler, or ``"local"``: its workers load the model
        themselves and compute; this process stores.
    progress : bool
        Whether to show a bar on a terminal.
    tell : callable
        Takes one line that says what the run will take, before it begins.
    **choices
        Attributes of `Choices`.

    Raises
    ------
    InputError
        If the store holds something else, or the model breaks one token a residue.
    """
    store = EmbeddingStore(directory, describe(proteins, model, **choices), tell)
    with store.lock(tell):
        store.read_progress()
        work = _prepare(store, proteins, model, Choices(**choices), residues_per_batch)
        _run(store, work, (model, *copies), cluster, progress, tell)
    return store


def load(
    store: EmbeddingStore, proteins: Proteins, *, layer: int = 0, pooling: str | None = None
) -> Embeddings:
    """Read one layer (by its position among those kept) and one pooling of a complete store."""
    left_out = store.left_out
    keep = [i for i, accession in enumerate(proteins.accessions) if accession not in left_out]
    accessions = tuple(proteins.accessions[i] for i in keep)
    is_last = layer % store.n_layers == store.n_layers - 1
    sample = np.concatenate(store.sampled) if is_last else None

    def pooled(pooling: str | None) -> np.ndarray:
        return store.read_vectors(layer, pooling)[keep]

    moments, poolings = store.group_moments(layer), store.poolings
    return Embeddings(accessions, pooled(pooling), left_out, moments, sample, poolings, pooled)


def _prepare(store, proteins, model, choices: Choices, residues_per_batch) -> ForwardPass:
    """Return what is to be done, by the store's plan, made now if this run is the first."""
    n_groups, n_sampled = (N_GROUPS, _N_SAMPLED) if choices.residue_moments else (1, 0)
    seed, families, plan = choices.seed, choices.families, store.plan()
    sample = draw_residues(int(proteins.lengths.sum()), n_sampled, seed=seed)
    if plan is None:
        groups = draw_blocks(len(proteins), n_blocks=n_groups, seed=seed, families=families)
        at_once = int(_MOMENTS_BYTES / (_LETTERS * 8 * model.residue_width**2))
        suits = model.residues_per_batch or RESIDUES_PER_BATCH[model.device.type]
        plan = make_plan(proteins.lengths, residues_per_batch or suits, groups, max(1, at_once))
        store.create(plan, len(choices.layers), len(choices.poolings) * model.width)
    return ForwardPass(proteins, plan, choices, sample)


def forecast(work: ForwardPass, model: Embedder) -> str:
    """Return what a run will take: proteins, residues, padding, and disk, uncompressed."""
    proteins, plan, choices = work.proteins, work.plan, work.choices
    residues, n_layers, d = int(proteins.lengths.sum()), len(choices.layers), model.residue_width
    padded = 0 if model.is_recurrent else 1 - residues / padded_residues(proteins.lengths, plan)
    vectors = 4 * n_layers * len(proteins) * len(choices.poolings) * model.width
    # Float64 moments of up to 26 letters: of each layer twice, for while they are being replaced,
    # and of the last one by group, as triangles; 16 more of d leaves room for means and headers.
    matrices = _LETTERS * (2 * n_layers + len(np.unique(plan.groups)) / 2)
    megabytes = ceil((vectors + matrices * 8 * (d + 16) ** 2 + 8 * len(work.sample) * d) / 1e6)
    content = f"{len(proteins):,} proteins, {residues:,} residues, {padded:.1%} padding"
    return f"{content}, at most {megabytes:,} MB on disk"


def _run(store, work: ForwardPass, models, cluster: str | None, progress: bool, tell) -> None:
    """Compute the blocks that are missing, recording each, in order, as it is done.

    If none is, the proteins that an earlier run had no memory for are tried once more, one by one.
    """
    blocks = [block for block in work.plan.blocks() if block.start >= store.n_done]
    names = [work.proteins.accessions[i] for i in work.plan.order]
    if blocks:
        tell(f"{models[0].title}: {forecast(work, models[0])}")
        blocks = blocks if cluster is None else _joined(blocks, work, models[0].residue_width)
    else:
        blocks = [slice(i, i + 1) for i, name in enumerate(names) if name in store.left_out]
    if not blocks:
        return
    groups_after = work.plan.groups_after()
    residues = np.append(0, np.cumsum(work.proteins.lengths[work.plan.order]))
    due = 0.0
    # disable=None: no bar where standard error is no terminal.
    shown = {"unit": " residues", "unit_scale": True, "disable": None if progress else True}
    span = {"initial": int(residues[store.n_done]), "total": int(residues[-1])}
    with tqdm(desc=models[0].title, **span, **shown) as bar:
        for block, found in zip(blocks, _computed(work, models, blocks, cluster), strict=True):
            complete = groups_after.get(block.stop, []) if block.stop > store.n_done else []
            store.add(block, found, names[block])
            for group in complete:
                store.set_aside(group)
            start = time.monotonic()
            if complete or start >= due or block == blocks[-1]:
                store.write_progress()
                due = time.monotonic() + (time.monotonic() - start) / _RECORDING_SHARE
            bar.update(int(residues[block.stop] - residues[block.start]))


def _computed(work, models: Sequence[Embedder], blocks, cluster) -> Iterator[Block]:
    """Yield what blocks give, in order, computed by a cluster or by the models here."""
    if cluster is not None:
        there = partial(_compute_there, work, models[0].loaded_from, models[0].identity)
        return in_order(run_blocks(there, blocks, cluster=cluster))
    if len(models) == 1:  # no threads: each new one would bring memory of its own
        return map(partial(work.compute, models[0]), blocks)
    idle = SimpleQueue()
    for model in models:
        idle.put(model)

    def compute(block: slice) -> Block:
        model = idle.get()
        try:
            return work.compute(model, block)
        finally:
            idle.put(model)

    return in_order(run_blocks(compute, blocks, workers=len(models)))


def _joined(blocks: list[slice], work: ForwardPass, residue_width: int) -> list[slice]:
    """Return tasks for a cluster: consecutive blocks of the same wave in one."""
    enough = _RESIDUES_PER_DIMENSION * residue_width
    lengths, wave_ends = work.proteins.lengths[work.plan.order], work.plan.groups_after()
    found, start = [], blocks[0].start
    for block in blocks:
        if lengths[start : block.stop].sum() >= enough or block.stop in wave_ends:
            found.append(slice(start, block.stop))
            start = block.stop
    return found


def _compute_there(work: ForwardPass, loaded_from: dict, identity: dict, block: slice) -> Block:
    """Compute a block on a cluster's worker, which loads the model itself; refuse another one."""
    model = _loaded(**loaded_from)[0]
    if differing := [k for k, v in identity.items() if model.identity.get(k) != v]:
        raise InputError(
            f"a worker of the cluster loads another {loaded_from['name']} than this machine "
            f"(differs in {', '.join(differing)}); give all machines the same checkpoint."
        )
    return work.compute(model, block)


# Once for all tasks; onto the worker's first GPU, where it has one.
_loaded = lru_cache(maxsize=1)(load_models)
