"""From a name to an `Embedder`: keys, directories, files, hub ids, controls made of them."""

import os
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
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CONTROLS = {"composition": CompositionEmbedder, "kmers": KmerEmbedder}


def load(
    name: str | Path,
    *,
    device: str = "cpu",
    precision: str = "fp32",
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
    device : str
        As torch names devices.
    precision : {"fp32", "bf16", "fp16"}
        Of weights and activations; what is added up over residues is float32 or wider.
    padded_length : int or "power of two", optional
        For ProteinBERT alone: see `ProteinBERTEmbedder`.

    Returns
    -------
    Embedder

    Raises
    ------
    InputError
        If there is no such model, its checkpoint cannot be had or read, the device is not
        available or the precision is unknown.
    """
    # oneDNN keeps a compiled product for each of the last 1,024 shapes; sorted batches hardly ever
    # have one twice, so that memory would grow with the number of proteins.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    if precision not in _DTYPES:
        raise InputError(f"precision {precision!r} is unknown; choose fp32, bf16 or fp16.")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {device!r} is not available; use cpu, or cuda on a machine with an NVIDIA GPU."
        ) from error
    model = _open(ModelName(str(name)), padded_length).to(device, _DTYPES[precision])
    # Vectors of another precision are other vectors: a store must not mix them.
    model.identity["precision"] = precision
    model.device = torch.device(device)
    padding = str(padded_length or "none")
    model.loaded_from = {"name": str(name), "precision": precision, "padded_length": padding}
    return model


def load_copies(
    name: str, *, device: str = "auto", precision: str = "fp32", padded_length: str = "none"
) -> list[Embedder]:
    """Load a model onto each of several devices, as workers that share the proteins.

    Parameters
    ----------
    name, precision : str
        As in `load`.
    device : str
        Names parted by commas; "auto" is every GPU, or the CPU where there is none.
    padded_length : str
        As `read_padded_length` takes it.
    """
    if device == "auto":
        n_gpus = torch.cuda.device_count()
        device = ",".join(f"cuda:{number}" for number in range(n_gpus)) or "cpu"
    how = {"precision": precision, "padded_length": read_padded_length(padded_length)}
    return [load(name, device=one, **how) for one in device.split(",")]


def read_padded_length(text: str) -> PaddedLength:
    """Return what a parameter names: "none" for the protein as it is, "power of two", a number."""
    if text.isdigit():
        return int(text)
    return None if text == "none" else text


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
