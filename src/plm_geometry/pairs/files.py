"""Pairs of proteins read from a file: two accessions per line, or Parquet."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.pairs.drawing import decode, encode

_COLUMNS = ["accession_a", "accession_b"]


def read_pairs(path: str | Path, accessions: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read pairs of proteins from a file that names two accessions per line.

    Parameters
    ----------
    path : path-like
        Parquet (``.parquet``), or values separated by tabs (or, ``.csv``, by commas), compressed or
        not. Columns are called ``accession_a`` and ``accession_b``, and others are ignored; text
        without this first line has two columns.
    accessions : sequence of str
        The proteins.

    Returns
    -------
    first, second : numpy.ndarray of int64, shape ``(n_pairs,)``
        Indices into `accessions`, in the order of the file and of its columns.

    Raises
    ------
    InputError
        If the file cannot be read, lacks these columns or holds no pair; if a pair names an
        unknown protein or is of a protein with itself; if a pair comes twice, in either
        order, since it would count twice in whatever is made of the pairs.
    """
    path = Path(path)
    try:
        table = _read(path)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise InputError(
            f"pairs cannot be read from {path} ({str(error).partition(chr(10))[0].rstrip('. ')}); "
            f"give two accessions per line, or Parquet with columns {' and '.join(_COLUMNS)}."
        ) from error
    if table.empty:
        raise InputError(f"{path} names no pair; give two accessions per line.")
    first, second = (_rows(table[name], accessions) for name in _COLUMNS)
    _check_known(path, table, first, second)
    _check_distinct(path, accessions, first, second)
    return first, second


def _read(path: Path) -> pd.DataFrame:
    """Return a table with `_COLUMNS`."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=_COLUMNS, read_dictionary=_COLUMNS)
    separator, named = (",", "commas") if ".csv" in path.suffixes else ("\t", "tabs")
    try:
        # utf-8-sig: spreadsheets like to mark the beginning of a file.
        table = pd.read_csv(
            path, sep=separator, header=None, dtype=str, na_filter=False, encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=_COLUMNS)
    names = table.iloc[0].tolist()
    if set(_COLUMNS) <= set(names):
        return table[1:].set_axis(names, axis=1)
    if len(names) != len(_COLUMNS):
        raise InputError(
            f"{path} has {len(names)} column{'s' * (len(names) > 1)} separated by {named}; give "
            f"two, or name two of them {' and '.join(_COLUMNS)} in the first line."
        )
    return table.set_axis(_COLUMNS, axis=1)


def _rows(column: pd.Series, accessions: Sequence[str]) -> np.ndarray:
    """Return the place of each accession, -1 where it has none; each name is looked up once."""
    names = column.astype("category").cat
    rows = pd.Index(accessions).get_indexer(names.categories)
    return np.append(rows, -1)[names.codes]  # the code of a missing value is -1 as well


def _check_known(path: Path, table: pd.DataFrame, first: np.ndarray, second: np.ndarray) -> None:
    sides = zip(_COLUMNS, (first, second), strict=True)
    unknown = pd.concat([table[name][rows < 0] for name, rows in sides]).unique()
    if len(unknown):
        n_others = len(unknown) - 1
        others = f" and {n_others} other{'s' * (n_others > 1)}" if n_others else ""
        raise InputError(
            f"{path} names {unknown[0]}{others}, which the proteins do not hold; add what is "
            "missing, or leave its pairs out."
        )


def _check_distinct(
    path: Path, accessions: Sequence[str], first: np.ndarray, second: np.ndarray
) -> None:
    same = first[first == second]
    if len(same):
        raise InputError(f"{path} pairs {accessions[same[0]]} with itself; leave such pairs out.")
    numbers = encode(np.minimum(first, second), np.maximum(first, second))
    repeated = numbers[pd.Series(numbers).duplicated()]
    if len(repeated):
        a, b = (accessions[int(row)] for row in decode(repeated.min()))
        raise InputError(
            f"{path} names the pair of {a} and {b} twice (repeated pairs: {len(repeated)}); name "
            "each pair once, in either order."
        )
