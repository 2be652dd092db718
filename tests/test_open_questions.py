"""Arithmetic on printed numbers, against counting and against what is known of the paper."""

from itertools import combinations, combinations_with_replacement, permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.paper import published
from plm_geometry.paper.arithmetic import (
    PAIR_COUNTS,
    proteins_for_pairs,
    roundings,
)


def test_only_rounding_up_gives_what_is_printed():
    table = roundings(published.global_isotropy())
    printed = table["printed_dimensions"]
    assert (table["ceiling"] == printed).all()
    assert (table["floor"] == printed).sum() == 0
    assert (table["nearest"] == printed).sum() == 2
    # The printed digits of the IsoScores leave no doubt.
    assert (np.ceil(table["lowest"]) == np.ceil(table["highest"])).all()


def test_the_digits_bound_the_dimensions():
    table = pd.DataFrame({"effective_dimensions": [2.5], "n": [1001]})
    found = roundings(table).iloc[0]
    assert (found["lowest"], found["highest"]) == pytest.approx((2.4995, 2.5005))


@pytest.mark.parametrize("n", [2, 3, 7])
def test_pairs_are_counted_as_listing_them_does(n):
    proteins = range(n)
    listed = {
        "unordered": combinations(proteins, 2),
        "unordered, with itself": combinations_with_replacement(proteins, 2),
        "ordered": permutations(proteins, 2),
        "ordered, with itself": product(proteins, repeat=2),
    }
    for counting, pairs in listed.items():
        assert PAIR_COUNTS[counting](n) == len(list(pairs))


def test_so_many_proteins_make_the_papers_pairs():
    found = proteins_for_pairs(6.4e6).set_index("counting")
    assert found.loc["unordered", "proteins"] == 3578
    assert found.loc["ordered", "proteins"] == 2530
    for counting, row in found.iterrows():
        count = PAIR_COUNTS[counting]
        assert f"{count(row['fewest']):.1e}" == f"{count(row['most']):.1e}" == "6.4e+06"
        assert f"{count(row['fewest'] - 1):.1e}" != "6.4e+06" != f"{count(row['most'] + 1):.1e}"


@given(st.integers(3, 3000), st.sampled_from(list(PAIR_COUNTS)))
def test_the_number_of_pairs_tells_the_number_of_proteins(n, counting):
    found = proteins_for_pairs(PAIR_COUNTS[counting](n)).set_index("counting").loc[counting]
    assert found["proteins"] == n
