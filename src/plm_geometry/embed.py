"""Proteins and a model in, global embeddings and residue moments out, in one streaming pass.

Residue embeddings are never kept: they are pooled into the protein's vector and added to the
moments of their amino acid, so that memory does not grow with the number of proteins.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

import plm_geometry.models
from plm_geometry.compute import run_blocks
from plm_geometry.errors import InputError
from plm_geometry.forward import Block, ForwardPass
from plm_geometry.moments import Moments
from plm_geometry.plan import Plan, make_plan
from plm_geometry.pooling import POOLINGS, LayerMoments, merge_into
from plm_geometry.proteins import Proteins
from plm_geometry.store import EmbeddingStore, source_digest
from plm_geometry.tuning import choose_budget, forecast

if TYPE_CHECKING:
    from plm_geometry.models import Embedder

# The rooms whose code decides what an embedding is.
_COMPUTED_BY = [
    sys.modules[f"plm_geometry.{room}"]
    for room in ("accumulate", "embed", "forward", "moments", "pooling")
]
# Blocks handed out together: results that come early wait for the first of them.
_BLOCKS_PER_WORKER = 4
# Recording takes at most this share of the time: moments of a wide model are large.
_RECORDING_SHARE = 0.05


@dataclass(frozen=True)
class Embeddings:
    """What one pass of a model over proteins gives, for one layer.

    Attributes
    ----------
    accessions : tuple of str
        The proteins embedded, in the order given.
    vectors : ndarray of float32, shape (n_proteins, width)
        Their global embeddings.
    residue_moments : dict of str to Moments, or None
        Moments of the residue embeddings by amino-acid letter; None where there are none.
    left_out : mapping of str to str
        Accessions that have no vector, and why.
    """

    accessions: tuple[str, ...]
    vectors: np.ndarray
    residue_moments: dict[str, Moments] | None
    left_out: Mapping[str, str]


def load_models(name: str, *, device: str = "auto", precision: str = "fp32") -> list["Embedder"]:
    """Load a model onto each of several devices, as workers that share the proteins.

    Parameters
    ----------
    name, precision : str
        As in `load_model`.
    device : str
        Names parted by commas; "auto" is every GPU, or the CPU where there is none.
    """
    import torch

    if device == "auto":
        n_gpus = torch.cuda.device_count()
        device = ",".join(f"cuda:{number}" for number in range(n_gpus)) or "cpu"
    return [load_model(name, device=one, precision=precision) for one in device.split(",")]


def load_model(name: str, *, device: str = "cpu", precision: str = "fp32") -> "Embedder":
    """Load a model onto a device.

    Parameters
    ----------
    name : str
        Whatever `plm_geometry.models.load` takes.
    device : str
        As torch names devices.
    precision : {"fp32", "bf16", "fp16"}
        Of weights and activations; what is added up over residues is float32 or wider.

    Raises
    ------
    InputError
        If the device is not there or the precision is unknown.
    """
    # oneDNN keeps a compiled product for each of the last 1,024 shapes; sorted batches hardly ever
    # have one twice, so that memory would grow with the number of proteins.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    import torch

    from plm_geometry import models

    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in dtypes:
        raise InputError(f"precision {precision!r} is unknown; choose fp32, bf16 or fp16.")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {device!r} is not there; use cpu, or cuda on a machine with an NVIDIA GPU."
        ) from error
    model = models.load(name, device=device, dtype=dtypes[precision])
    # Vectors of another precision are other vectors: a store must not mix them.
    model.identity["precision"] = precision
    model.device = torch.device(device)
    return model


def describe(
    proteins: Proteins,
    model: "Embedder",
    *,
    layers: Sequence[int] = (-1,),
    pooling: str = "mean",
    keep_residues: bool = False,
) -> dict[str, Any]:
    """Return all that the embeddings depend on, for a store's fingerprint."""
    return {
        "proteins_sha256": proteins.sha256,
        "n_proteins": len(proteins),
        "model_name": model.name,
        "model": dict(model.identity),
        "layers": list(layers),
        "pooling": pooling,
        "keep_residues": keep_residues,
        "code": source_digest(plm_geometry.models, *_COMPUTED_BY),
    }


def embed(
    proteins: Proteins,
    model: "Embedder",
    directory: Path,
    *,
    layers: Sequence[int] = (-1,),
    pooling: str = "mean",
    keep_residues: bool = False,
    residues_per_batch: int | None = None,
    copies: Sequence["Embedder"] = (),
    progress: bool = True,
    tell: Callable[[str], None] = lambda line: None,
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
    layers : sequence of int
        Layers to keep, counted as Python counts (-1: the last).
    pooling : {"mean", "mean_with_special", "first", "max"}
        From residues to the protein; models that make a global embedding themselves ignore it.
    keep_residues : bool
        Whether the store also keeps every residue's embedding, of the last of `layers`.
    residues_per_batch : int, optional
        Padded residues a batch may hold; by default what suits the device. A store that was
        begun keeps its own.
    copies : sequence of Embedder
        The same model on other devices, one worker each (`load_models`).
    progress : bool
        Whether to show a bar on a terminal.
    tell : callable
        Takes one line that says what the run will take, before it begins.

    Returns
    -------
    EmbeddingStore
        Complete; `load` reads it.

    Raises
    ------
    InputError
        If the store holds something else, or the model breaks one token a residue.
    """
    if pooling not in POOLINGS:
        raise InputError(f"pooling {pooling!r} is unknown; choose one of {', '.join(POOLINGS)}.")
    options = {"layers": tuple(layers), "pooling": pooling, "keep_residues": keep_residues}
    store = EmbeddingStore(directory, describe(proteins, model, **options))
    with store.lock:
        plan = _fixed_plan(store, proteins, model, layers, residues_per_batch)
        _run_blocks(store, plan, ForwardPass(proteins, (model, *copies), **options), progress, tell)
    return store


def load(store: EmbeddingStore, proteins: Proteins, *, layer: int = 0) -> Embeddings:
    """Read one layer (by its position among those kept) of a complete store."""
    _, moments, left_out = store.read_progress()
    vectors = store.read_vectors(layer)
    keep = [i for i, accession in enumerate(proteins.accessions) if accession not in left_out]
    accessions = tuple(proteins.accessions[i] for i in keep)
    # Every layer that was kept has moments: counted from the end, too.
    found = moments[layer % len(moments)] if moments else None
    return Embeddings(accessions, vectors[keep], found, left_out)


def _fixed_plan(
    store: EmbeddingStore,
    proteins: Proteins,
    model: "Embedder",
    layers: Sequence[int],
    residues_per_batch: int | None,
) -> Plan:
    """Return the store's plan, made now if this run is the first."""
    if stored := store.plan():
        return Plan.from_json(stored)
    plan = make_plan(proteins.lengths, residues_per_batch or choose_budget(proteins, model))
    shape = (len(layers), len(proteins), model.width)
    store.create(plan.to_json(), shape, plan.rows_per_block)
    return plan


def _run_blocks(
    store: EmbeddingStore,
    plan: Plan,
    work: ForwardPass,
    progress: bool,
    tell: Callable[[str], None],
) -> None:
    """Compute the blocks that are missing, recording each, in order, as it is done."""
    blocks_done, moments, left_out = store.read_progress()
    blocks = plan.blocks()
    model = work.models[0]
    if blocks_done < len(blocks):
        tell(f"{model.title}: {forecast(work.proteins, model, plan, len(work.layers))}")
    lengths = work.proteins.lengths[plan.order]
    done = int(sum(lengths[block].sum() for block in blocks[:blocks_done]))
    with tqdm(
        total=int(lengths.sum()),
        initial=done,
        unit=" residues",
        unit_scale=True,
        desc=model.title,
        disable=None if progress else True,
    ) as bar:
        record = _Recorder(store)
        for number, result in _finished(work, plan, blocks, blocks_done, bar):
            store.write_block(blocks[number], result.vectors)
            if work.keep_residues:
                store.write_residues(number, result.residues)
            # In the order of the blocks: sums of floats depend on it.
            merge_into(moments, result.moments)
            left_out |= result.left_out
            record(number + 1, moments, left_out, is_last=number + 1 == len(blocks))


class _Recorder:
    """Writes progress to the store, as often as costs little."""

    def __init__(self, store: EmbeddingStore):
        self._store = store
        self._due = 0.0

    def __call__(
        self, done: int, moments: LayerMoments, left_out: dict[str, str], *, is_last: bool
    ) -> None:
        start = time.monotonic()
        if start >= self._due or is_last:
            self._store.write_progress(done, moments, left_out)
            now = time.monotonic()
            self._due = now + (now - start) / _RECORDING_SHARE


def _finished(
    work: ForwardPass, plan: Plan, blocks: list[slice], start: int, bar: tqdm
) -> Iterator[tuple[int, Block]]:
    """Yield the number and the result of each block from `start` on, in order."""
    if len(work.models) == 1:  # no threads: each new one would bring memory of its own
        for number in range(start, len(blocks)):
            yield number, work.block(plan, blocks[number], bar)
        return
    step = _BLOCKS_PER_WORKER * len(work.models)
    for first in range(start, len(blocks), step):
        part = blocks[first : first + step]
        found = run_blocks(lambda b: work.block(plan, b, bar), part, workers=len(work.models))
        yield from enumerate(_in_order(found), start=first)


def _in_order(numbered: Iterable[tuple[int, Block]]) -> Iterator[Block]:
    """Yield results by their number, holding back those that come early."""
    early: dict[int, Block] = {}
    due = 0
    for number, result in numbered:
        early[number] = result
        while due in early:
            yield early.pop(due)
            due += 1
