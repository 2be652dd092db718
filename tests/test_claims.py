"""The paper's claims: how many, what each rests on, and by what rule it stands."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.base import paths
from plm_geometry.paper import claims, published
from plm_geometry.paper.claims import (
    FAILS,
    HOLDS,
    ITS_OWN,
    NONE,
    OTHER_MODEL,
    OTHER_PROTEINS,
    STATES,
    TURNED,
    UNDECIDED,
    UNTESTED,
    sign_turned,
    state,
)
from plm_geometry.paper.records import Record
from plm_geometry.paper.verdicts import AGREES, DIFFERS, INCONCLUSIVE, VERDICTS
from run_summaries import as_printed, row, summary

SIGN = "correlation:cosine_similarity:squared_euclidean"


def of(table, words):
    return next(table[table["claim"].str.contains(words, regex=False)].itertuples())


def record(measured, n=70):
    run = summary(measured, proteins="human70.fasta", n=n)
    return Record(name="human70", sample="70 human proteins", runs=[run])


def test_the_papers_26_numbers_are_eleven_claims():
    numbers = published.numbers()
    assert (~numbers["part"].str.startswith("natural language")).sum() == 26
    table = claims.claims([])
    assert len(table) == 11
    assert set(table["state"]) == {UNTESTED}
    for printed in ("3 of 1,024", "6 of 1,024", "120 of 512", "about 14", "0.791", "0.847"):
        assert table["printed"].str.startswith(printed).any()


def test_each_command_names_a_profile_that_has_the_claims_models():
    for claim in claims._claims():
        [profile] = {row.command.split()[-1] for row in claims.claims([]).itertuples()
                     if row.claim == claim["claim"]}  # fmt: skip
        named = yaml.safe_load((paths.PROFILES / f"{profile}.yaml").read_text())
        assert named["proteins"] == "swissprot"
        assert set(claim["models"]) - {""} <= set(named["models"])


# The rule


@given(
    st.sampled_from([ITS_OWN, OTHER_PROTEINS, OTHER_MODEL, NONE]),
    st.lists(st.sampled_from(VERDICTS[:3]), min_size=1),
    st.sampled_from([None, *VERDICTS[:3]]),
)
def test_only_the_papers_model_on_its_proteins_holds_and_another_model_says_nothing(
    near, found, turned
):
    result = state(near, found, turned)
    assert result in STATES
    if near in (OTHER_MODEL, NONE):
        assert result == UNTESTED
    elif turned:
        assert result == {AGREES: TURNED, DIFFERS: FAILS, INCONCLUSIVE: UNDECIDED}[turned]
    elif near == OTHER_PROTEINS:
        assert result == UNDECIDED
    else:
        assert (result == HOLDS) == (set(found) == {AGREES})
        assert (result == FAILS) == (DIFFERS in found)


@pytest.mark.parametrize(
    ("low", "high", "number", "found"),
    [
        (-0.88, -0.78, 0.791, AGREES),
        (-0.50, -0.40, 0.791, DIFFERS),
        (-0.95, -0.45, 0.791, INCONCLUSIVE),
        (-0.80, 0.01, 0.791, None),
        (0.70, 0.80, 0.791, None),
        (0.05, 0.25, -0.146, AGREES),
        (0.09, 0.23, -0.011, None),  # too near 0 to claim a sign
    ],
)
def test_a_sign_is_contradicted_by_a_range_on_the_other_side_alone(low, high, number, found):
    assert sign_turned(low, high, number, 0.001) == found


# What a claim rests on


def test_the_papers_own_values_hold_in_all_eleven_claims():
    table = claims.claims([summary(as_printed())])
    assert set(table["state"]) == {HOLDS}
    assert set(table["near"]) == {ITS_OWN}


def test_one_of_three_models_does_not_make_the_average_of_amino_acids_hold():
    given_rows = [row("local_dimensions", 14.2, "prot_bert")]
    assert of(claims.claims([summary(given_rows)]), "amino acid").state == UNDECIDED
    given_rows.append(row("local_dimensions", 9.0, "prot_xlnet"))
    assert of(claims.claims([summary(given_rows)]), "amino acid").state == FAILS


def test_its_model_on_other_proteins_contradicts_a_sign_and_leaves_the_size_open():
    turned = claims.claims([], [record([row(SIGN, -0.84, low=-0.88, high=-0.78)])])
    found = of(turned, "squared Euclidean distance (ProtBERT)")
    assert (found.state, found.near, found.why) == (TURNED, OTHER_PROTEINS, "the other sign")
    assert (found.proteins, found.value) == ("70 human proteins", -0.84)
    same = claims.claims([], [record([row(SIGN, 0.3, low=0.2, high=0.4)])])
    assert of(same, "squared Euclidean distance (ProtBERT)").state == UNDECIDED


def test_a_build_on_the_papers_proteins_goes_before_other_runs():
    theirs = record([row(SIGN, -0.84, low=-0.88, high=-0.78)])
    table = claims.claims([summary([row(SIGN, 0.79, low=0.789, high=0.791)])], [theirs])
    found = of(table, "squared Euclidean distance (ProtBERT)")
    assert (found.state, found.near, found.value) == (HOLDS, ITS_OWN, 0.79)


def test_dimensions_are_shown_and_their_isoscore_is_judged():
    measured = [row("isoscore", 0.001658), row("effective_dimensions", 2.696, low=2.5, high=2.9)]
    found = of(claims.claims([summary(measured)]), "proteins, ProtBERT")
    assert (found.state, found.quantity, found.value) == (HOLDS, "effective_dimensions", 2.696)


def test_another_model_is_named_as_such_and_never_for_proteinbert():
    other = {"model": "unirep_64", "title": "UniRep-64"}
    measured = [row("isoscore", 0.07, "") | other, row("effective_dimensions", 5.5, "") | other]
    table = claims.claims([summary(measured, proteins="bacterium", n=800)])
    found = of(table, "ProtXLNet")
    assert (found.near, found.state, found.value) == (OTHER_MODEL, UNTESTED, 5.5)
    assert found.proteins == "800 proteins of a bacterium"
    assert "another model" in claims.shown(table).iloc[2]["rests on"]
    assert of(table, "ProteinBERT").near == NONE


def test_other_models_are_counted_once_and_have_correlations_too():
    quantities = {"isoscore": 0.07, "effective_dimensions": 5.5}
    runs = [
        [row(name, value, "") | {"model": model, "title": model}
         for name, value in {**quantities, SIGN: r}.items()]
        for model, r in (("a", -0.9), ("a", -0.7), ("b", -0.8))
    ]  # fmt: skip
    table = claims.claims([], [record(measured) for measured in runs])
    minus = "\N{MINUS SIGN}"
    said = {
        "dimensions of proteins, ProtXLNet": "5.5 in 2 other models",
        "cosine similarity – squared": f"{minus}0.90 to {minus}0.70 in 2 other models",
    }
    for words, why in said.items():
        found = of(table, words)
        assert (found.near, found.state, found.why) == (OTHER_MODEL, UNTESTED, why)


def test_a_pooler_output_stands_beside_nothing():
    other = {"model": "p", "title": "pooler"}
    measured = [row("isoscore", 1e-9, "") | other,
                row("effective_dimensions", 1.000001, "") | other]  # fmt: skip
    assert of(claims.claims([], [record(measured)]), "ProtXLNet").near == NONE
    # No mini is evidence.
    minis = claims.claims([summary(as_printed("mini"), proteins="bacterium")])
    assert set(minis[minis["claim"] != minis["claim"].iloc[-1]]["near"]) == {NONE}
