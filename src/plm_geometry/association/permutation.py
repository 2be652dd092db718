"""Mantel's test: whether two matrices of all pairs of the same proteins are associated."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import squareform

from plm_geometry.association.correlation import standardised
from plm_geometry.association.values import protein_codes
from plm_geometry.base.errors import InputError


class MantelTest(NamedTuple):
    """One of `mantel_tests`; both are NaN where a matrix is constant."""

    r: float
    p: float


def mantel_tests(
    matrices_x: Sequence[np.ndarray], matrix_y: np.ndarray, *, permutations: int = 999, seed: int
) -> list[MantelTest]:
    """Test matrices of the same proteins for association with another, permuting its proteins.

    Shuffling whole proteins keeps what pairs that share a protein have in common, which a test
    of independent pairs takes for evidence. To test given the lengths, make the matrices of
    what `adjusted_for_lengths` leaves. The permutations are the same for all matrices.

    Parameters
    ----------
    matrices_x : sequence of array-like, each of shape ``(n_proteins, n_proteins)``
        Quantities of each pair, symmetric; diagonals are not read.
    matrix_y : array-like, shape ``(n_proteins, n_proteins)``
        Another one.
    permutations : int
        Random permutations; p cannot be below 1 / (permutations + 1).
    seed : int
        The same seed draws the same permutations.

    Returns
    -------
    list of MantelTest
        Pearson's correlation over the n (n - 1) / 2 pairs, and the share of permutations, the
        identity among them, in which it is at least as far from zero.

    Raises
    ------
    InputError
        If the matrices are not square, symmetric, finite and of one size from three proteins
        up, or there are no permutations.

    References
    ----------
    Mantel, N. (1967), The detection of disease clustering and a generalized regression
    approach, Cancer Research 27.
    """
    if permutations < 1:
        raise InputError(f"{permutations} permutations test nothing; 999 is usual.")
    matrices = [np.asarray(matrix, dtype=np.float64) for matrix in (*matrices_x, matrix_y)]
    for matrix in matrices:
        _check_matrix(matrix, matrices[-1].shape)
    above = np.triu_indices(len(matrices[-1]), 1)
    values = np.stack([matrix[above] for matrix in matrices])
    *xs, y = standardised(values, np.ones(values.shape[1]), "pearson")
    shuffled = squareform(y)
    rng = np.random.default_rng(seed)
    orders = [
        np.arange(len(shuffled)),
        *(rng.permutation(len(shuffled)) for _ in range(permutations)),
    ]
    found = np.array([np.stack(xs) @ shuffled[np.ix_(order, order)][above] for order in orders])
    # The identity may come again, summed in another order.
    as_far = np.abs(found) >= np.abs(found[0]) - 1e-12
    as_far[0] = True
    p = np.where(np.isnan(found[0]), np.nan, as_far.mean(axis=0))
    return [MantelTest(*of_matrix) for of_matrix in zip(found[0].tolist(), p.tolist(), strict=True)]


def complete_matrix(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Arrange a quantity of all pairs of some proteins as a matrix.

    Parameters
    ----------
    values : array-like, shape ``(n_pairs,)``
        A quantity, once for each pair of the proteins.
    first, second : array-like, shape ``(n_pairs,)``
        The proteins of each pair: indices or accessions. Their order of appearance is that of
        the matrix's rows.

    Returns
    -------
    numpy.ndarray, shape ``(n_proteins, n_proteins)``
        Symmetric, with NaN on the diagonal.

    Raises
    ------
    InputError
        If the pairs are not all there are, each once.
    """
    values = np.asarray(values, dtype=np.float64)
    first, second, n = protein_codes(first, second, np.ones(len(values), dtype=bool))
    matrix = np.full((n, n), np.nan)
    matrix[first, second] = matrix[second, first] = values
    is_given = np.zeros((n, n), dtype=bool)
    is_given[first, second] = is_given[second, first] = True
    n_all = n * (n - 1) // 2
    if len(values) != n_all or is_given.sum() != 2 * n_all or is_given.diagonal().any():
        raise InputError(
            f"{n} proteins make {n_all} pairs, but {len(values)} rows do not give each once; "
            "align all pairs of these proteins."
        )
    return matrix


def _check_matrix(matrix: np.ndarray, shape: tuple[int, ...]) -> None:
    if matrix.shape != shape or len(set(shape)) != 1 or len(shape) != 2 or shape[0] < 3:
        raise InputError(
            f"matrices of shape {matrix.shape} and {shape} hold no pairs of the same proteins; "
            "give two square ones of one size, of at least three proteins."
        )
    pairs = ~np.eye(len(matrix), dtype=bool)
    if not np.isfinite(matrix[pairs]).all():
        raise InputError("a matrix holds NaN or infinity; leave that protein out of both.")
    if not np.array_equal(matrix[pairs], matrix.T[pairs]):
        raise InputError("a matrix is not symmetric; give one value to each pair.")
