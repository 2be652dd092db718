"""Models onto devices, in a precision; how large batches should be there."""

import os
from timeit import repeat
from typing import TYPE_CHECKING

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.forward import is_out_of_memory
from plm_geometry.models.names import ModelName
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.embedding.files import EmbeddingFile
    from plm_geometry.models import Embedder

# Padded residues a batch may hold. Large batches fill a GPU; on a CPU they spill its caches.
_CANDIDATES = {"cpu": (512, 1024, 2048, 4096, 8192), "cuda": tuple(2**k for k in range(13, 19))}
_DEFAULT = {"cpu": 2048, "cuda": 65_536}
# Timing costs each candidate twice; it must be a small part of the work.
_SMALLEST_SHARE = 100
# A candidate this much slower than the best so far ends the search: larger ones only get worse.
_CLEARLY_SLOWER = 1.25


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
        If the device is not available, or the precision or the padded length is unknown.
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
            f"device {device!r} is not available; use cpu, or cuda on a machine with an NVIDIA GPU."
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


def choose_budget(proteins: Proteins, model: "Embedder") -> int:
    """Return how many padded residues a batch of `proteins` should hold on the model's device.

    Where the work is long enough, batches of typical proteins are timed from small to large, and
    the size with the most residues a second is taken.
    """
    if model.residues_per_batch:
        return model.residues_per_batch
    kind = "cuda" if model.device.type == "cuda" else "cpu"
    candidates = _CANDIDATES[kind]
    if proteins.lengths.sum() < _SMALLEST_SHARE * sum(candidates):
        return _DEFAULT[kind]
    costs: dict[int, float] = {}
    for budget in candidates:
        costs[budget] = _seconds_per_residue(proteins, model, budget)
        if costs[budget] > _CLEARLY_SLOWER * min(costs.values()):
            break
    return min(costs, key=costs.get)


def _seconds_per_residue(proteins: Proteins, model: "Embedder", budget: int) -> float:
    """Time one batch of proteins of about the median length; infinity where it does not run."""
    from plm_geometry.models import ProteinError

    order = np.argsort(proteins.lengths, kind="stable")
    middle = len(order) // 2
    count = max(1, budget // max(1, int(proteins.lengths[order[middle]])))
    some = proteins.select(order[max(0, middle - count // 2) :][:count])
    try:
        # Fetching a number waits for the GPU.
        timed = repeat(lambda: model.read(some).hidden[-1].sum().item(), repeat=2, number=1)
        return min(timed) / some.lengths.sum()
    except ProteinError:
        return np.inf  # the run itself will name the protein
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return np.inf
