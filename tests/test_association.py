"""Correlations and their intervals against scipy, plain loops and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from association_frames import complete_set, two_phase_sample
from plm_geometry.association import (
    COLUMNS,
    correlation_interval,
    correlation_intervals,
    correlation_matrix,
    pairwise_interval,
)
from plm_geometry.base.errors import InputError
from plm_geometry.pairs import all_pairs, draw_pairs

SCIPY = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pair_table(rng, n: int = 500) -> pd.DataFrame:
    mixed = rng.standard_normal((n, 4)) @ rng.standard_normal((4, 4))
    return pd.DataFrame(mixed, columns=list(COLUMNS)).round(1)  # rounded: ties for the ranks


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_equal_scipys(rng, method):
    table = pair_table(rng)
    found = correlation_matrix(table, method)
    assert list(found.index) == list(found.columns) == list(COLUMNS)
    for a in COLUMNS:
        for b in COLUMNS:
            expected = SCIPY[method](table[a], table[b]).statistic
            assert found.loc[a, b] == pytest.approx(expected, abs=1e-12)


def test_rows_with_nan_are_left_out_of_every_entry(rng):
    table = pair_table(rng)
    holed = table.copy()
    holed.loc[[3, 70], "cosine_similarity"] = np.nan
    pd.testing.assert_frame_equal(
        correlation_matrix(holed), correlation_matrix(table.drop([3, 70]))
    )


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_constant_column_has_no_correlation_and_spoils_no_other(rng, method):
    table = pair_table(rng).assign(alignment_score=0.1)
    found = correlation_matrix(table, method)
    assert found["alignment_score"].isna().all()
    assert found.drop(columns="alignment_score").notna().sum().sum() == 9


def test_too_few_pairs_have_no_correlation(rng):
    for n in (0, 1):
        assert correlation_matrix(pair_table(rng).head(n)).isna().all(axis=None)


def test_a_missing_column_and_an_unknown_method_are_named(rng):
    table = pair_table(rng)
    with pytest.raises(InputError, match="squared_euclidean"):
        correlation_matrix(table.drop(columns="squared_euclidean"))
    with pytest.raises(InputError, match="spearman"):
        correlation_matrix(table, "kendall")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=30, max_size=30), st.sampled_from(list(SCIPY)))
def test_a_pair_of_weight_three_counts_as_three_pairs(weights, method):
    table = pair_table(np.random.default_rng(1), 30)
    pd.testing.assert_frame_equal(
        correlation_matrix(table, method, weights=weights),
        correlation_matrix(table.loc[table.index.repeat(weights)], method),
        atol=1e-12,
    )


@pytest.mark.parametrize("method", list(SCIPY))
def test_weighted_samples_agree_with_the_complete_set_and_unweighted_ones_do_not(rng, method):
    every = complete_set(rng)
    samples = [two_phase_sample(every, rng) for _ in range(50)]
    weighted = np.mean([correlation_matrix(s, method, weights=s.weight) for s in samples], axis=0)
    unweighted = np.mean([correlation_matrix(s, method) for s in samples], axis=0)
    whole = correlation_matrix(every, method).to_numpy()
    assert np.abs(weighted - whole).max() < 0.02
    assert np.abs(unweighted - whole).max() > 0.1


@pytest.mark.parametrize("weights", [[1.0, 2.0], np.zeros(500), np.full(500, np.nan)])
def test_weights_that_are_none_are_refused(rng, weights):
    with pytest.raises(InputError, match="weight"):
        correlation_matrix(pair_table(rng), weights=weights)


def protein_pairs(rng, n_proteins: int, n_pairs: int):
    """Return x, y, first, second where pairs that share a protein are alike."""
    first, second = draw_pairs(n_proteins, n_pairs, seed=int(rng.integers(2**31)))
    effects = rng.standard_normal((n_proteins, 2)) @ np.array([[1, 0.4], [0, 1]])
    x, y = (effects[first] + effects[second] + 0.5 * rng.standard_normal((n_pairs, 2))).T
    return x, y, first, second


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_the_jackknife_equals_leaving_out_each_protein_in_a_loop(rng, method):
    x, y, first, second = protein_pairs(rng, 25, 120)
    first[5] = second[5]  # a protein with itself counts once
    ranked = (x, y) if method == "pearson" else (stats.rankdata(x), stats.rankdata(y))
    without = []
    for protein in np.unique([first, second]):
        kept = (first != protein) & (second != protein)
        without.append(np.arctanh(stats.pearsonr(ranked[0][kept], ranked[1][kept]).statistic))
    n = len(without)
    error = np.sqrt((n - 1) / n * np.sum((np.array(without) - np.mean(without)) ** 2))
    r = SCIPY[method](x, y).statistic
    low, high = np.tanh(np.arctanh(r) + np.array([-1, 1]) * stats.t.ppf(0.975, n - 1) * error)
    found = correlation_interval(x, y, first, second, method=method)
    np.testing.assert_allclose(found[:3], [r, low, high], atol=1e-10)


def test_a_weighted_jackknife_equals_leaving_out_each_protein_in_a_loop(rng):
    x, y, first, second = protein_pairs(rng, 25, 120)
    weights = rng.uniform(1, 9, 120)

    def weighted_r(kept):
        covariance = np.cov(x[kept], y[kept], aweights=weights[kept])
        return covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])

    without = [np.arctanh(weighted_r((first != i) & (second != i))) for i in range(25)]
    error = np.sqrt(24 / 25 * np.sum((np.array(without) - np.mean(without)) ** 2))
    r = weighted_r(slice(None))
    found = correlation_interval(x, y, first, second, weights=weights)
    np.testing.assert_allclose(found, [r, found.low, found.high, error * (1 - r**2)], atol=1e-10)
    assert np.arctanh(found.high) - np.arctanh(r) == pytest.approx(stats.t.ppf(0.975, 24) * error)


@pytest.mark.parametrize("method", list(SCIPY))
def test_all_entries_at_once_are_each_entry_alone(rng, method):
    table = two_phase_sample(complete_set(rng, 30), rng)
    table.iloc[[4, 40], 0] = np.nan
    found = correlation_intervals(table, method, weights=table.weight)
    assert len(found) == 6
    known = table.dropna()
    for row in found.itertuples():
        alone = correlation_interval(
            known[row.a],
            known[row.b],
            known.accession_a,
            known.accession_b,
            method=method,
            weights=known.weight,
        )
        np.testing.assert_allclose(row[3:], alone, atol=1e-12)
        whole = correlation_matrix(table, method, weights=table.weight)
        assert row.estimate == pytest.approx(whole.loc[row.a, row.b], abs=1e-12)


def test_no_known_pair_at_all_has_no_interval(rng):
    table = complete_set(rng, 5).assign(cosine_similarity=np.nan)
    found = correlation_intervals(table)
    assert len(found) == 6
    assert found.drop(columns=["a", "b"]).isna().all(axis=None)
    with pytest.raises(InputError, match="accession_b"):
        correlation_intervals(table.drop(columns="accession_b"))


def test_the_pairwise_interval_is_scipys(rng):
    x, y = rng.standard_normal((2, 50))
    expected = stats.pearsonr(x, y)
    found = pairwise_interval(expected.statistic, 50)
    np.testing.assert_allclose(found[1:3], expected.confidence_interval(0.95), atol=1e-12)
    assert np.isnan(pairwise_interval(0.5, 3).low)


def test_accessions_serve_as_well_as_indices(rng):
    x, y, first, second = protein_pairs(rng, 25, 120)
    names = np.array([f"P{i:05d}" for i in range(25)], dtype=object)
    assert correlation_interval(x, y, names[first], names[second]) == correlation_interval(
        x, y, first, second
    )


def test_origin_and_unit_do_not_change_the_interval(rng):
    x, y, first, second = protein_pairs(rng, 25, 120)
    np.testing.assert_allclose(
        correlation_interval(1e6 + 1e-3 * x, 3 - 1e4 * y, first, second),
        np.array(correlation_interval(x, -y, first, second)),
        rtol=1e-6,
    )


def test_the_interval_covers_the_truth_about_as_often_as_it_says(rng):
    # Sums of two proteins' effects, plus noise of variance 1/4: the true correlation.
    truth = 2 * 0.4 / np.sqrt((2 + 0.25) * (2 * 1.16 + 0.25))
    jackknife, pairwise = 0, 0
    for _ in range(200):
        x, y, first, second = protein_pairs(rng, 60, 1770)
        found = correlation_interval(x, y, first, second)
        jackknife += found.low <= truth <= found.high
        naive = pairwise_interval(found.estimate, len(x))
        pairwise += naive.low <= truth <= naive.high
    assert jackknife / 200 > 0.9
    assert pairwise / 200 < 0.6


def test_an_undefined_correlation_has_an_undefined_interval(rng):
    first, second = all_pairs(6)
    y = rng.standard_normal(15)
    for x in (np.ones(15), np.full(15, np.nan)):
        assert np.isnan(correlation_interval(x, y, first, second)).all()


def test_families_are_left_out_with_all_their_pairs_and_ten_are_needed(rng):
    x, y, first, second = protein_pairs(rng, 48, 600)
    family = np.arange(48) // 3
    table = pd.DataFrame({"x": x, "y": y, "family_a": family[first], "family_b": family[second]})
    found = correlation_intervals(table, columns=["x", "y"], units=("family_a", "family_b")).loc[0]
    without = [
        np.arctanh(
            table[(table.family_a != f) & (table.family_b != f)][["x", "y"]].corr().iloc[0, 1]
        )
        for f in range(16)
    ]
    error = np.sqrt(15 / 16 * np.sum((np.array(without) - np.mean(without)) ** 2))
    expected = np.tanh(np.arctanh(found.estimate) + stats.t.ppf(0.975, 15) * error)
    assert found.high == pytest.approx(expected)
    nine = table[(table.family_a < 9) & (table.family_b < 9)]
    few = correlation_intervals(nine, columns=["x", "y"], units=("family_a", "family_b")).loc[0]
    assert np.isfinite(few.estimate)
    assert np.isnan(few.low)


def test_among_relatives_only_intervals_that_leave_out_families_cover_the_truth(rng):
    truth = 2 * 0.4 / np.sqrt((2 + 0.25) * (2 * 1.16 + 0.25))
    family, mix = np.arange(160) // 4, np.array([[1, 0.4], [0, 1]])
    by_protein, by_family = 0, 0
    for _ in range(150):
        first, second = draw_pairs(160, 3_000, seed=int(rng.integers(2**31)))
        shared, own = rng.standard_normal((2, 160, 2))
        effects = (np.sqrt(0.8) * shared[family] + np.sqrt(0.2) * own) @ mix
        noise = 0.5 * rng.standard_normal((3_000, 2))
        x, y = (effects[first] + effects[second] + noise).T
        alone = correlation_interval(x, y, first, second)
        found = correlation_interval(x, y, family[first], family[second])
        by_protein += alone.low <= truth <= alone.high
        by_family += found.low <= truth <= found.high
    assert by_family / 150 > 0.88
    assert by_protein / 150 < 0.85
