"""Drawing pairs: distinct, uniform, reproducible, and never by way of the quadratic list."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import all_pairs, draw_pairs, pairs_between, pairs_within
from plm_geometry.pairs.drawing import decode, draw_numbers, encode


@settings(deadline=None)
@given(st.integers(2, 60), st.data(), st.integers(0, 2**32))
def test_drawn_pairs_are_distinct_unordered_and_reproducible(n, data, seed):
    n_pairs = data.draw(st.integers(1, n * (n - 1) // 2))
    first, second = draw_pairs(n, n_pairs, seed=seed)
    assert ((first >= 0) & (first < second) & (second < n)).all()
    assert len(set(zip(first, second, strict=True))) == n_pairs
    again = draw_pairs(n, n_pairs, seed=seed)
    np.testing.assert_array_equal([first, second], again)


def test_another_seed_draws_other_pairs():
    assert not np.array_equal(draw_pairs(1000, 50, seed=1), draw_pairs(1000, 50, seed=2))


@pytest.mark.parametrize("n_pairs", [3, 10])
def test_every_pair_is_drawn_equally_often(n_pairs):
    # 15 pairs of 6 proteins; 3 of them are drawn by rejection, 10 by shuffling.
    n_draws = 6_000
    times = Counter()
    for seed in range(n_draws):
        times.update(zip(*draw_pairs(6, n_pairs, seed=seed), strict=True))
    expected = n_draws * n_pairs / 15
    # Draws without replacement vary less than independent ones: the test is conservative.
    assert len(times) == 15
    assert stats.chisquare(list(times.values()), [expected] * 15).pvalue > 1e-4


def test_all_pairs_are_all():
    first, second = all_pairs(40)
    expected = {(i, j) for j in range(40) for i in range(j)}
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected
    assert len(first) == 780


def test_drawing_never_builds_the_quadratic_list():
    tracemalloc.start()
    first, second = draw_pairs(3_000_000, 10_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
    assert (first < second).all()
    assert second.max() < 3_000_000


def test_pair_numbers_are_decoded_exactly_where_the_root_is_rounded():
    second = np.array([1, 2, 94_906_267, 2**31 - 1], dtype=np.int64)
    for first in (np.zeros_like(second), second - 1):
        decoded = decode(second * (second - 1) // 2 + first)
        np.testing.assert_array_equal(decoded, [first, second])


def test_numbers_of_pairs_do_not_overflow_narrow_indices():
    pair = np.array([[70_000], [70_001]], dtype=np.int32)
    np.testing.assert_array_equal(decode(encode(*pair)), pair)


@pytest.mark.parametrize("available", [0, 5, 1_000_000])
def test_no_number_is_drawn_where_none_is_asked_for(available):
    assert len(draw_numbers(available, 0, np.random.default_rng(0))) == 0


def test_more_pairs_than_there_are_is_an_error_that_names_the_number():
    with pytest.raises(InputError, match="4950"):
        draw_pairs(100, 4951, seed=0)


@pytest.mark.parametrize("draw", [all_pairs, lambda n: draw_pairs(n, 1, seed=0)])
def test_one_protein_makes_no_pair(draw):
    with pytest.raises(InputError, match="at least two proteins"):
        draw(1)


FAMILY = np.array([0, 1, 0, 2, 1, 0])


def test_pairs_within_are_those_of_one_family_and_all_of_them():
    first, second = pairs_within(FAMILY, 100, np.random.default_rng(0))
    assert set(zip(first, second, strict=True)) == {(0, 2), (0, 5), (2, 5), (1, 4)}


def test_pairs_between_are_of_two_families_and_distinct():
    first, second = pairs_between(FAMILY, 100, np.random.default_rng(0))
    assert (FAMILY[first] != FAMILY[second]).all()
    assert len(set(zip(first, second, strict=True))) == len(first) == 15 - 4


def test_where_there_are_many_a_sample_is_drawn_without_replacement():
    first, second = pairs_within(np.zeros(50, int), 200, np.random.default_rng(0))
    assert len(set(zip(first, second, strict=True))) == 200


def test_families_of_one_make_no_pair_within():
    assert pairs_within(np.arange(5), 10, np.random.default_rng(0)).shape == (2, 0)
