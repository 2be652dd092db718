"""The sign between cosine similarity and squared Euclidean distance, in constructed clouds.

For vectors of lengths s and t whose cosine is c, the squared distance is
``s**2 + t**2 - 2 * s * t * c``. Between vectors of one length the two correlate at -1.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import pdist

# Of the simulated clouds: as many directions, besides the common one, as real ones use in effect.
_DIMENSIONS = 10
_MEAN_COSINES = (0.0, 0.5, 0.8)
_SPREADS = tuple(np.linspace(0.02, 1.2, 16))
# Of the two groups in the figure.
_LONG_SHARE, _WITHIN_LONG = 0.8, 0.1


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
    cosine = pd.Series(1 - pdist(vectors, "cosine"))
    squared = pd.Series(pdist(vectors, "sqeuclidean"))
    norms = np.linalg.norm(vectors, axis=1)
    return Sign(cosine.corr(squared), float(stats.variation(norms)), cosine.mean())


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
        return Sign(r, stats.variation(lengths), counts @ cosine / counts.sum())


def best_two_groups(n: int = 400) -> TwoGroups:
    """Return the two groups of `n` vectors whose sign is the most positive of a grid."""
    shares, ratios = np.linspace(0.1, 0.9, 17), np.geomspace(0.02, 1, 12)
    within = np.linspace(0.02, 0.5, 25)
    tried = (
        TwoGroups(round(share * n), n - round(share * n), ratio, cosine)
        for share, ratio, cosine in product(shares, ratios, within)
    )
    return max(tried, key=lambda groups: groups.sign.r)
