"""How a distance spreads at each similarity, and how sure that is."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from plm_geometry.association.values import (
    ascending_edges,
    bin_numbers,
    check_columns,
    check_level,
    known_values,
    protein_codes,
)

# Of the jackknife: quantiles need many proteins left out at once, and few groups do.
_GROUPS = 20
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STATISTICS = ("median", "q05", "q95", "std", "width")
# Widths are none, whatever a symmetric interval says.
_NOT_NEGATIVE = ("std", "width", "width_ratio")


def binned_spread(
    similarity: np.ndarray,
    distance: np.ndarray,
    bins: int | np.ndarray,
    *,
    weights: np.ndarray | None = None,
) -> pd.DataFrame:
    """Describe how a distance spreads within bins of a similarity.

    Parameters
    ----------
    similarity, distance : array-like, shape ``(n_pairs,)``
        Pairs with NaN in either, or a similarity outside the bins, are left out.
    bins : int or array-like
        A number of bins of equal width over the similarities that occur, or their edges in
        ascending order. A bin holds its lower edge; the last one also its upper edge.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair. A quantile of share p is then where, going
        through the distances in order, a share p of the weight is passed; between two
        distances it is interpolated.

    Returns
    -------
    pandas.DataFrame
        One row a bin: ``bin_low``, ``bin_high``, ``n``, and of the distance ``median``,
        ``q05``, ``q95`` (quantiles), ``std`` (sample), ``iqr``; NaN where a bin is empty.

    Raises
    ------
    InputError
        If the bins are not at least one, in ascending order, or a weight is not positive.
    """
    edges = ascending_edges(bins if np.ndim(bins) else _edges_over(similarity, int(bins)))
    rows = []
    for values, weight, _ in _by_bin(similarity, distance, edges, weights):
        q05, q25, median, q75, q95 = _quantiles(values, weight)
        rows.append((len(values), median, q05, q95, _std(values, weight), q75 - q25))
    table = pd.DataFrame(rows, columns=["n", "median", "q05", "q95", "std", "iqr"])
    table.insert(0, "bin_low", edges[:-1])
    table.insert(1, "bin_high", edges[1:])
    return table


def spread_at(
    frame: pd.DataFrame,
    similarity: str,
    distance: str,
    edges: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the spread of a distance at some similarities, with intervals.

    The intervals come from a jackknife that leaves out one of 20 random groups of proteins,
    with all their pairs, at a time. (Leaving out one protein at a time is right for
    correlations, but not for quantiles, which then hardly move.)

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a pair: ``accession_a``, ``accession_b`` and the two columns; pairs with NaN
        in either, or a similarity outside the edges, are left out.
    similarity, distance : str
        Columns of `frame`.
    edges : array-like
        Edges of the bins of similarity, ascending.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair, used as by `binned_spread`.
    level : float
        How often an interval is to cover the truth, between 0 and 1.
    seed : int
        Of the groups.

    Returns
    -------
    pandas.DataFrame
        One row a bin: ``bin_low``, ``bin_high``, ``n``, and of the distance ``median``,
        ``q05``, ``q95``, ``std``, ``width`` (of the band, q95 - q05), ``width_ratio`` (to the
        width in the first bin), each beside ``..._low`` and ``..._high``. Bounds are NaN where
        a bin is left without pairs by leaving out a group, or there are fewer proteins than
        groups.

    Raises
    ------
    InputError
        If a column is missing, the edges do not ascend, or a weight or the level is
        impossible.

    References
    ----------
    Shao, J. and Wu, C. F. J. (1989), A general theory for jackknife variance estimation,
    Annals of Statistics 17.
    """
    check_columns(frame, [similarity, distance, "accession_a", "accession_b"])
    check_level(level)
    edges = ascending_edges(edges)
    groups = _groups(frame["accession_a"], frame["accession_b"], seed)
    counts, found = [], []
    for values, weight, rows in _by_bin(frame[similarity], frame[distance], edges, weights):
        counts.append(len(values))
        found.append(_without_each_group(values, weight, *(side[rows] for side in groups)))
    statistics = _with_width_ratio(np.array(found))  # (bins, 1 + groups, statistics)
    table = pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:], "n": counts})
    return table.join(_jackknifed(statistics, level))


def _edges_over(similarity: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the edges of bins of equal width over the similarities that occur."""
    low, high = np.nanmin(similarity), np.nanmax(similarity)
    return np.linspace(low, high if high > low else low + 1, max(n_bins, 0) + 1)


def _by_bin(
    similarity: np.ndarray,
    distance: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each bin's distances in ascending order, their weights, and their rows."""
    (similarity, distance), weights, known = known_values([similarity, distance], weights)
    row, number = np.flatnonzero(known), bin_numbers(similarity, edges)
    for bin_number in range(len(edges) - 1):
        inside = np.flatnonzero(number == bin_number)
        inside = inside[np.argsort(distance[inside])]
        yield distance[inside], weights[inside], row[inside]


def _quantiles(ascending: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the quantiles of `_SHARES`: with equal weights, NumPy's."""
    if len(ascending) == 0:
        return np.full(len(_SHARES), np.nan)
    centre = np.cumsum(weights) - weights / 2
    share = (centre - centre[0]) / max(centre[-1] - centre[0], np.finfo(float).tiny)
    return np.interp(_SHARES, share, ascending)


def _std(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted standard deviation, with n - 1 in place of n."""
    if len(values) < 2:
        return np.nan
    variance = np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)
    return float(np.sqrt(variance * len(values) / (len(values) - 1)))


def _groups(first: np.ndarray, second: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the group of either protein of each pair: equally many proteins in each group."""
    first, second, n = protein_codes(first, second, np.ones(len(first), dtype=bool))
    group = (np.random.default_rng(seed).permutation(n) % _GROUPS).astype(np.int8)
    if n < _GROUPS:
        group[:] = 0  # too few to part: without it no pair is left, and no bound is known
    return group[first], group[second]


def _without_each_group(
    ascending: np.ndarray, weights: np.ndarray, first: np.ndarray, second: np.ndarray
) -> list[tuple[float, ...]]:
    """Return `_STATISTICS` of all pairs, then without each group."""
    found = []
    for left_out in range(-1, _GROUPS):  # no group is number -1
        kept = (first != left_out) & (second != left_out)
        values, weight = ascending[kept], weights[kept]
        q05, _, median, _, q95 = _quantiles(values, weight)
        found.append((median, q05, q95, _std(values, weight), q95 - q05))
    return found


def _with_width_ratio(statistics: np.ndarray) -> np.ndarray:
    """Add what each bin's width, the last statistic, is to the first bin's."""
    width = statistics[:, :, -1:]
    known = np.where(width[:1] > 0, width[:1], np.nan)  # of no width, nothing is a multiple
    return np.concatenate([statistics, width / known], axis=2)


def _jackknifed(statistics: np.ndarray, level: float) -> pd.DataFrame:
    """Return each statistic with its bounds, from those of all and those without each group."""
    estimate, without_one = statistics[:, 0], statistics[:, 1:]
    deviations = without_one - without_one.mean(axis=1, keepdims=True)
    error = np.sqrt((_GROUPS - 1) / _GROUPS * (deviations**2).sum(axis=1))
    margin = stats.t.ppf((1 + level) / 2, _GROUPS - 1) * error
    table = {}
    for i, name in enumerate([*_STATISTICS, "width_ratio"]):
        least = 0 if name in _NOT_NEGATIVE else -np.inf
        table[name] = estimate[:, i]
        table[f"{name}_low"] = np.maximum(estimate[:, i] - margin[:, i], least)
        table[f"{name}_high"] = estimate[:, i] + margin[:, i]
    return pd.DataFrame(table)
