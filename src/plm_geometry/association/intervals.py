"""Intervals of correlations by leaving out a family or a protein at a time, in one pass."""

from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np
import pandas as pd

from plm_geometry.association.correlation import fisher_interval, standardised
from plm_geometry.association.values import (
    COLUMNS,
    check_columns,
    check_method,
    known_values,
    protein_codes,
)
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, Interval, jackknife

# What a pair goes out with where families are not known.
PROTEINS = ("accession_a", "accession_b")


def correlation_interval(
    x: np.ndarray,
    y: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    method: str = "pearson",
    weights: np.ndarray | None = None,
) -> Interval:
    """Return a correlation over pairs with its 95 % interval, by a delete-one-unit jackknife.

    Pairs that share a protein, or proteins of one family, are not independent, so the interval
    follows from leaving out each unit (family, or protein) with all its pairs in turn. Sums by unit
    give all those correlations at once. The interval is symmetric on Fisher's scale, ``arctanh r``,
    and so stays within -1 and 1. It errs on the wide side where most of the variation is a pair's
    own and not its proteins', up to a factor of sqrt(2), since a pair is left out with either side.

    Parameters
    ----------
    x, y : array-like, shape ``(n_pairs,)``
        What to correlate; pairs with NaN in either are left out.
    first, second : array-like, shape ``(n_pairs,)``
        The unit of either protein of each pair: its family, or its accession or index where
        families are not known. A pair within a unit goes out with it once.
    method : {"pearson", "spearman"}
        Which correlation. Spearman's leaves each unit out of the ranks of all pairs
        rather than ranking anew.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair.

    Returns
    -------
    Interval
        All NaN where the correlation is undefined; the interval, with Student's t, is NaN where
        it is so without one of the units, and with fewer than ten units.

    Raises
    ------
    InputError
        If the method is impossible, or a weight is not positive.

    References
    ----------
    Efron, B. and Stein, C. (1981), The jackknife estimate of variance, Annals of Statistics 9.
    """
    return _intervals([x, y], first, second, method, weights)[0]


def correlation_intervals(
    frame: pd.DataFrame,
    method: str = "pearson",
    *,
    weights: np.ndarray | None = None,
    columns: Sequence[str] = COLUMNS,
    units: tuple[str, str] = PROTEINS,
) -> pd.DataFrame:
    """Return each entry of `correlation_matrix` with its interval, in one pass over the pairs.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per pair, with `columns` and `units`; rows with NaN in any of the columns are left
        out of all entries.
    method, weights
        As for `correlation_interval`, which describes the interval.
    columns : sequence of str
        What to correlate.
    units : (str, str)
        Columns of what either side of a pair goes out with: its family, or else its accession.

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
    check_columns(frame, [*columns, *units])
    values = [frame[name] for name in columns]
    found = _intervals(values, *(frame[side] for side in units), method, weights)
    names = pd.DataFrame(list(combinations(columns, 2)), columns=["a", "b"])
    return names.join(pd.DataFrame(found, columns=Interval._fields))


def correlation_differences(
    frame: pd.DataFrame,
    entries: Sequence[tuple[tuple[str, str], tuple[str, str]]],
    first: np.ndarray,
    second: np.ndarray,
    *,
    weights: np.ndarray | None = None,
) -> list[Interval]:
    """Return differences of two correlations over the same pairs: a model's and a control's.

    The interval leaves out one group of proteins with all their pairs in turn, and knows that both
    correlations then change together.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per pair; rows with NaN in any column are left out.
    entries : sequence of two pairs of columns
        The correlation of the first two less that of the second two.
    first, second : array-like, shape ``(n_pairs,)``
        The group of each protein of a pair; ten groups or more, none of which divides a family.
    weights
        As for `correlation_interval`.
    """
    columns = [frame[name] for name in frame]
    found = _without_each(columns, first, second, "pearson", weights)
    place = {name: number for number, name in enumerate(frame)}
    return [
        jackknife(np.subtract(*(found[:, place[x], place[y]] for x, y in entry)))
        for entry in entries
    ]


def _intervals(
    columns: Sequence[np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
    method: str,
    weights: np.ndarray | None,
) -> list[Interval]:
    """Return the correlation of each two of the columns, in the order of `combinations`."""
    found = _without_each(columns, first, second, method, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = jackknife(np.arctanh(found), least=LEAST_BLOCKS).standard_error
    entries = combinations(range(len(columns)), 2)
    freedom = max(len(found) - 2, 1)
    return [fisher_interval(found[0][entry], errors[entry], freedom) for entry in entries]


def _without_each(
    columns: Sequence[np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
    method: str,
    weights: np.ndarray | None,
) -> np.ndarray:
    """Return the correlations of columns over all pairs, then without those of each unit.

    All follow from sums of weights, weighted values and weighted products by unit.

    Returns
    -------
    numpy.ndarray, shape ``(1 + n_units, n_columns, n_columns)``
    """
    check_method(method)
    values, weights, known = known_values(columns, weights)
    first, second, n = protein_codes(first, second, known)
    values = standardised(values, weights, method)  # origin and unit do not matter, digits do
    k, weighted, upper = len(values), values * weights, np.triu_indices(len(values))
    products = (weighted[a] * values[b] for a, b in zip(*upper, strict=True))
    sums = [
        _sums_without_each(term, first, second, n) for term in chain([weights], weighted, products)
    ]
    weight, means, products = sums[0], np.stack(sums[1 : k + 1], axis=1), sums[k + 1 :]
    covariance = np.empty((1 + n, k, k))
    for a, b, product in zip(*upper, products, strict=True):
        covariance[:, a, b] = covariance[:, b, a] = weight * product - means[:, a] * means[:, b]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.einsum("...aa->...a", covariance))
        return (covariance / (spread[:, :, None] * spread[:, None])).clip(-1, 1)


def _sums_without_each(
    values: np.ndarray, first: np.ndarray, second: np.ndarray, n: int
) -> np.ndarray:
    """Return the sum of a number of each pair, then without the pairs of each unit."""
    of_unit = np.bincount(first, values, n)
    of_unit += np.bincount(second, values * (first != second), n)  # one with itself counts once
    return values.sum() - np.append(0, of_unit)
