"""Files of vectors in every format that people keep them in, described without loading them.

`.npy`, HDF5, Parquet and stores are read in blocks, so that memory stays flat; `.npz`, `.pt`,
`.safetensors`, CSV, TSV and `.h5ad` are read whole.
"""

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.vectors import Vectors, check_type, of_arrays, of_matrix, reading, spans

HDF5_SUFFIXES = (".h5", ".hdf5")
_TABLE = re.compile(r".*\.[ct]sv(\.(gz|bz2|xz))?")
_FORMATS = ".npy, .npz, HDF5, Parquet, CSV, TSV, .pt, .safetensors, .h5ad or this project's store"


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
    reader = _reader(path)
    if key is not None and reader in (_read_npy, _read_csv):
        raise InputError(f"{path} holds one matrix, so there is nothing to choose by {key!r}.")
    vectors = reader(path, key)
    if transpose:
        vectors = vectors.transposed(path)
    if not vectors.n or not vectors.d:
        raise InputError(f"{path} holds no vectors; give a file with at least two.")
    return vectors


def _reader(path: Path) -> Callable[[Path, str | None], Vectors]:
    """Return what reads the file at `path`, known by its first bytes."""
    if path.is_dir():
        return _read_store
    try:
        with path.open("rb") as handle:
            first = handle.read(9)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if not first:
        raise InputError(f"{path} is empty; give {_FORMATS}.")
    if _TABLE.fullmatch(path.name):
        return _read_csv
    for magic, reader in _READERS.items():
        if first.startswith(magic):
            return reader
    if first[8:] == b"{":  # after the length of a header in JSON
        return _read_safetensors
    raise InputError(f"{path} is none of the formats that can be read; give {_FORMATS}.")


def _read_npy(path: Path, key: str | None) -> Vectors:
    def mapped() -> np.ndarray:
        with reading(path, "a NumPy array"):
            return np.load(path, mmap_mode="r", allow_pickle=False)

    # Mapped anew for each block: pages of one long mapping would count as memory in use.
    return of_matrix(mapped(), str(path), part=lambda part: np.array(mapped()[part]))


def _read_csv(path: Path, key: str | None) -> Vectors:
    """Describe a CSV or TSV table: a first column of names, then one column per dimension."""
    import pandas as pd

    with reading(path, "a table"):
        read = partial(pd.read_csv, path, sep="\t" if ".tsv" in path.suffixes else ",")
        # A first row of fractions is a protein's; pandas heads columns with 0, 1, 2 and so on.
        first = read(header=None, nrows=1, dtype=str).iloc[0, 1:]
        header = None if _has_fractions(first) else 0
        values = read(header=header).iloc[:, 1:]
        # As text, so that 007 and NA stay what they are.
        names = read(header=header, usecols=[0], dtype=str, na_filter=False).iloc[:, 0]
    if _has_fractions(names):
        raise InputError(f"{path}: the first column holds numbers; put the proteins' names there.")
    for column, dtype in values.dtypes.items():
        check_type(dtype, f"{path}, column {column},")
    return of_matrix(values.to_numpy(), str(path), list(names))


def _has_fractions(texts: Any) -> bool:
    import pandas as pd

    return bool((pd.to_numeric(texts, errors="coerce") % 1 > 0).any())


def _read_hdf5(path: Path, key: str | None) -> Vectors:
    """Describe HDF5 with one dataset per protein, or with one matrix; memory stays flat."""

    @contextmanager
    def opened() -> Iterator[h5py.File]:
        with reading(path, "HDF5"), h5py.File(path) as file:
            yield file

    with opened() as file:
        is_anndata = file.attrs.get("encoding-type") == "anndata"
    return _read_h5ad(path, key) if is_anndata else of_arrays(path, opened, key)


def _read_h5ad(path: Path, key: str | None) -> Vectors:
    """Describe AnnData's X, or what `key` names in its obsm, named by its observations."""
    try:
        import anndata
    except ImportError:
        raise InputError(
            f"{path}: the package anndata is not installed; install it, or write .npy files."
        ) from None
    with reading(path, "AnnData"):
        table = anndata.read_h5ad(path)
    if key is not None and key not in table.obsm:
        raise InputError(f"{path} has no {key} in its obsm; it has {list(table.obsm)}.")
    found = table.X if key is None else table.obsm[key]
    matrix = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
    return of_matrix(matrix, str(path), list(table.obs_names))


def _read_store(path: Path, key: str | None) -> Vectors:
    """Describe one layer of a finished store of embeddings, in the order it was computed in."""
    import zarr

    if not (path / "vectors.zarr").is_dir():
        raise InputError(f"{path} is a directory, but no store of embeddings; give {_FORMATS}.")
    with reading(path, "a store of embeddings"), np.load(path / "progress.npz") as progress:
        layers = json.loads((path / "description.json").read_text())["layers"]
        n_done, left_out = int(progress["n_done"]), json.loads(str(progress["left_out"]))
        array = zarr.open_array(path / "vectors.zarr", mode="r")
    names = [str(layer) for layer in layers]
    if key not in names and (key is not None or len(names) > 1):
        raise InputError(f"{path} holds layers {layers}; choose one of them with --layer.")
    if n_done < array.shape[1]:
        raise InputError(f"{path} is an unfinished store; resume its embedding first.")
    layer = names.index(key) if key else 0

    def read(span: slice) -> np.ndarray:
        block = array[layer, span]
        return block[~np.isnan(block).all(axis=1)]  # but of proteins that were left out

    return Vectors(n_done - len(left_out), array.shape[2], None, partial(spans, n_done, read))


def _read_parquet(path: Path, key: str | None) -> Vectors:
    """Describe a Parquet table with a column of lists, or with a numeric column a dimension."""
    import pyarrow.parquet as pq

    with reading(path, "Parquet"):
        # Buffered: else the whole of a row group, often the whole file, is read at once.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
        kinds = {field.name: str(field.type) for field in file.schema_arrow}
        names = [name for name, kind in kinds.items() if kind in ("string", "large_string")]
        accessions = file.read(names[:1])[0].to_pylist() if names else None
    columns = _vector_columns(kinds, key, path)
    is_lists = kinds[columns[0]].startswith(_LISTS)

    def blocks(rows: int) -> Iterator[np.ndarray]:
        with reading(path, "Parquet"):
            start = 0
            for batch in file.iter_batches(rows, columns=columns, use_threads=False):
                table = batch.to_pandas(ignore_metadata=True)
                yield _stacked(table[columns[0]], start, path) if is_lists else table.to_numpy()
                start += len(table)

    d = next((block.shape[1] for block in blocks(1)), 0)
    return Vectors(file.metadata.num_rows, d, accessions, blocks)


def _vector_columns(kinds: Mapping[str, str], key: str | None, path: Path) -> list[str]:
    """Return the list column that holds the vectors, else all columns of floats."""
    lists = [name for name, kind in kinds.items() if kind.startswith(_LISTS)]
    if key is not None and key not in lists:
        raise InputError(f"{path} has no column of lists named {key}; it has {list(kinds)}.")
    if key is None and len(lists) > 1:
        raise InputError(f"{path} has several columns of lists, {lists}; choose one with --key.")
    columns = [key] if key else lists or [name for name, kind in kinds.items() if kind in _FLOATS]
    if not columns:
        raise InputError(
            f"{path} has neither a column of lists nor columns of floats; give one vector a row."
        )
    return columns


def _stacked(lists: Any, start: int, path: Path) -> np.ndarray:
    """Return a series of lists, of rows from `start` on, as a matrix."""
    widths = lists.str.len()
    if (odd := widths != widths[0]).any():
        row = f"{path}, row {start + odd.argmax()},"
        raise InputError(f"{row} is not as wide as the rows before it; give vectors of one width.")
    vectors = np.stack(lists)
    check_type(vectors.dtype, str(path))
    return vectors


def _read_zip(path: Path, key: str | None) -> Vectors:
    """Describe what NumPy (.npz) or torch (.pt) packed into a zip archive, read whole."""
    with reading(path, "a zip archive"), zipfile.ZipFile(path) as archive:
        is_torch = any(name.endswith("data.pkl") for name in archive.namelist())
    if is_torch:
        return _read_torch(path, key)
    with reading(path, ".npz"), np.load(path, allow_pickle=False) as stored:
        return _in_memory(path, dict(stored), key)


def _read_torch(path: Path, key: str | None) -> Vectors:
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
    return _in_memory(path, arrays, key)


def _read_safetensors(path: Path, key: str | None) -> Vectors:
    from safetensors.torch import load_file

    with reading(path, "safetensors"):
        return _in_memory(path, load_file(path), key)


def _in_memory(path: Path, found: Mapping[Any, Any], key: str | None) -> Vectors:
    with reading(path, "arrays"):
        arrays = {str(name): _array(value) for name, value in found.items()}
    return of_arrays(path, partial(nullcontext, arrays), key)


def _array(value: Any) -> np.ndarray:
    """Return a tensor, an array or a list of texts as an array; NumPy has no bfloat16."""
    if hasattr(value, "detach"):
        is_half = value.is_floating_point() and value.dtype.itemsize < 4
        value = (value.float() if is_half else value).detach()
    return np.asarray(value)


# How pyarrow's types of a column with a vector a row, and of one with a dimension, begin.
_LISTS = ("list", "fixed_size_list", "large_list")
_FLOATS = ("halffloat", "float", "double")
_READERS = {
    b"\x93NUMPY": _read_npy,
    b"\x89HDF": _read_hdf5,
    b"PAR1": _read_parquet,
    b"PK\x03\x04": _read_zip,
    b"\x80": _read_torch,  # a pickle, as torch wrote them before 2020
}
