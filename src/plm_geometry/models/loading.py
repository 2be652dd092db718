"""From a name to an `Embedder`: keys, directories, files, Hugging Face ids, untrained copies."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from plm_geometry.errors import InputError
from plm_geometry.models import registry
from plm_geometry.models.base import Embedder
from plm_geometry.models.controls import CompositionEmbedder, KmerEmbedder
from plm_geometry.models.embedding_file import SUFFIXES as EMBEDDING_SUFFIXES
from plm_geometry.models.embedding_file import EmbeddingFile
from plm_geometry.models.hub import fetch_dump, fetch_snapshot
from plm_geometry.models.proteinbert import MODEL_TYPE
from plm_geometry.models.proteinbert_embedder import ProteinBERTEmbedder
from plm_geometry.models.transformers_lm import TransformersEmbedder
from plm_geometry.models.weights import read_config

PaddedLength = int | Literal["power of two"] | None

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_CONTROLS: dict[str, Callable[[], Embedder]] = {
    "composition": CompositionEmbedder,
    "kmers": KmerEmbedder,
}


def open_model(name: str, *, padded_length: PaddedLength = None) -> Embedder | EmbeddingFile:
    """Return the model of a name, on the CPU in float32; see `registry.load`."""
    if name in _CONTROLS:
        return _CONTROLS[name]()
    if name.endswith(EMBEDDING_SUFFIXES) and Path(name).is_file():
        return EmbeddingFile(name)
    untrained = name.startswith(registry.UNTRAINED)
    plain_name = name.removeprefix(registry.UNTRAINED)
    path, revision = _locate(plain_name, weights=not untrained)
    model = _open_path(name, path, untrained, padded_length)
    _describe(model, plain_name, path, revision)
    if untrained:
        model.title, model.is_control, model.is_stand_in = f"{model.title}, untrained", True, False
    return model


def _locate(name: str, *, weights: bool) -> tuple[Path | None, str]:
    """Return where the checkpoint lies on this machine, and its revision.

    An untrained ProteinBERT of the published size needs no file at all: its path is None.
    """
    if name in _CONTROLS:
        raise InputError(f"{name} has no weights, so there is no untrained copy of it.")
    if name not in registry.MODELS:
        if Path(name).exists():
            return Path(name), "local"
        if _HUB_ID.fullmatch(name):
            return _fetch(name, "main", weights=weights)
    spec = registry.find(name)
    if spec.is_stand_in:
        return registry.directory_of(spec), "local"
    if spec.architecture == MODEL_TYPE:
        return fetch_dump(spec.source, spec.sha256) if weights else None, spec.revision
    return _fetch(spec.source, spec.revision, weights=weights)


def _fetch(repo_id: str, revision: str, *, weights: bool) -> tuple[Path, str]:
    directory = fetch_snapshot(repo_id, revision, weights=weights)
    return directory, directory.name


def _open_path(
    name: str, path: Path | None, untrained: bool, padded_length: PaddedLength
) -> Embedder:
    if path is not None and not path.exists():
        raise InputError(f"The checkpoint of {name} is not at {path}: run `make minis`.")
    is_dump = path is not None and path.is_file()
    if path is None or is_dump or read_config(path).get("model_type") == MODEL_TYPE:
        return ProteinBERTEmbedder(name, path, untrained=untrained, padded_length=padded_length)
    if padded_length is not None:
        raise InputError(f"A padded length is ProteinBERT's alone; {name} takes none.")
    return TransformersEmbedder(name, path, untrained=untrained)


def _describe(model: Embedder, name: str, path: Path | None, revision: str) -> None:
    """Give a model what is known of it beyond its checkpoint."""
    spec = registry.MODELS.get(name) or registry.stand_in_at(path)
    model.identity["revision"] = revision
    if spec is None:
        model.title = path.name if revision == "local" else name
        return
    model.title, model.is_stand_in = spec.title, spec.is_stand_in
    model.identity["source"] = spec.source
    if not spec.is_stand_in and spec.architecture != MODEL_TYPE:
        model.max_residues = spec.max_residues
