"""What a result was made with and from: versions, the machine, digests of files."""

import json
import os
import platform
import sys
from collections.abc import Collection, Mapping
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

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


def said_by(path: Path, name: str = "model_name") -> str:
    """Return what an HDF5 file says of itself, such as its model; nothing if it does not say."""
    import h5py

    try:
        with h5py.File(path) as file:
            return attribute(file, name, "")
    except OSError:  # another format, or a broken file
        return ""


def attribute(place: "h5py.File | h5py.Dataset", name: str, default: str) -> str:
    """Return the text of an HDF5 attribute, which some libraries write as bytes."""
    value = place.attrs.get(name, default)
    return value.decode() if isinstance(value, bytes) else str(value)


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Return the sha256 of `parts` written as canonical JSON."""
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def source_digest(*modules: ModuleType, without: Collection[str] = ()) -> str:
    """Return the sha256 of the source of `modules` (of packages: of every file in them).

    A cache that is blind to a change of the code that filled it serves stale numbers.

    Parameters
    ----------
    *modules : module
    without : collection of str
        Files, by name, that decide no number.
    """
    digest = sha256()
    for module in modules:
        file = Path(module.__file__)
        for path in sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]:
            if path.name not in without:
                digest.update(path.read_bytes())
    return digest.hexdigest()
