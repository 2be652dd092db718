"""The constructed clouds have the shapes that they are named after."""

import numpy as np
import pytest
from scipy.stats import kstest

from plm_geometry.isotropy.clouds import constructed
from plm_geometry.isotropy.measures import effective_dimensions, isoscore, mean_cosine_similarity

N = 20_000


@pytest.fixture(scope="module", params=[3, 16])
def clouds(request):
    return constructed(N, seed=1, d=request.param)


def test_a_line_uses_one_dimension_a_disc_two_and_a_ball_all(clouds):
    d = clouds["ball"].shape[1]
    assert effective_dimensions(clouds["line"]) == pytest.approx(1, rel=1e-12)
    assert effective_dimensions(clouds["disc"]) == pytest.approx(2, rel=1e-3)
    assert effective_dimensions(clouds["ball"]) == pytest.approx(d, rel=1e-2)


def test_a_shifted_ball_differs_from_a_ball_in_its_cosine_only(clouds):
    ball, shifted = clouds["ball"], clouds["shifted ball"]
    assert effective_dimensions(shifted) == pytest.approx(effective_dimensions(ball), rel=1e-9)
    assert mean_cosine_similarity(ball) == pytest.approx(0, abs=1e-3)
    assert mean_cosine_similarity(shifted) > 0.9


def test_a_cone_has_a_high_cosine(clouds):
    assert mean_cosine_similarity(clouds["cone"]) > 0.8


def test_a_cone_in_three_dimensions_scores_as_a_ball():
    # Height: E a = 3/4, E a^2 = 3/5, variance 3/80; across: slope^2 E a^2 / 4 = 3/80.
    cone = constructed(N, seed=2)["cone"]
    assert cone.var(axis=0) == pytest.approx([3 / 80] * 3, rel=0.03)
    assert isoscore(cone) == pytest.approx(1, abs=2e-3)


def test_a_ball_and_a_cone_are_filled_evenly(clouds):
    d = clouds["ball"].shape[1]
    for radius in (np.linalg.norm(clouds["ball"], axis=1), clouds["cone"][:, 0]):
        assert kstest(radius**d, "uniform").pvalue > 1e-3


def test_a_cone_stays_within_its_slope(clouds):
    height, across = clouds["cone"][:, 0], clouds["cone"][:, 1:]
    assert (np.linalg.norm(across, axis=1) <= 0.5 * height).all()


def test_clouds_follow_their_seed():
    first, again, other = (constructed(10, seed=seed) for seed in (1, 1, 2))
    for name, cloud in first.items():
        assert cloud.shape == (10, 3)
        assert (cloud == again[name]).all()
        assert (cloud != other[name]).any()
