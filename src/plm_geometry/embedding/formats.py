"""Files of vectors in every format that people keep them in, described without loading them.

`.npy`, HDF5, Parquet and stores are read in blocks, so that memory stays flat; `.npz`, `.pt`,
`.safetensors`, CSV, TSV and `.h5ad` are read whole.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import arrays, tables
from plm_geometry.embedding.vectors import (
    FORMATS,
    Vectors,
    explained,
    of_matrix,
    refuse_key,
    refuse_transpose,
)

HDF5_SUFFIXES = (".h5", ".hdf5")
_TABLE_SUFFIXES = tuple(
    suffix + packed for suffix in (".csv", ".tsv") for packed in ("", ".gz", ".bz2", ".xz")
)


def open_vectors(path: str | Path, *, key: str | None = None, transpose: bool = False) -> Vectors:
    """Open a file of vectors; its content, not its name, says what format it has (but of tables).

    Parameters
    ----------
    path : path-like
        A matrix of shape (n, d), with one vector a row: ``.npy``, ``.h5ad``, CSV or TSV with a
        first column of names, Parquet with a column of lists or numeric columns. Or named
        arrays, in HDF5, ``.npz``, ``.pt`` or ``.safetensors``: one of shape (d,) or (1, d) per
        protein, as UniProt and bio_embeddings write it; one of shape (L, d) per protein of L
        residues; one matrix, and perhaps an array of the names of its rows. Or a directory of
        this project's store.
    key : str, optional
        The array, the list column of a Parquet table, the layer of a store, or the entry of an
        AnnData file's obsm to read, where there are several.
    transpose : bool
        Take the columns of a matrix for the vectors.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated or of no known format, if its vectors are not
        numeric or of unequal width, if `transpose` is asked of what is no matrix, or if `key`
        is missing or chooses nothing.
    """
    path = Path(path)
    vectors = _reader(path)(path, key, transpose)
    if not vectors.n or not vectors.d:
        raise InputError(f"{path} holds no vectors; give a file with at least two.")
    return vectors


def _reader(path: Path) -> Callable[[Path, str | None, bool], Vectors]:
    """Return what reads the file at `path`, known by its first bytes."""
    if path.is_dir():
        return _read_store
    try:
        with path.open("rb") as handle:
            first = handle.read(9)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if not first:
        raise InputError(f"{path} is empty; give {FORMATS}.")
    if path.name.endswith(_TABLE_SUFFIXES):
        return tables.read_csv
    for magic, reader in _READERS.items():
        if first.startswith(magic):
            return reader
    if first[8:] == b"{":  # after the length of a header in JSON
        return arrays.read_safetensors
    raise InputError(f"{path} is none of the formats that can be read; give {FORMATS}.")


def _read_npy(path: Path, key: str | None, transpose: bool) -> Vectors:
    refuse_key(path, key)

    # Mapped anew for each block: pages of one long mapping would count as memory in use.
    def read(part: Any) -> np.ndarray:
        with explained(path, "a NumPy array"):
            return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[part])

    with explained(path, "a NumPy array"):
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    return of_matrix(matrix, str(path), transpose=transpose, read=read)


def _read_hdf5(path: Path, key: str | None, transpose: bool) -> Vectors:
    with explained(path, "HDF5"), h5py.File(path) as file:
        is_anndata = file.attrs.get("encoding-type") == "anndata"
    return (tables.read_h5ad if is_anndata else arrays.read_h5)(path, key, transpose)


def _read_store(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe one layer of a finished store of embeddings, in the order it was computed in."""
    import zarr

    if transpose:
        refuse_transpose(path)
    if not (path / "vectors.zarr").is_dir():
        raise InputError(f"{path} is a directory, but no store of embeddings; give {FORMATS}.")
    with explained(path, "a store of embeddings"), np.load(path / "progress.npz") as progress:
        layers = json.loads((path / "description.json").read_text())["layers"]
        n_done, left_out = int(progress["n_done"]), json.loads(str(progress["left_out"]))
        vectors = zarr.open_array(path / "vectors.zarr", mode="r")
    names = [str(layer) for layer in layers]
    if key not in names and (key is not None or len(names) > 1):
        raise InputError(f"{path} holds layers {layers}; choose one of them with --layer.")
    if n_done < vectors.shape[1]:
        raise InputError(f"{path} is an unfinished store; resume its embedding first.")
    layer = names.index(key) if key else 0
    if not left_out:
        return Vectors(n_done, vectors.shape[2], None, lambda span: vectors[layer, span])
    rows = np.flatnonzero(~np.isnan(vectors[layer, :, 0]))
    return Vectors(
        len(rows), vectors.shape[2], None, lambda span: vectors.oindex[layer, rows[span]]
    )


_READERS = {
    b"\x93NUMPY": _read_npy,
    b"\x89HDF": _read_hdf5,
    b"PAR1": tables.read_parquet,
    b"PK\x03\x04": arrays.read_zip,
    b"\x80": arrays.read_torch,  # a pickle, as torch wrote them before 2020
}
