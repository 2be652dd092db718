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


def distance_correlation(x: np.ndarray, y: np.ndarray, *, seed: int) -> Dependence:
    """Return the distance correlation of two quantities: 0 if and only if independent.

    By its definition, from the distances between all observations (the version that is never
    negative), over a sample of at most 3,000.

    Parameters
    ----------
    x, y : array-like, shape ``(n_pairs,)``
        What may depend on each other; pairs with NaN in either are left out.
    seed : int
        Of the sample and the shuffling.

    Returns
    -------
    Dependence
        From 0 to 1; NaN if a quantity is constant or there are fewer than five pairs.

    References
    ----------
    Szekely, Rizzo and Bakirov (2007), Measuring and testing dependence by correlation of
    distances, Annals of Statistics 35, definition 3.
    """
    rng = np.random.default_rng(seed)
    values, _, _ = known_values([x, y], None)
    values = rng.permutation(values, axis=1)[:, :N_FOR_DISTANCES]
    if values.shape[1] < 5 or (np.ptp(values, axis=1) == 0).any():
        return Dependence(np.nan, np.nan)
    a, b = (_centred_distances(of_one) for of_one in stats.zscore(values, axis=1))
    largest = np.sqrt(np.vdot(a, a) * np.vdot(b, b))
    orders = [np.arange(len(a)), *(rng.permutation(len(a)) for _ in range(SHUFFLES))]
    # Rounding may leave a covariance of nothing a hair below zero.
    covariances = np.array([np.vdot(a, b[np.ix_(order, order)]) for order in orders]).clip(min=0)
    estimate, *shuffled = np.sqrt(covariances / largest).tolist()
    return Dependence(estimate, max(shuffled))


def _centred_distances(values: np.ndarray) -> np.ndarray:
    """Return the distance of each two values, less the means of both, shape ``(n, n)``."""
    distances = np.abs(np.subtract.outer(values, values))
    means = distances.mean(axis=0)
    return distances - means - means[:, None] + means.mean()
