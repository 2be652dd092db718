"""How quantities of protein pairs hang together: correlations, their intervals, binned spread."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from plm_geometry.errors import InputError

# In the order of the paper's table.
COLUMNS = ("cosine_similarity", "squared_euclidean", "alignment_score", "sequence_identity")
METHODS = ("pearson", "spearman")


class Interval(NamedTuple):
    """A correlation and where it may lie; all but `estimate` are NaN where undefined."""

    estimate: float
    low: float
    high: float
    standard_error: float


def correlation_matrix(frame: pd.DataFrame, method: str = "pearson") -> pd.DataFrame:
    """Correlate the paper's four quantities over pairs of proteins.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a pair, with the columns `COLUMNS`. Rows with NaN in any of them (a zero
        vector has no cosine) are left out of all entries; counting them is the caller's.
    method : {"pearson", "spearman"}
        Which correlation.

    Returns
    -------
    pandas.DataFrame, shape ``(4, 4)``
        Symmetric; NaN in the row and column of a constant quantity.

    Raises
    ------
    InputError
        If a column is missing, or the method is none of the two.
    """
    _check_method(method)
    if missing := [column for column in COLUMNS if column not in frame]:
        raise InputError(f"the table of pairs has no column {missing[0]!r}; compute it first.")
    values = frame[list(COLUMNS)].dropna().to_numpy(dtype=np.float64).T
    if method == "spearman":
        values = stats.rankdata(values, axis=1)
    return pd.DataFrame(_pearson(values), index=list(COLUMNS), columns=list(COLUMNS))


def correlation_interval(
    x: np.ndarray,
    y: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    method: str = "pearson",
    level: float = 0.95,
) -> Interval:
    """Return a correlation over pairs with its interval, by a delete-one-protein jackknife.

    Pairs that share a protein are not independent, so the interval follows from leaving out
    each protein with all its pairs in turn. Sums by protein give all those correlations at
    once. The interval is symmetric on Fisher's scale, ``arctanh r``, and so stays within -1
    and 1.

    Parameters
    ----------
    x, y : array-like, shape ``(n_pairs,)``
        What to correlate; pairs with NaN in either are left out.
    first, second : array-like, shape ``(n_pairs,)``
        The proteins of each pair: indices or accessions.
    method : {"pearson", "spearman"}
        Which correlation. Spearman's leaves each protein out of the ranks of all pairs
        rather than ranking anew.
    level : float
        How often the interval is to cover the truth, between 0 and 1.

    Returns
    -------
    Interval
        All NaN where the correlation is undefined; the interval is NaN where it is so
        without one of the proteins.

    Raises
    ------
    InputError
        If the method or the level is impossible.

    References
    ----------
    Efron, B. and Stein, C. (1981), The jackknife estimate of variance, Annals of Statistics 9.
    """
    _check_method(method)
    if not 0 < level < 1:
        raise InputError(f"a level of {level} is impossible; give one between 0 and 1, as 0.95.")
    values = np.stack([x, y]).astype(np.float64)
    known = ~np.isnan(values).any(axis=0)
    values = values[:, known]
    if not known.any():
        return Interval(np.nan, np.nan, np.nan, np.nan)
    proteins = _codes(np.asarray(first)[known], np.asarray(second)[known])
    if method == "spearman":
        values = stats.rankdata(values, axis=1)
    x, y = _unit_rows(values)  # origin and unit do not matter, digits do
    estimate = float((x @ y).clip(-1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        without_one = np.arctanh(_leave_one_out(x, y, *proteins).clip(-1, 1))
        n = len(without_one)
        error = np.sqrt((n - 1) / n * ((without_one - without_one.mean()) ** 2).sum())
        margin = stats.norm.ppf((1 + level) / 2) * error
        low, high = np.tanh(np.arctanh(estimate) + np.array([-margin, margin]))
    return Interval(estimate, float(low), float(high), float(error * (1 - estimate**2)))


def binned_spread(similarity, distance, bins: int | np.ndarray) -> pd.DataFrame:
    """Describe how a distance spreads within bins of a similarity.

    Parameters
    ----------
    similarity, distance : array-like, shape ``(n_pairs,)``
        Pairs with NaN in either, or a similarity outside the bins, are left out.
    bins : int or array-like
        A number of bins of equal width over the similarities that occur, or their edges in
        ascending order. A bin holds its lower edge; the last one also its upper edge.

    Returns
    -------
    pandas.DataFrame
        One row a bin: ``bin_low``, ``bin_high``, ``n``, and of the distance ``median``,
        ``q05``, ``q95`` (quantiles), ``std`` (sample), ``iqr``; NaN where a bin is empty.

    Raises
    ------
    InputError
        If the bins are not at least one, in ascending order.
    """
    edges = _bin_edges(np.asarray(similarity, dtype=np.float64), bins)
    table = pd.DataFrame({"similarity": similarity, "distance": distance}, dtype=np.float64)
    table = table.dropna()
    table = table[table["similarity"].between(edges[0], edges[-1])]
    number = np.searchsorted(edges, table["similarity"], side="right") - 1
    number = np.minimum(number, len(edges) - 2)
    groups = table["distance"].groupby(number)
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    # reindex: without a pair in any bin, unstacking has no columns to give.
    quantiles = groups.quantile(shares).unstack().reindex(columns=shares)
    spread = pd.DataFrame(
        {
            "n": groups.size(),
            "median": quantiles[0.5],
            "q05": quantiles[0.05],
            "q95": quantiles[0.95],
            "std": groups.std(),
            "iqr": quantiles[0.75] - quantiles[0.25],
        }
    ).reindex(range(len(edges) - 1))
    spread.insert(0, "bin_low", edges[:-1])
    spread.insert(1, "bin_high", edges[1:])
    return spread.fillna({"n": 0}).astype({"n": np.int64})


def _bin_edges(similarity: np.ndarray, bins: int | np.ndarray) -> np.ndarray:
    """Return ascending edges, spread over the similarities where only a number is given."""
    if np.ndim(bins):
        edges = np.asarray(bins, dtype=np.float64)
    else:
        low, high = np.nanmin(similarity), np.nanmax(similarity)
        edges = np.linspace(low, high if high > low else low + 1, max(int(bins), 0) + 1)
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"bins are {bins!r}; give one or more, or their edges in ascending order.")
    return edges


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise InputError(f"method is {method!r}; choose one of {', '.join(METHODS)}.")


def _pearson(values: np.ndarray) -> np.ndarray:
    """Return the correlations of the rows, NaN where a row is constant."""
    unit = _unit_rows(values)
    return (unit @ unit.T).clip(-1, 1)


def _unit_rows(values: np.ndarray) -> np.ndarray:
    """Return the rows with mean 0 and length 1, NaN where a row is constant."""
    if values.shape[1] == 0:
        return np.full((len(values), 1), np.nan)
    unit = values - values.mean(axis=1, keepdims=True)
    # Asked of the values: rounding of the mean may leave a constant row not quite zero.
    constant = values.max(axis=1) == values.min(axis=1)
    unit /= np.where(constant, np.nan, np.linalg.norm(unit, axis=1))[:, None]
    return unit


def _codes(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each protein that occurs one number, from 0, in both arrays."""
    codes, _ = pd.factorize(np.concatenate([first, second]))
    return codes[: len(first)], codes[len(first) :]


def _leave_one_out(
    x: np.ndarray, y: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return Pearson's r of centred x and y without each protein's pairs, ``(n_proteins,)``."""
    n_proteins = max(first.max(), second.max()) + 1
    other = second != first  # a protein paired with itself is left out once

    def sums_without(term: np.ndarray) -> np.ndarray:
        of_protein = np.bincount(first, term, n_proteins)
        of_protein += np.bincount(second, term * other, n_proteins)
        return term.sum() - of_protein

    n = sums_without(np.ones_like(x))
    sum_x, sum_y = sums_without(x), sums_without(y)
    covariance = n * sums_without(x * y) - sum_x * sum_y
    spread_x = n * sums_without(x * x) - sum_x**2
    spread_y = n * sums_without(y * y) - sum_y**2
    return covariance / np.sqrt(spread_x * spread_y)
