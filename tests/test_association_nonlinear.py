"""Distance correlation against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plm_geometry.association import distance_correlation, nonlinear


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
    # Zero may come out a little below itself.
    return np.sqrt(max(np.mean(a * b), 0) / np.sqrt(np.mean(a * a) * np.mean(b * b)))


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


def test_a_parabola_is_seen_where_pearson_sees_nothing_and_noise_is_not(rng):
    x, noise = rng.standard_normal((2, 3000))
    y = x**2 - 2 * noise
    assert abs(stats.pearsonr(x, y).statistic) < 0.1
    seen = distance_correlation(x, y, seed=0)
    assert seen.estimate > 3 * seen.null
    unseen = distance_correlation(x, noise, seed=0)
    assert unseen.estimate < 2 * unseen.null + 0.01


def test_the_seed_alone_decides_and_unknown_pairs_are_left_out(rng, monkeypatch):
    x = rng.standard_normal(400)
    y = x + rng.standard_normal(400)
    monkeypatch.setattr(nonlinear, "N_FOR_DISTANCES", 100)
    found = distance_correlation(x, y, seed=3)
    assert distance_correlation(x, y, seed=3) == found
    assert distance_correlation(x, y, seed=4) != found
    holed = x.copy()
    holed[[2, 9]] = np.nan
    known = (np.delete(values, [2, 9]) for values in (x, y))
    assert distance_correlation(holed, y, seed=3) == distance_correlation(*known, seed=3)


def test_what_is_constant_or_too_short_has_no_dependence(rng):
    y = rng.standard_normal(50)
    for x in (np.ones(50), np.full(50, np.nan)):
        assert np.isnan(distance_correlation(x, y, seed=0)).all()
    assert np.isnan(distance_correlation(y[:4], y[:4] ** 2, seed=0)).all()
