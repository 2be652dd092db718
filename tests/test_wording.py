"""Numbers and lists read as a person would write them."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry.book.wording import (
    by_outcome,
    estimated,
    formatted,
    listed,
    over_models,
    plural,
    share_of,
    typographic,
)

CHANGES = pd.DataFrame(
    [
        ["A", 0.2, 0.1, 0.3],
        ["B", 0.5, 0.4, 0.6],
        ["C", 0.05, -0.1, 0.2],
        ["D", np.nan] + [np.nan] * 2,
    ],
    columns=["title", "x", "x_low", "x_high"],
)


def test_counts_read_as_a_person_would_write_them():
    assert [plural(n, "model") for n in (1, 4, 1200)] == ["1 model", "4 models", "1,200 models"]
    assert share_of(4, 4, "model") == "all 4 models"
    assert share_of(1, 1, "model") == "the model"
    assert share_of(0, 4, "model") == "none of the 4 models"
    assert share_of(2, 4, "model") == "2 of the 4 models"


def test_lists_are_joined_as_a_sentence_does():
    joined = [listed(list(words)) for words in ("", "a", "ab", "abc")]
    assert joined == ["", "a", "a and b", "a, b, and c"]


def test_a_hyphen_is_a_minus_only_before_a_number_of_its_own():
    assert typographic("r = nan (nan to nan%), +nan; Nanometres, banana") == (
        "r = – (– to –), –; Nanometres, banana"
    )
    text = "-0.5 (-1 to 2), 3-4, x-1, a mini, -p gap"
    assert typographic(text) == "−0.5 (−1 to 2), 3-4, x-1, a mini, -p gap"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-12345, None, "−12,345"),
        (12345.0, None, "12,345"),
        (-1 / 3, None, "−0.3333"),
        (np.float32(0.5), None, "0.5"),
        (2, 2, "2.00"),
        (-0.125, 1, "−0.1"),
        ("a-1", None, "a-1"),
        (None, None, "–"),
        (pd.NA, 2, "–"),
        (float("nan"), 2, "–"),
    ],
)
def test_values_have_thousands_apart_a_minus_and_few_digits(value, decimals, text):
    assert formatted(value, decimals) == text


def test_a_number_stands_with_its_interval_and_alone_where_it_has_none():
    assert estimated(0.5, 0.4, 0.61, ".1f") == "0.5 (0.4 to 0.6)"
    assert estimated(0.5, np.nan, np.nan, ".1f") == "0.5"


def test_several_models_are_a_range_and_one_its_interval():
    assert over_models(CHANGES, "x", ".2f") == "0.05 to 0.50"
    assert over_models(CHANGES[2:], "x", "+.2f") == "+0.05 (-0.10 to +0.20)"
    assert over_models(CHANGES[3:], "x", ".2f") == "–"


def test_models_are_told_by_what_their_intervals_decide():
    assert by_outcome(CHANGES, "x") == (
        "more for A and B (+0.20 to +0.50) and *undecided* for C (+0.05, interval -0.10 to +0.20)"
    )
    said = ("worse", "better")
    assert by_outcome(CHANGES[:2], "x", said) == "better for A and B (+0.20 to +0.50)"
    assert by_outcome(CHANGES[:3], "x", said, null=1) == "worse for all 3 (+0.05 to +0.50)"
    assert by_outcome(CHANGES[:1], "x") == "more for A (+0.20, interval +0.10 to +0.30)"
    assert by_outcome(CHANGES[:1], "x", null=1) == "less for A (+0.20, interval +0.10 to +0.30)"
    no_interval = CHANGES.assign(x_low=np.nan)[2:]
    assert by_outcome(no_interval, "x") == "*undecided* for C (+0.05)"
    assert by_outcome(CHANGES[3:], "x") == "–"
