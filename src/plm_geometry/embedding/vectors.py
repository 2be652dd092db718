"""Vectors in a file: what every reader returns, and the sentences they share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from plm_geometry.base.errors import InputError

FORMATS = (
    ".npy, .npz, HDF5 (.h5), Parquet, CSV or TSV, .pt, .safetensors, .h5ad, or a store of "
    "this project"
)
# Vectors that are looked through at a time for the ones that are asked for.
_BLOCK_BYTES = 2**26


@dataclass(frozen=True)
class Vectors:
    """Vectors in a file, none of which is in memory unless its format is read whole.

    Attributes
    ----------
    n, d : int
        Number of vectors (of files with a matrix per protein: of proteins), and their dimension.
    accessions : sequence of str, or None
        Their names, where the file has some.
    read : callable
        ``read(span)`` returns the vectors at a slice of places, shape (k, d).
    reads_places : bool
        Whether `read` takes an array of places too.
    residues : callable or None
        Where the file has one matrix per protein: ``residues(place)`` returns it, shape (L, d).
    lengths : callable or None
        Likewise: ``lengths()`` returns the number of rows of every protein, shape (n,).
    """

    n: int
    d: int
    accessions: Sequence[str] | None
    read: Callable[[Any], np.ndarray]
    reads_places: bool = False
    residues: Callable[[int], np.ndarray] | None = None
    lengths: Callable[[], np.ndarray] | None = None

    def blocks(self, rows: int, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Yield arrays of up to `rows` vectors in order: blocks `first` up to, without, `last`."""
        stop = self.n if last is None else min(self.n, last * rows)
        for start in range(first * rows, stop, rows):
            yield self.read(slice(start, min(start + rows, self.n)))

    def take(self, places: np.ndarray) -> np.ndarray:
        """Return the vectors at `places`, all different, in this order, shape (k, d)."""
        if self.reads_places:
            return self.read(places)
        rows = max(1, _BLOCK_BYTES // (8 * self.d))
        wanted, found = np.sort(places), []
        for number, block in enumerate(self.blocks(rows)):
            start = number * rows
            first, last = np.searchsorted(wanted, (start, start + len(block)))
            found.append(block[wanted[first:last] - start])
        return np.concatenate(found)[np.argsort(np.argsort(places))]


def of_matrix(
    matrix: Any,
    where: str,
    *,
    transpose: bool = False,
    accessions: Sequence[str] | None = None,
    read: Callable[[Any], np.ndarray] | None = None,
) -> Vectors:
    """Describe the rows of a matrix as vectors, or with `transpose` its columns.

    `read` is what to index in place of `matrix`, where that may be closed by then.
    """
    check_numeric(matrix.dtype, where)
    if len(matrix.shape) != 2:
        raise InputError(f"{where} has shape {matrix.shape}; give a matrix with one vector a row.")
    n, d = matrix.shape
    read = read or matrix.__getitem__
    if not transpose:
        return Vectors(n, d, accessions, read)
    if accessions is not None:
        refuse_transpose(where)
    return Vectors(d, n, None, lambda span: read((slice(None), span)).T)


@contextmanager
def explained(path: Path, what: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a library says of a broken file, its own `errors` too, into one sentence."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, BadZipFile, *errors) as error:
        reason = str(error).partition("\n")[0].rstrip(". ")
        raise InputError(
            f"{path} cannot be read as {what} ({reason}); copy or write it again."
        ) from error


def check_numeric(dtype: Any, where: str) -> None:
    """Refuse what is neither a real number nor a truth value."""
    if dtype.kind not in "fiub":
        raise InputError(f"{where} holds {dtype} and no numbers; give vectors of floats.")


def refuse_transpose(where: str | Path) -> None:
    """Refuse to transpose vectors that have names."""
    raise InputError(
        f"{where} names each of its vectors, so there is nothing to transpose; "
        "leave --transpose out."
    )


def refuse_key(path: Path, key: str | None) -> None:
    """Refuse to choose where there is nothing to choose from."""
    if key is not None:
        raise InputError(f"{path} holds one matrix, so there is nothing to choose by {key!r}.")
