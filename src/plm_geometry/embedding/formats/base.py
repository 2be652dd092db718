"""What every reader of vectors returns, and the sentences they share."""

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
    """Vectors in a file.

    Attributes
    ----------
    n, d : int
        Number of vectors (with `residues`, of proteins), and their dimension.
    accessions : sequence of str, or None
        Their names, where the file has some.
    blocks : callable
        ``blocks(rows)`` yields arrays of up to `rows` vectors, shape (k, d), in order;
        ``blocks(rows, first, last)`` those from number `first` up to and without `last`.
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
    blocks: Callable[..., Iterator[np.ndarray]]
    pick: Callable[[np.ndarray], np.ndarray] | None = None
    residues: Callable[[int], np.ndarray] | None = None
    lengths: Callable[[], np.ndarray] | None = None

    def take(self, places: np.ndarray) -> np.ndarray:
        """Return the vectors at `places`, all different, in this order, shape (k, d)."""
        if self.pick is not None:
            return self.pick(places)
        rows = max(1, _BLOCK_BYTES // (8 * self.d))
        wanted, found = np.sort(places), []
        for start, block in zip(range(0, self.n, rows), self.blocks(rows), strict=True):
            first, last = np.searchsorted(wanted, (start, start + len(block)))
            found.append(block[wanted[first:last] - start])
        return np.concatenate(found)[np.argsort(np.argsort(places))]


def spans(n: int, rows: int, first: int = 0, last: int | None = None) -> Iterator[slice]:
    """Return which of `n` vectors the blocks from `first` up to and without `last` hold."""
    stop = n if last is None else min(n, last * rows)
    return (slice(start, min(start + rows, n)) for start in range(first * rows, stop, rows))


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


def of_matrix(
    shape: tuple[int, ...],
    dtype: Any,
    read: Callable[[Any], np.ndarray],
    where: str,
    *,
    turn: bool = False,
    accessions: Sequence[str] | None = None,
) -> Vectors:
    """Describe the rows of a stored matrix as vectors, or with `turn` its columns."""
    check_numeric(dtype, where)
    if len(shape) != 2:
        raise InputError(f"{where} has shape {shape}; give a matrix with one vector a row.")
    if turn and accessions is not None:
        refuse_transpose(where)

    def blocks(rows: int, *numbers: int) -> Iterator[np.ndarray]:
        if turn:
            return (read(np.s_[:, span]).T for span in spans(shape[1], rows, *numbers))
        return (read(span) for span in spans(shape[0], rows, *numbers))

    return Vectors(*(shape[::-1] if turn else shape), accessions, blocks)


def refuse_transpose(where: str) -> None:
    """Refuse to transpose vectors that have names."""
    raise InputError(
        f"{where} names each of its vectors, so there is nothing to transpose; "
        "leave --transpose out."
    )
