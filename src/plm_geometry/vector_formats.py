"""The formats in which vectors are stored: each reader describes a file without loading it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.errors import InputError
from plm_geometry.proteins import accession_of
from plm_geometry.provenance import attribute

FORMATS = ".npy, HDF5 (.h5), Parquet, or a store of this project"


@dataclass(frozen=True)
class Vectors:
    """Vectors in a file.

    Attributes
    ----------
    n, d : int
        Number and dimension of the vectors.
    accessions : sequence of str, or None
        Their names, where the file has some.
    blocks : callable
        ``blocks(rows)`` yields arrays of up to `rows` vectors, shape (k, d), in order;
        ``blocks(rows, first, last)`` those from number `first` up to and without `last`.
    slabs : callable or None
        ``slabs(width)`` yields the values of up to `width` coordinates in all vectors, shape
        (k, n), in order; None where the file holds its vectors one by one.
    """

    n: int
    d: int
    accessions: Sequence[str] | None
    blocks: Callable[..., Iterator[np.ndarray]]
    slabs: Callable[[int], Iterator[np.ndarray]] | None = None


def _spans(n: int, rows: int, first: int = 0, last: int | None = None) -> Iterator[slice]:
    """Return which of `n` vectors the blocks from `first` up to and without `last` hold."""
    stop = n if last is None else min(n, last * rows)
    return (slice(start, min(start + rows, n)) for start in range(first * rows, stop, rows))


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """Turn what a library says of a broken file into one sentence."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, EOFError, KeyError, RuntimeError) as error:
        reason = str(error).partition("\n")[0].rstrip(". ")
        raise InputError(
            f"{path} cannot be read as {what} ({reason}); copy or write it again."
        ) from error


def _check_numeric(dtype: Any, where: str) -> None:
    if np.dtype(dtype).kind not in "fiub":
        raise InputError(f"{where} holds {dtype} and no numbers; give vectors of floats.")


def _from_matrix(
    shape: tuple[int, ...], dtype: Any, read: Callable[[Any], np.ndarray], where: str, turn: bool
) -> Vectors:
    """Describe the rows of a stored matrix as vectors, or with `turn` its columns."""
    _check_numeric(dtype, where)
    if len(shape) != 2:
        raise InputError(f"{where} has shape {shape}; give a matrix with one vector a row.")

    def by_row(rows: int, *numbers: int) -> Iterator[np.ndarray]:
        return (read(span) for span in _spans(shape[0], rows, *numbers))

    def by_column(columns: int, *numbers: int) -> Iterator[np.ndarray]:
        return (read(np.s_[:, span]).T for span in _spans(shape[1], columns, *numbers))

    if turn:
        return Vectors(shape[1], shape[0], None, blocks=by_column, slabs=by_row)
    return Vectors(shape[0], shape[1], None, blocks=by_row, slabs=by_column)


def _refuse_transpose(path: Path, transpose: bool) -> None:
    if transpose:
        raise InputError(
            f"{path} names each of its vectors, so there is nothing to transpose; "
            "leave --transpose out."
        )


def read_npy(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe a ``.npy`` matrix."""
    if key is not None:
        raise InputError(f"{path} holds one matrix, so there is nothing to choose by {key!r}.")

    def load() -> np.ndarray:
        with _explained(path, "a NumPy array"):
            return np.load(path, mmap_mode="r", allow_pickle=False)

    array = load()
    # Mapped anew for each block: pages of one long mapping would count as memory in use.
    return _from_matrix(
        array.shape, array.dtype, lambda part: np.array(load()[part]), str(path), transpose
    )


def read_h5(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe HDF5 with one dataset a protein, or one matrix."""
    import h5py

    with _explained(path, "HDF5"), h5py.File(path) as file:
        names = _dataset_names(file, path) if key is None else [key]
        if key is not None and not isinstance(file.get(key), h5py.Dataset):
            raise InputError(f"{path} has no dataset {key}; it has {list(file)[:5]}.")
        first = file[names[0]]
        if len(names) == 1 and first.ndim == 2 and (len(first) != 1 or transpose):
            where = f"{path}, dataset {names[0]},"
            return _from_matrix(
                first.shape, first.dtype, _h5_matrix(path, names[0]), where, transpose
            )
        _refuse_transpose(path, transpose)
        d = _width(first.shape, first.dtype, path, names[0])
        accessions = _accessions(file, names)

    def blocks(*block: int) -> Iterator[np.ndarray]:
        return _h5_blocks(path, names, d, _spans(len(names), *block))

    return Vectors(len(names), d, accessions, blocks)


def _dataset_names(file: Any, path: Path) -> list[str]:
    """Return the names of all datasets of a file, at whatever depth."""
    import h5py

    names = list(file)
    # Opening every object takes minutes at Swiss-Prot's size: only where there are groups.
    if names and isinstance(file[names[0]], h5py.Group):
        names = []
        file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
    if not names:
        raise InputError(f"{path} holds no dataset; give HDF5 with one dataset a protein.")
    return names


def _h5_matrix(path: Path, name: str) -> Callable[[Any], np.ndarray]:
    import h5py

    def read(part: Any) -> np.ndarray:
        with _explained(path, "HDF5"), h5py.File(path) as file:
            return file[name][part]

    return read


def _width(shape: tuple[int, ...], dtype: Any, path: Path, name: str) -> int:
    """Return the dimension of one dataset's vector."""
    _check_numeric(dtype, f"{path}, dataset {name},")
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[0] != 1):
        raise InputError(
            f"{path}, dataset {name}, has shape {shape}; give one vector a protein, or choose "
            "a dataset with --key."
        )
    return shape[-1]


def _accessions(file: Any, names: list[str]) -> list[str]:
    """Return the datasets' names, or the accessions in bio_embeddings' ``original_id``."""
    if "original_id" not in file[names[0]].attrs:
        return names
    return [accession_of(attribute(file[name], "original_id", name)) for name in names]


def _h5_blocks(
    path: Path, names: list[str], d: int, spans: Iterator[slice]
) -> Iterator[np.ndarray]:
    import h5py

    with _explained(path, "HDF5"), h5py.File(path) as file:
        dtype = file[names[0]].dtype
        for span in spans:
            part = names[span]
            block = np.empty((len(part), d), dtype=dtype)
            for vector, name in zip(block, part, strict=True):
                # The low-level calls take a third of the time of file[name][()].
                dataset = h5py.h5d.open(file.id, name.encode())
                if _width(dataset.shape, dataset.dtype, path, name) != d:
                    raise InputError(
                        f"{path}, dataset {name}, has {dataset.shape[-1]} dimensions where "
                        f"{names[0]} has {d}; give vectors of one width."
                    )
                dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, vector)
            yield block


def read_parquet(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe a Parquet table with a column of lists, or with a numeric column a dimension."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _refuse_transpose(path, transpose)
    with _explained(path, "Parquet"):
        # Buffered: else the whole of a row group, often the whole file, is read at once.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
    schema = file.schema_arrow
    columns = _vector_columns(schema, key, path)
    names = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    with _explained(path, "Parquet"):
        accessions = file.read(names[:1])[0].to_pylist() if names else None
    n = file.metadata.num_rows

    def blocks(*block: int) -> Iterator[np.ndarray]:
        with _explained(path, "Parquet"):
            yield from _parquet_blocks(file, columns, list(_spans(n, *block)), path)

    d = next(blocks(1)).shape[1] if n else 0
    return Vectors(n, d, accessions, blocks)


def _vector_columns(schema: Any, key: str | None, path: Path) -> list[str]:
    """Return the list column that holds the vectors, else all columns of floats."""
    import pyarrow.types as types

    lists = [f.name for f in schema if types.is_list(f.type) or types.is_fixed_size_list(f.type)]
    if key is not None:
        if key not in lists:
            raise InputError(f"{path} has no column of lists named {key}; it has {schema.names}.")
        return [key]
    if len(lists) > 1:
        raise InputError(f"{path} has several columns of lists, {lists}; choose one with --key.")
    columns = lists or [f.name for f in schema if types.is_floating(f.type)]
    if not columns:
        raise InputError(
            f"{path} has neither a column of lists nor columns of floats; give one vector a row."
        )
    return columns


def _parquet_blocks(
    file: Any, columns: list[str], spans: list[slice], path: Path
) -> Iterator[np.ndarray]:
    """Yield the vectors of consecutive spans, reading no row group that holds none of them."""
    if not spans:
        return
    groups, read = _row_groups(file, spans[0].start, spans[-1].stop)
    rows = spans[0].stop - spans[0].start
    batches = file.iter_batches(rows, row_groups=groups, columns=columns, use_threads=False)
    held: list[np.ndarray] = []
    for span in spans:
        # Batches begin where row groups do; blocks do not.
        while read < span.stop:
            batch = _batch_matrix(next(batches), read, path)
            read += len(batch)
            held += [batch] if read > span.start else []
        joined = np.concatenate(held)
        start = read - len(joined)
        yield joined[span.start - start : span.stop - start]
        held = [joined[span.stop - start :]]


def _row_groups(file: Any, start: int, stop: int) -> tuple[list[int], int]:
    """Return the row groups that hold some of these rows, and the row that they begin at."""
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = np.cumsum(sizes)
    starts = ends - sizes
    groups = np.flatnonzero((starts < stop) & (ends > start))
    return groups.tolist(), int(starts[groups[0]])


def _batch_matrix(batch: Any, start: int, path: Path) -> np.ndarray:
    """Return the vectors of a record batch that begins at row `start`, shape (k, d)."""
    import pyarrow.compute as pc

    first = batch.column(0)
    if not str(first.type).startswith(("list", "fixed_size_list")):
        return np.column_stack([column.to_numpy(zero_copy_only=False) for column in batch.columns])
    widths = pc.list_value_length(first).to_numpy(zero_copy_only=False)
    if len(odd := np.flatnonzero(widths != widths[0])):
        raise InputError(
            f"{path}, row {start + odd[0]}, is not as wide as the rows before it; "
            "give vectors of one width."
        )
    values = first.flatten().to_numpy(zero_copy_only=False)
    _check_numeric(values.dtype, str(path))
    return values.reshape(len(first), -1)


def read_store(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe one layer of a store of embeddings, in the order it was computed in."""
    import zarr

    _refuse_transpose(path, transpose)
    if not (path / "vectors.zarr").is_dir():
        raise InputError(f"{path} is a directory, but no store of embeddings; give {FORMATS}.")
    with _explained(path, "a store of embeddings"):
        array = zarr.open_array(path / "vectors.zarr", mode="r")
        layer = _layer(path, key, array.shape[0])
        n_left_out = _count_left_out(path)

    def blocks(*block: int) -> Iterator[np.ndarray]:
        for span in _spans(array.shape[1], *block):
            block = array[layer, span]
            yield block[~np.isnan(block).all(axis=1)] if n_left_out else block

    return Vectors(array.shape[1] - n_left_out, array.shape[2], None, blocks)


def _layer(path: Path, key: str | None, n_layers: int) -> int:
    """Return the place in a store of the layer that `key` numbers as the embedding command did."""
    kept = json.loads((path / "description.json").read_text())["layers"]
    if key is None and n_layers == 1:
        return 0
    if key not in map(str, kept):
        raise InputError(f"{path} holds layers {kept}; choose one of them with --layer.")
    return list(map(str, kept)).index(key)


def _count_left_out(path: Path) -> int:
    """Return how many proteins of a finished store have no vector; refuse an unfinished one."""
    plan = json.loads((path / "plan.json").read_text())
    n_blocks = sum(-(-size // plan["rows_per_block"]) for size in plan["group_sizes"])
    with np.load(path / "progress.npz") as progress:
        if int(progress["blocks_done"]) < n_blocks:
            raise InputError(f"{path} is an unfinished store; resume its embedding first.")
        return len(json.loads(str(progress["left_out"])))


# By the first bytes of the file.
READERS = {b"\x93NUMPY": read_npy, b"\x89HDF": read_h5, b"PAR1": read_parquet}
