"""Models onto devices, in a precision; a file of embeddings where one is named."""

import os
from typing import TYPE_CHECKING

from plm_geometry.base.errors import InputError
from plm_geometry.models.names import ModelName

if TYPE_CHECKING:
    from plm_geometry.embedding.files import EmbeddingFile
    from plm_geometry.models import Embedder


def load_models(
    name: str, *, device: str = "auto", precision: str = "fp32", padded_length: str = "none"
) -> list["Embedder"]:
    """Load a model onto each of several devices, as workers that share the proteins.

    Parameters
    ----------
    name, precision, padded_length : str
        As in `load_model`.
    device : str
        Names parted by commas; "auto" is every GPU, or the CPU where there is none.
    """
    import torch

    if device == "auto":
        n_gpus = torch.cuda.device_count()
        device = ",".join(f"cuda:{number}" for number in range(n_gpus)) or "cpu"
    options = {"precision": precision, "padded_length": padded_length}
    return [load_model(name, device=one, **options) for one in device.split(",")]


def load_model(
    name: str, *, device: str = "cpu", precision: str = "fp32", padded_length: str = "none"
) -> "Embedder | EmbeddingFile":
    """Load a model onto a device, or open a file of embeddings.

    Parameters
    ----------
    name : str
        Whatever `plm_geometry.models.load` takes, or a file of embeddings.
    device : str
        As torch names devices.
    precision : {"fp32", "bf16", "fp16"}
        Of weights and activations; what is added up over residues is float32 or wider.
    padded_length : str
        Of ProteinBERT alone: "none" for the protein as it is, "power of two" for the next one, or
        a number of positions.

    Raises
    ------
    InputError
        If the device is not there, or the precision or the padded length is unknown.
    """
    # oneDNN keeps a compiled product for each of the last 1,024 shapes; sorted batches hardly ever
    # have one twice, so that memory would grow with the number of proteins.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    import torch

    from plm_geometry import models
    from plm_geometry.embedding.files import open_embeddings

    dtypes = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in dtypes:
        raise InputError(f"precision {precision!r} is unknown; choose fp32, bf16 or fp16.")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {device!r} is not there; use cpu, or cuda on a machine with an NVIDIA GPU."
        ) from error
    padding = read_padded_length(padded_length)
    if ModelName(name).is_embedding_file:
        model = open_embeddings(name)
    else:
        model = models.load(name, device=device, dtype=dtypes[precision], padded_length=padding)
    # Vectors of another precision are other vectors: a store must not mix them.
    model.identity["precision"] = precision
    model.device = torch.device(device)
    model.loaded_from = {"name": name, "precision": precision, "padded_length": padded_length}
    return model


def read_padded_length(text: str) -> int | str | None:
    """Return the padded length that a parameter names; None for the protein as it is."""
    if text.isdigit():
        return int(text)
    return None if text == "none" else text
