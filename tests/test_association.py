"""Correlations, jackknife intervals and binned spread against scipy and plain loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plm_geometry.association import (
    COLUMNS,
    binned_spread,
    correlation_interval,
    correlation_matrix,
)
from plm_geometry.errors import InputError
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
    low, high = np.tanh(np.arctanh(r) + np.array([-1, 1]) * stats.norm.ppf(0.95) * error)
    found = correlation_interval(x, y, first, second, method=method, level=0.9)
    np.testing.assert_allclose(found[:3], [r, low, high], atol=1e-10)


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
        naive = stats.pearsonr(x, y).confidence_interval()
        pairwise += naive.low <= truth <= naive.high
    assert jackknife / 200 > 0.9
    assert pairwise / 200 < 0.6


def test_an_undefined_correlation_has_an_undefined_interval(rng):
    first, second = all_pairs(6)
    y = rng.standard_normal(15)
    for x in (np.ones(15), np.full(15, np.nan)):
        assert np.isnan(correlation_interval(x, y, first, second)).all()
    with pytest.raises(InputError, match="level"):
        correlation_interval(y, y, first, second, level=95)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-1e3, 1e3)), min_size=2, max_size=60),
    st.integers(1, 7),
)
def test_every_pair_is_in_one_bin_whose_quantiles_are_numpys(points, n_bins):
    similarity, distance = np.array(points).T
    edges = np.linspace(0, 1, n_bins + 1)
    found = binned_spread(similarity, distance, edges)
    assert found["n"].sum() == len(points)
    assert len(found) == n_bins
    for i, row in enumerate(found.itertuples()):
        last = i == n_bins - 1
        inside = (similarity >= row.bin_low) & (
            (similarity <= row.bin_high) if last else (similarity < row.bin_high)
        )
        assert row.n == inside.sum()
        if row.n:
            quantiles = np.quantile(distance[inside], [0.05, 0.25, 0.5, 0.75, 0.95])
            np.testing.assert_allclose(
                [row.q05, row.median, row.q95, row.iqr],
                [quantiles[0], quantiles[2], quantiles[4], quantiles[3] - quantiles[1]],
                atol=1e-9,
            )
        if row.n > 1:
            assert row.std == pytest.approx(np.std(distance[inside], ddof=1), abs=1e-9)


def test_an_empty_bin_is_present_and_says_so():
    found = binned_spread([0.05, 0.95, np.nan, 2.0], [1, 2, 3, 4], np.linspace(0, 1, 11))
    assert found["n"].tolist() == [1, *[0] * 8, 1]
    assert found.loc[4, ["median", "q05", "q95", "std", "iqr"]].isna().all()


def test_a_number_of_bins_spans_what_occurs():
    found = binned_spread([0.2, 0.4, 0.8], [1, 2, 3], 3)
    np.testing.assert_allclose(found["bin_low"], [0.2, 0.4, 0.6])
    assert found["n"].tolist() == [1, 1, 1]
    assert binned_spread([0.5, 0.5], [1, 2], 2)["n"].sum() == 2


@pytest.mark.parametrize("bins", [0, [0.5], [1, 0], [0, 0, 1]])
def test_bins_that_cannot_be_are_refused(bins):
    with pytest.raises(InputError, match="ascending"):
        binned_spread([0.1, 0.9], [1, 2], bins)


def test_bins_without_any_pair_are_empty_rows():
    spread = binned_spread([0.1, 0.2], [1.0, 2.0], [0.5, 0.7, 0.9])
    assert spread["n"].tolist() == [0, 0]
    assert spread[["median", "q05", "q95", "std", "iqr"]].isna().all(axis=None)
