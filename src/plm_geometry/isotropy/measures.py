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
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import Interval, jackknife
from plm_geometry.isotropy.moments import Moments, merge_all, require_two

# A cloud with fewer dimensions than these lies along one line, as far as its variance goes.
_ONE_LINE = 1.01
# Dimensions that are whole numbers up to rounding are printed as such.
_ROUNDING = 1e-9
# Numbers of a covariance that are squared at a time: they stay in cache, no second one is held.
_SLAB_ELEMENTS = 2**16


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
    moments = _moments(vectors, directions=False)
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
    moments = _moments(vectors, directions=False)
    require_two(moments.count)
    # The ratio is the same of the covariance, which needs no copy then.
    scatter = moments.scatter
    if not scatter.diagonal().any():
        raise InputError(
            f"all {moments.count} vectors are the same, so they have no directions to compare; "
            "give vectors that differ."
        )
    return float(participation_ratio(scatter))


def participation_ratio(covariance: Any) -> Any:
    """Return ``tr(C)**2 / |C|_F**2``.

    Parameters
    ----------
    covariance : ndarray or torch.Tensor, shape (d, d)
        Of a tensor, gradients flow through the result.
    """
    trace = covariance.diagonal().sum()
    rows = max(1, _SLAB_ELEMENTS // len(covariance))
    # Divided by the trace first, so that nothing overflows.
    slabs = (covariance[i : i + rows] / trace for i in range(0, len(covariance), rows))
    return 1 / sum((slab * slab).sum() for slab in slabs)


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
    return (moments.squared_resultant - n) / (n * (n - 1))


def printed_dimensions(dimensions: float) -> int:
    """Return effective dimensions as the paper prints them: rounded up."""
    return math.ceil(dimensions - _ROUNDING)


def one_line(dimensions: float | None) -> str:
    """Return what to say of a cloud with these effective dimensions if it is a line, else ""."""
    if dimensions is None or not dimensions < _ONE_LINE:
        return ""
    return (
        f"all but nothing of the variance lies along one direction ({dimensions:.7g} effective "
        "dimensions): usually BERT's pooler output, which is no embedding of a protein; take the "
        "mean over residues."
    )


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


def interval(
    blocks: Sequence[Moments],
    statistic: Callable[[Moments], float | None],
) -> Interval:
    """Return a bias-corrected estimate and its interval by a delete-a-block jackknife.

    The blocks may differ in size; vectors that belong together (a family, the residues of one
    protein) belong in one block. `isoscore` and `effective_dimensions` are jackknifed as 1/PR:
    of N vectors it is too large by about 1/N, a bias of the form that the jackknife removes.
    In simulations 92 to 98 % of 95 % intervals cover the truth, and more of a cloud that varies
    alike in all directions, where the estimate moves too little for a jackknife to tell.

    Parameters
    ----------
    blocks : sequence of Moments
        At least two that are not empty; ten to twenty serve well.
    statistic : callable
        `isoscore`, `effective_dimensions`, `mean_cosine_similarity`, or any function of Moments.

    Raises
    ------
    InputError
        If there are fewer than two blocks, or the statistic is not defined for them.

    See Also
    --------
    jackknife.jackknife : the method and its source.
    """
    blocks = [block for block in blocks if block.count]
    if len(blocks) < 2:
        raise InputError(f"{len(blocks)} block of vectors gives no interval; give at least two.")
    whole = merge_all(blocks)
    of_dimensions = statistic in (isoscore, effective_dimensions)
    jackknifed = _reciprocal_dimensions if of_dimensions else statistic
    counts, values = _each(whole, map(whole.without, blocks), jackknifed)
    if None in values:
        raise InputError("an interval needs a statistic that is defined for every block.")
    found = jackknife(values, counts)
    if of_dimensions:
        found = _of_dimensions(found, whole.dim)
    return _of_isoscore(found, whole.dim) if statistic is isoscore else found


def interval_row(whole: Moments, remainders: Iterable[Moments]) -> dict[str, float | None]:
    """Return the 95 % intervals that belong beside `isotropy_row`, as `interval` gives them.

    Parameters
    ----------
    whole : Moments
        Of all vectors.
    remainders : iterable of Moments
        Of what is left without each of at least two blocks; taken one at a time.

    Returns
    -------
    dict
        ``isoscore_corrected`` and ``effective_dimensions_corrected``, the estimates without
        their bias; ``_low`` and ``_high`` of ``isoscore``, ``effective_dimensions`` and
        ``mean_cosine_similarity``. None where undefined, and all without remainders.

    Raises
    ------
    InputError
        As `isoscore`, of the whole and of every remainder.
    """
    counts, values = _each(
        whole, remainders, lambda c: (_reciprocal_dimensions(c), mean_cosine_similarity(c))
    )
    reciprocal, cosine = zip(*values, strict=True)
    score = dimensions = cosines = Interval(None, None, None, None)
    if len(counts) > 1:
        dimensions = _of_dimensions(jackknife(reciprocal, counts), whole.dim)
        score = _of_isoscore(dimensions, whole.dim)
        cosines = cosines if None in cosine else jackknife(cosine, counts)
    return {
        "isoscore_corrected": score.estimate,
        "isoscore_low": score.low,
        "isoscore_high": score.high,
        "effective_dimensions_corrected": dimensions.estimate,
        "effective_dimensions_low": dimensions.low,
        "effective_dimensions_high": dimensions.high,
        "mean_cosine_similarity_low": cosines.low,
        "mean_cosine_similarity_high": cosines.high,
    }


def _each(
    whole: Moments, remainders: Iterable[Moments], statistic: Callable
) -> tuple[list[int], list]:
    """Return the count and the statistic of the whole and of each remainder, held one at a time."""
    found = [(cloud.count, statistic(cloud)) for cloud in chain([whole], remainders)]
    counts, values = zip(*found, strict=True)
    return list(counts), list(values)


def _reciprocal_dimensions(cloud: Moments) -> float:
    return 1 / effective_dimensions(cloud)


def _of_dimensions(reciprocal: Interval, d: int) -> Interval:
    """Turn the interval of 1/PR into that of PR."""
    # PR lies between 1 and d; too few vectors leave its upper end open.
    estimate, high, low = (1 / min(max(end, 1 / d), 1.0) for end in reciprocal[:3])
    return Interval(estimate, low, high, math.nan)


def _of_isoscore(dimensions: Interval, d: int) -> Interval:
    return Interval(*((k - 1) / (d - 1) for k in dimensions[:3]), math.nan)


def _moments(vectors: Any, *, directions: bool = True) -> Moments:
    if isinstance(vectors, Moments):
        return vectors
    return Moments.from_vectors(vectors, directions=directions)
