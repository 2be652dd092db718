"""Proteins and a model in, global embeddings and residue moments out, in one streaming pass.

Residue embeddings are never kept: they are pooled into the protein's vector and added to the
moments of their amino acid, so that memory does not grow with the number of proteins.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import plm_geometry.models
from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.embedding.engine import run_plan
from plm_geometry.embedding.forward import ForwardPass
from plm_geometry.embedding.moment_files import MergedMoments
from plm_geometry.embedding.plan import Plan, draw_residues, make_plan
from plm_geometry.embedding.pooling import ALIASES, POOLINGS
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.embedding.tuning import choose_budget, groups_at_once
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.moments import Moments
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.models import Embedder

# The modules whose code decides what an embedding is, beside the models.
_COMPUTED_BY = [
    "isotropy.moments",
    *(f"embedding.{name}" for name in ("engine", "forward", "plan", "pooling", "run")),
]
# What the models room only says of a model.
_ONLY_TELLING = ("checking.py", "describe.py")
# Groups of proteins whose residues' moments are kept apart: what a jackknife leaves out in turn.
N_GROUPS = 10
# Residues whose vectors are kept for the distribution of their cosines.
_N_SAMPLED = 2_000


@dataclass(frozen=True)
class Embeddings:
    """What one pass of a model over proteins gives, for one layer.

    Attributes
    ----------
    accessions : tuple of str
        The proteins embedded, in the order given.
    vectors : ndarray of float32, shape (n_proteins, width)
        Their global embeddings.
    residue_moments : mapping of str to Moments, or None
        Moments of the residue embeddings by amino-acid letter, read from disk when they are first
        asked for; None where there are none.
    left_out : mapping of str to str
        Accessions that have no vector, and why.
    residue_groups : sequence of mappings of str to Moments
        The same over each group of proteins, read from disk letter by letter; none for layers
        other than the last.
    residue_sample : ndarray of float32, shape (n_sampled, residue_width), or None
        Embeddings of residues drawn at random, of the last layer.
    """

    accessions: tuple[str, ...]
    vectors: np.ndarray
    residue_moments: Mapping[str, Moments] | None
    left_out: Mapping[str, str]
    residue_groups: Sequence[Mapping[str, Moments]] = ()
    residue_sample: np.ndarray | None = None


def describe(
    proteins: Proteins,
    model: "Embedder",
    *,
    layers: Sequence[int] = (-1,),
    pooling: str = "mean",
    keep_residues: bool = False,
    residue_moments: bool = True,
    seed: int = 0,
    families: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return all that the embeddings depend on, for a store's fingerprint."""
    computed_by = [sys.modules[f"plm_geometry.{module}"] for module in _COMPUTED_BY]
    return {
        "proteins_sha256": proteins.sha256,
        "n_proteins": len(proteins),
        "model_name": model.name,
        "model": dict(model.identity),
        "layers": list(layers),
        "pooling": pooling,
        "keep_residues": keep_residues,
        "residue_moments": residue_moments,
        "seed": seed,
        "families": fingerprint({"families": list(families)}) if families is not None else "",
        "code": source_digest(plm_geometry.models, *computed_by, without=_ONLY_TELLING),
    }


def embed(
    proteins: Proteins,
    model: "Embedder",
    directory: Path,
    *,
    layers: Sequence[int] = (-1,),
    pooling: str = "mean",
    keep_residues: bool = False,
    residue_moments: bool = True,
    seed: int = 0,
    families: Sequence[str] | None = None,
    residues_per_batch: int | None = None,
    copies: Sequence["Embedder"] = (),
    cluster: str | None = None,
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
    pooling : {"mean", "mean_with_special", "mean_with_start", "first", "max", "final"}
        From residues to the protein: ``final`` is the last residue's state, the whole protein's
        in a recurrent model; ``mean_with_start`` is UniRep's ``mean_with_special``. Models that
        make a global embedding themselves ignore it.
    keep_residues : bool
        Whether the store also keeps every residue's embedding, of the last of `layers`.
    residue_moments : bool
        Whether it keeps the residues' moments and sample. Without them there are no groups to
        keep apart, so that batches are larger and fewer.
    seed : int
        Of the draw of groups of proteins, and of the residues whose vectors are kept.
    families : sequence of str, optional
        The family of each protein: a family stays within one group.
    residues_per_batch : int, optional
        Padded residues a batch may hold; by default what suits the device. A store that was
        begun keeps its own.
    copies : sequence of Embedder
        The same model on other devices, one worker each (`load_models`).
    cluster : str, optional
        ``"tcp://HOST:PORT"`` of a Dask scheduler, or ``"local"``: its workers load the model
        themselves and compute; this process stores.
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
    if pooling not in (*POOLINGS, *ALIASES):
        raise InputError(f"pooling {pooling!r} is unknown; choose one of {', '.join(POOLINGS)}.")
    options = {
        "layers": tuple(layers),
        "pooling": pooling,
        "keep_residues": keep_residues,
        "residue_moments": residue_moments,
    }
    groups_from = {"seed": seed, "families": families}
    store = EmbeddingStore(directory, describe(proteins, model, **options, **groups_from), tell)
    n_sampled = _N_SAMPLED if residue_moments else 0
    sample = draw_residues(int(proteins.lengths.sum()), n_sampled, seed=seed)
    work = ForwardPass(proteins, (model, *copies), **options, sample=sample)
    with store.lock(tell):
        n_groups = N_GROUPS if residue_moments else 1
        groups = draw_blocks(len(proteins), n_blocks=n_groups, **groups_from)
        plan = _fixed_plan(store, work, groups, residues_per_batch)
        run_plan(store, plan, work, cluster=cluster, progress=progress, tell=tell)
    return store


def load(store: EmbeddingStore, proteins: Proteins, *, layer: int = 0) -> Embeddings:
    """Read one layer (by its position among those kept) of a complete store."""
    _, running, left_out = store.read_progress()
    vectors = store.read_vectors(layer)
    keep = [i for i, accession in enumerate(proteins.accessions) if accession not in left_out]
    accessions = tuple(proteins.accessions[i] for i in keep)
    layer %= store.n_layers
    if layer < store.n_layers - 1:
        return Embeddings(accessions, vectors[keep], running.get(layer), left_out)
    groups = store.group_moments(layer)
    moments = MergedMoments(groups)
    return Embeddings(
        accessions, vectors[keep], moments or None, left_out, groups, store.read_sample()
    )


def _fixed_plan(
    store: EmbeddingStore, work: ForwardPass, groups: np.ndarray, residues_per_batch: int | None
) -> Plan:
    """Return the store's plan, made now if this run is the first."""
    if stored := store.plan():
        return Plan.from_json(stored)
    proteins, model = work.proteins, work.models[0]
    budget = residues_per_batch or choose_budget(proteins, model)
    plan = make_plan(proteins.lengths, budget, groups, groups_at_once(model.residue_width))
    shape = (len(work.layers), len(proteins), model.width)
    sample_shape = (len(work.sample), model.residue_width)
    store.create(plan.to_json(), shape, sample_shape, plan.rows_per_block)
    return plan
