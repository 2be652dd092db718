"""How estimates settle: the effective dimensions of ever larger subsets."""

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import jackknife
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.isotropy.moments import Moments, merge_all

# Numbers copied at a time.
_BLOCK_ELEMENTS = 2_000_000
# Subsets are not halved below this, where the covariance of real embeddings says nothing yet.
_SMALLEST_SUBSET = 32
# Subsets larger than this cost minutes a model, and the laws in their size are known by then.
_LARGEST_SUBSET = 2**14


def convergence(vectors: np.ndarray, *, seed: int, draws: int = 20) -> pd.DataFrame:
    """Return the effective dimensions of random subsets, by their size.

    Each draw orders the vectors at random; its subsets are nested, each the beginning of the next:
    the whole set, or 16,384 of a larger one, and halves down to 32. The corrected estimate of a
    subset is that of a jackknife over its two halves.

    Parameters
    ----------
    vectors : ndarray, shape (n_vectors, d)
        At least four; they are copied in small blocks only.
    seed : int
        The same seed draws the same subsets.
    draws : int
        Random orders.

    Returns
    -------
    DataFrame
        One row a size: ``n``; ``effective_dimensions``, ``low``, ``high``: median and central
        95 % of the plain estimates; ``corrected``: median of the corrected ones.

    Raises
    ------
    InputError
        If there are fewer than four vectors, or a subset has no spread.
    """
    if len(vectors) < 4:
        raise InputError(f"{len(vectors)} vectors have no subsets to compare; give at least 4.")
    rng = np.random.default_rng(seed)
    orders, sizes = [rng.permutation(len(vectors)) for _ in range(draws)], _halved(len(vectors))
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
        }
    )


def _halved(n: int) -> list[int]:
    sizes = [min(n, _LARGEST_SUBSET)]
    while sizes[0] // 2 >= _SMALLEST_SUBSET:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def _estimates(vectors: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return the plain and the corrected estimate of some rows."""
    halves = [_moments_of(vectors, half) for half in np.array_split(rows, 2)]
    clouds = [merge_all(halves), *reversed(halves)]  # without either half the other is left
    plain = [effective_dimensions(cloud) for cloud in clouds]
    reciprocal = jackknife(1 / np.array(plain), [cloud.count for cloud in clouds]).estimate
    return plain[0], 1 / np.clip(reciprocal, 1 / vectors.shape[1], 1)


def _moments_of(vectors: np.ndarray, rows: np.ndarray) -> Moments:
    step = max(_BLOCK_ELEMENTS // vectors.shape[1], 1)
    parts = (vectors[rows[start : start + step]] for start in range(0, len(rows), step))
    return Moments.from_blocks(parts)
