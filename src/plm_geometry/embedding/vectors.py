"""Vectors in a file, described without loading them: what every reader returns; named arrays.

HDF5 is read when asked for, .npz, .pt and .safetensors are read whole.
"""

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
    pick : callable or None
        ``pick(places)`` returns the vectors at these places, where that is faster than `blocks`.
    residues : callable or None
        Where the file has one matrix per protein: ``residues(place)`` returns it, shape (L, d).
    lengths : callable or None
        Likewise: ``lengths()`` returns the number of rows of every protein, shape (n,).
    """

    n: int
    d: int
    accessions: Sequence[str] | None
    blocks: Callable[[int], Iterator[np.ndarray]]
    pick: Callable[[np.ndarray], np.ndarray] | None = None
    residues: Callable[[int], np.ndarray] | None = None
    lengths: Callable[[], np.ndarray] | None = None

    def take(self, places: np.ndarray) -> np.ndarray:
        """Return the vectors at `places`, all different, in this order, shape (k, d)."""
        if self.pick is not None:
            return self.pick(places)
        wanted, found, start = np.sort(places), [], 0
        for block in self.blocks(max(1, _BLOCK_BYTES // (8 * self.d))):
            first, last = np.searchsorted(wanted, (start, start + len(block)))
            found.append(block[wanted[first:last] - start])
            start += len(block)
        return np.concatenate(found)[np.argsort(np.argsort(places))]


def in_spans(n: int, read: Callable[[slice], np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """Yield what `read` returns of spans of up to `rows` of `n` vectors."""
    return (read(slice(start, min(start + rows, n))) for start in range(0, n, rows))


def of_matrix(
    matrix: Any,
    where: str,
    transpose: bool,
    accessions: Sequence[str] | None = None,
    read: Callable[[Any], np.ndarray] | None = None,
) -> Vectors:
    """Describe the rows of a matrix as vectors, or with `transpose` its columns.

    `read` is what to index in place of `matrix`, where that may be closed by then.
    """
    check_numeric(matrix.dtype, where)
    if len(matrix.shape) != 2:
        raise InputError(f"{where} has shape {matrix.shape}; give a matrix with one vector a row.")
    (n, d), read = matrix.shape, read or matrix.__getitem__
    if not transpose:
        return Vectors(n, d, accessions, partial(in_spans, n, read))
    if accessions is not None:
        refuse_transpose(where)
    return Vectors(d, n, None, partial(in_spans, d, lambda span: read((slice(None), span)).T))


@contextmanager
def explained(path: Path, what: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a library says of a broken file, its own `errors` too, into one sentence."""
    broken = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, *errors)
    try:
        yield
    except InputError:
        raise
    except broken as error:
        reason = str(error).partition("\n")[0].rstrip(". ")
        message = f"{path} cannot be read as {what} ({reason}); copy or write it again."
        raise InputError(message) from error


def check_numeric(dtype: Any, where: str) -> None:
    """Refuse what is neither a real number nor a truth value."""
    if dtype.kind not in "fiub":
        raise InputError(f"{where} holds {dtype} and no numbers; give vectors of floats.")


def refuse_transpose(where: str | Path) -> None:
    """Refuse to transpose vectors that have names."""
    raise InputError(f"{where} names its vectors: nothing to transpose; leave --transpose out.")


def of_arrays(path: Path, opened: Opened, key: str | None, transpose: bool) -> Vectors:
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
        check_numeric(first.dtype, where)
        if len(chosen) == 1 and first.ndim == 2 and (len(first) != 1 or transpose):
            ids = [arrays[text][()] for text in texts if arrays[text].shape == first.shape[:1]]
            accessions = [_text(one) for one in ids[0]] if len(ids) == 1 else None
            read = partial(_read_part, opened, chosen[0])
            return of_matrix(first, where, transpose, accessions, read)
        if transpose:
            refuse_transpose(path)
        if texts and key is None:
            check_numeric(arrays[texts[0]].dtype, f"{path}, dataset {texts[0]},")
        if first.ndim not in (1, 2):
            raise InputError(
                f"{where} has shape {first.shape}; give one vector per protein, or choose by --key."
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
        n = len(self.names)
        blocks = partial(in_spans, n, lambda span: self.pick(range(n)[span]))
        matrices = (self.residues, self.lengths) if self.per_residue else ()
        return Vectors(n, self.d, accessions, blocks, self.pick, *matrices)

    def pick(self, places: Sequence[int]) -> np.ndarray:
        with self.opened() as arrays:
            # As one may be of another precision, they are joined, not copied into the first's.
            return np.stack([self._read(arrays, self.names[i]).reshape(-1) for i in places])

    def residues(self, place: int) -> np.ndarray:
        with self.opened() as arrays:
            return self._read(arrays, self.names[place])

    def lengths(self) -> np.ndarray:
        with self.opened() as arrays:
            return np.array([len(arrays[name]) for name in self.names])

    def _read(self, arrays: Mapping[str, Any], name: str) -> np.ndarray:
        array, where = _values(arrays, name), f"{self.path}, dataset {name},"
        check_numeric(array.dtype, where)
        d = self.d
        fits = array.shape[1:] == (d,) if self.per_residue else array.shape in ((d,), (1, d))
        if not fits:
            kind = "residue" if self.per_residue else "protein"
            raise InputError(
                f"{where} has shape {array.shape} where {self.names[0]} has one vector per {kind}, "
                f"of {d} dimensions; give a file of one kind and one width."
            )
        return array


def _read_part(opened: Opened, name: str, part: Any) -> np.ndarray:
    with opened() as arrays:
        return arrays[name][part]


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


def read_h5(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe HDF5 with one dataset per protein, or with one matrix; memory stays flat."""

    @contextmanager
    def opened() -> Iterator[h5py.File]:
        with explained(path, "HDF5"), h5py.File(path) as file:
            yield file

    return of_arrays(path, opened, key, transpose)


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
        return _in_memory(path, load_file(path), key, transpose)


def _in_memory(path: Path, found: Mapping[Any, Any], key: str | None, transpose: bool) -> Vectors:
    arrays = {str(name): _array(value, str(name), path) for name, value in found.items()}
    return of_arrays(path, partial(nullcontext, arrays), key, transpose)


def _array(value: Any, name: str, path: Path) -> np.ndarray:
    """Return a tensor, an array or a list of texts as an array."""
    if hasattr(value, "detach"):
        is_half = value.is_floating_point() and value.dtype.itemsize < 4
        return (value.float() if is_half else value).detach().numpy()
    is_texts = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    if is_texts or isinstance(value, np.ndarray):
        return np.asarray(value)
    raise InputError(
        f"{path} holds {type(value).__name__} under {name!r} and no tensor; give a dictionary of "
        "one tensor per protein."
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
