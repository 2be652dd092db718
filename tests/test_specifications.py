"""What a choice explains is what the analysis of variance of a balanced design says."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.association.specifications import INTERPLAY, explained

CHOICES = ["colour", "size", "draw"]


def design(*counts):
    levels = [[f"{name}{i}" for i in range(n)] for name, n in zip(CHOICES, counts, strict=False)]
    return pd.DataFrame(product(*levels), columns=CHOICES[: len(counts)])


def shares(frame, choices):
    return explained(frame, "value", choices).set_index("choice")["share"]


@given(
    st.lists(st.integers(1, 4), min_size=3, max_size=3),
    st.integers(0, 2**32 - 1),
    st.floats(-1e3, 1e3),
)
def test_shares_of_a_balanced_design_are_those_between_levels_and_add_up(counts, seed, shift):
    frame = design(*counts)
    frame["value"] = shift + np.random.default_rng(seed).normal(size=len(frame))
    found = shares(frame, CHOICES)
    if len(frame) == 1:
        assert found.empty
        return
    total = ((frame["value"] - frame["value"].mean()) ** 2).sum()
    for choice in CHOICES:
        means = frame.groupby(choice)["value"].transform("mean")
        between = ((means - frame["value"].mean()) ** 2).sum() / total
        # A single level is no choice, and has no row.
        assert found.get(choice, 0) == pytest.approx(between, abs=1e-9)
    assert found.sum() == pytest.approx(1)


def test_effects_that_only_add_leave_no_interplay_and_are_found_in_their_size():
    frame = design(2, 3)
    effect = {"size0": 0, "size1": 5, "size2": -2}
    frame["value"] = 10 + 4 * (frame["colour"] == "colour1") + frame["size"].map(effect)
    found = explained(frame, "value", CHOICES[:2]).set_index("choice")
    assert found.loc[INTERPLAY, "share"] == pytest.approx(0, abs=1e-12)
    assert found.loc["colour", "moves"] == pytest.approx(4)
    assert found.loc["size", "moves"] == pytest.approx(7)
    assert found["levels"].tolist()[:2] == [2, 3]


def test_what_only_the_combination_does_is_interplay():
    frame = design(2, 2)
    frame["value"] = np.where((frame["colour"] == "colour0") == (frame["size"] == "size0"), 1, -1)
    found = shares(frame, CHOICES[:2])
    assert found[INTERPLAY] == pytest.approx(1)
    assert found[CHOICES[:2]].tolist() == pytest.approx([0, 0], abs=1e-12)


def test_a_choice_that_repeats_another_explains_nothing_of_its_own():
    frame = design(3)
    frame = frame.assign(copy=frame["colour"], value=[1.0, 2.0, 4.0])
    found = shares(frame, ["colour", "copy"])
    assert found["colour"] == pytest.approx(0, abs=1e-12)
    assert found[INTERPLAY] == pytest.approx(0, abs=1e-12)


def test_rows_without_the_number_do_not_count():
    frame = design(2, 2).assign(value=[1.0, 2.0, np.nan, np.nan])
    found = shares(frame, CHOICES[:2])
    assert found["size"] == pytest.approx(1)
    assert "colour" not in found


@pytest.mark.parametrize("value", [[3.0, 3.0], [np.nan, np.nan]])
def test_a_number_that_does_not_vary_has_no_shares(value):
    none = explained(design(2).assign(value=value), "value", ["colour"])
    assert none.empty
    # Else the rows of other numbers, put beside these, would be no numbers any more.
    some = explained(design(2).assign(value=[1.0, 2.0]), "value", ["colour"])
    assert pd.concat([none, some])["share"].dtype == np.float64
