"""Tables of vectors: Parquet in blocks; CSV, TSV and .h5ad, read whole."""

from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.vectors import (
    Vectors,
    check_numeric,
    explained,
    of_matrix,
    refuse_key,
    refuse_transpose,
)


def read_parquet(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe a Parquet table with a column of lists, or with a numeric column a dimension."""
    import pyarrow.parquet as pq
    from pyarrow import types

    if transpose:
        refuse_transpose(path)
    with explained(path, "Parquet"):
        # Buffered: else the whole of a row group, often the whole file, is read at once.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
        schema, n = file.schema_arrow, file.metadata.num_rows
        names = [f.name for f in schema if types.is_string(f.type) or types.is_large_string(f.type)]
        accessions = file.read(names[:1])[0].to_pylist() if names else None
    rows = _ParquetRows(path, file, _vector_columns(schema, key, path))
    return Vectors(n, rows.read(slice(0, 1)).shape[1] if n else 0, accessions, rows.read)


def _vector_columns(schema: Any, key: str | None, path: Path) -> list[str]:
    """Return the list column that holds the vectors, else all columns of floats."""
    from pyarrow import types

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


class _ParquetRows:
    """Rows of a Parquet file, streamed on from where the last ones ended."""

    def __init__(self, path: Path, file: Any, columns: list[str]):
        self._path, self._file, self._columns = path, file, columns
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        self._starts = np.cumsum([0, *sizes])
        self._start, self._held = -1, np.empty((0, 0))

    def read(self, span: slice) -> np.ndarray:
        """Return the vectors at a slice of rows, shape (k, d)."""
        with explained(self._path, "Parquet"):
            if span.start != self._start:
                self._open(span)
            # Batches begin where row groups do: the first may end before the rows asked for.
            while self._start + len(self._held) < span.stop:
                batch = _vectors_of(next(self._batches), self._start + len(self._held), self._path)
                self._held = np.concatenate([self._held, batch]) if len(self._held) else batch
                passed = min(max(0, span.start - self._start), len(self._held))
                self._held, self._start = self._held[passed:], self._start + passed
        found, self._held = np.split(self._held, [span.stop - span.start])
        self._start = span.stop
        return found

    def _open(self, span: slice) -> None:
        first = int(np.searchsorted(self._starts, span.start, side="right")) - 1
        self._start, self._held = int(self._starts[first]), np.empty((0, 0))
        self._batches = self._file.iter_batches(
            span.stop - span.start,
            row_groups=range(first, self._file.num_row_groups),
            columns=self._columns,
            use_threads=False,
        )


def _vectors_of(batch: Any, start: int, path: Path) -> np.ndarray:
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
    return of_matrix(values.to_numpy(), str(path), transpose=transpose, accessions=list(names))


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
    return of_matrix(matrix, str(path), transpose=transpose, accessions=list(table.obs_names))
