"""From a name to an `Embedder`: keys, directories, files, hub ids, controls made of them."""

import re
from pathlib import Path

import torch

from plm_geometry.base.errors import InputError
from plm_geometry.models import hub, proteinbert, transformers_lm, unirep
from plm_geometry.models.base import Embedder
from plm_geometry.models.controls import CompositionEmbedder, KmerEmbedder, ShuffledEmbedder
from plm_geometry.models.names import ModelName, unknown_model
from plm_geometry.models.proteinbert import PaddedLength
from plm_geometry.models.weights import read_config

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
# How pickles of protocol 2 and later begin: a downloaded dump may have lost its suffix.
_PICKLE_MAGIC = b"\x80"
_CONTROLS = {"composition": CompositionEmbedder, "kmers": KmerEmbedder}


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
        id; or ``untrained:`` before any of these, for the same architecture and tokenizer with
        random weights, or ``shuffled:``, for the model shown proteins whose residues are shuffled
        (``@3`` behind either is a seed, 0 by default).
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
    model = _open(ModelName(str(name)), padded_length)
    return model.to(device, dtype or torch.float32)


def _open(name: ModelName, padded_length: PaddedLength) -> Embedder:
    """Return the model of a name, on the CPU in float32."""
    if name.text in _CONTROLS:
        return _CONTROLS[name.text]()
    if name.control == "shuffled":
        model = ShuffledEmbedder(_open(ModelName(name.place), padded_length), name.seed)
        model.name, model.title = name.text, name.title
        return model
    path, revision = _locate(name, weights=name.control != "untrained")
    model, spec = _open_located(name, path, padded_length), name.spec
    model.title, model.identity["revision"] = name.title, revision
    if spec is not None:
        model.identity["source"] = spec.source
        if not spec.is_mini and spec.architecture != proteinbert.MODEL_TYPE:
            model.max_residues = spec.max_residues
    return model


def _open_located(name: ModelName, path: Path | None, padded_length: PaddedLength) -> Embedder:
    spec, seed = name.spec, name.seed if name.control == "untrained" else None
    is_proteinbert = spec.architecture == proteinbert.MODEL_TYPE if spec else _is_proteinbert(path)
    if is_proteinbert:
        by_residues = spec is not None and spec.reads_residues
        options = {"padded_length": padded_length, "reads_residues": by_residues}
        return proteinbert.ProteinBERTEmbedder(name.text, path, seed=seed, **options)
    if padded_length is not None:
        raise InputError(f"A padded length is ProteinBERT's alone; {name.text} takes none.")
    if spec is not None and spec.architecture == unirep.ARCHITECTURE:
        return unirep.UniRepEmbedder(name.text, spec, seed=seed)
    return transformers_lm.TransformersEmbedder(name.text, path, seed=seed)


def read_sizes(name: ModelName) -> tuple[str, int, int | None]:
    """Return architecture, width and longest protein of a place, without its weights."""
    path, _ = _locate(name, weights=False)
    return (proteinbert if _is_proteinbert(path) else transformers_lm).read_sizes(path)


def _locate(name: ModelName, *, weights: bool) -> tuple[Path | None, str]:
    """Return where the checkpoint lies on this machine, and its revision.

    The path is None where an architecture needs no file or finds its own: an untrained
    ProteinBERT of the published size, UniRep.
    """
    spec = name.spec
    if spec is None:
        if Path(name.place).exists():
            return Path(name.place), "local"
        if not _HUB_ID.fullmatch(name.place):
            raise unknown_model(name.place)
    elif spec.is_mini:
        if not spec.directory.exists():
            raise InputError(
                f"The checkpoint of {spec.key} is not at {spec.directory}: run `make minis`."
            )
        return spec.directory, "local"
    elif spec.architecture == unirep.ARCHITECTURE:
        return None, spec.revision
    elif spec.architecture == proteinbert.MODEL_TYPE:
        return hub.fetch_dump(spec.source, spec.sha256) if weights else None, spec.revision
    source, revision = (spec.source, spec.revision) if spec else (name.place, "main")
    directory = hub.fetch_snapshot(source, revision, weights=weights)
    return directory, directory.name


def _is_proteinbert(path: Path) -> bool:
    """Tell ProteinBERT's dumps and directories from others, refusing a file of something else."""
    if path.is_dir():
        return read_config(path).get("model_type") == proteinbert.MODEL_TYPE
    with path.open("rb") as file:
        is_pickle = file.read(1) == _PICKLE_MAGIC
    if not is_pickle and not path.suffix.startswith(".pkl"):
        raise InputError(
            f"{path} is neither a checkpoint's directory nor ProteinBERT's dump (.pkl); if it "
            "holds embeddings, name the model they are of."
        )
    return True
