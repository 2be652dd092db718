"""Every yardstick of isotropy side by side; each sees something that the others miss."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import logsumexp

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.measures import effective_dimensions, isoscore, mean_cosine_similarity
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.spectrum import (
    eigenvalues,
    entropy_rank,
    entropy_rank_singular,
    share_of_first,
)

# IsoScore*: vectors in a batch, batches, and the weight of the whole set's covariance. A batch of
# this size is small against 1,024 dimensions; the three are this project's choice.
BATCH_SIZE = 256
N_BATCHES = 100
ZETA = 0.2
# TwoNN compares all pairs of its vectors: so many take seconds.
MAX_NEIGHBOURS_OF = 10_000
# Share of the largest distance ratios that TwoNN leaves out (Facco et al. 2017).
_DISCARDED = 0.1
# Size of a block of vectors; a few temporary arrays of it are held at a time.
_BLOCK_BYTES = 2**24


def yardsticks(vectors: Any, *, seed: int = 0) -> dict[str, float]:
    """Return every yardstick of one cloud, by name.

    Parameters
    ----------
    vectors : array-like, shape (n, d)
        One vector per row; they are copied in small blocks only.
    seed : int
        Of the batches of IsoScore* and of the sample of TwoNN.

    Returns
    -------
    dict of str to float
        ``isoscore, isoscore_star, effective_dimensions, entropy_rank, entropy_rank_singular,
        mean_cosine_similarity, mean_cosine_centred, partition_isotropy, share_first_1,
        share_first_3, share_first_10, intrinsic_dimension``; NaN where one is not defined: for
        vectors that are all the same, too few, or, in a cosine, zero.

    Raises
    ------
    InputError
        If it is no numeric matrix or a row is not finite.
    """
    vectors = np.asarray(vectors)
    moments = Moments.from_vectors(vectors)
    # One vector has no spectrum; all zero, it makes what is taken from it undefined.
    spectrum = eigenvalues(moments) if moments.count > 1 else np.zeros(moments.dim)
    measures = {
        "isoscore": lambda: isoscore(moments),
        "isoscore_star": lambda: isoscore_star(vectors, whole=moments, seed=seed),
        "effective_dimensions": lambda: effective_dimensions(moments),
        "entropy_rank": lambda: entropy_rank(spectrum),
        "entropy_rank_singular": lambda: entropy_rank_singular(spectrum),
        "mean_cosine_similarity": lambda: mean_cosine_similarity(moments),
        "mean_cosine_centred": lambda: mean_cosine_centred(vectors, moments=moments),
        "partition_isotropy": lambda: partition_isotropy(vectors, moments=moments),
        "share_first_1": lambda: share_of_first(spectrum, 1),
        "share_first_3": lambda: share_of_first(spectrum, 3),
        "share_first_10": lambda: share_of_first(spectrum, 10),
        "intrinsic_dimension": lambda: intrinsic_dimension(vectors, seed=seed),
    }
    return {name: _or_nan(measure) for name, measure in measures.items()}


def isoscore_star(
    vectors: np.ndarray,
    *,
    whole: Moments | None = None,
    zeta: float = ZETA,
    batch_size: int = BATCH_SIZE,
    n_batches: int = N_BATCHES,
    seed: int = 0,
) -> float:
    """Return the mean IsoScore* of small batches: what a training loop would see.

    The covariance of few vectors has few directions, so that their IsoScore is too low. IsoScore*
    scores ``(1 - zeta) * C + zeta * C0``, with C of the batch and C0 of the whole set.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        At least two.
    whole : Moments, optional
        Of the set whose covariance is C0; by default of `vectors`.
    zeta : float
        From 0, the batch alone, to 1, the whole set alone.
    batch_size : int
        Vectors in a batch; of a smaller set there is one batch, which is all of it.
    n_batches : int
        Batches at most. No vector is in two.
    seed : int
        Of the batches.

    Raises
    ------
    InputError
        As `measures.isoscore`, and if `zeta` or a number is out of range.

    References
    ----------
    Rudman and Eickhoff, "Stable Anisotropic Regularization", ICLR 2024.
    """
    size = min(batch_size, len(vectors))
    if not 0 <= zeta <= 1 or size < 2 or n_batches < 1:
        raise InputError(
            f"IsoScore* of {n_batches} batches of {size} vectors with zeta {zeta} does not "
            "exist; give at least one batch of at least two, and a zeta from 0 to 1."
        )
    target = (whole or Moments.from_vectors(vectors)).covariance
    count = min(n_batches, len(vectors) // size)
    order = np.random.default_rng(seed).permutation(len(vectors))
    batches = order[: count * size].reshape(count, size)
    scores = [isoscore(_shrunk(Moments.from_vectors(vectors[b]), target, zeta)) for b in batches]
    return float(np.mean(scores))


def mean_cosine_centred(vectors: np.ndarray, *, moments: Moments | None = None) -> float | None:
    """Return the exact mean cosine similarity after the mean vector has been subtracted.

    With unit vectors u of what is left it is ``(|sum(u)|**2 - N) / (N * (N - 1))``: no pair is
    formed. It is near 0 for most clouds, and at least ``-1 / (N - 1)``.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        At least two.
    moments : Moments, optional
        Of `vectors`, where they are at hand.

    Returns
    -------
    float or None
        None where a vector is the mean itself, which leaves no direction.

    Raises
    ------
    InputError
        If there is one vector, or one that is not finite.
    """
    moments = moments or Moments.from_vectors(vectors)
    n = moments.count
    if n < 2:
        raise InputError(f"{n} vector makes no pair; give at least two.")
    unit_sum = np.zeros(moments.dim)
    for rows in _blocks(vectors):
        centred = rows - moments.mean
        lengths = np.linalg.norm(centred, axis=1)
        if not lengths.all():
            return None
        unit_sum += (1 / lengths) @ centred
    return float((unit_sum @ unit_sum - n) / (n * (n - 1)))


def partition_isotropy(vectors: np.ndarray, *, moments: Moments | None = None) -> float | None:
    """Return the isotropy of the partition function, between 0 and 1.

    ``Z(c) = sum_i exp(c @ v_i)`` is the same in all directions c where vectors point everywhere
    alike; the score is its minimum over its maximum, over the eigenvectors of ``V.T @ V``. The
    sign of an eigenvector is arbitrary, so each is taken with both. It depends on the scale of
    the vectors, so they are first divided by their mean length; they are not centred. Vectors
    that are all the same score ``exp(-2)``, 0.135.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        One vector per row.
    moments : Moments, optional
        Of `vectors`, where they are at hand.

    Returns
    -------
    float or None
        None where no vector is other than zero.

    Raises
    ------
    InputError
        If a vector is not finite.

    References
    ----------
    Mu and Viswanath, "All-but-the-Top: Simple and Effective Postprocessing for Word
    Representations", ICLR 2018. Both signs and the scale are this project's choice.
    """
    moments = moments or Moments.from_vectors(vectors)
    if moments.n_zero == moments.count:
        return None
    gram = moments.scatter + moments.count * np.outer(moments.mean, moments.mean)
    directions = np.linalg.eigh(gram).eigenvectors / _mean_length(vectors)
    log_z = np.full((2, moments.dim), -np.inf)
    for rows in _blocks(vectors):
        exponents = rows @ directions.astype(rows.dtype)
        parts = [logsumexp(exponents, axis=0), logsumexp(-exponents, axis=0)]
        log_z = np.logaddexp(log_z, parts)
    return float(np.exp(log_z.min() - log_z.max()))


def intrinsic_dimension(
    vectors: np.ndarray, *, seed: int = 0, max_vectors: int = MAX_NEIGHBOURS_OF
) -> float:
    """Return the TwoNN estimate of the dimension of the manifold that the vectors lie on.

    It sees only each vector's two nearest neighbours, so that a curved line counts as one
    dimension. Neighbours are nearer where there are more vectors: compare clouds of one size.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        Equal ones count once, since the ratio of their distances is not defined.
    seed : int
        Of the sample.
    max_vectors : int
        Of more than this a random sample is taken, and neighbours are those within it: time
        grows with the square of their number.

    Raises
    ------
    InputError
        If fewer than three vectors differ, or all neighbours are equally far.

    References
    ----------
    Facco, d'Errico, Rodriguez and Laio, "Estimating the intrinsic dimension of datasets by a
    minimal neighborhood information", Scientific Reports 7 (2017), 12140; the fit is that of
    scikit-dimension.
    """
    from skdim.id import TwoNN

    order = np.random.default_rng(seed).permutation(len(vectors))
    distances = _two_nearest(np.unique(vectors[order[:max_vectors]], axis=0))
    # Rounding may leave no distance between vectors that differ.
    distances = distances[distances[:, 0] > 0]
    if len(distances) < 3 or (distances[:, 0] == distances[:, 1]).all():
        raise InputError("too few vectors differ for TwoNN; give at least three, unevenly spaced.")
    return float(TwoNN(discard_fraction=_DISCARDED, dist=True).fit(distances).dimension_)


def _two_nearest(distinct: np.ndarray) -> np.ndarray:
    """Return each vector's distances to its two nearest neighbours, shape (n, 2)."""
    from sklearn.neighbors import NearestNeighbors

    if len(distinct) < 3:
        return np.empty((0, 2))
    # Brute force works in blocks; trees are of no use in many dimensions.
    found = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(distinct)
    return found.kneighbors()[0]


def _or_nan(measure: Callable[[], float | None]) -> float:
    """Return a measure of vectors known to be legal, or NaN where it is not defined for them."""
    try:
        value = measure()
    except InputError:
        return math.nan
    return math.nan if value is None else value


def _shrunk(batch: Moments, target: np.ndarray, zeta: float) -> Moments:
    """Return the moments of a batch with its covariance drawn towards `target`."""
    covariance = (1 - zeta) * batch.covariance + zeta * target
    return replace(batch, scatter=covariance * (batch.count - 1))


def _blocks(vectors: np.ndarray) -> Iterator[np.ndarray]:
    """Yield consecutive rows as floats: wide ones in float64, narrow ones in float32."""
    dtype = np.result_type(vectors, np.float32)
    rows = max(_BLOCK_BYTES // (dtype.itemsize * vectors.shape[1]), 1)
    for start in range(0, len(vectors), rows):
        yield vectors[start : start + rows].astype(dtype, copy=False)


def _mean_length(vectors: np.ndarray) -> float:
    squares = (np.einsum("ij,ij->i", rows, rows, dtype=np.float64) for rows in _blocks(vectors))
    return sum(float(np.sqrt(part).sum()) for part in squares) / len(vectors)
