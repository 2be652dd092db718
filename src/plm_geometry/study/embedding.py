"""Embedding a study's proteins with its models, into stores under ``data/cache`` or from a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import fingerprint
from plm_geometry.base.settings import Settings
from plm_geometry.embedding import run
from plm_geometry.embedding.files import EmbeddingFile
from plm_geometry.embedding.run import Embeddings
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.models.pooling import possible_poolings
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.models import Embedder

# Residues of a protein, drawn at random, of which chapter 06 takes the mean.
LADDER = (1, 4, 16, 64, 256)
# Of more proteins than these one pass keeps the vectors of the chosen pooling alone.
MOST_POOLED = 5_000


def embedded(
    settings: Settings,
    name: str,
    models: Sequence["Embedder"],
    proteins: Proteins,
    *,
    families: Sequence[str] | None,
    tell: Callable[[str], None],
) -> tuple[Embeddings, dict[str, str]]:
    """Return a model's embeddings, computed or found on disk, and what identifies the model."""
    model, identity = models[0], dict(models[0].identity)
    is_file = isinstance(model, EmbeddingFile)
    if is_file and settings.max_residues:
        raise InputError(
            f"{model.title} is a file of embeddings: what they were made from cannot be "
            "cut; leave max_residues at 0."
        )
    if is_file and not model.has_residues:
        vectors = model.vectors(proteins.accessions)
        return Embeddings(proteins.accessions, vectors, {}), identity
    if is_file:
        model.places(proteins.accessions)  # who is missing is said before all work
    store = stored(
        settings,
        name,
        models,
        proteins,
        pooling=",".join(kept_poolings(model, settings.pooling, len(proteins))),
        families=families,
        residue_moments=name in settings.names,  # of further copies only the vectors are compared
        cluster=settings.cluster or None,
        tell=tell,
    )
    return run.load(store, proteins, pooling=settings.pooling), identity


def kept_poolings(model: "Embedder", chosen: str, n_proteins: int) -> tuple[str, ...]:
    """Return the poolings whose vectors a pass over the study's proteins keeps side by side.

    In one order whatever was chosen, so that the same store serves. A model that makes its global
    embedding itself has nothing to choose.
    """
    possible = ("mean", "max") if isinstance(model, EmbeddingFile) else possible_poolings(model)
    if not possible or n_proteins > MOST_POOLED:
        return (chosen,)
    kept = [name for name in possible if name != "mean_with_special"]
    return tuple(dict.fromkeys([*kept, *(f"mean_of_{n}" for n in LADDER), chosen]))


def read(
    settings: Settings,
    name: str,
    models: Sequence["Embedder"],
    proteins: Proteins,
    *,
    advice: str,
    layer: int = 0,
    **options,
) -> Embeddings:
    """Return embeddings of sequences that an experiment makes, or of which it asks more.

    Parameters
    ----------
    settings, name, models, proteins
        As for `stored`.
    advice : str
        What to do where memory is not enough.
    layer : int
        Its position among those kept.
    **options
        Of `run.embed`.

    Raises
    ------
    InputError
        If memory is not enough for one of the proteins.
    """
    store = stored(settings, name, models, proteins, residue_moments=False, **options)
    if store.left_out:
        raise InputError(
            f"memory was not enough for {', '.join(store.left_out)}, read by {name}; {advice}."
        )
    return run.load(store, proteins, layer=layer)


def stored(
    settings: Settings,
    name: str,
    models: Sequence["Embedder"],
    proteins: Proteins,
    *,
    cluster: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
    **options,
) -> EmbeddingStore:
    """Embed with copies of a model, or find what was embedded with these `options` of `run.embed`.

    Returns
    -------
    EmbeddingStore
        Complete, in a directory named after all that the embeddings depend on.
    """
    options = {"seed": settings.seed, **options}
    description = run.describe(proteins, models[0], **options)
    slug = "".join(c if c.isalnum() else "_" for c in Path(name).name)
    directory = paths.CACHE / "embeddings" / f"{slug}-{fingerprint(description)[:16]}"
    return run.embed(
        proteins, models[0], directory, **options, copies=models[1:], cluster=cluster, tell=tell
    )
