"""How many vectors are enough: the effective dimensions of ever larger subsets."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.measures import effective_dimensions, interval
from plm_geometry.isotropy.moments import Moments, merge_all

# Numbers copied at a time.
_BLOCK_ELEMENTS = 2_000_000
# Subsets are not halved below this, where the covariance of real embeddings says nothing yet.
_SMALLEST_SUBSET = 32
# Subsets larger than this cost minutes a model, and the laws in their size are known by then.
_LARGEST_SUBSET = 2**14
# Half width of a 95 % interval in standard errors.
_NORMAL_95 = 1.959964
# A relative error below this keeps the third significant digit, whatever the first is.
_THIRD_DIGIT = 5e-4


def convergence(
    vectors: np.ndarray, *, seed: int, sizes: Sequence[int] | None = None, draws: int = 20
) -> pd.DataFrame:
    """Return the effective dimensions of random subsets, by their size.

    Each draw orders the vectors at random; its subsets are nested, each the beginning of the
    next. The corrected estimate of a subset is that of `isotropy.interval` over its two halves.

    Parameters
    ----------
    vectors : ndarray, shape (n_vectors, d)
        They are copied in small blocks only.
    seed : int
        The same seed draws the same subsets.
    sizes : sequence of int, optional
        Sizes of the subsets, from 4 to n_vectors. By default the whole set, or 16,384 of a
        larger one, and halves down to 32.
    draws : int
        Random orders.

    Returns
    -------
    DataFrame
        One row a size: ``n``; ``effective_dimensions``, ``low``, ``high``: median and central
        95 % of the plain estimates; ``corrected``: median of the corrected ones; ``half_width``:
        1.96 standard errors of a corrected one. The last is scaled by ``1 / sqrt(1 - n / N)``,
        since the subsets share vectors of one set of N where fresh samples would share none; it
        is NaN at n = N, where all draws agree.

    Raises
    ------
    InputError
        If a size lies outside its range, or a subset has no spread.
    """
    n_all = len(vectors)
    sizes = _halved_sizes(n_all) if sizes is None else sorted(set(sizes))
    if draws < 2 or not sizes or sizes[0] < 4 or sizes[-1] > n_all:
        raise InputError(
            f"{draws} draws of subsets of {n_all} vectors were asked for, in sizes {sizes}; "
            f"give at least 2 draws and sizes from 4 to {n_all}."
        )
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(n_all) for _ in range(draws)]
    estimates = [[_estimates(vectors, order[:n]) for n in sizes] for order in orders]
    plain, corrected = np.moveaxis(estimates, -1, 0)  # each (draws, sizes)
    low, median, high = np.quantile(plain, [0.025, 0.5, 0.975], axis=0)
    return pd.DataFrame(
        {
            "n": sizes,
            "effective_dimensions": median,
            "low": low,
            "high": high,
            "corrected": np.median(corrected, axis=0),
            "half_width": _NORMAL_95 * _fresh_errors(corrected, np.array(sizes) / n_all),
        }
    )


class Enough(NamedTuple):
    """How many vectors settle a digit of the plain and of the corrected effective dimensions."""

    plain: int
    corrected: int
    extrapolated: bool


def enough_for_third_digit(table: pd.DataFrame, *, tolerance: float = _THIRD_DIGIT) -> Enough:
    """Return how many vectors settle the third significant digit of the effective dimensions.

    Enough are so many that the relative error of an estimate from a fresh sample stays within
    the tolerance in 95 % of samples. Two laws are fitted to the table: the half width of that
    interval is ``s / sqrt(n)``, and 1/PR of the plain estimate is too large by ``b / n``. So
    the corrected estimate needs ``s / sqrt(n) <= tolerance``, the plain one
    ``b * PR / n + s / sqrt(n) <= tolerance``.

    A data set's own score is exact with any number of vectors; this is about a score that is
    to stand for the proteins from which the set was drawn.

    Parameters
    ----------
    table : DataFrame
        From `convergence`.
    tolerance : float
        Relative: 0.0005 keeps the third digit even of 9.99.

    Returns
    -------
    Enough
        ``extrapolated`` says that a number lies beyond the subsets whose spread was measured.

    Raises
    ------
    InputError
        If the table holds no subset smaller than the whole set.
    """
    measured = table.dropna()
    if measured.empty:
        raise InputError("no subset is smaller than the whole set; give smaller sizes.")
    limit = table["corrected"].iloc[-1]
    spread = (measured["half_width"] * np.sqrt(measured["n"])).median() / limit
    excess = (1 / measured["effective_dimensions"] - 1 / measured["corrected"]) * measured["n"]
    bias = max(excess.median(), 0) * limit
    # Fewer than the smallest subset may do, but that was not looked at.
    plain, corrected = (
        max(_where_error_meets(tolerance, spread, b), int(table["n"].min())) for b in (bias, 0)
    )
    return Enough(plain, corrected, extrapolated=bool(plain > measured["n"].max()))


def _halved_sizes(n: int) -> list[int]:
    sizes = [min(n, _LARGEST_SUBSET)]
    while sizes[0] // 2 >= _SMALLEST_SUBSET:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def _estimates(vectors: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return the plain and the corrected estimate of some rows."""
    halves = [_moments_of(vectors, half) for half in np.array_split(rows, 2)]
    plain = effective_dimensions(merge_all(halves))
    return plain, interval(halves, effective_dimensions).estimate


def _moments_of(vectors: np.ndarray, rows: np.ndarray) -> Moments:
    step = max(_BLOCK_ELEMENTS // vectors.shape[1], 1)
    parts = (vectors[rows[start : start + step]] for start in range(0, len(rows), step))
    return Moments.from_blocks(parts)


def _fresh_errors(estimates: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the standard errors of fresh samples; subsets of a share of one set vary less."""
    unseen = np.where(shares < 1, 1 - shares, np.nan)
    return estimates.std(axis=0, ddof=1) / np.sqrt(unseen)


def _where_error_meets(tolerance: float, spread: float, bias: float) -> int:
    """Return the n from which ``bias / n + spread / sqrt(n)`` stays within the tolerance."""
    root = (spread + math.sqrt(spread**2 + 4 * tolerance * bias)) / (2 * tolerance)
    return math.ceil(root**2)
