"""Numbers and lists read as a person would write them."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry.book.wording import formatted, listed, plural, share_of, typographic


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
