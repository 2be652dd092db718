"""Tables of vectors: Parquet in blocks; CSV, TSV and .h5ad, read whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.formats.base import (
    Vectors,
    check_numeric,
    explained,
    of_matrix,
    refuse_transpose,
    spans,
)


def read_parquet(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe a Parquet table with a column of lists, or with a numeric column a dimension."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if transpose:
        refuse_transpose(str(path))
    with explained(path, "Parquet"):
        # Buffered: else the whole of a row group, often the whole file, is read at once.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
    schema = file.schema_arrow
    columns = _vector_columns(schema, key, path)
    names = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    with explained(path, "Parquet"):
        accessions = file.read(names[:1])[0].to_pylist() if names else None
    n = file.metadata.num_rows

    def blocks(*block: int) -> Iterator[np.ndarray]:
        with explained(path, "Parquet"):
            yield from _parquet_blocks(file, columns, list(spans(n, *block)), path)

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
    file: Any, columns: list[str], parts: list[slice], path: Path
) -> Iterator[np.ndarray]:
    """Yield the vectors of consecutive spans, reading no row group that holds none of them."""
    if not parts:
        return
    groups, read = _row_groups(file, parts[0].start, parts[-1].stop)
    rows = parts[0].stop - parts[0].start
    batches = file.iter_batches(rows, row_groups=groups, columns=columns, use_threads=False)
    held: list[np.ndarray] = []
    for span in parts:
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
    check_numeric(values.dtype, str(path))
    return values.reshape(len(first), -1)


def read_csv(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe a CSV or TSV table: a first column of names, then one column per dimension."""
    import pandas as pd

    refuse_key(path, key)
    separator = "\t" if ".tsv" in path.suffixes else ","
    with explained(path, "a table"):
        first = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str).iloc[0, 1:]
        # A first row of fractions is a protein's; pandas heads columns with 0, 1, 2 and so on.
        options = {"sep": separator, "header": None if _has_fractions(first) else 0}
        values = pd.read_csv(path, **options).iloc[:, 1:]
        # As text, so that 007 and NA stay what they are.
        names = pd.read_csv(path, **options, usecols=[0], dtype=str, na_filter=False).iloc[:, 0]
    if _has_fractions(names):
        raise InputError(f"{path}: the first column holds numbers; put the proteins' names there.")
    for column, dtype in values.dtypes.items():
        check_numeric(dtype, f"{path}, column {column},")
    matrix = values.to_numpy()
    return of_matrix(matrix.shape, matrix.dtype, matrix.__getitem__, str(path), turn=transpose,
                     accessions=list(names))  # fmt: skip


def _has_fractions(texts: Any) -> bool:
    import pandas as pd

    return bool((pd.to_numeric(texts, errors="coerce") % 1 > 0).any())


def read_h5ad(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe AnnData's X, or what `key` names in its obsm, named by its observations."""
    try:
        import anndata
    except ImportError:
        raise InputError(
            f"{path} is an AnnData file, and the package anndata is not installed; install it "
            "(pip install anndata), or write the vectors as .npy."
        ) from None
    with explained(path, "AnnData"):
        table = anndata.read_h5ad(path)
    if key is not None and key not in table.obsm:
        raise InputError(f"{path} has no {key} in its obsm; it has {list(table.obsm)}.")
    found = table.X if key is None else table.obsm[key]
    matrix = found.toarray() if hasattr(found, "toarray") else np.asarray(found)
    return of_matrix(matrix.shape, matrix.dtype, matrix.__getitem__, str(path), turn=transpose,
                     accessions=list(table.obs_names))  # fmt: skip


def refuse_key(path: Path, key: str | None) -> None:
    """Refuse to choose where there is nothing to choose from."""
    if key is not None:
        raise InputError(f"{path} holds one matrix, so there is nothing to choose by {key!r}.")
