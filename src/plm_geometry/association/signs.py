"""The sign between cosine similarity and squared Euclidean distance, and clouds that turn it.

For vectors of lengths s and t whose cosine is c, the squared distance is
``s**2 + t**2 - 2 * s * t * c``. Between vectors of one length the two correlate at -1.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from plm_geometry.pairs import all_pairs, pair_distances

# Of the simulated clouds: as many directions, besides the common one, as real ones use in effect.
_DIMENSIONS = 10
_MEAN_COSINES = (0.0, 0.5, 0.8)
_SPREADS = tuple(np.linspace(0.02, 1.2, 16))
# Of the two groups in the figure.
_LONG_SHARE, _WITHIN_LONG = 0.8, 0.1
# Lengths may differ by a factor of 100: without a bound two vectors would make every pair.
_LONGEST = 10.0


class Sign(NamedTuple):
    """What all pairs of a cloud's vectors show.

    Attributes
    ----------
    r : float
        Correlation of cosine similarity and squared Euclidean distance.
    norm_variation : float
        Standard deviation of the vectors' lengths over their mean.
    mean_cosine : float
    """

    r: float
    norm_variation: float
    mean_cosine: float


def sign_of(vectors: np.ndarray) -> Sign:
    """Correlate cosine similarity and squared distance over all pairs of ``(n, d)`` vectors."""
    table = pair_distances(vectors, *all_pairs(len(vectors)))
    cosine, squared = table["cosine_similarity"], table["squared_euclidean"]
    return Sign(cosine.corr(squared), variation(np.linalg.norm(vectors, axis=1)), cosine.mean())


def simulated(
    n: int, *, mean_cosine: float, spread: float, tied: bool, rng: np.random.Generator
) -> np.ndarray:
    """Draw vectors around a common direction, of lengths that vary.

    Parameters
    ----------
    n : int
        Vectors.
    mean_cosine : float
        Between two of them, from 0 to below 1.
    spread : float
        Standard deviation of the logarithm of their lengths.
    tied : bool
        Whether the longer a vector, the more it points along one further direction; lengths and
        directions are independent otherwise.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, 11)
    """
    around = rng.standard_normal((n, _DIMENSIONS))
    along = around[:, 0] if tied else rng.standard_normal(n)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    common = np.full((n, 1), np.sqrt(mean_cosine))
    directions = np.hstack([common, np.sqrt(1 - mean_cosine) * around])
    return directions * np.exp(spread * along)[:, None]


def simulated_signs(n: int = 300, *, seed: int = 0) -> pd.DataFrame:
    """Return the sign of simulated clouds and of two groups, by how much their lengths vary.

    Returns
    -------
    DataFrame
        ``lengths`` ("independent", "tied" or "two groups"), ``around`` (the mean cosine asked for),
        and the columns of `Sign`.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for tied, cosine, spread in product((False, True), _MEAN_COSINES, _SPREADS):
        cloud = simulated(n, mean_cosine=cosine, spread=spread, tied=tied, rng=rng)
        kind = {"lengths": "tied" if tied else "independent", "around": cosine}
        rows.append(kind | sign_of(cloud)._asdict())
    n_long = round(_LONG_SHARE * n)
    for ratio in np.geomspace(1, 0.02, 24):
        found = TwoGroups(n_long, n - n_long, ratio, _WITHIN_LONG).sign
        rows.append({"lengths": "two groups", "around": np.nan} | found._asdict())
    return pd.DataFrame(rows)


class TwoGroups(NamedTuple):
    """Long vectors that share a direction a little, and short ones that share none.

    Attributes
    ----------
    n_long, n_short : int
        Vectors of each kind, at least two.
    ratio : float
        Length of a short one, that of a long one being 1.
    within_long : float
        Cosine between two long ones, from 0 to 1; all other pairs are orthogonal.
    """

    n_long: int
    n_short: int
    ratio: float
    within_long: float

    @property
    def vectors(self) -> np.ndarray:
        """The vectors, shape ``(n_long + n_short, n_long + n_short + 1)``."""
        n = self.n_long + self.n_short
        vectors = np.eye(n, n + 1, 1)
        vectors[: self.n_long] *= np.sqrt(1 - self.within_long)
        vectors[: self.n_long, 0] = np.sqrt(self.within_long)
        vectors[self.n_long :] *= self.ratio
        return vectors

    @property
    def sign(self) -> Sign:
        """What `sign_of` finds in the vectors, from the three kinds of pairs alone."""
        long, short, t = self.n_long, self.n_short, self.ratio
        counts = np.array([long * (long - 1) // 2, long * short, short * (short - 1) // 2])
        cosine = np.array([self.within_long, 0, 0])
        squared = np.array([2 - 2 * self.within_long, 1 + t**2, 2 * t**2])
        covariance = np.cov(cosine, squared, fweights=counts)
        r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        lengths = np.repeat([1.0, t], [long, short])
        return Sign(r, variation(lengths), counts @ cosine / counts.sum())


def best_two_groups(n: int = 400) -> TwoGroups:
    """Return the two groups of `n` vectors whose sign is the most positive of a grid."""
    shares, ratios = np.linspace(0.1, 0.9, 17), np.geomspace(0.02, 1, 12)
    within = np.linspace(0.02, 0.5, 25)
    tried = (
        TwoGroups(round(share * n), n - round(share * n), ratio, cosine)
        for share, ratio, cosine in product(shares, ratios, within)
    )
    return max(tried, key=lambda groups: groups.sign.r)


def best_lengths(vectors: np.ndarray) -> Sign:
    """Keep the directions of vectors and look for lengths that make the sign most positive.

    A local search from three starts: the lengths as they are, and lengths that rise or fall with
    a vector's mean cosine to the others. What it finds can be reached, and more may be.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        None of them zero. Time and memory grow with the square of n.

    Returns
    -------
    Sign
        Of the same directions with the lengths found, which differ by a factor of 100 at most; all
        NaN where the cosines do not vary, as those of fewer than three vectors.
    """
    from scipy.optimize import minimize

    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    directions = vectors / lengths[:, None]
    if np.ptp(pair_distances(vectors, *all_pairs(len(vectors)))["cosine_similarity"]) == 0:
        return Sign(np.nan, np.nan, np.nan)
    cosines = directions @ directions.T
    typical = cosines.mean(axis=1)
    tied = (typical - typical.mean()) / max(typical.std(), np.finfo(float).tiny)
    bound = np.log(_LONGEST)
    bounds = [(-bound, bound)] * len(vectors)
    found = [
        minimize(_minus_sign, start.clip(-bound, bound), (cosines,), jac=True, bounds=bounds)
        for start in (np.log(lengths / lengths.mean()), tied, -tied)
    ]
    best = min(found, key=lambda result: result.fun)
    return sign_of(directions * np.exp(best.x)[:, None])


def _minus_sign(logarithms: np.ndarray, cosines: np.ndarray) -> tuple[float, np.ndarray]:
    """Return minus the sign of directions by the logarithms of their lengths, and its gradient."""
    s, pair = np.exp(logarithms), ~np.eye(len(cosines), dtype=bool)
    products = np.outer(s, s) * cosines
    squared = np.add.outer(s**2, s**2) - 2 * products
    # Less the mean over pairs; what is no pair is 0.
    x, y = (np.where(pair, values - values[pair].mean(), 0) for values in (cosines, squared))
    x, norm = x / np.linalg.norm(x), np.linalg.norm(y)
    r = float((x * y).sum() / norm)
    by_pair = (x - r * y / norm) / norm
    # Each pair stands in the matrix twice, on both sides of the diagonal.
    gradient = 4 * (by_pair.sum(axis=1) * s**2 - (by_pair * products).sum(axis=1))
    return -r, -gradient


def variation(lengths: np.ndarray) -> float:
    """Return the standard deviation of lengths over their mean; NaN where all are zero."""
    return float(lengths.std() / lengths.mean()) if lengths.any() else np.nan
