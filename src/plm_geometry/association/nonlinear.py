"""Dependence of any shape between two quantities of pairs, beside correlation's straight line."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from plm_geometry.association.values import known_values
from plm_geometry.base.errors import InputError

# Distance to which neighbour the mutual information is estimated from (Kraskov et al. use 2-4).
_NEIGHBOURS = 3


class Dependence(NamedTuple):
    """A measure of dependence, and the largest it was after shuffling; NaN where undefined."""

    estimate: float
    null: float


def distance_correlation(
    x: np.ndarray,
    y: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    n_sample: int = 50_000,
    permutations: int = 9,
    seed: int,
) -> Dependence:
    """Return the distance correlation of two quantities: 0 if and only if independent.

    Computed in O(n log n) from the definition's sums over all ordered pairs of observations
    (the version that is never negative).

    Parameters
    ----------
    x, y : array-like, shape ``(n_pairs,)``
        What may depend on each other; pairs with NaN in either are left out.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair: pairs enter the sample in proportion.
    n_sample : int
        Pairs to draw at most, none twice. There are fewer where a pair of great weight
        would have to be.
    permutations : int
        How often y is shuffled: the largest value found shows what no dependence looks
        like. It takes pairs for independent, so it shows the measure's bias and noise; for
        a test that knows that pairs share proteins there is `mantel`.
    seed : int
        Of the sample and the shuffling.

    Returns
    -------
    Dependence
        From 0 to 1; NaN if a quantity is constant or there are fewer than five pairs.

    Raises
    ------
    InputError
        If a weight is not positive, or a number is below 1.

    References
    ----------
    Szekely, Rizzo and Bakirov (2007), Measuring and testing dependence by correlation of
    distances, Annals of Statistics 35, definition 3. The O(n log n) idea: Huo and Szekely
    (2016), Fast computing for distance covariance, Technometrics 58.
    """
    return _with_null(_distance_correlation, x, y, weights, n_sample, permutations, seed)


def mutual_information(
    x: np.ndarray,
    y: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    n_sample: int = 50_000,
    permutations: int = 9,
    seed: int,
) -> Dependence:
    """Return the mutual information of two quantities in bits, from nearest neighbours.

    Both are ranked first, ties broken at random, and the ranks turned into normal scores:
    this leaves mutual information as it is, whatever the quantities' units and shapes, and
    suits the estimator, which takes them for continuous.

    Parameters
    ----------
    x, y, weights, n_sample, permutations, seed
        As for `distance_correlation`.

    Returns
    -------
    Dependence
        In bits, at least 0; NaN if a quantity is constant or there are fewer than five
        pairs. `informational_correlation` puts it on the scale of Pearson's.

    Raises
    ------
    InputError
        If a weight is not positive, or a number is below 1.

    References
    ----------
    Kraskov, Stogbauer and Grassberger (2004), Estimating mutual information, Physical Review
    E 69, as scikit-learn's ``mutual_info_regression`` computes it, with 3 neighbours.
    """
    return _with_null(_mutual_information, x, y, weights, n_sample, permutations, seed)


def informational_correlation(bits: float) -> float:
    """Return the size of Pearson's r that two normal variables of this information have.

    ``sqrt(1 - 2 ** (-2 * bits))``: Linfoot (1957), An informational measure of correlation,
    Information and Control 1.
    """
    return float(np.sqrt(-np.expm1(-2 * np.log(2) * bits)))


def _with_null(
    measure: Callable[[np.ndarray, np.ndarray, np.random.Generator], float],
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    n_sample: int,
    permutations: int,
    seed: int,
) -> Dependence:
    """Measure a sample of the known pairs, and again after shuffling y."""
    if min(n_sample, permutations) < 1:
        raise InputError("n_sample and permutations must be at least 1.")
    rng = np.random.default_rng(seed)
    values, weights, _ = known_values([x, y], weights)
    x, y = values[:, _self_weighting_sample(weights, n_sample, rng)]
    if len(x) < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Dependence(np.nan, np.nan)
    estimate = measure(x, y, rng)
    null = max(measure(x, rng.permutation(y), rng) for _ in range(permutations))
    return Dependence(estimate, null)


def _self_weighting_sample(
    weights: np.ndarray, n_sample: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw distinct indices, each with a probability in proportion to its weight.

    Systematic sampling: the weights, in random order, lie end to end, and the indices at
    equal steps are taken. No weight is longer than a step, so that none is taken twice.
    """
    if len(weights) == 0:
        return np.empty(0, dtype=np.int64)
    most = weights.sum() / weights.max()
    n_sample = min(n_sample, int(most * (1 + 1e-12)))  # equal weights: all, not all but one
    order = rng.permutation(len(weights))
    ends = np.cumsum(weights[order])
    steps = (np.arange(n_sample) + rng.random()) * ends[-1] / n_sample
    return order[np.searchsorted(ends, steps).clip(max=len(order) - 1)]


def _mutual_information(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> float:
    from sklearn.feature_selection import mutual_info_regression

    scores = [_normal_scores(values, rng) for values in (x, y)]
    (nats,) = mutual_info_regression(
        scores[0][:, None],
        scores[1],
        n_neighbors=_NEIGHBOURS,
        random_state=int(rng.integers(2**31)),
    )
    return float(nats / np.log(2))


def _normal_scores(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the normal quantiles of ranks, ties broken at random."""
    ranks = np.empty(len(values))
    ranks[np.lexsort((rng.random(len(values)), values))] = np.arange(len(values))
    return stats.norm.ppf((ranks + 0.5) / len(values))


def _distance_correlation(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> float:
    """Return dCor; nothing in it is random."""
    x, y = stats.zscore(x), stats.zscore(y)
    a, b = _mean_distances(x), _mean_distances(y)
    covariance = _centred(_sum_of_products(x, y), a, b)
    # Of a distance with itself the products are squares: n sum x^2 - (sum x)^2, twice.
    squares = 2 * len(x) ** 2
    variances = _centred(squares, a, a) * _centred(squares, b, b)
    # Rounding may leave a covariance of nothing a hair below zero.
    return float(np.sqrt(max(covariance, 0) / np.sqrt(variances)))


def _centred(products: float, a: np.ndarray, b: np.ndarray) -> float:
    """Return a squared distance covariance from ``sum(a_kl b_kl)`` and means over l."""
    return products / len(a) ** 2 + a.mean() * b.mean() - 2 * (a * b).mean()


def _mean_distances(x: np.ndarray) -> np.ndarray:
    """Return the mean distance of each value from all."""
    n, order = len(x), np.argsort(x)
    ascending = x[order]
    below = np.cumsum(ascending) - ascending
    place = np.arange(n)
    # Those above, less those below: n - 1 - 2 place is the surplus of values above.
    sums = ascending.sum() - ascending - 2 * below - (n - 1 - 2 * place) * ascending
    means = np.empty(n)
    means[order] = sums / n
    return means


def _sum_of_products(x: np.ndarray, y: np.ndarray) -> float:
    """Return the sum of ``|x_k - x_l| |y_k - y_l|`` over all ordered k, l.

    Without the bars it follows from plain sums. The bars turn the sign of those pairs in which
    x and y rise in opposite directions: with x in ascending order, the inversions of y.
    """
    order = np.argsort(x)
    x, y = x[order], y[order]
    signed = len(x) * (x @ y) - x.sum() * y.sum()
    return 2 * (signed - 2 * _sum_over_inversions(x, y))


def _sum_over_inversions(x: np.ndarray, y: np.ndarray) -> float:
    """Return the sum of ``(x_l - x_k) (y_l - y_k)`` over k < l with y_k > y_l.

    The ranks of y_k and y_l agree in their leading bits, up to one bit that is 1 in the former
    and 0 in the latter. So for each bit, in each group of equal leading bits, every 0 needs
    sums over the 1s before it.
    """
    # The smallest integers that hold the ranks: 16 bits are sorted in linear time.
    rank = np.empty(len(y), dtype=np.min_scalar_type(len(y)))
    rank[np.argsort(y, kind="stable")] = np.arange(len(y))
    terms = np.stack([np.ones_like(x), x, y, x * y])
    total = 0.0
    for bit in range(len(y).bit_length()):
        order = np.argsort(rank >> (bit + 1), kind="stable")
        group, is_one = rank[order] >> (bit + 1), (rank[order] >> bit) & 1
        sums = np.cumsum(terms[:, order] * is_one, axis=1)
        # Ones that come before a group begins are none of its own.
        sums = np.insert(sums, 0, 0, axis=1)
        start = np.searchsorted(group, group)
        count, sum_x, sum_y, sum_xy = (sums[:, 1:] - sums[:, start])[:, is_one == 0]
        x_l, y_l = terms[1:3, order][:, is_one == 0]
        total += np.sum(x_l * y_l * count - x_l * sum_y - y_l * sum_x + sum_xy)
    return float(total)
