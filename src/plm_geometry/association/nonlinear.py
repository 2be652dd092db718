"""Distance correlation: dependence of any shape between two quantities of pairs."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from plm_geometry.association.values import known_values

# Pairs in a sample. Distances between all of them take memory as the square of their number.
N_FOR_DISTANCES = 3_000
# How often y is shuffled.
SHUFFLES = 9


class Dependence(NamedTuple):
    """A measure of dependence, and the largest of nine after shuffling; NaN where undefined.

    Shuffling shows what no dependence looks like. It takes pairs for independent, so it shows the
    measure's bias and noise only.
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
    rng = np.random.default_rng(seed)
    values, weights, _ = known_values([x, y], weights)
    values = values[:, _self_weighting_sample(weights, N_FOR_DISTANCES, rng)]
    if values.shape[1] < 5 or (np.ptp(values, axis=1) == 0).any():
        return Dependence(np.nan, np.nan)
    a, b = (_centred_distances(of_one) for of_one in stats.zscore(values, axis=1))
    largest = np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    orders = [np.arange(len(a)), *(rng.permutation(len(a)) for _ in range(SHUFFLES))]
    # Rounding may leave a covariance of nothing a hair below zero.
    covariances = np.array([np.vdot(a, b[np.ix_(order, order)]) for order in orders]).clip(min=0)
    estimate, *shuffled = np.sqrt(covariances / largest).tolist()
    return Dependence(estimate, max(shuffled))


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


def _centred_distances(values: np.ndarray) -> np.ndarray:
    """Return the distance of each two values, less the means of both, shape ``(n, n)``."""
    distances = np.abs(np.subtract.outer(values, values))
    means = distances.mean(axis=0)
    return distances - means - means[:, None] + means.mean()
