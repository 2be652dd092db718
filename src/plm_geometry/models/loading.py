"""From a name to an `Embedder`: keys, directories, files, hub ids, controls made of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from plm_geometry.base.errors import InputError
from plm_geometry.models import hf_directory, proteinbert, unirep
from plm_geometry.models.base import Embedder
from plm_geometry.models.configs import mini_directory, read_config
from plm_geometry.models.controls import CompositionEmbedder, KmerEmbedder, ShuffledEmbedder
from plm_geometry.models.hub import fetch_dump, fetch_snapshot
from plm_geometry.models.names import ModelName, unknown_model
from plm_geometry.models.proteinbert_embedder import ProteinBERTEmbedder
from plm_geometry.models.transformers_lm import TransformersEmbedder

PaddedLength = int | Literal["power of two"] | None

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
# How pickles of protocol 2 and later begin: a downloaded dump may have lost its suffix.
_PICKLE_MAGIC = b"\x80"
_CONTROLS: dict[str, Callable[[], Embedder]] = {
    "composition": CompositionEmbedder,
    "kmers": KmerEmbedder,
}


def load(
    name: str | Path,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    padded_length: PaddedLength = None,
) -> Embedder:
    """Load a model.

    Parameters
    ----------
    name : str or Path
        A key of `MODELS`; a checkpoint directory; a ProteinBERT dump (``.pkl``); a Hugging Face
        id; ``untrained:`` before any of these, for the same architecture and tokenizer with
        random weights, or ``shuffled:``, for the model shown proteins whose residues are shuffled
        (``@3`` behind either is a seed, 0 by default); or a file of existing embeddings (see
        `EmbeddingFile`).
    device : str or torch.device
    dtype : torch.dtype, optional
        float32 by default.
    padded_length : int or "power of two", optional
        For ProteinBERT alone: see `ProteinBERTEmbedder`.

    Returns
    -------
    Embedder

    Raises
    ------
    InputError
        If there is no such model, or its checkpoint cannot be had or read.
    """
    model = _open(str(name), padded_length=padded_length)
    return model.to(device, dtype or torch.float32)


def _open(text: str, *, padded_length: PaddedLength = None) -> Embedder:
    """Return the model of a name, on the CPU in float32."""
    name = ModelName(text)
    if name.text in _CONTROLS:
        return _CONTROLS[name.text]()
    if name.is_embedding_file:
        raise InputError(f"{name.place} holds embeddings already; name the model they are of.")
    if name.is_shuffled:
        shuffled = ShuffledEmbedder(_open(name.place, padded_length=padded_length), name.seed)
        shuffled.name, shuffled.title = name.text, name.title
        return shuffled
    if name.spec is not None and name.spec.architecture == unirep.ARCHITECTURE:
        return _open_unirep(name, padded_length)
    path, revision = _locate(name, weights=not name.is_untrained)
    model = _open_path(name, path, padded_length)
    _describe(model, name, revision)
    return model


def read_sizes(name: ModelName) -> tuple[str, int, int | None]:
    """Return architecture, width and longest protein of a place, without its weights."""
    path, _ = _locate(name, weights=False)
    if not _is_proteinbert(path):
        return hf_directory.read_sizes(path)
    config = proteinbert.read_sizes(path)
    return proteinbert.MODEL_TYPE, config.global_width, config.max_residues


def _locate(name: ModelName, *, weights: bool) -> tuple[Path | None, str]:
    """Return where the checkpoint lies on this machine, and its revision.

    An untrained ProteinBERT of the published size needs no file at all: its path is None.
    """
    spec = name.spec
    if spec is None:
        return _locate_own(name.place, weights=weights)
    if spec.is_mini:
        return mini_directory(spec), "local"
    if spec.architecture == proteinbert.MODEL_TYPE:
        return fetch_dump(spec.source, spec.sha256) if weights else None, spec.revision
    return _fetch(spec.source, spec.revision, weights=weights)


def _locate_own(place: str, *, weights: bool) -> tuple[Path, str]:
    """Return where a checkpoint that is not in the table lies, and its revision."""
    if Path(place).exists():
        return Path(place), "local"
    if _HUB_ID.fullmatch(place):
        return _fetch(place, "main", weights=weights)
    raise unknown_model(place)


def _fetch(repo_id: str, revision: str, *, weights: bool) -> tuple[Path, str]:
    directory = fetch_snapshot(repo_id, revision, weights=weights)
    return directory, directory.name


def _open_path(name: ModelName, path: Path | None, padded_length: PaddedLength) -> Embedder:
    if path is None or _is_proteinbert(path):
        return ProteinBERTEmbedder(
            name.text,
            path,
            untrained=name.is_untrained,
            seed=name.seed,
            padded_length=padded_length,
            reads_residues=name.spec is not None and name.spec.reads_residues,
        )
    _refuse_padding(name, padded_length)
    return TransformersEmbedder(name.text, path, untrained=name.is_untrained, seed=name.seed)


def _open_unirep(name: ModelName, padded_length: PaddedLength) -> Embedder:
    _refuse_padding(name, padded_length)
    spec = name.spec
    if name.is_untrained:
        arrays = unirep.initial_weights(spec.width, spec.layers, name.seed)
    else:
        arrays = unirep.read_weights(spec)
    weights = f"random, seed {name.seed}" if name.is_untrained else spec.sha256
    model = unirep.UniRepEmbedder(name.text, arrays, weights)
    _describe(model, name, spec.revision)
    return model


def _refuse_padding(name: ModelName, padded_length: PaddedLength) -> None:
    if padded_length is not None:
        raise InputError(f"A padded length is ProteinBERT's alone; {name.text} takes none.")


def _is_proteinbert(path: Path) -> bool:
    """Tell ProteinBERT's dumps and directories from others, refusing a file of something else."""
    if path.is_dir():
        return read_config(path).get("model_type") == proteinbert.MODEL_TYPE
    with path.open("rb") as file:
        is_pickle = file.read(1) == _PICKLE_MAGIC
    if not is_pickle and not path.suffix.startswith(".pkl"):
        raise InputError(
            f"{path} is neither ProteinBERT's dump (.pkl) nor a file of embeddings; give one, or a "
            "checkpoint's directory."
        )
    return True


def _describe(model: Embedder, name: ModelName, revision: str) -> None:
    """Give a model what is known of it beyond its checkpoint."""
    model.title, spec = name.title, name.spec
    model.is_control, model.is_mini = name.role == "control", name.role == "mini"
    model.identity["revision"] = revision
    if spec is None:
        return
    model.identity["source"] = spec.source
    if not spec.is_mini and spec.architecture != proteinbert.MODEL_TYPE:
        model.max_residues = spec.max_residues
