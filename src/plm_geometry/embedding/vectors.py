"""Vectors in a file, described without loading them: the rows of one matrix, or named arrays."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import attribute
from plm_geometry.proteins.fasta import accession_of

# Vectors that are looked through at a time for the ones that are asked for.
_BLOCK_BYTES = 2**26
# Files of more arrays than these have one per protein, and are not searched for names of rows.
_MOST_BESIDE = 16
# Gives a context in which each array of a file, or HDF5 dataset, is found by its name.
Opened = Callable[[], AbstractContextManager[Mapping[str, Any]]]


@dataclass(frozen=True)
class Vectors:
    """Vectors in a file, none of which is in memory unless its format is read whole.

    Attributes
    ----------
    n, d : int
        Number of vectors (of files with a matrix per protein: of proteins), and their dimension.
    accessions : sequence of str, or None
        Their names, where the file has some.
    blocks : callable
        ``blocks(rows)`` yields arrays of up to `rows` vectors, shape (k, d), in order.
    arrays : ProteinArrays or None
        Where the file has one array per protein, what reads it by the protein's place.
    part : callable or None
        Where they are the rows of a matrix, ``part(index)`` is that index of it.
    """

    n: int
    d: int
    accessions: Sequence[str] | None
    blocks: Callable[[int], Iterator[np.ndarray]]
    arrays: "ProteinArrays | None" = None
    part: Callable[[Any], np.ndarray] | None = None

    @property
    def has_residues(self) -> bool:
        """Whether the file has one matrix per protein, a row for each residue."""
        return self.arrays is not None and self.arrays.per_residue

    def take(self, places: np.ndarray) -> np.ndarray:
        """Return the vectors at `places`, all different, in this order, shape (k, d)."""
        if self.arrays is not None:
            return self.arrays.stacked(places)
        wanted, found, start = np.sort(places), [], 0
        for block in self.blocks(max(1, _BLOCK_BYTES // (8 * self.d))):
            first, last = np.searchsorted(wanted, (start, start + len(block)))
            found.append(block[wanted[first:last] - start])
            start += len(block)
        return np.concatenate(found)[np.argsort(np.argsort(places))]

    def transposed(self, path: Path) -> "Vectors":
        """Return the columns of the matrix, refusing vectors that have names or are no matrix."""
        if self.part is None or self.accessions is not None:
            where = f"{path} names its vectors or holds no matrix"
            raise InputError(f"{where}: nothing to transpose; leave --transpose out.")
        read = lambda span: self.part((slice(None), span)).T  # noqa: E731
        return Vectors(self.d, self.n, None, partial(spans, self.d, read))


@dataclass(frozen=True)
class ProteinArrays:
    """One array per protein: a vector each, or with `per_residue` a matrix each, `d` wide."""

    path: Path
    opened: Opened
    names: Sequence[str]
    per_residue: bool
    d: int

    def read(self, places: Iterable[int]) -> list[np.ndarray]:
        """Return the arrays of proteins."""
        with self.opened() as arrays:
            return [self._one(arrays, self.names[place]) for place in places]

    def stacked(self, places: Iterable[int]) -> np.ndarray:
        """Return the vectors of proteins, shape (k, d), in the widest of their precisions."""
        return np.stack([array.reshape(-1) for array in self.read(places)])

    def lengths(self) -> np.ndarray:
        """Return the number of rows of every protein's matrix, shape (n,)."""
        with self.opened() as arrays:
            return np.array([len(arrays[name]) for name in self.names])

    def _one(self, arrays: Mapping[str, Any], name: str) -> np.ndarray:
        array, where = _values(arrays, name), f"{self.path}, dataset {name},"
        check_type(array.dtype, where)
        shape, d = array.shape, self.d
        if not (shape[1:] == (d,) if self.per_residue else shape in ((d,), (1, d))):
            kind = "residue" if self.per_residue else "protein"
            raise InputError(
                f"{where} has shape {shape} where {self.names[0]} has one vector per {kind}, "
                f"of {d} dimensions; give a file of one kind and one width."
            )
        return array


def spans(n: int, read: Callable[[slice], np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """Yield what `read` returns of spans of up to `rows` of `n` vectors."""
    return (read(slice(start, min(start + rows, n))) for start in range(0, n, rows))


def of_matrix(matrix: Any, where: str, accessions: Sequence[str] = (), part=None) -> Vectors:
    """Describe the rows of a matrix; `part` indexes it where it may be closed by then."""
    check_type(matrix.dtype, where)
    if len(matrix.shape) != 2:
        raise InputError(f"{where} has shape {matrix.shape}; give a matrix with one vector a row.")
    (n, d), part = matrix.shape, part or matrix.__getitem__
    return Vectors(n, d, accessions or None, partial(spans, n, part), part=part)


def of_arrays(path: Path, opened: Opened, key: str | None) -> Vectors:
    """Describe the vectors in one matrix, that of `key` for instance, or of many proteins."""
    with opened() as arrays:
        names = _names(arrays)
        if not names:
            raise InputError(f"{path} holds no dataset; give one dataset per protein.")
        if key is not None and key not in names:
            raise InputError(f"{path} has no dataset {key}; it has {names[:5]}.")
        few = names if len(names) <= _MOST_BESIDE else []
        texts = [a for a in few if arrays[a].dtype.kind in "USO" and len(arrays[a].shape) == 1]
        chosen = [key] if key else [name for name in names if name not in texts] or texts
        first, where = arrays[chosen[0]], f"{path}, dataset {chosen[0]},"
        check_type(first.dtype, where)
        per_residue = first.ndim == 2 and len(first) != 1
        if len(chosen) == 1 and per_residue:
            ids = [arrays[text][()] for text in texts if arrays[text].shape == first.shape[:1]]
            accessions = [_text(one) for one in ids[0]] if len(ids) == 1 else ()
            return of_matrix(first, where, accessions, partial(_part, opened, chosen[0]))
        if texts and key is None:
            check_type(arrays[texts[0]].dtype, f"{path}, dataset {texts[0]},")
        if first.ndim not in (1, 2):
            raise InputError(
                f"{where} has shape {first.shape}; give one vector per protein, or choose by --key."
            )
        found = ProteinArrays(path, opened, chosen, per_residue, first.shape[-1])
        accessions, n = _accessions(arrays, chosen), len(chosen)
    blocks = partial(spans, n, lambda span: found.stacked(range(n)[span]))
    return Vectors(n, found.d, accessions, blocks, found)


def _part(opened: Opened, name: str, part: Any) -> np.ndarray:
    with opened() as arrays:
        return arrays[name][part]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _names(arrays: Mapping[str, Any]) -> list[str]:
    """Return the names of all arrays, of HDF5 at whatever depth."""
    names = list(arrays)
    # Looking at every object takes minutes at Swiss-Prot's size: only where there are groups.
    if names and isinstance(arrays[names[0]], h5py.Group):
        every: list[str] = []
        arrays.visit(every.append)
        names = [name for name in every if isinstance(arrays[name], h5py.Dataset)]
    return names


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


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn what a library says of a broken file, by whatever exception, into one sentence."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0].rstrip(". ")
        message = f"{path} cannot be read as {what} ({reason}); copy or write it again."
        raise InputError(message) from error


def check_type(dtype: Any, where: str) -> None:
    """Refuse what is neither a real number nor a truth value."""
    if dtype.kind not in "fiub":
        raise InputError(f"{where} holds {dtype} and no numbers; give vectors of floats.")
