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
from plm_geometry.embedding.formats.base import (
    Vectors,
    check_numeric,
    explained,
    of_matrix,
    refuse_transpose,
    spans,
)
from plm_geometry.proteins.fasta import accession_of

# Files of more arrays than these have one per protein, and are not searched for names of rows.
_MOST_BESIDE = 16


@dataclass(frozen=True)
class _Arrays:
    """Arrays in a file.

    Attributes
    ----------
    path : Path
    names : sequence of str
    opened : callable
        Gives a context in which each array is found by its name: a mapping of arrays, or of
        HDF5 datasets.
    accessions : callable
        Returns what the proteins are called whose arrays these are.
    """

    path: Path
    names: Sequence[str]
    opened: Callable[[], AbstractContextManager[Mapping[str, Any]]]
    accessions: Callable[[], Sequence[str]]

    def where(self, name: str) -> str:
        return f"{self.path}, dataset {name},"

    def describe(self, key: str | None, transpose: bool) -> Vectors:
        """Return the vectors in one matrix, that of `key` for instance, or of many proteins."""
        if not self.names:
            raise InputError(f"{self.path} holds no dataset; give one dataset per protein.")
        if key is not None and key not in self.names:
            raise InputError(f"{self.path} has no dataset {key}; it has {list(self.names)[:5]}.")
        with self.opened() as arrays:
            few = self.names if len(self.names) <= _MOST_BESIDE else []
            texts = [name for name in few if _is_text(arrays[name])]
            others = [name for name in self.names if name not in texts] if texts else self.names
            others = others if key is None else [key]
            first = arrays[(others or texts)[0]]
            check_numeric(first.dtype, self.where((others or texts)[0]))
            if len(others) == 1 and first.ndim == 2 and (len(first) != 1 or transpose):
                return self._matrix(others[0], arrays, texts, transpose)
            if transpose:
                refuse_transpose(str(self.path))
            if texts and key is None:
                check_numeric(arrays[texts[0]].dtype, self.where(texts[0]))
            if first.ndim not in (1, 2):
                raise InputError(
                    f"{self.where(others[0])} has shape {first.shape}; give one vector per "
                    "protein, or choose a dataset with --key."
                )
            return self._proteins(others, first.ndim == 2 and len(first) != 1, first.shape[-1])

    def _matrix(
        self, name: str, arrays: Mapping[str, Any], texts: list[str], turn: bool
    ) -> Vectors:
        """Describe a matrix, and what texts name its rows."""
        matrix = arrays[name]
        ids = [arrays[text][()] for text in texts if arrays[text].shape == matrix.shape[:1]]
        accessions = [_text(one) for one in ids[0]] if len(ids) == 1 else None

        def read(part: Any) -> np.ndarray:
            with self.opened() as arrays:
                return arrays[name][part]

        return of_matrix(matrix.shape, matrix.dtype, read, self.where(name), turn=turn,
                         accessions=accessions)  # fmt: skip

    def _proteins(self, names: Sequence[str], per_residue: bool, d: int) -> Vectors:
        """Describe one array per protein: a vector each, or with `per_residue` a matrix each."""

        def read(arrays: Mapping[str, Any], name: str) -> np.ndarray:
            array = _values(arrays, name)
            self._check(array, name, names[0], per_residue, d)
            return array

        def pick(places: Any) -> np.ndarray:
            with self.opened() as arrays:
                some = names[places] if isinstance(places, slice) else [names[i] for i in places]
                # As one may be of another precision, they are joined, not copied into the first's.
                return np.stack([read(arrays, name).reshape(-1) for name in some])

        def residues(place: int) -> np.ndarray:
            with self.opened() as arrays:
                return read(arrays, names[place])

        def lengths() -> np.ndarray:
            with self.opened() as arrays:
                return np.array([arrays[name].shape[0] for name in names])

        def blocks(*block: int) -> Iterator[np.ndarray]:
            return map(pick, spans(len(names), *block))

        accessions = self.accessions() if len(names) == len(self.names) else names
        if not per_residue:
            return Vectors(len(names), d, accessions, blocks, pick)
        return Vectors(len(names), d, accessions, blocks, None, residues, lengths)

    def _check(self, array: np.ndarray, name: str, first: str, per_residue: bool, d: int) -> None:
        check_numeric(array.dtype, self.where(name))
        is_matrix = array.ndim == 2 and (per_residue or len(array) != 1)
        if array.ndim not in (1, 2) or is_matrix != per_residue:
            has = "one vector per residue" if per_residue else "one vector per protein"
            raise InputError(
                f"{self.where(name)} has shape {array.shape} where {first} has {has}; give a file "
                "of one kind."
            )
        if array.shape[-1] != d:
            raise InputError(
                f"{self.where(name)} has {array.shape[-1]} dimensions where {first} has {d}; "
                "give vectors of one width."
            )


def read_h5(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe HDF5 with one dataset per protein, or with one matrix; memory stays flat."""
    with explained(path, "HDF5"), h5py.File(path) as file:
        names = _dataset_names(file, path)

    @contextmanager
    def opened() -> Iterator[h5py.File]:
        with explained(path, "HDF5"), h5py.File(path) as file:
            yield file

    def accessions() -> Sequence[str]:
        with opened() as file:
            if "original_id" not in file[names[0]].attrs:
                return names
            return [accession_of(attribute(file[name], "original_id", name)) for name in names]

    return _Arrays(path, names, opened, accessions).describe(key, transpose)


def _dataset_names(file: h5py.File, path: Path) -> list[str]:
    """Return the names of all datasets of a file, at whatever depth."""
    names = list(file)
    # Looking at every object takes minutes at Swiss-Prot's size: only where there are groups.
    if names and isinstance(file[names[0]], h5py.Group):
        names = []
        file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
    if not names:
        raise InputError(f"{path} holds no dataset; give HDF5 with one dataset per protein.")
    return names


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
        return _in_memory(path, dict(stored)).describe(key, transpose)


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
    return _in_memory(path, arrays).describe(key, transpose)


def read_safetensors(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe the tensors of a .safetensors file, read whole."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with explained(path, "safetensors", SafetensorError):
        found = load_file(path)
    return _in_memory(path, found).describe(key, transpose)


def _in_memory(path: Path, found: Mapping[Any, Any]) -> _Arrays:
    arrays = {str(name): _array(value, str(name), path) for name, value in found.items()}
    return _Arrays(path, list(arrays), partial(nullcontext, arrays), lambda: list(arrays))


def _array(value: Any, name: str, path: Path) -> np.ndarray:
    """Return a tensor, an array or a list of texts as an array."""
    if hasattr(value, "detach"):
        value = value.detach()
        return (value.float() if value.dtype.itemsize < 4 and value.is_floating_point()
                else value).numpy()  # fmt: skip
    if isinstance(value, np.ndarray) or (
        isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    ):
        return np.asarray(value)
    raise InputError(
        f"{path} holds {type(value).__name__} under {name!r} and no tensor; give a dictionary of "
        "one tensor per protein."
    )


def _is_text(array: Any) -> bool:
    return array.dtype.kind in "USO" and len(array.shape) == 1


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
