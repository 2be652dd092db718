"""Distance correlation against its definition, mutual information against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plm_geometry.association import (
    distance_correlation,
    informational_correlation,
    mutual_information,
    nonlinear,
)

MEASURES = [distance_correlation, mutual_information]


@pytest.fixture
def one_shuffle(monkeypatch):
    """Time: where the null does not matter."""
    monkeypatch.setattr(nonlinear, "SHUFFLES", 1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def by_definition(x, y) -> float:
    """Return Szekely's dCor from doubly centred matrices of distances."""

    def centred(values):
        distance = np.abs(values[:, None] - values)
        rows = distance.mean(axis=1)
        return distance - rows - rows[:, None] + rows.mean()

    a, b = centred(x), centred(y)
    return np.sqrt(np.mean(a * b) / np.sqrt(np.mean(a * a) * np.mean(b * b)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.floats(-1e3, 1e3)), min_size=5, max_size=70))
def test_distance_correlation_is_its_definition_with_ties_and_without(points):
    x, y = np.array(points, dtype=float).T
    found = distance_correlation(x, y, seed=0).estimate
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(found)
    # Nearer ones lose their digits in the mean; the squares of smaller ones vanish.
    elif np.ptp(y) > max(1e-6 * np.abs(y).max(), 1e-100):
        assert found == pytest.approx(by_definition(x, y), abs=1e-6)


def test_distance_correlation_of_a_line_is_one(rng):
    x = rng.standard_normal(1000)
    assert distance_correlation(x, 3 - 2 * x, seed=0).estimate == pytest.approx(1)


@pytest.mark.usefixtures("one_shuffle")
@pytest.mark.parametrize("r", [0.0, 0.5, -0.9])
def test_information_of_normal_variables_is_the_closed_form_in_bits(rng, r):
    x, noise = rng.standard_normal((2, 20_000))
    y = r * x + np.sqrt(1 - r**2) * noise
    expected = -0.5 * np.log2(1 - r**2)
    found = mutual_information(x, y, seed=0).estimate
    assert found == pytest.approx(expected, abs=0.02)
    assert informational_correlation(expected) == pytest.approx(abs(r))


def test_information_of_a_fair_choice_among_four_is_two_bits(rng):
    x = rng.integers(4, size=4000)
    assert mutual_information(x, 10.0 * x, seed=0).estimate == pytest.approx(2, abs=0.05)


def test_units_and_shapes_do_not_change_information(rng):
    x = rng.standard_normal(500)
    y = x + rng.standard_normal(500)
    assert mutual_information(x, y, seed=0) == mutual_information(np.exp(x), y**3, seed=0)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_parabola_is_seen_where_pearson_sees_nothing_and_noise_is_not(rng, measure):
    x, noise = rng.standard_normal((2, 3000))
    y = x**2 - 2 * noise
    assert abs(stats.pearsonr(x, y).statistic) < 0.1
    seen = measure(x, y, seed=0)
    assert seen.estimate > 3 * seen.null
    unseen = measure(x, noise, seed=0)
    assert unseen.estimate < 2 * unseen.null + 0.01


@pytest.mark.usefixtures("one_shuffle")
@pytest.mark.parametrize("measure", MEASURES)
def test_a_weighted_sample_says_what_the_whole_says(rng, measure):
    x, noise = rng.standard_normal((2, 20_000))
    y = np.where(x > 1, x, 0) + 0.5 * noise
    is_kept = (x > 1) | (rng.random(20_000) < 0.2)
    weights = np.where(x > 1, 1.0, 5.0)[is_kept]
    whole = measure(x, y, seed=0).estimate
    weighted = measure(x[is_kept], y[is_kept], weights=weights, seed=0).estimate
    unweighted = measure(x[is_kept], y[is_kept], seed=0).estimate
    assert weighted == pytest.approx(whole, abs=0.04)
    assert abs(unweighted - whole) > 0.1


def test_a_pair_enters_the_sample_at_most_once_and_in_proportion_to_its_weight(rng):
    from plm_geometry.association.nonlinear import _self_weighting_sample

    weights = rng.uniform(1, 4, 50)
    counts = np.zeros(50)
    for _ in range(4000):
        drawn = _self_weighting_sample(weights, 10, rng)
        assert len(np.unique(drawn)) == len(drawn) == 10
        counts[drawn] += 1
    expected = 4000 * 10 * weights / weights.sum()
    np.testing.assert_allclose(counts, expected, atol=5 * np.sqrt(expected.max()))
    assert sorted(_self_weighting_sample(np.ones(7), 50, rng)) == list(range(7))
    # More than these would have to hold the heavy one twice.
    assert len(_self_weighting_sample(np.array([4.0, 1, 1, 1, 1]), 5, rng)) == 2


@pytest.mark.parametrize("measure", MEASURES)
def test_the_seed_alone_decides_and_unknown_pairs_are_left_out(rng, measure, monkeypatch):
    x = rng.standard_normal(400)
    y = x + rng.standard_normal(400)
    for name in ("N_FOR_DISTANCES", "N_FOR_NEIGHBOURS"):
        monkeypatch.setattr(nonlinear, name, 100)
    found = measure(x, y, seed=3)
    assert measure(x, y, seed=3) == found
    assert measure(x, y, seed=4) != found
    holed = x.copy()
    holed[[2, 9]] = np.nan
    assert measure(holed, y, seed=3) == measure(np.delete(x, [2, 9]), np.delete(y, [2, 9]), seed=3)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_is_constant_or_too_short_has_no_dependence(rng, measure):
    y = rng.standard_normal(50)
    for x in (np.ones(50), np.full(50, np.nan)):
        assert np.isnan(measure(x, y, seed=0)).all()
    assert np.isnan(measure(y[:4], y[:4] ** 2, seed=0)).all()
