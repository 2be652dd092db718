"""Dependence of any shape between two quantities of pairs, beside correlation's straight line."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from plm_geometry.association.values import known_values

# Distance to which neighbour the mutual information is estimated from (Kraskov et al. use 2-4).
_NEIGHBOURS = 3
# Pairs in a sample. Distances between all of them take memory as the square of their number.
N_FOR_DISTANCES = 3_000
N_FOR_NEIGHBOURS = 50_000
# How often y is shuffled.
SHUFFLES = 9


class Dependence(NamedTuple):
    """A measure of dependence, and the largest of nine after shuffling; NaN where undefined.

    Shuffling shows what no dependence looks like. It takes pairs for independent, so it shows the
    measure's bias and noise; a test that knows that pairs share proteins is `mantel_tests`.
    """

    estimate: float
    null: float


def distance_correlation(
    x: np.ndarray, y: np.ndarray, *, weights: np.ndarray | None = None, seed: int
) -> Dependence:
    """Return the distance correlation of two quantities: 0 if and only if independent.

    By its definition, from the distances between all observations (the version that is never
    negative), over a sample of at most 3,000.

    Parameters
    ----------
    x, y : array-like, shape ``(n_pairs,)``
        What may depend on each other; pairs with NaN in either are left out.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair: pairs enter the sample in proportion, none
        twice. It is smaller where a pair of great weight would have to.
    seed : int
        Of the sample and the shuffling.

    Returns
    -------
    Dependence
        From 0 to 1; NaN if a quantity is constant or there are fewer than five pairs.

    Raises
    ------
    InputError
        If a weight is not positive.

    References
    ----------
    Szekely, Rizzo and Bakirov (2007), Measuring and testing dependence by correlation of
    distances, Annals of Statistics 35, definition 3.
    """
    return _with_null(_distance_correlation, x, y, weights, N_FOR_DISTANCES, seed)


def mutual_information(
    x: np.ndarray, y: np.ndarray, *, weights: np.ndarray | None = None, seed: int
) -> Dependence:
    """Return the mutual information of two quantities in bits, from nearest neighbours.

    Both are ranked first, ties broken at random, and the ranks turned into normal scores:
    this leaves mutual information as it is, whatever the quantities' units and shapes, and
    suits the estimator, which takes them for continuous. The sample has at most 50,000 pairs.

    Parameters
    ----------
    x, y, weights, seed
        As for `distance_correlation`.

    Returns
    -------
    Dependence
        In bits, at least 0; NaN if a quantity is constant or there are fewer than five
        pairs. `informational_correlation` puts it on the scale of Pearson's.

    Raises
    ------
    InputError
        If a weight is not positive.

    References
    ----------
    Kraskov, Stogbauer and Grassberger (2004), Estimating mutual information, Physical Review
    E 69, as scikit-learn's ``mutual_info_regression`` computes it, with 3 neighbours.
    """
    return _with_null(_mutual_information, x, y, weights, N_FOR_NEIGHBOURS, seed)


def informational_correlation(bits: float) -> float:
    """Return the size of Pearson's r that two normal variables of this information have.

    ``sqrt(1 - 2 ** (-2 * bits))``: Linfoot (1957), An informational measure of correlation,
    Information and Control 1.
    """
    return float(np.sqrt(-np.expm1(-2 * np.log(2) * bits)))


def _with_null(
    measure: Callable[..., Callable[[np.ndarray], float]],
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    n_sample: int,
    seed: int,
) -> Dependence:
    """Measure a sample of the known pairs, and again after shuffling y."""
    rng = np.random.default_rng(seed)
    values, weights, _ = known_values([x, y], weights)
    x, y = values[:, _self_weighting_sample(weights, n_sample, rng)]
    if len(x) < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Dependence(np.nan, np.nan)
    of_order = measure(x, y, rng)
    estimate = of_order(np.arange(len(y)))
    return Dependence(estimate, max(of_order(rng.permutation(len(y))) for _ in range(SHUFFLES)))


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


def _mutual_information(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> Callable[[np.ndarray], float]:
    """Return what gives the bits that x and a reordered y have in common."""
    from sklearn.feature_selection import mutual_info_regression

    def of_order(order: np.ndarray) -> float:
        a, b = _normal_scores(x, rng), _normal_scores(y[order], rng)
        (nats,) = mutual_info_regression(
            a[:, None], b, n_neighbors=_NEIGHBOURS, random_state=int(rng.integers(2**31))
        )
        return float(nats / np.log(2))

    return of_order


def _normal_scores(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the normal quantiles of ranks, ties broken at random."""
    ranks = np.empty(len(values))
    ranks[np.lexsort((rng.random(len(values)), values))] = np.arange(len(values))
    return stats.norm.ppf((ranks + 0.5) / len(values))


def _distance_correlation(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> Callable[[np.ndarray], float]:
    """Return what gives dCor of x and a reordered y; nothing in it is random."""
    a, b = (_centred_distances(values) for values in stats.zscore([x, y], axis=1))
    largest = np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    # Rounding may leave a covariance of nothing a hair below zero.
    return lambda order: float(np.sqrt(max(np.vdot(a, b[np.ix_(order, order)]), 0) / largest))


def _centred_distances(values: np.ndarray) -> np.ndarray:
    """Return the distance of each two values, less the means of both, shape ``(n, n)``."""
    distances = np.abs(np.subtract.outer(values, values))
    means = distances.mean(axis=0)
    return distances - means - means[:, None] + means.mean()
