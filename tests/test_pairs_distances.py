"""Distances of pairs: against scikit-learn and against more digits, however they are reached."""

import tracemalloc

import numpy as np
import pytest
from sklearn.metrics.pairwise import (
    cosine_similarity,
    paired_cosine_distances,
    paired_euclidean_distances,
)

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.measures import mean_cosine_similarity
from plm_geometry.pairs import all_pairs, draw_pairs, pair_distances
from plm_geometry.pairs.distances import pairwise_cosines


def cloud(n, dim, dtype=np.float32):
    """Vectors around a common mean: where |a|^2 + |b|^2 - 2ab loses digits."""
    return (np.random.default_rng(0).standard_normal((n, dim)) + 5).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n_pairs", [20, 5_000], ids=["one by one", "by matrix"])
def test_distances_equal_scikit_learns(dtype, n_pairs):
    vectors = cloud(300, 64, dtype)
    first, second = draw_pairs(300, n_pairs, seed=1)
    found = pair_distances(vectors, first, second)
    a, b = vectors[first].astype(np.float64), vectors[second].astype(np.float64)
    np.testing.assert_allclose(
        found["cosine_similarity"], 1 - paired_cosine_distances(a, b), rtol=1e-13
    )
    np.testing.assert_allclose(
        found["squared_euclidean"], paired_euclidean_distances(a, b) ** 2, rtol=1e-12
    )


@pytest.mark.parametrize("step", [1e-1, 1e-2, 1e-3, 1e-5, 1e-7])
def test_squared_distances_keep_their_digits_between_near_copies(step):
    vectors = cloud(1, 200, np.float64) * (1 + step * np.random.default_rng(1).random((60, 200)))
    first, second = all_pairs(60)
    exact = vectors.astype(np.longdouble)
    squared = ((exact[first] - exact[second]) ** 2).sum(axis=1)
    found = pair_distances(vectors, first, second)["squared_euclidean"]
    np.testing.assert_allclose(found, squared.astype(np.float64), rtol=1e-10)


def test_vectors_of_very_unequal_lengths_keep_their_digits():
    vectors = np.random.default_rng(0).standard_normal((40, 16))
    vectors *= np.logspace(-8, 8, 40)[:, None]
    first, second = all_pairs(40)
    found = pair_distances(vectors, first, second)
    a, b = vectors[first], vectors[second]
    np.testing.assert_allclose(
        found["cosine_similarity"], 1 - paired_cosine_distances(a, b), atol=1e-14
    )
    np.testing.assert_allclose(
        found["squared_euclidean"], paired_euclidean_distances(a, b) ** 2, rtol=1e-10
    )


def test_a_pair_has_the_same_distance_whichever_others_are_asked_for():
    # Enough pairs for several tiles of proteins, some of them full, the last hardly filled.
    vectors = cloud(2_100, 16)
    first, second = draw_pairs(2_100, 200_000, seed=0)
    backwards = pair_distances(vectors, second[::-1], first[::-1])[::-1].reset_index(drop=True)
    together = pair_distances(vectors, first, second)
    alone = pair_distances(vectors, first[:300], second[:300])
    np.testing.assert_allclose(together, backwards, rtol=1e-10)
    np.testing.assert_allclose(together[:300], alone, rtol=1e-10)


def test_the_number_of_workers_changes_no_digit():
    vectors = cloud(2_100, 16)
    first, second = draw_pairs(2_100, 100_000, seed=0)
    one = pair_distances(vectors, first, second, workers=1)
    assert pair_distances(vectors, first, second, workers=3).equals(one)


@pytest.mark.parametrize("copies", [1, 50], ids=["one by one", "by matrix"])
def test_a_zero_vector_has_no_cosine_but_a_distance(copies):
    vectors = np.zeros((40, 2), dtype=np.float32)
    vectors[-1] = 3, 4
    first, second = np.tile([[0, 0, 39], [39, 0, 39]], copies)
    found = pair_distances(vectors, first, second)
    assert found["cosine_similarity"].isna().tolist() == [True, True, False] * copies
    assert found["squared_euclidean"].tolist() == [25, 0, 0] * copies


@pytest.mark.parametrize("length", [0.3, 1, 70.7])
def test_equal_vectors_have_a_cosine_of_one_and_not_of_its_rounding(length):
    vector = np.random.default_rng(3).normal(size=37)
    found = pair_distances(np.tile(length * vector, (9, 1)), *all_pairs(9))
    assert set(found["cosine_similarity"]) == {1.0}
    assert set(found["squared_euclidean"]) == {0.0}


def test_no_pairs_have_no_distances():
    none = np.empty(0, dtype=np.int64)
    found = pair_distances(cloud(5, 3), none, none)
    assert found.columns.tolist() == ["cosine_similarity", "squared_euclidean"]
    assert found.empty


@pytest.mark.parametrize("n", [5_000, 600], ids=["one by one", "by matrix"])
def test_memory_is_flat_in_the_width_of_the_vectors(n):
    # Each pair's two vectors take 8 KB, which all pairs at once would make 800 MB.
    vectors = cloud(n, 1024)
    first, second = draw_pairs(n, 100_000, seed=0)
    tracemalloc.start()
    pair_distances(vectors, first, second, workers=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_a_vector_without_a_length_is_refused_with_its_row(bad):
    vectors = np.ones((3, 2))
    vectors[2, 1] = bad
    with pytest.raises(InputError, match="vector 2"):
        pair_distances(vectors, np.array([0]), np.array([1]))


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_all_pairs_have_the_cosines_of_the_full_matrix(centre, kind):
    vectors = cloud(40, 8, kind)
    exact = vectors.astype(np.float64)
    matrix = cosine_similarity(exact - exact.mean(axis=0) if centre else exact)
    expected = np.sort(matrix[np.triu_indices(40, 1)])
    found = np.sort(pairwise_cosines(vectors, 10_000, seed=0, centre=centre))
    assert found == pytest.approx(expected, abs=1e-12)


def test_drawn_cosines_follow_their_seed():
    vectors = cloud(400, 8)
    drawn = pairwise_cosines(vectors, 20_000, seed=2)
    assert len(drawn) == 20_000
    assert (pairwise_cosines(vectors, 20_000, seed=2) == drawn).all()
    assert (pairwise_cosines(vectors, 20_000, seed=3) != drawn).any()
    assert drawn.mean() == pytest.approx(mean_cosine_similarity(vectors), abs=0.01)


def test_a_drawn_pair_with_a_zero_vector_has_no_cosine():
    vectors = cloud(3, 8)
    vectors[1] = 0
    assert np.isnan(pairwise_cosines(vectors, 3, seed=0)).sum() == 2
