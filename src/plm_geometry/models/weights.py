"""Checkpoint files: what is in them read safely, and what identifies them."""

import hashlib
import json
import pickle
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import sha256_of


def read_config(directory: Path) -> dict[str, Any]:
    """Return a checkpoint's ``config.json``.

    Raises
    ------
    InputError
        If it is not there, or holds no JSON object.
    """
    path = directory / "config.json"
    if not path.exists():
        raise InputError(f"{directory} is not a checkpoint: it holds no config.json.")
    try:
        return dict(json.loads(path.read_text()).items())
    except (ValueError, OSError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read as a configuration: it is not a JSON object."
        ) from error


def weight_files(directory: Path) -> list[Path]:
    """Return the files that hold a checkpoint's weights, safetensors before older formats."""
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        if files := sorted(directory.glob(pattern)):
            return files
    raise InputError(
        f"{directory} holds no weights: expected model.safetensors or pytorch_model.bin beside "
        "its config.json."
    )


def sha256_of_files(files: list[Path]) -> str:
    """Return one digest of the contents of `files` in order."""
    digests = [_sha256(path, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, modified: int) -> str:
    """Digest a file once a process, unless its size or time of change moves."""
    return sha256_of(path)


def _latin1_bytes(text: str, encoding: str) -> bytes:
    """Undo how pickle protocols below 3 write bytes; other codecs have no business here."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"codec {encoding}")
    return text.encode("latin1")


# What a pickle of plain NumPy arrays refers to, under old and new module names.
_ARRAY_PARTS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1_bytes,
}
for _core in ("numpy.core", "numpy._core"):
    _ARRAY_PARTS |= {
        (f"{_core}.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
        (f"{_core}.multiarray", "scalar"): np._core.multiarray.scalar,
        (f"{_core}.numeric", "_frombuffer"): np._core.numeric._frombuffer,
    }


class _ArraysOnlyUnpickler(pickle.Unpickler):
    """Admits NumPy arrays and plain containers: a pickle can otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"refers to {module}.{name}")
        return _ARRAY_PARTS[module, name]


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
            return _ArraysOnlyUnpickler(file).load()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    # A damaged stream fails wherever its opcodes happen to lead, with any exception.
    except Exception as error:
        raise InputError(
            f"{path} is not a safe pickle of arrays ({error}), so it was not loaded: "
            "fetch the official file."
        ) from error
