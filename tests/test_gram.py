"""Inner products against moments, and against the matrix of all of them."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from plm_geometry.errors import InputError
from plm_geometry.gram import Gram
from plm_geometry.isotropy import interval, interval_row, isotropy_row, mean_cosine_similarity
from plm_geometry.moments import Moments
from plm_geometry.spectrum import eigenvalues


def cloud(n=40, d=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) * np.arange(1, d + 1) ** -0.5 + rng.standard_normal(d)


def gram_of(vectors, width=70):
    return Gram.from_coordinates(
        vectors[:, start : start + width].T for start in range(0, vectors.shape[1], width)
    )


@pytest.mark.parametrize("width", [1, 70, 300])
@pytest.mark.parametrize("distance", [0, 1000])
def test_inner_products_give_the_isotropy_that_moments_give(width, distance):
    vectors = cloud() + distance
    assert isotropy_row(gram_of(vectors, width)) == pytest.approx(isotropy_row(vectors), rel=1e-9)


def test_mean_cosine_is_the_mean_of_the_full_matrix():
    vectors = cloud()
    matrix = cosine_similarity(vectors)
    over_pairs = matrix[~np.eye(len(vectors), dtype=bool)].mean()
    assert mean_cosine_similarity(gram_of(vectors)) == pytest.approx(over_pairs, rel=1e-12)


def test_a_subset_is_that_of_its_vectors():
    vectors = cloud()
    rows = np.array([3, 4, 17, 30, 39])
    subset = gram_of(vectors).subset(rows)
    assert isotropy_row(subset) == pytest.approx(isotropy_row(vectors[rows]), rel=1e-9)
    assert isotropy_row(subset.subset([0, 2, 4])) == pytest.approx(
        isotropy_row(vectors[rows[[0, 2, 4]]]), rel=1e-9
    )


def test_the_intervals_are_those_of_moments():
    vectors = cloud()
    gram = gram_of(vectors)
    row = interval_row(gram, (gram.subset(np.delete(np.arange(40), i)) for i in range(40)))
    blocks = [Moments.from_vectors(vector[None]) for vector in vectors]
    expected = interval(blocks, mean_cosine_similarity)
    ends = row["mean_cosine_similarity_low"], row["mean_cosine_similarity_high"]
    assert ends == pytest.approx((expected.low, expected.high), rel=1e-7)


def test_the_spectrum_is_that_of_the_covariance():
    vectors = cloud()
    np.testing.assert_allclose(
        eigenvalues(gram_of(vectors)), eigenvalues(Moments.from_vectors(vectors))[:40], atol=1e-12
    )


def test_zero_vectors_leave_only_the_cosine_undefined():
    vectors = cloud()
    vectors[7] = 0
    row = isotropy_row(gram_of(vectors))
    assert (row["n_zero"], row["mean_cosine_similarity"]) == (1, None)
    assert row["isoscore"] == pytest.approx(isotropy_row(vectors)["isoscore"], rel=1e-9)


def test_equal_vectors_are_refused():
    with pytest.raises(InputError, match="all 7 vectors are the same"):
        isotropy_row(gram_of(np.full((7, 300), 0.1)))


def test_one_vector_is_refused():
    with pytest.raises(InputError, match="1 vector has no covariance"):
        isotropy_row(gram_of(cloud(n=1)))
    with pytest.raises(InputError, match="1 vector has no covariance"):
        _ = gram_of(cloud(n=1)).covariance


@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_a_value_that_is_not_finite_is_named_by_its_vector(value, what):
    vectors = cloud()
    vectors[29, 100] = value
    with pytest.raises(InputError, match=f"row 29 holds {what}"):
        gram_of(vectors)
    names = [f"P{i}" for i in range(40)]
    with pytest.raises(InputError, match=r"row 29 \(P29\)"):
        Gram.from_coordinates([vectors.T], names=names)


@pytest.mark.parametrize("value", [1e200, 1e-200])
def test_squares_beyond_double_precision_are_refused(value):
    vectors = cloud()
    vectors[5] = value
    with pytest.raises(InputError, match="squared length beyond floating point"):
        gram_of(vectors)


@pytest.mark.parametrize("kind", ["float16", "float32", "int16", "bool"])
def test_narrow_types_are_computed_in_double_precision(kind):
    vectors = (cloud() > 0 if kind == "bool" else 10 * cloud()).astype(kind)
    expected = isotropy_row(vectors.astype(float))
    assert isotropy_row(gram_of(vectors)) == pytest.approx(expected, rel=1e-9)
