"""Spectrum and coordinates against independent computations and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.decomposition import PCA

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.measures import effective_dimensions, mean_cosine_similarity
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.spectrum import (
    coordinate_shares,
    eigenvalues,
    entropy_rank,
    entropy_rank_singular,
    share_of_first,
)


def cloud(seed, n=200, d=12):
    """A cloud with unequal variances, correlations and a mean of its own."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def test_eigenvalues_are_the_variances_of_the_principal_components():
    vectors = cloud(0)
    found = eigenvalues(Moments.from_vectors(vectors))
    assert found == pytest.approx(PCA().fit(vectors).explained_variance_, rel=1e-9)
    assert (np.diff(found) <= 0).all()


def test_few_vectors_have_no_eigenvalues_beyond_what_they_span():
    vectors = cloud(1, n=5).astype("float32")
    found = eigenvalues(Moments.from_vectors(vectors))
    assert found[:4] == pytest.approx(PCA().fit(vectors).explained_variance_[:4], rel=1e-4)
    assert (found[4:] == 0).all()


def test_rounding_in_float32_hardly_changes_the_singular_rank_of_few_vectors():
    vectors = cloud(2, n=30, d=200) * np.arange(1, 201) ** -1.0
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)[:29]
    found = entropy_rank_singular(eigenvalues(Moments.from_vectors(vectors.astype("float32"))))
    assert found == pytest.approx(np.exp(entropy(singular)), rel=1e-4)


@pytest.mark.parametrize("k", [1, 2, 7])
def test_equal_eigenvalues_have_the_entropy_rank_of_their_number(k):
    spectrum = np.r_[np.full(k, 2.5), np.zeros(4)]
    assert entropy_rank(spectrum) == pytest.approx(k, rel=1e-12)
    assert entropy_rank_singular(spectrum) == pytest.approx(k, rel=1e-12)


def test_entropy_ranks_are_those_of_covariance_and_data_matrix():
    vectors = cloud(3)
    singular = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    spectrum = eigenvalues(Moments.from_vectors(vectors))
    assert entropy_rank(spectrum) == pytest.approx(np.exp(entropy(singular**2)), rel=1e-9)
    assert entropy_rank_singular(spectrum) == pytest.approx(np.exp(entropy(singular)), rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_the_effective_dimensions_and_ranks_keep_their_order(seed):
    # Renyi entropies of order 2 and 1 of one spectrum, and order 1 of a flatter one.
    vectors = cloud(seed)
    spectrum = eigenvalues(Moments.from_vectors(vectors))
    in_order = [
        1,
        effective_dimensions(vectors),
        entropy_rank(spectrum),
        entropy_rank_singular(spectrum),
        12,
    ]
    assert in_order == sorted(in_order)


def test_shares_of_the_first_components_are_those_of_pca():
    vectors = cloud(4)
    ratios = PCA().fit(vectors).explained_variance_ratio_
    spectrum = eigenvalues(Moments.from_vectors(vectors))
    for k in (1, 3, 10):
        assert share_of_first(spectrum, k) == pytest.approx(ratios[:k].sum(), rel=1e-9)
    assert share_of_first(spectrum, 100) == 1


@pytest.mark.parametrize(
    "measure", [entropy_rank, entropy_rank_singular, lambda values: share_of_first(values, 1)]
)
def test_no_spread_has_no_spectrum(measure):
    with pytest.raises(InputError, match="all vectors are the same"):
        measure(np.zeros(5))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_coordinate_shares_add_up_to_the_mean_cosine(seed):
    moments = Moments.from_vectors(cloud(seed))
    assert coordinate_shares(moments).sum() == pytest.approx(
        mean_cosine_similarity(moments), rel=1e-10, abs=1e-13
    )


def test_coordinate_shares_are_those_of_a_plain_loop():
    vectors = cloud(5, n=9, d=4)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    products = [units[i] * units[j] for i in range(9) for j in range(9) if i != j]
    expected = np.mean(products, axis=0)
    assert coordinate_shares(Moments.from_vectors(vectors)) == pytest.approx(expected, rel=1e-10)


def test_a_rogue_coordinate_brings_the_mean_cosine():
    vectors = np.random.default_rng(6).standard_normal((500, 20))
    vectors[:, 7] += 30
    shares = coordinate_shares(Moments.from_vectors(vectors))
    assert shares.argmax() == 7
    assert shares[7] / shares.sum() > 0.99


def test_a_zero_vector_leaves_the_shares_undefined_and_one_vector_has_no_pairs():
    vectors = cloud(7)
    vectors[3] = 0
    assert np.isnan(coordinate_shares(Moments.from_vectors(vectors))).all()
    with pytest.raises(InputError, match="at least two"):
        coordinate_shares(Moments.from_vectors(vectors[:1]))
