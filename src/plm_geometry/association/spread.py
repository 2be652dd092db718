"""How a distance spreads at each similarity, and how sure that is."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from plm_geometry.association.intervals import PROTEINS
from plm_geometry.association.values import (
    ascending_edges,
    bin_numbers,
    check_columns,
    known_values,
    protein_codes,
)
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, Interval, jackknife

# Of the jackknife: quantiles need many families left out at once, and few groups do.
_GROUPS = 20
_SHARES = (0.05, 0.5, 0.95)
_STATISTICS = ("n", "q05", "median", "q95")


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
        One row per bin: ``bin_low``, ``bin_high``, ``n``, and quantiles of the distance, ``q05``,
        ``median``, ``q95``; NaN where a bin is empty.

    Raises
    ------
    InputError
        If the edges do not ascend, or a weight is not positive.
    """
    edges = ascending_edges(edges)
    bins = _by_bin(similarity, distance, edges, weights)
    rows = [_described(values, weight) for values, weight, _ in bins]
    table = pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:]})
    return table.join(pd.DataFrame(rows, columns=_STATISTICS))


def spread_at(
    frame: pd.DataFrame,
    similarity: str,
    distance: str,
    edges: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    units: tuple[str, str] = PROTEINS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the spread of a distance at some similarities, with 95 % intervals.

    A jackknife leaves out one of 20 random groups of families (of proteins, where families are not
    known), with all their pairs, at a time: without one of them alone quantiles hardly move.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per pair: `units` and the two columns; those with NaN, or a similarity outside the
        edges, are left out.
    similarity, distance : str
        Columns of `frame`.
    edges, weights
        As for `binned_spread`.
    units : (str, str)
        As of `correlation_intervals`.
    seed : int
        Of the groups.

    Returns
    -------
    pandas.DataFrame
        One row per bin: ``bin_low``, ``bin_high``, ``n``, ``n_units``, and of the distance
        ``median``, ``q05``, ``q95``, their ``ratio`` q95 / q05 (the relative spread) and
        ``ratio_change`` (over the first bin's ratio), each beside ``..._low`` and ``..._high``.
        Ratios have their intervals on the logarithmic scale, and are NaN where the lower
        quantile is not positive. Bounds are NaN where a bin has fewer than ten units, or no pairs
        without one of the groups.

    Raises
    ------
    InputError
        If a column is missing, the edges do not ascend, or a weight is not positive.

    References
    ----------
    Shao, J. and Wu, C. F. J. (1989), A general theory for jackknife variance estimation,
    Annals of Statistics 17.
    """
    check_columns(frame, [similarity, distance, *units])
    edges = ascending_edges(edges)
    sides = protein_codes(*(frame[side] for side in units), np.ones(len(frame), dtype=bool))
    groups = _groups(*sides, seed)
    bins = list(_by_bin(frame[similarity], frame[distance], edges, weights))
    found = np.array([_without_each_group(*of_bin, groups) for of_bin in bins])
    of = dict(zip(_STATISTICS, np.moveaxis(found, 2, 0), strict=True))
    n_units, n_groups = (
        np.array([len(np.unique(np.stack(codes)[:, rows])) for *_, rows in bins])
        for codes in (sides[:2], groups)
    )
    table = {"bin_low": edges[:-1], "bin_high": edges[1:], "n": of["n"][:, 0].astype(int)}
    table["n_units"] = n_units
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.where(of["q05"] > 0, of["q95"], np.nan) / of["q05"])
    known = {name: of[name] for name in ("median", "q05", "q95")}
    known |= {"ratio": ratio, "ratio_change": ratio - ratio[0]}
    # A group without pairs of the bin says nothing of how sure its quantiles are.
    reach = stdtrit(np.maximum(n_groups - 1, 1), 0.975)
    reach[n_units < LEAST_BLOCKS] = np.nan
    for name, values in known.items():
        back = np.exp if name.startswith("ratio") else np.asarray
        margin = reach * jackknife(values.T).standard_error
        whole = values[:, 0]
        table |= Interval(whole, whole - margin, whole + margin, margin).named(name, back)
    return pd.DataFrame(table)


def _by_bin(
    similarity: np.ndarray, distance: np.ndarray, edges: np.ndarray, weights: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each bin's distances in ascending order, their weights, and their rows."""
    (similarity, distance), weights, known = known_values([similarity, distance], weights)
    row, number = np.flatnonzero(known), bin_numbers(similarity, edges)
    for bin_number in range(len(edges) - 1):
        inside = np.flatnonzero(number == bin_number)
        inside = inside[np.argsort(distance[inside])]
        yield distance[inside], weights[inside], row[inside]


def _described(ascending: np.ndarray, weights: np.ndarray) -> tuple[float, ...]:
    """Return `_STATISTICS`: with equal weights, NumPy's quantiles; of no distances, NaN."""
    if len(ascending) == 0:
        return 0, *[np.nan] * len(_SHARES)
    centre = np.cumsum(weights) - weights / 2
    share = (centre - centre[0]) / max(centre[-1] - centre[0], np.finfo(float).tiny)
    return len(ascending), *np.interp(_SHARES, share, ascending)


def _groups(first: np.ndarray, second: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return the group of either side's unit of each pair, shape ``(2, n_pairs)``.

    There are equally many units in each group.
    """
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
