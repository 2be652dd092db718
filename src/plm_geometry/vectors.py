"""Vectors in files, read in blocks so that a file may be larger than memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.errors import InputError
from plm_geometry.isotropy import isotropy_row
from plm_geometry.moments import Moments
from plm_geometry.vector_formats import FORMATS, READERS, Vectors, read_store

# A block of this size is large enough for speed and small enough for a laptop.
_BLOCK_BYTES = 2**26
# Beyond this the covariance alone fills a gigabyte.
_MOST_DIMENSIONS = 10_000


def open_vectors(path: str | Path, *, key: str | None = None, transpose: bool = False) -> Vectors:
    """Open a file of vectors; its content, not its name, says what format it has.

    Parameters
    ----------
    path : path-like
        ``.npy`` of shape (n, d); HDF5 with one dataset a protein of shape (d,) or (1, d), as
        UniProt and bio_embeddings write it, or with one matrix; Parquet with a column of lists
        or numeric columns; a directory of this project's store.
    key : str, optional
        The dataset of an HDF5 file, the list column of a Parquet table, or the layer of a store
        (by default the last) to read.
    transpose : bool
        Take the columns of a matrix for the vectors.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated or of no known format, if its vectors are not
        numeric or of unequal width, or if `transpose` is asked of what is no matrix.
    """
    path = Path(path)
    vectors = _reader(path)(path, key, transpose)
    if not vectors.n or not vectors.d:
        raise InputError(f"{path} holds no vectors; give a file with at least two.")
    return vectors


def file_isotropy(
    path: str | Path, *, key: str | None = None, transpose: bool = False, progress: bool = True
) -> dict[str, Any]:
    """Return the isotropy of the vectors in a file, read once and in blocks.

    Parameters
    ----------
    path, key, transpose
        As in `open_vectors`.
    progress : bool
        Show a bar on a terminal's standard error.

    Returns
    -------
    dict
        The entries of `isotropy.isotropy_row`, and ``warnings``: a list of sentences.

    Raises
    ------
    InputError
        As `open_vectors` and `isotropy.isoscore`.
    """
    from tqdm import tqdm

    vectors = open_vectors(path, key=key, transpose=transpose)
    if vectors.d > _MOST_DIMENSIONS:
        raise InputError(
            f"{path} holds {vectors.n} vectors of {vectors.d} dimensions, too many for their "
            "covariance to be held; if its columns are the vectors, use --transpose."
        )
    rows = max(1, _BLOCK_BYTES // (8 * vectors.d))
    # disable=None: no bar where standard error is no terminal.
    bar = tqdm(total=vectors.n, unit=" vectors", leave=False, disable=None if progress else True)
    with bar:
        blocks = _counted(vectors.blocks(rows), bar.update)
        moments = Moments.from_blocks(blocks, names=vectors.accessions)
    row = isotropy_row(moments)
    return row | {"warnings": _warnings(row)}


def _counted(blocks: Iterator[np.ndarray], count: Callable[[int], Any]) -> Iterator[np.ndarray]:
    for block in blocks:
        yield block
        count(len(block))


def _warnings(row: dict[str, Any]) -> list[str]:
    found = []
    if row["n"] < row["d"]:
        found.append(
            f"there are fewer vectors ({row['n']}) than dimensions ({row['d']}); "
            "if the columns are the vectors, use --transpose."
        )
    if row["n_zero"]:
        found.append(
            f"{row['n_zero']} of the {row['n']} vectors are zero and have no direction: the mean "
            "cosine similarity is undefined."
        )
    return found


def _reader(path: Path) -> Callable[[Path, str | None, bool], Vectors]:
    """Return what reads the file at `path`, known by its first bytes."""
    if path.is_dir():
        return read_store
    try:
        with path.open("rb") as handle:
            first = handle.read(8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if not first:
        raise InputError(f"{path} is empty; give {FORMATS}.")
    for magic, reader in READERS.items():
        if first.startswith(magic):
            return reader
    raise InputError(f"{path} is none of the formats that can be read; give {FORMATS}.")
