"""How a distance spreads at each similarity, and how sure that is."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from plm_geometry.association.values import (
    ascending_edges,
    bin_numbers,
    check_columns,
    known_values,
    protein_codes,
)
from plm_geometry.isotropy.jackknife import jackknife

# Of the jackknife: quantiles need many proteins left out at once, and few groups do.
_GROUPS = 20
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STATISTICS = ("n", "median", "q05", "q95", "std", "iqr", "width")
_WITH_INTERVALS = ("median", "q05", "q95", "std", "width", "width_ratio")
# Widths are none, whatever a symmetric interval says.
_NOT_NEGATIVE = ("std", "width", "width_ratio")


def binned_spread(
    similarity: np.ndarray,
    distance: np.ndarray,
    edges: np.ndarray,
    *,
    weights: np.ndarray | None = None,
) -> pd.DataFrame:
    """Describe how a distance spreads within bins of a similarity.

    Parameters
    ----------
    similarity, distance : array-like, shape ``(n_pairs,)``
        Pairs with NaN in either, or a similarity outside the bins, are left out.
    edges : array-like
        Edges of the bins of similarity, ascending. A bin holds its lower
        edge; the last one also its upper edge.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair. A quantile of share p is then where, going
        through the distances in order, a share p of the weight is passed; between two
        distances it is interpolated.

    Returns
    -------
    pandas.DataFrame
        One row per bin: ``bin_low``, ``bin_high``, ``n``, and of the distance ``median``,
        ``q05``, ``q95`` (quantiles), ``std`` (sample), ``iqr``; NaN where a bin is empty.

    Raises
    ------
    InputError
        If the edges do not ascend, or a weight is not positive.
    """
    edges = ascending_edges(edges)
    bins = _by_bin(similarity, distance, edges, weights)
    rows = [_described(values, weight) for values, weight, _ in bins]
    table = pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:]})
    return table.join(pd.DataFrame(rows, columns=_STATISTICS).drop(columns="width"))


def spread_at(
    frame: pd.DataFrame,
    similarity: str,
    distance: str,
    edges: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the spread of a distance at some similarities, with 95 % intervals.

    A jackknife leaves out one of 20 random groups of proteins, with all their pairs, at a time:
    without one protein alone quantiles hardly move.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per pair: ``accession_a``, ``accession_b`` and the two columns; those with NaN, or
        a similarity outside the edges, are left out.
    similarity, distance : str
        Columns of `frame`.
    edges, weights
        As for `binned_spread`.
    seed : int
        Of the groups.

    Returns
    -------
    pandas.DataFrame
        One row per bin: ``bin_low``, ``bin_high``, ``n``, and of the distance ``median``,
        ``q05``, ``q95``, ``std``, ``width`` (of the band, q95 - q05), ``width_ratio`` (to the
        width in the first bin), each beside ``..._low`` and ``..._high``. Bounds are NaN with
        fewer proteins than groups, or where a bin has no pairs without one of these.

    Raises
    ------
    InputError
        If a column is missing, the edges do not ascend, or a weight is not positive.

    References
    ----------
    Shao, J. and Wu, C. F. J. (1989), A general theory for jackknife variance estimation,
    Annals of Statistics 17.
    """
    check_columns(frame, [similarity, distance, "accession_a", "accession_b"])
    edges = ascending_edges(edges)
    groups = _groups(frame["accession_a"], frame["accession_b"], seed)
    bins = _by_bin(frame[similarity], frame[distance], edges, weights)
    found = np.array([_without_each_group(*of_bin, groups) for of_bin in bins])
    statistics = dict(zip(_STATISTICS, np.moveaxis(found, 2, 0), strict=True))
    width = statistics["width"]  # like the others, of all pairs and without each group
    # Of no width, nothing is a multiple.
    statistics["width_ratio"] = width / np.where(width[0] > 0, width[0], np.nan)
    table = {"bin_low": edges[:-1], "bin_high": edges[1:], "n": statistics["n"][:, 0].astype(int)}
    for name in _WITH_INTERVALS:
        estimate, low, high, _ = jackknife(statistics[name].T)
        low = low.clip(0 if name in _NOT_NEGATIVE else None)
        table |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(table)


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


def _described(ascending: np.ndarray, weights: np.ndarray) -> tuple[float, ...]:
    """Return `_STATISTICS`; of no distances, NaN."""
    q05, q25, median, q75, q95 = _quantiles(ascending, weights)
    std = _std(ascending, weights)
    return len(ascending), median, q05, q95, std, q75 - q25, q95 - q05


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


def _groups(first: np.ndarray, second: np.ndarray, seed: int) -> np.ndarray:
    """Return the group of either protein of each pair, shape ``(2, n_pairs)``.

    There are equally many proteins in each group.
    """
    first, second, n = protein_codes(first, second, np.ones(len(first), dtype=bool))
    group = (np.random.default_rng(seed).permutation(n) % _GROUPS).astype(np.int8)
    if n < _GROUPS:
        group[:] = 0  # too few to part: without it no pair is left, and no bound is known
    return np.stack([group[first], group[second]])


def _without_each_group(
    ascending: np.ndarray, weights: np.ndarray, rows: np.ndarray, groups: np.ndarray
) -> list[tuple[float, ...]]:
    """Return `_STATISTICS` of a bin's pairs, then without each group."""
    found = []
    for left_out in range(-1, _GROUPS):  # no group is number -1
        kept = (groups[:, rows] != left_out).all(axis=0)
        found.append(_described(ascending[kept], weights[kept]))
    return found
