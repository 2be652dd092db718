"""ProteinBERT: tokens, the official weights and their safe conversion, and the embedder."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from plm_geometry.base.errors import InputError
from plm_geometry.models.configs import N_SPECIAL, read_config
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig
from plm_geometry.models.weights import check_names, read_array_pickle, read_safetensors

LETTERS = "ACDEFGHIKLMNPQRSTUVWXY"
OTHER, START, END, PAD = range(len(LETTERS), len(LETTERS) + 4)
MODEL_TYPE = "proteinbert"

_TOKEN_OF_BYTE = np.full(256, OTHER, dtype=np.int64)
_TOKEN_OF_BYTE[np.frombuffer(LETTERS.encode(), dtype=np.uint8)] = np.arange(len(LETTERS))


def tokenize(sequence: str, length: int | None = None) -> np.ndarray:
    """Return the token ids of a protein, as the official implementation numbers them.

    Parameters
    ----------
    sequence : str
        Residues in upper case; a letter outside `LETTERS` becomes OTHER.
    length : int, optional
        Pad to this many positions; unpadded (residues + 2) by default.

    Returns
    -------
    ndarray of int64, shape ``(length,)``
        START, residues, END, PAD...

    Raises
    ------
    InputError
        If the protein with its two special tokens is longer than `length`.
    """
    n_tokens = len(sequence) + N_SPECIAL
    length = n_tokens if length is None else length
    if n_tokens > length:
        raise InputError(
            f"A protein of {len(sequence):,} residues needs {n_tokens:,} positions, "
            f"more than the {length:,} asked for."
        )
    tokens = np.full(length, PAD, dtype=np.int64)
    tokens[0] = START
    letters = np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)
    tokens[1 : n_tokens - 1] = _TOKEN_OF_BYTE[letters]
    tokens[n_tokens - 1] = END
    return tokens


# How many arrays the official dump has, and where two of those that tell sizes lie.
_ARRAYS_OUTSIDE_BLOCKS, _ARRAYS_A_BLOCK = 7, 23
_NARROW_CONV, _QUERY = 5, 17


def load_official_dump(path: str | Path) -> tuple[ProteinBERT, int]:
    """Read the official pickled weights, without running any code that a pickle may hold.

    Parameters
    ----------
    path : str or Path
        A pickle of (number of annotations, model's arrays, optimiser's arrays).

    Returns
    -------
    module : ProteinBERT
        In evaluation mode.
    n_annotations : int

    Raises
    ------
    InputError
        If the file is damaged, holds anything but arrays, or its arrays are not ProteinBERT's.
    """
    path = Path(path)
    config, arrays = _read_dump(path)
    return _module_from_arrays(config, arrays, path), config.n_annotations


def read_sizes(path: str | Path) -> ProteinBERTConfig:
    """Read the sizes of a dump or of a directory, without making the model.

    Raises
    ------
    InputError
        As `load_official_dump` and `load_directory`, but for what only the weights would show.
    """
    path = Path(path)
    return _directory_config(path) if path.is_dir() else _read_dump(path)[0]


def _read_dump(path: Path) -> tuple[ProteinBERTConfig, list[np.ndarray]]:
    match read_array_pickle(path):
        case (int() | np.integer() as n_annotations, list() | tuple() as content, _):
            arrays = [np.asarray(array) for array in content]
            config = _config_from_arrays(arrays, path)
        case _:
            raise InputError(
                f"{path} is not a ProteinBERT dump: expected the number of annotations, the "
                "model's arrays and the optimiser's arrays."
            )
    if config.n_annotations != n_annotations:
        raise InputError(
            f"{path} says {n_annotations:,} annotations, but its arrays are for "
            f"{config.n_annotations:,}: fetch the official file again."
        )
    return config, arrays


def _module_from_arrays(
    config: ProteinBERTConfig, arrays: list[np.ndarray], path: Path
) -> ProteinBERT:
    module = _empty_module(config)
    state = {}
    # The module's parameters are declared in the dump's order.
    for name, array in zip(dict(module.named_parameters()), arrays, strict=True):
        if array.dtype.kind != "f":
            raise InputError(f"{path}: {name} holds no floating-point numbers but {array.dtype}.")
        # Keras puts a layer's inputs before its outputs, PyTorch after them.
        is_kernel = name.endswith(".weight") and array.ndim > 1 and name != "embedding.weight"
        state[name] = torch.from_numpy(
            np.array(array.T if is_kernel else array, np.float32, order="C")
        )
    return _fill(module, state, path)


def _config_from_arrays(arrays: list[np.ndarray], path: Path) -> ProteinBERTConfig:
    """Read all sizes but the dilation off the shapes of the arrays."""
    n_blocks, rest = divmod(len(arrays) - _ARRAYS_OUTSIDE_BLOCKS, _ARRAYS_A_BLOCK)
    try:
        n_annotations, global_width = arrays[0].shape
        vocabulary_size, local_width = arrays[2].shape
        kernel_size, _, _ = arrays[_NARROW_CONV].shape
        n_heads, _, key_width = arrays[_QUERY].shape
    except (IndexError, ValueError):
        rest = True
    if rest or n_blocks < 1:
        raise InputError(
            f"{path} holds {len(arrays)} arrays, but not those of a ProteinBERT: "
            "fetch the official file."
        )
    return ProteinBERTConfig(
        n_annotations=n_annotations,
        local_width=local_width,
        global_width=global_width,
        n_heads=n_heads,
        key_width=key_width,
        n_blocks=n_blocks,
        kernel_size=kernel_size,
        vocabulary_size=vocabulary_size,
    )


def _empty_module(config: ProteinBERTConfig) -> ProteinBERT:
    """Return a module without memory for its weights, which come from a file."""
    with torch.device("meta"):
        return ProteinBERT(config)


def _fill(module: ProteinBERT, state: dict[str, Tensor], path: Path) -> ProteinBERT:
    """Give the module exactly its weights; none missing, none left over, none of another shape."""
    expected = module.state_dict()
    check_names(found=state, expected=expected, path=path)
    for name, tensor in state.items():
        if tensor.shape != expected[name].shape:
            raise InputError(
                f"{path}: {name} has shape {tuple(tensor.shape)} instead of "
                f"{tuple(expected[name].shape)}, so it is not this model's checkpoint."
            )
    module.load_state_dict(state, assign=True)
    return module.eval()


def save_directory(module: ProteinBERT, directory: str | Path) -> None:
    """Write ``config.json`` and ``model.safetensors``, which `load_directory` reads."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    config = {"model_type": MODEL_TYPE, **asdict(module.config)}
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    save_file(state, directory / "model.safetensors")


def load_directory(directory: str | Path) -> ProteinBERT:
    """Read what `save_directory` wrote.

    Raises
    ------
    InputError
        If a file is missing or damaged, or a tensor is missing, extra or of another shape.
    """
    directory = Path(directory)
    weights = directory / "model.safetensors"
    return _fill(_empty_module(_directory_config(directory)), read_safetensors(weights), weights)


def _directory_config(directory: Path) -> ProteinBERTConfig:
    sizes = read_config(directory)
    sizes.pop("model_type", None)
    try:
        return ProteinBERTConfig(**sizes)
    except TypeError as error:
        raise InputError(
            f"{directory / 'config.json'} is not the configuration of a ProteinBERT: {error}."
        ) from error
