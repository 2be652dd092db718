"""Signs that are constructed are those of the vectors, and what turns them is what should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.isotropy.signs import (
    TwoGroups,
    best_two_groups,
    sign_of,
    simulated,
    simulated_signs,
)


@pytest.fixture
def cloud():
    rng = np.random.default_rng(3)
    return rng.normal(size=(60, 5)) + 1


def test_the_sign_is_the_correlation_over_all_pairs(cloud):
    first, second = np.triu_indices(len(cloud), 1)
    lengths = np.linalg.norm(cloud, axis=1)
    cosine = (cloud[first] * cloud[second]).sum(axis=1) / lengths[first] / lengths[second]
    squared = ((cloud[first] - cloud[second]) ** 2).sum(axis=1)
    found = sign_of(cloud)
    assert found.r == pytest.approx(np.corrcoef(cosine, squared)[0, 1])
    assert found.mean_cosine == pytest.approx(cosine.mean())
    assert found.norm_variation == pytest.approx(lengths.std() / lengths.mean())


def test_vectors_of_one_length_correlate_at_minus_one(cloud):
    cloud /= np.linalg.norm(cloud, axis=1, keepdims=True)
    assert sign_of(cloud).r == pytest.approx(-1)


@given(
    st.integers(2, 12), st.integers(2, 12), st.floats(0.02, 1), st.floats(0.05, 0.95)
)  # fmt: skip
def test_two_groups_are_as_their_vectors(n_long, n_short, ratio, within):
    groups = TwoGroups(n_long, n_short, ratio, within)
    assert groups.sign == pytest.approx(sign_of(groups.vectors), abs=1e-9)


def test_the_best_two_groups_turn_the_sign_far_beyond_the_papers():
    best = best_two_groups(100)
    assert sign_of(best.vectors).r > 0.9
    rivals = [
        TwoGroups(50, 50, 0.5, 0.3),
        TwoGroups(80, 20, 0.02, 0.1),
        TwoGroups(10, 90, 0.1, 0.4),
    ]
    assert all(best.sign.r >= rival.sign.r for rival in rivals)


def test_simulated_vectors_have_the_mean_cosine_asked_for_and_independent_lengths():
    rng = np.random.default_rng(0)
    for cosine in (0.0, 0.5, 0.9):
        vectors = simulated(800, mean_cosine=cosine, spread=0.5, tied=False, rng=rng)
        assert sign_of(vectors).mean_cosine == pytest.approx(cosine, abs=0.02)
        lengths = np.linalg.norm(vectors, axis=1)
        assert np.log(lengths).std() == pytest.approx(0.5, abs=0.05)
        # Nothing of a direction tells the length.
        directions = vectors / lengths[:, None]
        assert abs(np.corrcoef(directions[:, 1], np.log(lengths))[0, 1]) < 0.15
    tied = simulated(800, mean_cosine=0.5, spread=0.5, tied=True, rng=rng)
    lengths = np.linalg.norm(tied, axis=1)
    assert np.corrcoef(tied[:, 1] / lengths, np.log(lengths))[0, 1] > 0.9


def test_independent_lengths_bring_the_sign_towards_zero_and_not_beyond_what_chance_does():
    curves = simulated_signs(200, seed=1)
    independent = curves[curves["lengths"] == "independent"].set_index("around")
    for _, curve in independent.groupby(level=0):
        assert curve["r"].iloc[0] < -0.95
        assert curve["r"].iloc[-1] > -0.6
        assert curve["r"].max() < 0.2
    two = curves[curves["lengths"] == "two groups"]
    assert two["r"].iloc[0] == pytest.approx(-1)
    assert two["r"].iloc[-1] > 0.7
