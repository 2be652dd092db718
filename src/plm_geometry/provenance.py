"""What a result was made with and from: versions, the machine, digests of files."""

import os
import platform
import sys
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

_PACKAGES = ("plm-geometry", "torch", "transformers", "numpy", "parasail")


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide a number."""
    return {package: version(package) for package in _PACKAGES}


def machine() -> str:
    """Return a line about this machine; a host's or a person's name is not in it."""
    words = [platform.platform(), f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    torch = sys.modules.get("torch")  # a GPU is of no matter where it was not loaded
    if torch is not None and torch.cuda.is_available():
        words += [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ", ".join(words)


def sha256_of(path: Path) -> str:
    """Return the digest of a file; of a directory, that of its files' names and digests."""
    if not path.is_dir():
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    digest = sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(path).as_posix()} {sha256_of(file)}\n".encode())
    return digest.hexdigest()


def model_name(path: Path) -> str:
    """Return which model a file of vectors says it is of; nothing if it does not say."""
    import h5py

    if not path.is_file() or not h5py.is_hdf5(path):
        return ""
    with h5py.File(path) as file:
        return attribute(file, "model_name", "")


def attribute(place: "h5py.File | h5py.Dataset", name: str, default: str) -> str:
    """Return the text of an HDF5 attribute, which some libraries write as bytes."""
    value = place.attrs.get(name, default)
    return value.decode() if isinstance(value, bytes) else str(value)
