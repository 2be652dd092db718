"""Why a cloud is anisotropic: its spectrum and its coordinates."""

import numpy as np
from scipy.special import entr

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.moments import Moments


def eigenvalues(moments: Moments) -> np.ndarray:
    """Return the eigenvalues of the covariance, shape (d,), the largest first.

    Raises
    ------
    InputError
        If there are fewer than two vectors.
    """
    values = np.linalg.eigvalsh(moments.covariance)[::-1].clip(min=0)
    # N vectors span N - 1 directions around their mean: what is found beyond them is rounding,
    # and a thousand square roots of it would show in the rank of singular values.
    values[moments.count - 1 :] = 0
    return values


def entropy_rank(spectrum: np.ndarray) -> float:
    """Return the entropy effective rank of the covariance, between 1 and d.

    It is ``exp(-sum(p * log(p)))`` of each component's share p of the variance.

    Parameters
    ----------
    spectrum : ndarray, shape (d,)
        Eigenvalues of the covariance.

    Raises
    ------
    InputError
        If they are all zero.

    References
    ----------
    The form of Roy and Vetterli (2007), of the covariance matrix in place of the data matrix:
    always at most that of `entropy_rank_singular`.
    """
    _require_spread(spectrum)
    return float(np.exp(entr(spectrum / spectrum.sum()).sum()))


def entropy_rank_singular(spectrum: np.ndarray) -> float:
    """Return the entropy effective rank of the matrix of centred vectors, between 1 and d.

    As `entropy_rank`, with singular values, the square roots of the covariance's eigenvalues up
    to one factor, in the place of those eigenvalues.

    Parameters
    ----------
    spectrum : ndarray, shape (d,)
        Eigenvalues of the covariance.

    Raises
    ------
    InputError
        If they are all zero.

    References
    ----------
    Roy and Vetterli, "The effective rank: A measure of effective dimensionality", EUSIPCO 2007.
    """
    return entropy_rank(np.sqrt(spectrum))


def share_of_first(spectrum: np.ndarray, k: int) -> float:
    """Return the share of the variance that the first `k` principal components hold.

    Parameters
    ----------
    spectrum : ndarray, shape (d,)
        Eigenvalues of the covariance, the largest first.
    k : int
        Components; with d or more the share is 1.

    Raises
    ------
    InputError
        If they are all zero.
    """
    _require_spread(spectrum)
    return float(spectrum[:k].sum() / spectrum.sum())


def coordinate_shares(moments: Moments) -> np.ndarray:
    """Return what each coordinate adds to the mean cosine similarity, shape (d,).

    With unit vectors u, coordinate j adds ``((sum u_j)**2 - sum(u_j**2)) / (N (N - 1))``, its
    mean product over all ordered pairs. The shares add up to `measures.mean_cosine_similarity`;
    a coordinate that alone brings much of it is called a rogue dimension.

    Returns
    -------
    ndarray, shape (d,)
        NaN where a zero vector leaves the mean cosine undefined.

    Raises
    ------
    InputError
        If there are fewer than two vectors.

    References
    ----------
    Timkey and van Schijndel, "All Bark and No Bite: Rogue Dimensions in Transformer Language
    Models Obscure Representational Quality", EMNLP 2021.
    """
    n = moments.count
    if n < 2:
        raise InputError(f"{n} vector makes no pair; give at least two.")
    if moments.n_zero:
        return np.full(moments.dim, np.nan)
    return (moments.unit_sum**2 - moments.unit_square_sum) / (n * (n - 1))


def _require_spread(spectrum: np.ndarray) -> None:
    if not spectrum.any():
        raise InputError("all vectors are the same, so they have no spectrum; give some that vary.")
