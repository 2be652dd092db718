"""Lengths that turn the sign between cosine similarity and squared Euclidean distance."""

import numpy as np

from plm_geometry.isotropy.signs import Sign, sign_of
from plm_geometry.pairs import all_pairs, pair_distances

# Lengths may differ by a factor of 100: without a bound two vectors would make every pair.
_LONGEST = 10.0


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
