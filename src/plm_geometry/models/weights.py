"""Weight files: what is in them read safely, and what identifies them."""

import hashlib
import pickle
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import sha256_of

_WEIGHT_PATTERNS = ("*.safetensors", "pytorch_model*.bin")


def weight_files(directory: Path) -> list[Path]:
    """Return the files that hold a checkpoint's weights, safetensors before older formats."""
    for pattern in _WEIGHT_PATTERNS:
        if files := sorted(directory.glob(pattern)):
            return files
    raise InputError(
        f"{directory} holds no weights: expected model.safetensors or pytorch_model.bin beside "
        "its config.json."
    )


def sha256_of_files(files: list[Path]) -> str:
    """Return one digest of the contents of `files` in order."""
    digests = [_sha256(path, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, modified: int) -> str:
    """Digest a file once a process, unless its size or time of change moves."""
    return sha256_of(path)


def move_weights(module: nn.Module, device: str | torch.device, dtype: torch.dtype) -> None:
    """Move a module to a device and its parameters, but not its buffers, to a type.

    ESM's rotary frequencies are a buffer, and 8 bits of mantissa would turn far positions by
    arbitrary angles.
    """
    module.to(device)
    for parameter in module.parameters():
        parameter.data = parameter.data.to(dtype)


def check_names(found: Iterable[str], expected: Iterable[str], path: Path) -> None:
    """Refuse a checkpoint that lacks a tensor or holds one too many, by name."""
    found, expected = set(found), set(expected)
    for names, complaint in (expected - found, "lacks"), (found - expected, "has the unknown"):
        if names:
            raise InputError(
                f"{path} {complaint} {list_names(names)}: it is not a whole checkpoint "
                "of this architecture."
            )


def list_names(names: Iterable[str]) -> str:
    """Return "tensor a" or "tensors a, b, c and 7 more"."""
    ordered = sorted(names)
    shown = ", ".join(ordered[:3])
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return f"tensor{'s' if len(ordered) > 1 else ''} {shown}{more}"


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: the checkpoint is incomplete.") from None
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a whole safetensors file ({error}): fetch the checkpoint again."
        ) from error


def _latin1_bytes(text: str, encoding: str) -> bytes:
    """Undo how pickle protocols below 3 write bytes; other codecs have no business here."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"codec {encoding}")
    return text.encode("latin1")


def _array_parts() -> dict[tuple[str, str], Callable | type]:
    """Return what a pickle of plain NumPy arrays refers to, under old and new module names."""
    multiarray = np._core.multiarray
    parts: dict[tuple[str, str], Callable | type] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _latin1_bytes,
    }
    for package in ("numpy.core", "numpy._core"):
        parts[f"{package}.multiarray", "_reconstruct"] = multiarray._reconstruct
        parts[f"{package}.multiarray", "scalar"] = multiarray.scalar
        parts[f"{package}.numeric", "_frombuffer"] = np._core.numeric._frombuffer
    return parts


class _ArraysOnlyUnpickler(pickle.Unpickler):
    """Admits NumPy arrays and plain containers: a pickle can otherwise run any code."""

    _admitted = _array_parts()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._admitted[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refers to {module}.{name}") from None


def read_array_pickle(path: Path) -> Any:
    """Return what a pickle of NumPy arrays and plain containers holds.

    Raises
    ------
    InputError
        If the file is missing, is no whole pickle, or refers to anything but arrays. Nothing
        that it refers to is imported or called.
    """
    try:
        with path.open("rb") as file:
            return _unpickle(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is not a safe pickle of arrays ({error}), so it was not loaded: "
            "fetch the official file."
        ) from error


def _unpickle(file: BinaryIO) -> Any:
    """Unpickle, with every way in which a damaged stream can fail turned into one."""
    try:
        return _ArraysOnlyUnpickler(file).load()
    except pickle.UnpicklingError:
        raise
    # A damaged stream fails wherever its opcodes happen to lead, with any exception.
    except Exception as error:
        raise pickle.UnpicklingError(f"damaged: {error}") from error
