"""Files of named arrays: HDF5, read when asked for; .npz, .pt and .safetensors, read whole."""

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import attribute
from plm_geometry.embedding.vectors import (
    Vectors,
    check_numeric,
    explained,
    of_matrix,
    refuse_transpose,
)
from plm_geometry.proteins.fasta import accession_of

# Files of more arrays than these have one per protein, and are not searched for names of rows.
_MOST_BESIDE = 16
# Gives a context in which each array of a file, or HDF5 dataset, is found by its name.
Opened = Callable[[], AbstractContextManager[Mapping[str, Any]]]


def _describe(
    path: Path, opened: Opened, names: Sequence[str], key: str | None, transpose: bool
) -> Vectors:
    """Return the vectors in one matrix, that of `key` for instance, or of many proteins."""
    if not names:
        raise InputError(f"{path} holds no dataset; give one dataset per protein.")
    if key is not None and key not in names:
        raise InputError(f"{path} has no dataset {key}; it has {list(names)[:5]}.")
    with opened() as arrays:
        texts = [name for name in names if _is_text(arrays[name])] if _few(names) else []
        chosen = [key] if key else [name for name in names if name not in texts] or texts
        first, where = arrays[chosen[0]], f"{path}, dataset {chosen[0]},"
        check_numeric(first.dtype, where)
        if len(chosen) == 1 and first.ndim == 2 and (len(first) != 1 or transpose):
            ids = [arrays[text][()] for text in texts if arrays[text].shape == first.shape[:1]]
            accessions = [_text(one) for one in ids[0]] if len(ids) == 1 else None
            read = partial(_read_part, opened, chosen[0])
            return of_matrix(first, where, transpose=transpose, accessions=accessions, read=read)
        if transpose:
            refuse_transpose(path)
        if texts and key is None:
            check_numeric(arrays[texts[0]].dtype, f"{path}, dataset {texts[0]},")
        if first.ndim not in (1, 2):
            raise InputError(
                f"{where} has shape {first.shape}; give one vector per protein, or choose a "
                "dataset with --key."
            )
        per_residue = first.ndim == 2 and len(first) != 1
        proteins = _PerProtein(path, opened, chosen, per_residue, first.shape[-1])
        return proteins.describe(_accessions(arrays, chosen))


@dataclass(frozen=True)
class _PerProtein:
    """One array per protein: a vector each, or with `per_residue` a matrix each, `d` wide."""

    path: Path
    opened: Opened
    names: Sequence[str]
    per_residue: bool
    d: int

    def describe(self, accessions: Sequence[str]) -> Vectors:
        reading = (self.residues, self.lengths) if self.per_residue else ()
        return Vectors(len(self.names), self.d, accessions, self.read, True, *reading)

    def read(self, places: Any) -> np.ndarray:
        some = self.names[places] if isinstance(places, slice) else [self.names[i] for i in places]
        with self.opened() as arrays:
            # As one may be of another precision, they are joined, not copied into the first's.
            return np.stack([self._checked(arrays, name).reshape(-1) for name in some])

    def residues(self, place: int) -> np.ndarray:
        with self.opened() as arrays:
            return self._checked(arrays, self.names[place])

    def lengths(self) -> np.ndarray:
        with self.opened() as arrays:
            return np.array([len(arrays[name]) for name in self.names])

    def _checked(self, arrays: Mapping[str, Any], name: str) -> np.ndarray:
        array, where = _values(arrays, name), f"{self.path}, dataset {name},"
        check_numeric(array.dtype, where)
        is_matrix = array.ndim == 2 and (self.per_residue or len(array) != 1)
        if array.ndim not in (1, 2) or is_matrix != self.per_residue:
            has = "one vector per residue" if self.per_residue else "one vector per protein"
            raise InputError(
                f"{where} has shape {array.shape} where {self.names[0]} has {has}; give a file "
                "of one kind."
            )
        if array.shape[-1] != self.d:
            raise InputError(
                f"{where} has {array.shape[-1]} dimensions where {self.names[0]} has {self.d}; "
                "give vectors of one width."
            )
        return array


def _read_part(opened: Opened, name: str, part: Any) -> np.ndarray:
    with opened() as arrays:
        return arrays[name][part]


def read_h5(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe HDF5 with one dataset per protein, or with one matrix; memory stays flat."""

    @contextmanager
    def opened() -> Iterator[h5py.File]:
        with explained(path, "HDF5"), h5py.File(path) as file:
            yield file

    with opened() as file:
        names = list(file)
        # Looking at every object takes minutes at Swiss-Prot's size: only where there are groups.
        if names and isinstance(file[names[0]], h5py.Group):
            every: list[str] = []
            file.visit(every.append)
            names = [name for name in every if isinstance(file[name], h5py.Dataset)]
    return _describe(path, opened, names, key, transpose)


def _accessions(arrays: Mapping[str, Any], names: Sequence[str]) -> Sequence[str]:
    """Return what proteins are called: in bio_embeddings' layout, an attribute says it."""
    if "original_id" not in getattr(arrays[names[0]], "attrs", {}):
        return names
    return [accession_of(attribute(arrays[name], "original_id", name)) for name in names]


def _values(arrays: Mapping[str, Any], name: str) -> np.ndarray:
    """Return an array by its name; of HDF5 in a third of the time of ``file[name][()]``."""
    if not isinstance(arrays, h5py.File):
        return arrays[name]
    dataset = h5py.h5d.open(arrays.id, name.encode())
    array = np.empty(dataset.shape, dataset.dtype)
    if array.dtype.kind != "O":  # text, which is refused
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, array)
    return array


def read_zip(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe what NumPy (.npz) or torch (.pt) packed into a zip archive, read whole."""
    with explained(path, "a zip archive"), zipfile.ZipFile(path) as archive:
        is_torch = any(name.endswith("data.pkl") for name in archive.namelist())
    if is_torch:
        return read_torch(path, key, transpose)
    with explained(path, ".npz"), np.load(path, allow_pickle=False) as stored:
        return _in_memory(path, dict(stored), key, transpose)


def read_torch(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe a tensor, or a dictionary of them, that torch saved (.pt), read whole."""
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged pickle fails wherever its bytes happen to lead, with any exception.
    except Exception as error:
        raise InputError(
            f"{path} cannot be read: it is damaged, or holds more than tensors, which is not "
            "loaded since it could run code; save a dictionary of one tensor per protein."
        ) from error
    arrays = found if isinstance(found, dict) else {path.stem: found}
    return _in_memory(path, arrays, key, transpose)


def read_safetensors(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe the tensors of a .safetensors file, read whole."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with explained(path, "safetensors", SafetensorError):
        found = load_file(path)
    return _in_memory(path, found, key, transpose)


def _in_memory(path: Path, found: Mapping[Any, Any], key: str | None, transpose: bool) -> Vectors:
    arrays = {str(name): _array(value, str(name), path) for name, value in found.items()}
    return _describe(path, partial(nullcontext, arrays), list(arrays), key, transpose)


def _array(value: Any, name: str, path: Path) -> np.ndarray:
    """Return a tensor, an array or a list of texts as an array."""
    if hasattr(value, "detach"):
        is_half = value.is_floating_point() and value.dtype.itemsize < 4
        return (value.float() if is_half else value).detach().numpy()
    if isinstance(value, np.ndarray) or (
        isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    ):
        return np.asarray(value)
    raise InputError(
        f"{path} holds {type(value).__name__} under {name!r} and no tensor; give a dictionary of "
        "one tensor per protein."
    )


def _few(names: Sequence[str]) -> bool:
    return len(names) <= _MOST_BESIDE


def _is_text(array: Any) -> bool:
    return array.dtype.kind in "USO" and len(array.shape) == 1


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
