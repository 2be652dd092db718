"""Isotropy of a set of vectors: IsoScore, effective dimensions, mean cosine similarity.

IsoScore needs no principal components. With the participation ratio
``PR = tr(C)**2 / |C|_F**2`` of the covariance C in n dimensions,

    IsoScore = (PR - 1) / (n - 1),

so that the "dimensions used", ``IsoScore * (n - 1) + 1``, are the participation ratio itself.
Proof: Rudman et al. (2022) scale the eigenvalues l of C to ``m = sqrt(n) * l / |l|``, so that
``|m - 1|**2 = 2 * n - 2 * sqrt(n) * sum(l) / |l|``; since ``sum(l) = tr(C)`` and
``|l| = |C|_F``, the sum over the norm is ``sqrt(PR)``. Their isotropy defect d then has
``d**2 * (n - sqrt(n)) = n - sqrt(n * PR)``, and their score
``((n - d**2 * (n - sqrt(n)))**2 - n) / (n * (n - 1)) = (n * PR - n) / (n * (n - 1))``.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from plm_geometry.errors import InputError
from plm_geometry.moments import Moments, merge_all

# Dimensions that are whole numbers up to rounding are printed as such.
_ROUNDING = 1e-9


def isoscore(vectors: Any) -> float:
    """Return the IsoScore: 0 on a line, 1 for equal variance in all directions.

    Exact over all vectors, by the identity in this module's description.

    Parameters
    ----------
    vectors : array-like, shape (n_vectors, d), or Moments
        At least two vectors of at least two dimensions.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If there is one vector or one dimension, if all vectors are the same, or if one of them
        is not finite.

    References
    ----------
    Rudman, Gillman, Rayne and Eickhoff, "IsoScore: Measuring the Uniformity of Embedding Space
    Utilization", Findings of ACL 2022.
    """
    moments = _moments(vectors)
    if moments.dim < 2:
        raise InputError("IsoScore needs vectors of at least two dimensions.")
    return (effective_dimensions(moments) - 1) / (moments.dim - 1)


def effective_dimensions(vectors: Any) -> float:
    """Return the number of dimensions used, between 1 and d: the participation ratio.

    Parameters
    ----------
    vectors : array-like, shape (n_vectors, d), or Moments
        At least two vectors.

    Raises
    ------
    InputError
        If there is one vector, if all vectors are the same, or if one of them is not finite.
    """
    moments = _moments(vectors)
    covariance = moments.covariance
    if not covariance.any():
        raise InputError(
            f"all {moments.count} vectors are the same, so they have no directions to compare; "
            "give vectors that differ."
        )
    return float(participation_ratio(covariance))


def participation_ratio(covariance: Any) -> Any:
    """Return ``tr(C)**2 / |C|_F**2``.

    Parameters
    ----------
    covariance : ndarray or torch.Tensor, shape (d, d)
        Of a tensor, gradients flow through the result.
    """
    # Divided by the trace first, so that nothing overflows.
    scaled = covariance / covariance.diagonal().sum()
    return 1 / (scaled * scaled).sum()


def mean_cosine_similarity(vectors: Any) -> float | None:
    """Return the exact mean of the cosine similarity over all ordered pairs of vectors.

    With unit vectors u it is ``(|sum(u)|**2 - N) / (N * (N - 1))``: no pair is formed.

    Parameters
    ----------
    vectors : array-like, shape (n_vectors, d), or Moments
        At least two vectors.

    Returns
    -------
    float or None
        None where a zero vector, which has no direction, is among them.

    Raises
    ------
    InputError
        If there is one vector, or one that is not finite.
    """
    moments = _moments(vectors)
    n = moments.count
    if n < 2:
        raise InputError(f"{n} vector makes no pair; give at least two.")
    if moments.n_zero:
        return None
    return float((moments.unit_sum @ moments.unit_sum - n) / (n * (n - 1)))


def printed_dimensions(dimensions: float) -> int:
    """Return effective dimensions as the paper prints them: rounded up."""
    return math.ceil(dimensions - _ROUNDING)


def isotropy_row(vectors: Any) -> dict[str, float | int | None]:
    """Return every measure of this module and the counts that belong to it, by name.

    Parameters
    ----------
    vectors : array-like, shape (n_vectors, d), or Moments
        At least two vectors of at least two dimensions.

    Raises
    ------
    InputError
        As `isoscore`.
    """
    moments = _moments(vectors)
    dimensions = effective_dimensions(moments)
    return {
        "n": moments.count,
        "d": moments.dim,
        "isoscore": isoscore(moments),
        "effective_dimensions": dimensions,
        "printed_dimensions": printed_dimensions(dimensions),
        "mean_cosine_similarity": mean_cosine_similarity(moments),
        "n_zero": moments.n_zero,
    }


class Interval(NamedTuple):
    """A bias-corrected estimate and the ends of its confidence interval."""

    estimate: float
    low: float
    high: float


def interval(
    blocks: Sequence[Moments],
    statistic: Callable[[Moments], float | None],
    *,
    level: float = 0.95,
) -> Interval:
    """Return a bias-corrected estimate and its interval by a delete-a-block jackknife.

    The blocks may differ in size; vectors that belong together (a family, the residues of one
    protein) belong in one block. `isoscore` and `effective_dimensions` are jackknifed as 1/PR:
    of N vectors it is too large by about 1/N, a bias of the form that the jackknife removes.

    Parameters
    ----------
    blocks : sequence of Moments
        At least two that are not empty; ten to twenty serve well.
    statistic : callable
        `isoscore`, `effective_dimensions`, `mean_cosine_similarity`, or any function of Moments.
    level : float
        Nominal coverage.

    Raises
    ------
    InputError
        If there are fewer than two blocks, or the statistic is not defined for them.

    References
    ----------
    Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", Statistics and
    Computing 9 (1999), 3-8: estimate and variance. Ends from Student's t, blocks less one
    degrees of freedom.
    """
    d = blocks[0].dim if blocks else 0
    if statistic is isoscore:
        return Interval(
            *((k - 1) / (d - 1) for k in interval(blocks, effective_dimensions, level=level))
        )
    if statistic is effective_dimensions:
        reciprocal = _jackknife(blocks, lambda moments: 1 / effective_dimensions(moments), level)
        # PR lies between 1 and d; too few vectors leave its upper end open.
        estimate, high, low = 1 / np.clip(reciprocal, 1 / d, 1)
        return Interval(float(estimate), float(low), float(high))
    return Interval(*map(float, _jackknife(blocks, statistic, level)))


def draw_blocks(
    n: int, *, n_blocks: int = 20, seed: int = 0, families: Sequence[Any] | None = None
) -> np.ndarray:
    """Assign vectors at random to blocks of nearly equal size, for `interval`.

    Parameters
    ----------
    n : int
        Number of vectors.
    n_blocks : int
        Number of blocks.
    seed : int
        Of the draw.
    families : sequence, optional
        The family of each vector: a family is never divided.

    Returns
    -------
    ndarray of int, shape (n,)
        The block of each vector, from 0.
    """
    _, family = np.unique(np.arange(n) if families is None else families, return_inverse=True)
    sizes = np.bincount(family)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    block_sizes = np.zeros(n_blocks, dtype=np.int64)
    block_of = np.empty(len(sizes), dtype=np.int64)
    # The largest families first, each to the block that is smallest by then.
    for index in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        block_of[index] = block_sizes.argmin()
        block_sizes[block_of[index]] += sizes[index]
    return block_of[family]


def _jackknife(
    blocks: Sequence[Moments], statistic: Callable[[Moments], float | None], level: float
) -> np.ndarray:
    """Return estimate, low and high of Busing et al. (1999), equations 6 and 8."""
    from scipy.special import stdtrit  # here, because the command need not wait for it

    blocks = [block for block in blocks if block.count]
    if len(blocks) < 2:
        raise InputError(f"{len(blocks)} block of vectors gives no interval; give at least two.")
    whole = merge_all(blocks)
    values = [statistic(moments) for moments in (whole, *map(whole.without, blocks))]
    if None in values:
        raise InputError("an interval needs a statistic that is defined for every block.")
    full, partial = values[0], np.array(values[1:])
    ratio = whole.count / np.array([block.count for block in blocks])
    estimate = len(blocks) * full - ((1 - 1 / ratio) * partial).sum()
    pseudo = ratio * full - (ratio - 1) * partial
    error = math.sqrt(((pseudo - estimate) ** 2 / (ratio - 1)).mean())
    reach = float(stdtrit(len(blocks) - 1, (1 + level) / 2)) * error
    return np.array([estimate, estimate - reach, estimate + reach])


def _moments(vectors: Any) -> Moments:
    return vectors if isinstance(vectors, Moments) else Moments.from_vectors(vectors)
