"""Every yardstick against an independent computation, its invariances and its closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IsoScore import IsoScore as reference
from scipy.spatial import cKDTree
from sklearn.metrics.pairwise import cosine_similarity

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.clouds import constructed
from plm_geometry.isotropy.measures import isoscore, mean_cosine_similarity
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.yardsticks import (
    intrinsic_dimension,
    isoscore_star,
    mean_cosine_centred,
    partition_isotropy,
    yardsticks,
)

NAMES = [
    "isoscore",
    "isoscore_star",
    "effective_dimensions",
    "entropy_rank",
    "entropy_rank_singular",
    "mean_cosine_similarity",
    "mean_cosine_centred",
    "partition_isotropy",
    "share_first_1",
    "share_first_3",
    "share_first_10",
    "intrinsic_dimension",
]


def cloud(seed, n=300, d=8):
    """A cloud with unequal variances, correlations and a mean of its own."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def rotated(vectors, seed):
    d = vectors.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))
    return vectors @ rotation


# IsoScore*


@pytest.mark.parametrize("zeta", [0.0, 0.3, 1.0])
def test_isoscore_star_of_one_batch_is_that_of_the_reference_package(zeta):
    batch, whole = cloud(0, n=20), cloud(1)
    expected = reference.IsoScore_star(batch, np.cov(whole.T), zeta)
    found = isoscore_star(batch, whole=Moments.from_vectors(whole), zeta=zeta)
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_isoscore_star_is_the_mean_over_batches_of_distinct_vectors():
    vectors = cloud(2)
    order = np.random.default_rng(7).permutation(300)
    expected = [
        reference.IsoScore_star(vectors[order[i : i + 40]], np.cov(vectors.T), 0.2)
        for i in (0, 40, 80)
    ]
    found = isoscore_star(vectors, zeta=0.2, batch_size=40, n_batches=3, seed=7)
    assert found == pytest.approx(float(np.mean(expected)), abs=1e-6)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), zeta=st.floats(0, 1))
def test_isoscore_star_of_everything_in_one_batch_is_isoscore(seed, zeta):
    vectors = cloud(seed)
    found = isoscore_star(vectors, zeta=zeta, batch_size=300, seed=seed)
    assert found == pytest.approx(isoscore(vectors), rel=1e-9)


def test_isoscore_star_leads_from_the_batches_to_the_whole_set():
    vectors = cloud(3, d=40)
    by_zeta = [isoscore_star(vectors, zeta=zeta, batch_size=10) for zeta in (0, 0.3, 0.7, 1)]
    assert by_zeta == sorted(by_zeta)
    assert by_zeta[0] < 0.8 * by_zeta[-1]
    assert by_zeta[-1] == pytest.approx(isoscore(vectors), rel=1e-9)


@pytest.mark.parametrize(
    "options", [{"zeta": 1.5}, {"zeta": -0.1}, {"batch_size": 1}, {"n_batches": 0}]
)
def test_impossible_batches_are_refused(options):
    with pytest.raises(InputError, match="at least one batch of at least two"):
        isoscore_star(cloud(4), **options)


# Mean cosine after centring


@pytest.mark.parametrize("kind", ["float64", "float32", "float16"])
def test_the_centred_mean_cosine_is_that_of_the_full_matrix(kind, monkeypatch):
    monkeypatch.setattr("plm_geometry.isotropy.yardsticks._BLOCK_BYTES", 7 * 8 * 8)
    vectors = (cloud(5) + 3).astype(kind)
    exact = vectors.astype("float64")
    matrix = cosine_similarity(exact - exact.mean(axis=0))
    over_pairs = matrix[~np.eye(300, dtype=bool)].mean()
    tolerance = 1e-14 if kind == "float64" else 1e-8
    assert mean_cosine_centred(vectors) == pytest.approx(over_pairs, abs=tolerance)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), shift=st.floats(-100, 100), scale=st.floats(1e-3, 1e3))
def test_a_shift_scale_or_rotation_does_not_change_the_centred_mean_cosine(seed, shift, scale):
    vectors = cloud(seed)
    found = mean_cosine_centred((rotated(vectors, seed) + shift) * scale)
    assert found == pytest.approx(mean_cosine_centred(vectors), abs=1e-10)


def test_a_vector_at_the_mean_leaves_the_centred_cosine_undefined():
    assert (
        mean_cosine_centred(np.array([[1.0, 0], [3.0, 0], [2.0, 1], [2.0, -1], [2.0, 0]])) is None
    )
    with pytest.raises(InputError, match="at least two"):
        mean_cosine_centred(np.ones((1, 3)))


# Partition function


def partition_by_loops(vectors):
    """Mu and Viswanath (2018), on vectors of mean length 1 and directions of both signs."""
    vectors = vectors / np.mean([math.sqrt(v @ v) for v in vectors])
    z = [
        sum(math.exp(sign * (c @ v)) for v in vectors)
        for c in np.linalg.svd(vectors)[2]
        for sign in (1, -1)
    ]
    return min(z) / max(z)


@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_partition_isotropy_is_that_of_plain_loops(shift, monkeypatch):
    monkeypatch.setattr("plm_geometry.isotropy.yardsticks._BLOCK_BYTES", 7 * 8 * 8)
    vectors = cloud(6) + shift
    assert partition_isotropy(vectors) == pytest.approx(partition_by_loops(vectors), rel=1e-9)


def test_partition_isotropy_in_float32_keeps_six_digits():
    vectors = cloud(7) + 5
    found = partition_isotropy(vectors.astype("float32"))
    assert found == pytest.approx(partition_isotropy(vectors), rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), exponent=st.floats(-20, 20))
def test_scale_rotation_and_reflection_do_not_change_the_partition(seed, exponent):
    vectors = cloud(seed)
    expected = partition_isotropy(vectors)
    assert partition_isotropy(vectors * 10**exponent) == pytest.approx(expected, rel=1e-8)
    assert partition_isotropy(rotated(vectors, seed)) == pytest.approx(expected, rel=1e-8)
    assert partition_isotropy(-vectors) == pytest.approx(expected, rel=1e-8)


def test_equal_vectors_have_the_partition_isotropy_of_their_two_directions():
    assert partition_isotropy(np.full((9, 4), 0.3)) == pytest.approx(math.exp(-2), rel=1e-12)


def test_partition_isotropy_does_not_overflow():
    vectors = cloud(8, n=10_000)
    vectors[0] *= 1e6  # its exponent is in the thousands
    assert partition_isotropy(vectors) == pytest.approx(0, abs=1e-300)
    assert partition_isotropy(np.zeros((3, 2))) is None


# TwoNN


def two_nn_by_hand(vectors):
    """Facco et al. (2017): a line through the origin, without the largest tenth of ratios."""
    distances, _ = cKDTree(vectors).query(vectors, k=3)
    ratios = np.sort(distances[:, 2] / distances[:, 1])
    kept = int(0.9 * len(ratios))
    x, y = np.log(ratios), -np.log1p(-np.arange(1, kept + 1) / len(ratios))
    return (x[:kept] @ y) / (x[:kept] @ x[:kept])


def test_intrinsic_dimension_is_that_of_the_published_fit():
    vectors = cloud(9, n=1000)
    assert intrinsic_dimension(vectors) == pytest.approx(two_nn_by_hand(vectors), rel=1e-6)


@pytest.mark.parametrize(("name", "dimension"), [("line", 1), ("disc", 2), ("ball", 3)])
def test_intrinsic_dimension_is_that_of_the_cloud_in_whatever_space(name, dimension):
    embedded = rotated(np.pad(constructed(5000, seed=3)[name], ((0, 0), (0, 17))), 0)
    assert intrinsic_dimension(embedded) == pytest.approx(dimension, rel=0.05)


def test_a_curved_line_has_one_intrinsic_dimension():
    angle = np.random.default_rng(4).uniform(0, 6 * np.pi, 3000)
    spiral = np.stack([np.cos(angle), np.sin(angle), angle / 10], axis=1)
    assert intrinsic_dimension(spiral) == pytest.approx(1, rel=0.05)


def test_repeated_vectors_do_not_change_the_intrinsic_dimension():
    vectors = cloud(10)
    repeated = np.concatenate([vectors, vectors[::2], vectors[:5]])
    assert intrinsic_dimension(repeated) == pytest.approx(intrinsic_dimension(vectors), rel=1e-12)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), shift=st.floats(-10, 10), scale=st.floats(1e-3, 1e3))
def test_shift_scale_and_rotation_do_not_change_the_intrinsic_dimension(seed, shift, scale):
    vectors = cloud(seed)
    found = intrinsic_dimension((rotated(vectors, seed) + shift) * scale)
    assert found == pytest.approx(intrinsic_dimension(vectors), rel=1e-6)


def test_many_vectors_are_sampled_by_the_seed():
    vectors = cloud(11)
    rows = np.random.default_rng(1).permutation(300)[:100]
    found = intrinsic_dimension(vectors, seed=1, max_vectors=100)
    assert found == pytest.approx(two_nn_by_hand(vectors[rows]), rel=1e-6)
    assert found != intrinsic_dimension(vectors, seed=2, max_vectors=100)


@pytest.mark.parametrize("vectors", [np.eye(6), np.ones((9, 4)), np.arange(8.0).reshape(2, 4)])
def test_too_few_or_too_regular_vectors_have_no_intrinsic_dimension(vectors):
    with pytest.raises(InputError, match="at least three"):
        intrinsic_dimension(vectors)


# All side by side


def test_the_yardsticks_disagree_on_the_constructed_clouds():
    rows = {name: yardsticks(v) for name, v in constructed(2000, seed=5).items()}
    assert all(list(row) == NAMES for row in rows.values())
    assert [round(rows[name]["entropy_rank"]) for name in ("line", "disc", "ball")] == [1, 2, 3]
    # What is taken from the covariance does not see where a cloud lies; the others do.
    ball, shifted, cone = rows["ball"], rows["shifted ball"], rows["cone"]
    for name in set(NAMES) - {"mean_cosine_similarity", "partition_isotropy"}:
        assert shifted[name] == pytest.approx(ball[name], rel=1e-6, abs=1e-9)
    assert shifted["partition_isotropy"] < 0.2 < 0.9 < ball["partition_isotropy"]
    # A cone from the origin: isotropic by its covariance, all in one direction by its cosine.
    assert cone["isoscore"] > 0.99
    assert cone["mean_cosine_similarity"] > 0.85
    assert cone["mean_cosine_centred"] == pytest.approx(0, abs=1e-3)


def test_a_row_holds_what_the_functions_return():
    vectors = cloud(12).astype("float32")
    row = yardsticks(vectors, seed=3)
    assert row["isoscore"] == isoscore(vectors)
    assert row["isoscore_star"] == isoscore_star(vectors, seed=3)
    assert row["mean_cosine_similarity"] == mean_cosine_similarity(vectors)
    assert row["mean_cosine_centred"] == mean_cosine_centred(vectors)
    assert row["partition_isotropy"] == partition_isotropy(vectors)
    assert row["intrinsic_dimension"] == intrinsic_dimension(vectors, seed=3)
    assert row["share_first_1"] < row["share_first_3"] < row["share_first_10"] == 1


def undefined(vectors):
    return {name for name, value in yardsticks(vectors).items() if math.isnan(value)}


def test_a_degenerate_cloud_has_missing_values_and_no_exception():
    needs_spread = set(NAMES) - {"mean_cosine_similarity", "partition_isotropy"}
    assert undefined(np.full((20, 5), 0.3, dtype="float32")) == needs_spread
    assert undefined(np.ones((1, 5))) == needs_spread | {"mean_cosine_similarity"}
    assert undefined(np.zeros((4, 5))) == set(NAMES)
    assert undefined(np.empty((0, 5))) == set(NAMES)
    assert undefined(cloud(13, n=2)) == {"intrinsic_dimension"}
    assert undefined(cloud(13, d=1)) == {"isoscore", "isoscore_star"}
    with_zero = cloud(14)
    with_zero[0] = 0
    assert undefined(with_zero) == {"mean_cosine_similarity"}


def test_vectors_that_are_not_finite_are_refused():
    vectors = cloud(15)
    vectors[6, 2] = np.nan
    with pytest.raises(InputError, match="row 6 holds NaN"):
        yardsticks(vectors)
