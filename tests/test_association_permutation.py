"""Mantel's test against all permutations of a small matrix, and on proteins without any tie."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import squareform

from plm_geometry.association import complete_matrix, mantel_tests
from plm_geometry.base.errors import InputError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def mantel(x, y, **chosen):
    [found] = mantel_tests([x], y, **chosen)
    return found


def symmetric(rng, n: int) -> np.ndarray:
    return squareform(rng.standard_normal(n * (n - 1) // 2).round(1))


def by_proteins(rng, n: int) -> np.ndarray:
    """Return a quantity in which all pairs of a protein are alike."""
    effect = rng.standard_normal(n)
    return effect[:, None] + effect + 0.3 * symmetric(rng, n)


def test_r_and_p_are_those_of_all_permutations(rng):
    noise = symmetric(rng, 6)
    x, y = noise + symmetric(rng, 6), noise + symmetric(rng, 6)
    above = np.triu_indices(6, 1)
    every = [
        stats.pearsonr(x[above], y[np.ix_(order, order)][above]).statistic
        for order in permutations(range(6))
    ]
    found = mantel(x, y, permutations=4000, seed=0)
    assert found.r == pytest.approx(every[0], abs=1e-12)
    p = np.mean(np.abs(every) >= abs(every[0]) - 1e-12)
    assert 0.02 < p < 0.5
    assert found.p == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 4000))


def test_unrelated_matrices_are_seldom_significant_though_pairs_share_proteins(rng):
    by_mantel, by_pairs = 0, 0
    above = np.triu_indices(30, 1)
    for seed in range(100):
        x, y = by_proteins(rng, 30), by_proteins(rng, 30)
        by_mantel += mantel(x, y, permutations=99, seed=seed).p <= 0.05
        by_pairs += stats.pearsonr(x[above], y[above]).pvalue <= 0.05
    assert by_mantel <= 12
    assert by_pairs > 30


def test_related_matrices_reach_the_smallest_p_in_either_direction(rng):
    x = by_proteins(rng, 30)
    y = x + symmetric(rng, 30)
    for sign in (1, -1):
        assert mantel(x, sign * y, permutations=199, seed=1).p == 1 / 200


def test_the_seed_alone_decides_and_diagonals_do_not(rng):
    x, y = symmetric(rng, 12), symmetric(rng, 12)
    found = mantel(x, y, permutations=50, seed=5)
    np.fill_diagonal(x, np.nan)
    assert mantel(x, y, permutations=50, seed=5) == found
    assert len({mantel(x, y, permutations=50, seed=seed).p for seed in range(20)}) > 1


def test_several_matrices_at_once_are_each_alone(rng):
    *xs, y = (symmetric(rng, 12) for _ in range(3))
    found = mantel_tests(xs, y, permutations=50, seed=5)
    alone = [mantel(x, y, permutations=50, seed=5) for x in xs]
    np.testing.assert_allclose(found, alone, rtol=1e-12)


def test_a_constant_matrix_has_no_correlation(rng):
    assert np.isnan(mantel(np.ones((5, 5)), symmetric(rng, 5), seed=0)).all()


def test_matrices_that_do_not_fit_are_refused(rng):
    x = symmetric(rng, 5)
    for other in (symmetric(rng, 6), np.ones((5, 4)), np.ones(5)):
        with pytest.raises(InputError, match="square"):
            mantel(x, other, seed=0)
    with pytest.raises(InputError, match="square"):
        mantel(x[:2, :2], x[:2, :2], seed=0)
    with pytest.raises(InputError, match="symmetric"):
        mantel(x, np.triu(x, 1), seed=0)
    holed = x.copy()
    holed[1, 2] = holed[2, 1] = np.nan
    with pytest.raises(InputError, match="NaN"):
        mantel(x, holed, seed=0)
    with pytest.raises(InputError, match="permutations"):
        mantel(x, x, permutations=0, seed=0)


def test_a_complete_matrix_holds_each_pair_twice(rng):
    matrix = symmetric(rng, 7)
    first, second = np.triu_indices(7, 1)
    values = matrix[first, second]
    found = complete_matrix(values, first, second)
    np.fill_diagonal(matrix, np.nan)
    np.testing.assert_array_equal(found, matrix)
    names = np.array(list("ABCDEFG"))
    swapped = complete_matrix(values, names[second], names[first])  # rows begin with B
    order = [*range(1, 7), 0]
    np.testing.assert_array_equal(swapped, matrix[np.ix_(order, order)])


def test_pairs_that_are_missing_repeated_or_of_one_protein_are_refused():
    with pytest.raises(InputError, match="3 proteins make 3 pairs, but 2"):
        complete_matrix([1, 2], ["A", "A"], ["B", "C"])
    for first, second in ([["A", "A", "A"], ["B", "C", "B"]], [["A", "A", "A"], ["B", "C", "A"]]):
        with pytest.raises(InputError, match="3 pairs"):
            complete_matrix([1, 2, 3], first, second)
