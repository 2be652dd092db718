"""Binned spread against numpy, and its intervals against loops and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from association_frames import complete_set, two_phase_sample
from plm_geometry.association import binned_spread, spread_at
from plm_geometry.base.errors import InputError

QUARTERS = np.linspace(0, 1, 5)
SPREAD = ["median", "q05", "q95"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


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
            quantiles = np.quantile(distance[inside], [0.05, 0.5, 0.95])
            np.testing.assert_allclose([row.q05, row.median, row.q95], quantiles, atol=1e-9)


def test_an_empty_bin_is_present_and_says_so():
    found = binned_spread([0.05, 0.95, np.nan, 2.0], [1, 2, 3, 4], np.linspace(0, 1, 11))
    assert found["n"].tolist() == [1, *[0] * 8, 1]
    assert found.loc[4, SPREAD].isna().all()


@pytest.mark.parametrize("bins", [0, [0.5], [1, 0], [0, 0, 1]])
def test_bins_that_cannot_be_are_refused(bins):
    with pytest.raises(InputError, match="ascending"):
        binned_spread([0.1, 0.9], [1, 2], bins)


def test_bins_without_any_pair_are_empty_rows():
    spread = binned_spread([0.1, 0.2], [1.0, 2.0], [0.5, 0.7, 0.9])
    assert spread["n"].tolist() == [0, 0]
    assert spread[SPREAD].isna().all(axis=None)


def test_only_the_ratios_of_weights_matter(rng):
    similarity, distance = rng.random((2, 200))
    plain = binned_spread(similarity, distance, QUARTERS)
    pd.testing.assert_frame_equal(
        binned_spread(similarity, distance, QUARTERS, weights=np.full(200, 7.5)), plain
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=300, max_size=300))
def test_a_pair_of_weight_three_counts_as_three_pairs(weights):
    similarity, distance = np.random.default_rng(2).random((2, 300))
    found = binned_spread(similarity, distance, [0, 1], weights=weights)
    repeated = binned_spread(np.repeat(similarity, weights), np.repeat(distance, weights), [0, 1])
    # Between two distances it is interpolated otherwise: they are 1/300 apart.
    np.testing.assert_allclose(found[SPREAD], repeated[SPREAD], atol=0.02)


def test_weighted_samples_agree_with_the_complete_set_and_unweighted_ones_do_not(rng):
    every = complete_set(rng, 80).assign(similarity=lambda frame: frame.alignment_score.abs())
    samples = [two_phase_sample(every, rng) for _ in range(50)]

    def of(table, weights=None):
        spread = binned_spread(
            table.similarity, table.sequence_identity, [0, 2, 20], weights=weights
        )
        return spread[SPREAD].to_numpy()

    weighted = np.mean([of(sample, sample.weight) for sample in samples], axis=0)
    unweighted = np.mean([of(sample) for sample in samples], axis=0)
    assert np.abs(weighted - of(every)).max() < 0.25
    assert np.abs(unweighted - of(every)).max() > 1


def spread_pairs(rng, n_proteins: int, n_pairs: int) -> pd.DataFrame:
    """Return pairs whose distance spreads less where their similarity is higher."""
    every = np.stack(np.triu_indices(n_proteins, 1))
    first, second = every[:, rng.choice(every.shape[1], n_pairs, replace=False)]
    effect = rng.standard_normal(n_proteins)
    similarity = rng.random(n_pairs)
    distance = (effect[first] + effect[second]) * (1.5 - similarity)
    names = {"accession_a": first, "accession_b": second}
    return pd.DataFrame(names | {"similarity": similarity, "distance": distance})


def test_estimates_are_binned_spreads_and_ratios_are_compared_with_the_first_bins(rng):
    pairs = spread_pairs(rng, 60, 900).assign(distance=lambda frame: np.exp(frame.distance))
    weights = rng.uniform(1, 5, 900)
    found = spread_at(pairs, "similarity", "distance", [0, 0.3, 1], weights=weights)
    plain = binned_spread(pairs.similarity, pairs.distance, [0, 0.3, 1], weights=weights)
    shared = ["bin_low", "bin_high", "n", "median", "q05", "q95"]
    pd.testing.assert_frame_equal(found[shared], plain[shared])
    np.testing.assert_allclose(found.ratio, plain.q95 / plain.q05)
    np.testing.assert_allclose(found.ratio_change, found.ratio / found.ratio[0])
    for name in ("median", "q05", "q95", "ratio", "ratio_change"):
        assert (found[f"{name}_low"] <= found[name]).all()
        assert (found[name] <= found[f"{name}_high"]).all()


def test_families_go_out_undivided_and_a_bin_of_fewer_than_ten_is_not_tested(rng):
    pairs = spread_pairs(rng, 60, 900)
    family = np.append(np.arange(30) % 9, np.arange(9, 39))  # few families among the first thirty
    pairs["family_a"], pairs["family_b"] = (family[pairs[f"accession_{s}"]] for s in "ab")
    among_few = (pairs.accession_a < 30) & (pairs.accession_b < 30)
    pairs["similarity"] = np.where(among_few, 0.9, 0.1)
    units = ("family_a", "family_b")
    found = spread_at(pairs, "similarity", "distance", [0, 0.5, 1], units=units)
    assert found.n_units.tolist()[1] == 9
    assert np.isfinite(found.median_low[0])
    assert np.isnan(found.median_low[1])
    assert np.isfinite(found["median"][1])


def test_a_protein_a_group_is_leaving_out_one_protein(rng):
    pairs = spread_pairs(rng, 20, 190)  # as many proteins as groups
    found = spread_at(pairs, "similarity", "distance", [0, 1], seed=3).loc[0]
    without = [
        pairs[(pairs.accession_a != i) & (pairs.accession_b != i)].distance.median()
        for i in range(20)
    ]
    error = np.sqrt(19 / 20 * np.sum((without - np.mean(without)) ** 2))
    half_width = 2.0930240544 * error  # Student's t, 19 degrees of freedom
    assert found.median_high == pytest.approx(found["median"] + half_width)
    assert found.median_low == pytest.approx(found["median"] - half_width)


def test_the_interval_of_the_relative_spread_covers_the_truth_about_as_often_as_it_says(rng):
    def drawn(n_proteins, n_pairs):
        frame = spread_pairs(rng, n_proteins, n_pairs)
        return frame.assign(distance=np.exp(frame.distance))

    many = drawn(3000, 400_000)
    quantiles = binned_spread(many.similarity, many.distance, [0, 0.2, 0.8, 1])
    truth, covered = quantiles.q95 / quantiles.q05, np.zeros(3)
    for _ in range(100):
        found = spread_at(drawn(80, 1500), "similarity", "distance", [0, 0.2, 0.8, 1])
        covered += (found.ratio_low <= truth) & (truth <= found.ratio_high)
    assert (covered > 85).all()


def test_too_few_proteins_or_an_empty_bin_have_no_interval(rng):
    few = spread_at(spread_pairs(rng, 4, 6), "similarity", "distance", [0, 1]).loc[0]
    assert few["median"] == pytest.approx(few["median"])
    assert np.isnan([few.median_low, few.ratio_high]).all()
    pairs = spread_pairs(rng, 60, 900)
    empty = spread_at(pairs, "similarity", "distance", [0, 1, 2]).loc[1]
    assert empty.n == 0
    assert empty.drop(["bin_low", "bin_high", "n", "n_units"]).isna().all()


def test_unknown_pairs_are_left_out_and_bad_input_is_named(rng):
    pairs = spread_pairs(rng, 60, 900)
    holed = pairs.copy()
    holed.loc[[3, 5], "distance"] = np.nan
    found = spread_at(holed, "similarity", "distance", [0, 1])
    expected = spread_at(pairs.drop([3, 5]), "similarity", "distance", [0, 1])
    assert found.n[0] == 898
    assert found["median"][0] == expected["median"][0]
    with pytest.raises(InputError, match="identity"):
        spread_at(pairs, "identity", "distance", [0, 1])
    with pytest.raises(InputError, match="ascending"):
        spread_at(pairs, "similarity", "distance", [1, 0])
