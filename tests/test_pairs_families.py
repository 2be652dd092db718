"""Pairs within and between families: all of one kind, none of the other."""

import numpy as np

from plm_geometry.pairs import pairs_between, pairs_within

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
