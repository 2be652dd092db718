"""Mantel's test: whether two matrices of all pairs of the same proteins are associated."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from plm_geometry.association.correlation import standardised
from plm_geometry.association.values import check_method, protein_codes
from plm_geometry.base.errors import InputError


class MantelTest(NamedTuple):
    """Result of `mantel`; both are NaN where a matrix is constant."""

    r: float
    p: float


def mantel(
    matrix_x: np.ndarray,
    matrix_y: np.ndarray,
    *,
    method: str = "pearson",
    permutations: int = 999,
    seed: int,
) -> MantelTest:
    """Test two matrices of the same proteins for association, permuting the proteins of one.

    Shuffling whole proteins keeps what pairs that share a protein have in common, which a test
    of independent pairs takes for evidence. To test given the lengths, make the matrices of
    what `adjusted_for_lengths` leaves.

    Parameters
    ----------
    matrix_x, matrix_y : array-like, shape ``(n_proteins, n_proteins)``
        A quantity of each pair, symmetric; diagonals are not read.
    method : {"pearson", "spearman"}
        Which correlation, over the n (n - 1) / 2 pairs.
    permutations : int
        Random permutations; p cannot be below 1 / (permutations + 1).
    seed : int
        The same seed draws the same permutations.

    Returns
    -------
    MantelTest
        The correlation, and the share of permutations, the identity among them, in which it
        is at least as far from zero.

    Raises
    ------
    InputError
        If the matrices are not square, symmetric, finite and of one size from three proteins
        up, the method is none of the two, or there are no permutations.

    References
    ----------
    Mantel, N. (1967), The detection of disease clustering and a generalized regression
    approach, Cancer Research 27.
    """
    return mantel_tests([matrix_x], matrix_y, method=method, permutations=permutations, seed=seed)[
        0
    ]


def mantel_tests(
    matrices_x: Sequence[np.ndarray],
    matrix_y: np.ndarray,
    *,
    method: str = "pearson",
    permutations: int = 999,
    seed: int,
) -> list[MantelTest]:
    """Do `mantel` with each of several matrices, under the same permutations of the other.

    Shuffling is most of the work, and is done once for all.

    Parameters
    ----------
    matrices_x : sequence of array-like, each of shape ``(n_proteins, n_proteins)``
    matrix_y, method, permutations, seed
        As in `mantel`.
    """
    check_method(method)
    if permutations < 1:
        raise InputError(f"{permutations} permutations test nothing; 999 is usual.")
    y = np.asarray(matrix_y, dtype=np.float64)
    xs = [np.asarray(matrix, dtype=np.float64) for matrix in matrices_x]
    for x in xs:
        _check_matrices(x, y)
    above = np.triu_indices(len(y), 1)
    xs = np.stack([_standardised(x[above], method) for x in xs])
    shuffled = np.zeros_like(y)
    shuffled[above] = _standardised(y[above], method)
    shuffled += shuffled.T
    rng = np.random.default_rng(seed)
    orders = [np.arange(len(y)), *(rng.permutation(len(y)) for _ in range(permutations))]
    found = np.array([xs @ shuffled[np.ix_(order, order)][above] for order in orders])
    return [_tested(of_matrix) for of_matrix in found.T]


def _tested(found: np.ndarray) -> MantelTest:
    """Compare the first correlation with those of permutations."""
    r = found[0]
    if np.isnan(r):
        return MantelTest(np.nan, np.nan)
    # The identity may come again, summed in another order.
    at_least = 1 + int(np.count_nonzero(np.abs(found[1:]) >= abs(r) - 1e-12))
    return MantelTest(float(r), at_least / len(found))


def _standardised(values: np.ndarray, method: str) -> np.ndarray:
    """Return mean 0 and sum of squares 1."""
    return standardised(values[None], np.ones(len(values)), method)[0]


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


def _check_matrices(x: np.ndarray, y: np.ndarray) -> None:
    if x.ndim != 2 or x.shape != y.shape or len(x) != x.shape[1] or len(x) < 3:
        raise InputError(
            f"matrices of shape {x.shape} and {y.shape} hold no pairs of the same proteins; "
            "give two square ones of one size, of at least three proteins."
        )
    for matrix in (x, y):
        pairs = matrix[~np.eye(len(matrix), dtype=bool)]
        if not np.isfinite(pairs).all():
            raise InputError("a matrix holds NaN or infinity; leave that protein out of both.")
        if not np.array_equal(pairs, matrix.T[~np.eye(len(matrix), dtype=bool)]):
            raise InputError("a matrix is not symmetric; give one value to each pair.")
