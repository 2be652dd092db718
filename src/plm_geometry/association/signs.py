"""The sign between cosine similarity and squared Euclidean distance, and clouds that turn it.

For vectors of lengths s and t whose cosine is c, the squared distance is
``s**2 + t**2 - 2 * s * t * c``. Between vectors of one length the two correlate at -1.
"""

from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class TwoGroups:
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

    @cached_property
    def sign(self) -> Sign:
        """What `sign_of` finds in the vectors, from the three kinds of pairs alone."""
        long, short, t = self.n_long, self.n_short, self.ratio
        counts = np.array([long * (long - 1) / 2, long * short, short * (short - 1) / 2])
        shares = counts / counts.sum()
        cosine = np.array([self.within_long, 0, 0])
        squared = np.array([2 - 2 * self.within_long, 1 + t**2, 2 * t**2])
        lengths = np.repeat([1.0, t], [long, short])
        return Sign(_correlation(cosine, squared, shares), variation(lengths), shares @ cosine)


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
    cosines = pair_distances(vectors, *all_pairs(len(vectors)))["cosine_similarity"]
    if np.ptp(cosines) == 0:
        return Sign(np.nan, np.nan, np.nan)
    problem = _LengthProblem(directions @ directions.T)
    typical = problem.cosines.mean(axis=1)
    tied = (typical - typical.mean()) / max(typical.std(), np.finfo(float).tiny)
    starts = [np.log(lengths / lengths.mean()), tied, -tied]
    bound = np.log(_LONGEST)
    found = [
        minimize(
            problem, start.clip(-bound, bound), jac=True, bounds=[(-bound, bound)] * len(start)
        )
        for start in starts
    ]
    best = min(found, key=lambda result: result.fun)
    return sign_of(directions * np.exp(best.x)[:, None])


class _LengthProblem:
    """Minus the sign as a function of the logarithms of lengths, and its gradient."""

    def __init__(self, cosines: np.ndarray):
        self.cosines = cosines
        self._pair = ~np.eye(len(cosines), dtype=bool)
        self._unit = self._centred(cosines)
        self._unit /= np.linalg.norm(self._unit)

    def _centred(self, values: np.ndarray) -> np.ndarray:
        """Subtract the mean over pairs; what is no pair becomes 0."""
        return np.where(self._pair, values - values[self._pair].mean(), 0)

    def __call__(self, logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        s = np.exp(logarithms)
        products = np.outer(s, s) * self.cosines
        centred = self._centred(np.add.outer(s**2, s**2) - 2 * products)
        norm = np.linalg.norm(centred)
        r = float((self._unit * centred).sum() / norm)
        by_pair = (self._unit - r * centred / norm) / norm
        # Each pair stands in the matrix twice, on both sides of the diagonal.
        gradient = 4 * (by_pair.sum(axis=1) * s**2 - (by_pair * products).sum(axis=1))
        return -r, -gradient


def variation(lengths: np.ndarray) -> float:
    """Return the standard deviation of lengths over their mean; NaN where all are zero."""
    return float(lengths.std() / lengths.mean()) if lengths.any() else np.nan


def _correlation(a: np.ndarray, b: np.ndarray, shares: np.ndarray) -> float:
    a, b = a - shares @ a, b - shares @ b
    return float(shares @ (a * b) / np.sqrt((shares @ a**2) * (shares @ b**2)))
