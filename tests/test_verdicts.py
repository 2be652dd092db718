"""The rule of agreement, and who can agree at all."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plm_geometry.paper import published
from plm_geometry.paper.verdicts import (
    AGREES,
    DIFFERS,
    INCONCLUSIVE,
    NOT_COMPARABLE,
    NOT_RUN,
    VERDICTS,
    judge,
    reasons,
    shown,
    verdicts,
)
from run_summaries import PAPER, as_printed, row, summary

DECIMALS = st.integers(0, 6)
NUMBERS = st.integers(-(10**6), 10**6)
PRINTABLE = published.numbers()
POSSIBLE = PRINTABLE[PRINTABLE.counterpart.isin([*PAPER, ""]) & (PRINTABLE.unit != "share")]


# The rule


@given(NUMBERS, NUMBERS, st.integers(0, 2 * 10**6), DECIMALS)
def test_half_a_digit_is_added_to_what_a_run_allows(a, b, half, decimals):
    """In exact fractions: the numbers are whole tenths of the last digit."""
    unit = 10.0**-decimals
    distance, allows = Fraction(abs(a - b), 10), Fraction(half, 10) + Fraction(1, 2)
    if distance == allows and half:  # to the last bit: left to rounding
        return
    ends = (a - half) * unit / 10, (a + half) * unit / 10
    assert judge(*ends, b * unit / 10, unit) == (AGREES if distance <= allows else DIFFERS)


@given(st.floats(-100, 100), st.integers(0, 3))
def test_whatever_is_printed_agrees_with_what_it_was_rounded_from(value, decimals):
    assert judge(value, value, float(f"{value:.{decimals}f}"), 10.0**-decimals) == AGREES


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 1))
def test_a_range_wider_than_the_margin_never_agrees_and_differs_all_the_same(a, b, half, margin):
    found = judge(a - half, a + half, b, 0.001, margin)
    plain = judge(a - half, a + half, b, 0.001)
    assert (found == DIFFERS) == (plain == DIFFERS)
    assert (found == AGREES) <= (half <= margin * (1 + 1e-6))


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.7915, AGREES), (0.7905, AGREES), (0.7916, DIFFERS)]
)
def test_exactly_half_a_digit_away_agrees(value, verdict):
    assert judge(value, value, 0.791, 0.001) == verdict


def test_what_is_not_known_is_inconclusive():
    assert judge(np.nan, np.nan, 0.5, 0.1) == INCONCLUSIVE


def verdict_on(quantity, measured, **more):
    table = verdicts([summary(measured, **more)])
    return next(table[(table.quantity == quantity) & table.model.notna()].itertuples())


def test_over_all_of_swissprot_only_what_another_release_changes_is_allowed():
    for n in (570_000, 573_000):
        measured = [row("isoscore", 0.0018, low=0.0014, high=0.0022)]
        found = verdict_on("isoscore", measured, n=n)
        changed = 0.0004 * np.sqrt((n - 570_000 + 5_000) / 570_000)
        assert (found.allowed_low, found.allowed_high) == pytest.approx(
            (0.0018 - changed, 0.0018 + changed)
        )
        assert found.verdict == DIFFERS  # though the interval holds 0.001658


def test_a_sample_of_swissprot_is_judged_by_its_corrected_interval():
    # The plain value is outside its own corrected interval, as few vectors look thinner.
    narrow = [row("isoscore", 0.0013, low=0.0015, high=0.0018)]
    wide = [row("isoscore", 0.0013, low=0.001, high=0.0025)]
    assert verdict_on("isoscore", narrow, n=5_000, n_proteins=5_000).verdict == AGREES
    assert verdict_on("isoscore", wide, n=500, n_proteins=500).verdict == INCONCLUSIVE
    none = [row("isoscore", 0.001658)]
    assert verdict_on("isoscore", none, n=500, n_proteins=500).verdict == INCONCLUSIVE


def test_the_papers_own_sampling_error_is_added_to_that_of_a_correlation():
    quantity = "correlation:cosine_similarity:squared_euclidean"
    measured = [row(quantity, 0.76, low=0.73, high=0.79)]
    found = verdict_on(quantity, measured, n=3578, n_proteins=3578)
    half = 0.03 * np.sqrt(2)
    assert (found.allowed_low, found.allowed_high) == pytest.approx((0.76 - half, 0.76 + half))
    assert found.verdict == AGREES
    # Of 570,000 proteins, pairs are drawn from some.
    from_some = verdict_on(quantity, measured, n_pair_proteins=3578)
    assert from_some.allowed_low == pytest.approx(found.allowed_low)


# Who can agree


def test_the_papers_models_on_its_proteins_agree_in_everything_when_they_give_its_values():
    table = verdicts([summary(as_printed())])
    run = table[table["verdict"] != NOT_RUN]
    assert set(run["verdict"]) == {AGREES}
    # All but the share of proteins, natural language, and the abstract's range of two chapters.
    assert len(run) == len(PRINTABLE) - 1 - 44 - 2


@settings(max_examples=40)
@given(st.sampled_from(sorted(POSSIBLE[POSSIBLE.by_model].name)), st.floats(-2, 2))
def test_no_number_of_a_mini_is_ever_a_reproduction(name, factor):
    number = POSSIBLE.set_index("name").loc[name]
    for value in (number.published, number.published * (1 + factor)):
        rows = [row(number.quantity, value, number.counterpart, "mini", low=value, high=value)]
        table = verdicts([summary(rows)])
        assert not set(table["verdict"]) & {AGREES, DIFFERS}


def test_a_bacteriums_proteins_reproduce_nothing_but_a_models_width():
    table = verdicts([summary(as_printed(), proteins="bacterium", n=1000)])
    judged = table[table["verdict"].isin([AGREES, DIFFERS])]
    assert set(judged["quantity"]) == {"embedding_dimensions"}
    assert "1,000 proteins of" in table.set_index("quantity").loc["pairs", "why"]


def test_other_proteins_are_named_in_the_reason():
    table = verdicts([summary(as_printed(), proteins="data/human70.fasta", n=70)])
    found = table[table["quantity"] == "isoscore"]
    assert set(found["verdict"]) == {NOT_COMPARABLE}
    assert set(found["why"]) == {"It is over 70 proteins of human70.fasta, not over Swiss-Prot."}


def test_a_sample_of_swissprot_without_an_interval_can_settle_no_isotropy():
    table = verdicts([summary(as_printed(), n=500, n_proteins=500)]).set_index("quantity")
    assert table.loc["isoscore", "verdict"].unique() == [INCONCLUSIVE]
    assert table.loc["correlation:cosine_similarity:squared_euclidean", "verdict"] == AGREES


@pytest.mark.parametrize(
    ("choice", "quantity", "reason"),
    [
        ({"matrix": "BLOSUM62"}, "correlation:alignment_score:sequence_identity", "BLOSUM62"),
        ({"pairs_file": "p.parquet"}, "correlation:cosine_similarity:squared_euclidean", "file"),
        ({"pooling": "first"}, "isoscore", "pooled by first"),
    ],
)
def test_settings_other_than_the_papers_are_a_reason(choice, quantity, reason):
    table = verdicts([summary(as_printed(), **choice)]).set_index("quantity")
    assert set(np.atleast_1d(table.loc[quantity, "verdict"])) == {NOT_COMPARABLE}
    assert reason in np.atleast_1d(table.loc[quantity, "why"])[0]


def test_the_matrix_is_no_reason_where_nothing_was_aligned():
    table = verdicts([summary(as_printed(), matrix="BLOSUM62")]).set_index("quantity")
    assert table.loc["correlation:cosine_similarity:squared_euclidean", "verdict"] == AGREES


def test_a_control_is_held_against_nothing():
    measured = [row("isoscore", 0.001658, "", "control") | {"model": "composition"}]
    assert set(verdicts([summary(measured)])["verdict"]) == {NOT_RUN}


# Several models, several chapters


def wide_models(dimensions, averages, role="model"):
    keys = PAPER[:3]
    both = {"effective_dimensions": dimensions, "local_dimensions": averages}
    return [
        row(quantity, value, key, role)
        for quantity, values in both.items()
        for value, key in zip(values, keys, strict=True)
    ]


def test_the_abstracts_range_is_over_both_kinds_of_embedding_of_all_three_models():
    measured = wide_models([2.7, 5.1, 2.3], [13.9, 9.0, 14.4])
    table = verdicts([summary(measured)]).set_index("quantity")
    assert table.loc[["dimensions_lowest", "dimensions_highest"], "value"].tolist() == [2, 14.4]
    assert table.loc["dimensions_lowest", "verdict"] == AGREES
    lacking = verdicts([summary(measured[:-1])]).set_index("quantity")
    assert lacking.loc["dimensions_lowest", "verdict"] == NOT_RUN


def test_one_mini_spoils_the_range():
    measured = wide_models([2.7, 5.1, 2.3], [13.9, 9.0, 14.4])
    measured[1] = row("effective_dimensions", 5.1, PAPER[1], "mini")
    table = verdicts([summary(measured)]).set_index("quantity")
    assert table.loc["dimensions_lowest", "verdict"] == NOT_RUN


def test_chapters_are_judged_together_and_each_by_its_own_settings():
    first = summary([row("isoscore", 0.001658)], chapter="01_toy")
    second = summary([row("correlation:cosine_similarity:alignment_score", 0.5)],
                     chapter="03_toy", proteins="other.fasta")  # fmt: skip
    table = verdicts([first, second])
    found = table[table["counterpart"] == "prot_bert"].set_index("quantity")["verdict"]
    assert found["isoscore"] == AGREES
    assert found["correlation:cosine_similarity:alignment_score"] == NOT_COMPARABLE


def test_what_has_no_model_in_it_is_one_row_however_many_models_there_are():
    quantity = "correlation:alignment_score:sequence_identity"
    ends = {"low": 0.949, "high": 0.951}
    measured = [row(quantity, 0.95, key, role, **ends) for key, role in
                (("prot_bert", "mini"), ("prot_xlnet", "model"))]  # fmt: skip
    measured.append(row(quantity, 0.95, "", "control", **ends) | {"model": "composition"})
    table = verdicts([summary(measured)])
    found = table[table["quantity"] == quantity]
    assert found["model"].tolist() == [""]
    # No model, no mini: on Swiss-Prot it counts.
    assert found["verdict"].tolist() == [DIFFERS]


def test_without_any_run_every_number_is_there_and_not_run():
    table = verdicts([])
    assert len(table) == len(PRINTABLE)
    assert set(table["verdict"]) == {NOT_RUN}
    assert (table["why"] != "").all()


def test_reasons_cover_every_row_without_a_judgement():
    table = verdicts([summary(as_printed("mini"), proteins="bacterium", n=1000)])
    assert set(table["verdict"]) <= set(VERDICTS)
    silent = table["verdict"].isin([NOT_COMPARABLE, NOT_RUN]).sum()
    assert reasons(table)["rows"].sum() == silent


# As it is shown


def test_what_is_allowed_is_shown_and_numbers_have_their_digits():
    measured = [row("isoscore", 0.0016583, low=0.0015, high=0.0019),
                row("correlation:cosine_similarity:squared_euclidean", -0.8354)]  # fmt: skip
    text = shown(verdicts([summary(measured)])).set_index("published number")
    isoscore = text.loc["IsoScore, ProtBERT"]
    assert isoscore["printed"] == "0.001658"
    assert isoscore["this run"] == "0.0016583"
    assert isoscore["95% interval"] == "0.0015000 to 0.0019000"
    assert isoscore["allows"] == "0.0016396 to 0.0016770"
    sign = text.loc["cosine similarity – squared Euclidean distance"]
    assert sign["this run"] == "\N{MINUS SIGN}0.8354"
    assert sign["allows"] == "–"
    assert text.loc["IsoScore, ProteinBERT", "this run"] == "–"
    assert isinstance(text, pd.DataFrame)
