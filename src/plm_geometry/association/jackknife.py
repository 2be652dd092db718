"""Intervals of correlations by leaving out one protein at a time, all entries in one pass."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse, stats

from plm_geometry.association.correlation import fisher_interval, standardised
from plm_geometry.association.values import (
    COLUMNS,
    Interval,
    check_columns,
    check_level,
    check_method,
    known_values,
    protein_codes,
)

# Pairs whose products are held at a time, at least: so many stay in the processor's cache.
_BLOCK_PAIRS = 2**15


def correlation_interval(
    x: np.ndarray,
    y: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    method: str = "pearson",
    weights: np.ndarray | None = None,
    level: float = 0.95,
) -> Interval:
    """Return a correlation over pairs with its interval, by a delete-one-protein jackknife.

    Pairs that share a protein are not independent, so the interval follows from leaving out
    each protein with all its pairs in turn. Sums by protein give all those correlations at
    once. The interval is symmetric on Fisher's scale, ``arctanh r``, and so stays within -1
    and 1. It errs on the wide side where most of the variation is a pair's own and not its
    proteins', up to a factor of sqrt(2), since each pair is left out with either protein.

    Parameters
    ----------
    x, y : array-like, shape ``(n_pairs,)``
        What to correlate; pairs with NaN in either are left out.
    first, second : array-like, shape ``(n_pairs,)``
        The proteins of each pair: indices or accessions.
    method : {"pearson", "spearman"}
        Which correlation. Spearman's leaves each protein out of the ranks of all pairs
        rather than ranking anew.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair.
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
        If the method or the level is impossible, or a weight is not positive.

    References
    ----------
    Efron, B. and Stein, C. (1981), The jackknife estimate of variance, Annals of Statistics 9.
    """
    return _intervals([x, y], first, second, method, weights, level)[0]


def correlation_intervals(
    frame: pd.DataFrame,
    method: str = "pearson",
    *,
    weights: np.ndarray | None = None,
    level: float = 0.95,
    columns: Sequence[str] = COLUMNS,
) -> pd.DataFrame:
    """Return each entry of `correlation_matrix` with its interval, in one pass over the pairs.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a pair, with ``accession_a``, ``accession_b`` and `columns`; rows with NaN in
        any of these are left out of all entries.
    method, weights, level
        As for `correlation_interval`, which describes the interval.
    columns : sequence of str
        What to correlate.

    Returns
    -------
    pandas.DataFrame
        One row for each two of the columns: ``a``, ``b``, ``estimate``, ``low``, ``high``,
        ``standard_error``.

    Raises
    ------
    InputError
        As `correlation_interval`, and if a column is missing.
    """
    check_columns(frame, [*columns, "accession_a", "accession_b"])
    values = [frame[name] for name in columns]
    found = _intervals(values, frame["accession_a"], frame["accession_b"], method, weights, level)
    names = pd.DataFrame(list(combinations(columns, 2)), columns=["a", "b"])
    return names.join(pd.DataFrame(found, columns=Interval._fields))


def correlation_differences(
    frame: pd.DataFrame,
    entries: Sequence[tuple[tuple[str, str], tuple[str, str]]],
    first: np.ndarray,
    second: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    level: float = 0.95,
) -> list[Interval]:
    """Return differences of two correlations over the same pairs: a model's and a control's.

    The interval leaves out one group of proteins with all their pairs in turn, and knows that both
    correlations then change together.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a pair; rows with NaN in any column are left out.
    entries : sequence of two pairs of columns
        The correlation of the first two less that of the second two.
    first, second : array-like, shape ``(n_pairs,)``
        The group of each protein of a pair; ten groups or more, none of which divides a family.
    weights, level
        As for `correlation_interval`.
    """
    check_level(level)
    values, weights, known = known_values([frame[name] for name in frame], weights)
    if not known.any():
        return [Interval(*[np.nan] * 4)] * len(entries)
    first, second, n = protein_codes(first, second, known)
    unit = standardised(values, weights, "pearson")
    total, of_group = _sums_by_protein(unit, weights, first, second, n)
    place = {name: number for number, name in enumerate(frame)}
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _correlations(np.vstack([total, total - of_group]), len(place))
    reach = stats.t.ppf((1 + level) / 2, n - 1)
    intervals = []
    for ours, theirs in entries:
        a, b = (found[place[x], place[y]] for x, y in (ours, theirs))
        estimate, *without = a - b
        error = np.sqrt((n - 1) * np.var(without))
        ends = estimate - reach * error, estimate + reach * error
        intervals.append(Interval(*map(float, (estimate, *ends, error))))
    return intervals


def _intervals(
    columns: Sequence[np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
    method: str,
    weights: np.ndarray | None,
    level: float,
) -> list[Interval]:
    """Return the correlation of each two of the columns, in the order of `combinations`."""
    check_method(method)
    check_level(level)
    values, weights, known = known_values(columns, weights)
    entries = list(combinations(range(len(columns)), 2))
    if not known.any():
        return [Interval(*[np.nan] * 4)] * len(entries)
    first, second, n = protein_codes(first, second, known)
    unit = standardised(values, weights, method)  # origin and unit do not matter, digits do
    total, of_protein = _sums_by_protein(unit, weights, first, second, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimates = _correlations(total, len(columns))
        without_one = np.arctanh(_correlations(total - of_protein, len(columns)))
        deviations = without_one - without_one.mean(axis=-1, keepdims=True)
        errors = np.sqrt((n - 1) / n * (deviations**2).sum(axis=-1))
    return [fisher_interval(estimates[entry], errors[entry], level) for entry in entries]


def _sums_by_protein(
    values: np.ndarray, weights: np.ndarray, first: np.ndarray, second: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sum weights, weighted values and weighted products over all pairs and by protein.

    Returns
    -------
    total : numpy.ndarray, shape ``(n_terms,)``
    of_protein : numpy.ndarray, shape ``(n, n_terms)``
    """
    total, of_protein = 0.0, 0.0
    # No smaller than the sums themselves, which each block goes through.
    n_pairs = max(_BLOCK_PAIRS, n)
    for start in range(0, len(first), n_pairs):
        block = slice(start, start + n_pairs)
        terms = _terms(values[:, block], weights[block])
        total = total + terms.sum(axis=0)
        of_protein = of_protein + _incidence(first[block], second[block], n) @ terms
    return total, of_protein


def _terms(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return weight, weighted values and weighted products of each pair, as its row."""
    weighted = values * weights
    products = [weighted[a] * values[b] for a, b in zip(*np.triu_indices(len(values)), strict=True)]
    return np.ascontiguousarray(np.stack([weights, *weighted, *products]).T)


def _incidence(first: np.ndarray, second: np.ndarray, n: int) -> sparse.csc_array:
    """Return which proteins each pair holds, shape ``(n, n_pairs)``."""
    is_member = np.ones((len(first), 2))
    is_member[:, 1] = first != second  # a protein paired with itself is in that pair once
    members = np.stack([first, second], axis=1).ravel()
    starts = np.arange(0, len(members) + 1, 2, dtype=np.int32)
    return sparse.csc_array((is_member.ravel(), members, starts), shape=(n, len(first)))


def _correlations(sums: np.ndarray, k: int) -> np.ndarray:
    """Turn sums of `_terms` along the last axis into correlations, shape ``(k, k, ...)``."""
    weight, mean_sums, products = np.split(np.moveaxis(sums, -1, 0), [1, k + 1])
    covariance = np.empty((k, k, *sums.shape[:-1]))
    for term, (a, b) in enumerate(zip(*np.triu_indices(k), strict=True)):
        entry = weight[0] * products[term] - mean_sums[a] * mean_sums[b]
        covariance[a, b] = covariance[b, a] = entry
    spread = np.sqrt(np.einsum("aa...->a...", covariance))
    return (covariance / (spread[:, None] * spread[None])).clip(-1, 1)
