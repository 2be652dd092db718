"""What every measure of association starts from: checked values, weights, proteins as numbers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError

# In the order of the paper's table.
COLUMNS = ("cosine_similarity", "squared_euclidean", "alignment_score", "sequence_identity")
METHODS = ("pearson", "spearman")


def check_method(method: str) -> None:
    """Raise `InputError` if there is no such correlation."""
    if method not in METHODS:
        raise InputError(f"method is {method!r}; choose one of {', '.join(METHODS)}.")


def check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise `InputError` naming the first column that the table lacks."""
    if missing := [column for column in columns if column not in frame]:
        raise InputError(f"the table of pairs has no column {missing[0]!r}; compute it first.")


def checked_weights(weights: np.ndarray | None, n_pairs: int) -> np.ndarray:
    """Return one positive weight per pair as float64; all are 1 where none are given.

    Raises
    ------
    InputError
        If they are not of shape ``(n_pairs,)``, or one is not a positive number.
    """
    if weights is None:
        return np.ones(n_pairs)
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_pairs,):
        raise InputError(f"{n_pairs} pairs need as many weights, not {weights.shape}.")
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise InputError("a weight is not a positive number; give 1 / inclusion probability.")
    return weights


def ascending_edges(bins: np.ndarray) -> np.ndarray:
    """Return the edges of at least one bin as float64, shape ``(n_bins + 1,)``.

    Raises
    ------
    InputError
        If they do not ascend, or there are fewer than two.
    """
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"bins are {bins!r}; give one or more, or their edges in ascending order.")
    return edges


def bin_numbers(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return each value's bin, shape ``(n_values,)``: it holds its lower edge, the last both.

    Values outside, and NaN, get a number that no bin has.
    """
    number = np.searchsorted(edges, values, side="right") - 1
    number[np.equal(values, edges[-1])] -= 1
    return number


def known_values(
    columns: Sequence[np.ndarray], weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop pairs with NaN in any column.

    Returns
    -------
    values : numpy.ndarray of float64, shape ``(n_columns, n_known)``
        A copy of the columns.
    weights : numpy.ndarray of float64, shape ``(n_known,)``
        As `checked_weights` returns them.
    known : numpy.ndarray of bool, shape ``(n_pairs,)``
        Which pairs they are.
    """
    values = np.array(columns, dtype=np.float64)
    weights = checked_weights(weights, values.shape[1])
    known = ~np.isnan(values).any(axis=0)
    return values[:, known], weights[known], known


def protein_codes(
    first: np.ndarray, second: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Give each protein, or family, of the known pairs a number from 0.

    Parameters
    ----------
    first, second : array-like, shape ``(n_pairs,)``
        What either side of each pair is.
    known : numpy.ndarray of bool, shape ``(n_pairs,)``

    Returns
    -------
    first, second : numpy.ndarray of int, shape ``(n_known,)``
    n : int
        How many they are.
    """
    both = pd.concat([pd.Series(side)[known] for side in (first, second)], ignore_index=True)
    codes, names = pd.factorize(both)
    return *np.split(codes, 2), len(names)
