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
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import jackknife
from plm_geometry.isotropy.moments import Moments, require_two

# A cloud with fewer dimensions than these lies along one line, as far as its variance goes.
_ONE_LINE = 1.01
# Dimensions that are whole numbers up to rounding are printed as such.
_ROUNDING = 1e-9
# Numbers of a covariance that are squared at a time: they stay in cache, no second one is held.
_SLAB_ELEMENTS = 2**16
# What `interval_row` returns; a mean cosine has no bias to correct.
INTERVALS = (
    *(f"isoscore_{end}" for end in ("corrected", "low", "high")),
    *(f"effective_dimensions_{end}" for end in ("corrected", "low", "high")),
    *(f"mean_cosine_similarity_{end}" for end in ("low", "high")),
)


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
    return float(moments.unit_sum @ moments.unit_sum - n) / (n * (n - 1))


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


def dimensions_interval(
    reciprocal: ArrayLike, counts: Sequence[int], dim: int, *, least: int = 2
) -> dict[str, float]:
    """Return effective dimensions without their bias, and the ends of their 95 % interval.

    Parameters
    ----------
    reciprocal : array-like, shape (n_blocks + 1,)
        1/PR, whose bias is about 1/N, of all vectors, and without each block.
    counts, least
        As for `jackknife.jackknife`.
    dim : int
        Of the space.

    Returns
    -------
    dict
        ``corrected``, ``low``, ``high``.
    """
    # PR lies between 1 and d; too few vectors leave its upper end open.
    ends = 1 / np.clip(jackknife(reciprocal, counts, least=least)[:3], 1 / dim, 1)
    corrected, high, low = ends.tolist()
    return {"corrected": corrected, "low": low, "high": high}


def interval_row(whole: Moments, remainders: Iterable[Moments]) -> dict[str, float | None]:
    """Return the 95 % intervals that belong beside `isotropy_row`, by a delete-a-block jackknife.

    The blocks may differ in size; vectors that belong together (a family, the residues of one
    protein) belong in one block. IsoScore and effective dimensions are jackknifed as 1/PR: of N
    vectors it is too large by 1.1/N at most, a bias of the form that the jackknife removes. In
    simulations 92 to 98 % of 95 % intervals cover the truth, and more of a cloud that varies alike
    in all directions, where the estimate moves too little for a jackknife to tell.

    Parameters
    ----------
    whole : Moments
        Of all vectors.
    remainders : iterable of Moments
        Of what is left without each of at least two blocks; taken one at a time.

    Returns
    -------
    dict
        `INTERVALS`: ``isoscore_corrected`` and ``effective_dimensions_corrected``, the estimates
        without their bias; ``_low`` and ``_high`` of ``isoscore``, ``effective_dimensions`` and
        ``mean_cosine_similarity``. None where undefined, and all without remainders.

    Raises
    ------
    InputError
        As `isoscore`, of the whole and of every remainder.

    See Also
    --------
    jackknife.jackknife : the method and its source.
    """
    row = dict.fromkeys(INTERVALS)
    # Held one at a time.
    found = [
        (cloud.count, 1 / effective_dimensions(cloud), mean_cosine_similarity(cloud))
        for cloud in chain([whole], remainders)
    ]
    if len(found) == 1:
        return row
    counts, reciprocal, cosines = zip(*found, strict=True)
    for end, dimensions in dimensions_interval(reciprocal, counts, whole.dim).items():
        row[f"effective_dimensions_{end}"] = float(dimensions)
        row[f"isoscore_{end}"] = float((dimensions - 1) / (whole.dim - 1))
    if None not in cosines:
        ends = map(float, jackknife(cosines, counts)[1:3])
        row |= zip(INTERVALS[-2:], ends, strict=True)
    return row


def _moments(vectors: Any) -> Moments:
    if isinstance(vectors, Moments):
        return vectors
    return Moments.from_vectors(vectors)
