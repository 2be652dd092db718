"""Remedies against independent references, and cross-fitting that keeps families apart."""

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

import plm_geometry
from plm_geometry.base.errors import InputError
from plm_geometry.isotropy import remedies
from plm_geometry.isotropy.remedies import (
    METHODS,
    AllButTheTop,
    Centring,
    Components,
    Residuals,
    Standardising,
    Whitening,
    WithoutRogues,
    cross_fitted,
    named,
)

SHAPES = [(60, 12), (30, 50)]  # more vectors than dimensions, and fewer


def cloud(n=60, d=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.exp(-np.arange(d) / 5) + rng.normal(size=d)


@pytest.mark.parametrize("shape", SHAPES)
def test_whitening_and_components_are_scikit_learns(shape):
    fitted, other = cloud(*shape), cloud(*shape, seed=1)
    for remedy, whiten in ((Whitening(5), True), (Components(5), False)):
        reference = PCA(5, whiten=whiten, svd_solver="full").fit(fitted).transform(other)
        found = remedy.fit(fitted).transform(other)
        np.testing.assert_allclose(np.abs(found), np.abs(reference), rtol=1e-8, atol=1e-10)


def test_standardising_is_scikit_learns():
    fitted, other = cloud(), cloud(seed=1)
    reference = StandardScaler().fit(fitted).transform(other)
    np.testing.assert_array_equal(Standardising().fit(fitted).transform(other), reference)


@pytest.mark.parametrize("shape", SHAPES)
def test_all_but_the_top_is_a_plain_loop(shape):
    fitted, other = cloud(*shape), cloud(*shape, seed=1)
    mean = fitted.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov(fitted.T))
    expected = []
    for vector in other:
        left = vector - mean
        for direction in directions.T[-3:]:
            left = left - direction * sum(direction * (vector - mean))
        expected.append(left)
    np.testing.assert_allclose(AllButTheTop(3).fit(fitted).transform(other), expected, atol=1e-10)


def test_the_rogue_is_the_coordinate_with_the_largest_mean_and_nothing_else_goes():
    fitted, other = cloud(), cloud(seed=1)
    fitted[:, 7] -= 40  # of either sign
    fitted[:, 2] += 20
    fitted[:, 4] += 30 * (-1) ** np.arange(60)  # varies most, and has no mean
    found = WithoutRogues(2).fit(fitted)
    assert found.dropped_.tolist() == [7, 2]
    kept = [0, 1, *range(3, 7), *range(8, 12)]
    np.testing.assert_array_equal(found.transform(other), other[:, kept])


def test_residuals_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    covariates, others = rng.normal(size=(2, 60, 4))
    fitted, other = cloud(), cloud(seed=1)
    design = np.column_stack([np.ones(60), covariates])
    slopes = np.linalg.lstsq(design, fitted, rcond=None)[0]
    expected = other - np.column_stack([np.ones(60), others]) @ slopes
    found = Residuals().fit(fitted, covariates).transform(other, others)
    np.testing.assert_allclose(found, expected, atol=1e-12)


CLOUDS = arrays(
    np.float64,
    st.tuples(st.integers(4, 30), st.integers(2, 12)),
    elements=st.integers(-9, 9).map(float),
)


@given(CLOUDS)
def test_whitened_training_vectors_have_the_identity_as_covariance(x):
    if not np.ptp(x, axis=0).any():
        with pytest.raises(InputError, match="do not differ"):
            Whitening().fit(x)
        return
    found = Whitening().fit(x).transform(x)
    assert found.shape[1] <= min(len(x) - 1, x.shape[1])
    np.testing.assert_allclose(found.T @ found / (len(x) - 1), np.eye(found.shape[1]), atol=1e-6)


@given(CLOUDS)
def test_centring_twice_is_centring_once(x):
    once = Centring().fit_transform(x)
    np.testing.assert_allclose(Centring().fit_transform(once), once, atol=1e-12)
    np.testing.assert_allclose(once.mean(axis=0), 0, atol=1e-12)


def test_directions_that_vary_by_rounding_only_are_not_whitened():
    shares = np.random.default_rng(0).dirichlet(np.ones(20), 100).astype(np.float32)
    assert Whitening().fit(shares).n_components_ == 19  # they add up to 1
    many = np.random.default_rng(0).dirichlet(np.ones(20), 5_000)
    assert Whitening().fit(many).n_components_ == 19


def test_single_precision_is_computed_in_double():
    x = cloud().astype(np.float32)
    for method in METHODS:
        remedy = named(method, 3 if method in ("whitening", "components") else None)
        found = remedy.fit(x).transform(x)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, remedy.fit(x.astype(np.float64)).transform(x), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_remedy_leaves_what_it_is_given_as_it_is(method):
    x = cloud()
    before = x.copy()
    named(method, 3 if method == "components" else None).fit(x).transform(x)
    np.testing.assert_array_equal(x, before)


FAMILIES = np.repeat(np.arange(30), [1, 2, 3] * 10)


class Spy(Centring):
    """Notes the marks, in the first coordinate, of what it is fitted on and judged on."""

    seen: ClassVar[list] = []

    def fit(self, x, y=None):
        self.fitted_on = set(x[:, 0])
        return super().fit(x)

    def transform(self, x):
        self.seen.append((self.fitted_on, set(x[:, 0])))
        return super().transform(x)


@pytest.mark.parametrize("n_folds", [2, 5])
def test_no_protein_is_judged_by_a_remedy_fitted_on_its_family(n_folds):
    Spy.seen = []
    x = np.column_stack([np.arange(60.0), FAMILIES])
    folds = list(cross_fitted(Spy(), x, FAMILIES, n_folds=n_folds, seed=3))
    assert sorted(row for fold in folds for row in fold.judged) == list(range(60))
    for fold, (fitted, judged) in zip(folds, Spy.seen, strict=True):
        assert set(fold.fitted) == fitted
        assert set(fold.judged) == judged
        of = [set(FAMILIES[[int(mark) for mark in marks]]) for marks in (fitted, judged)]
        assert of[0].isdisjoint(of[1])
        np.testing.assert_array_equal(fold.vectors, x[fold.judged] - x[fold.fitted].mean(axis=0))


def test_without_a_remedy_the_same_folds_hold_the_vectors_as_they_are():
    x = cloud()
    raw, centred = (list(cross_fitted(what, x, FAMILIES)) for what in (None, Centring()))
    for one, other in zip(raw, centred, strict=True):
        np.testing.assert_array_equal(one.judged, other.judged)
        np.testing.assert_array_equal(one.vectors, x[one.judged])


def test_covariates_are_divided_as_the_vectors_are():
    covariates = np.random.default_rng(0).normal(size=(60, 3))
    x = covariates @ np.random.default_rng(1).normal(size=(3, 12)) + 5
    for fold in cross_fitted(Residuals(), x, FAMILIES, covariates):
        np.testing.assert_allclose(fold.vectors, 0, atol=1e-12)


def test_a_remedy_given_to_cross_fitting_stays_unfitted():
    remedy = Centring()
    list(cross_fitted(remedy, cloud(), FAMILIES))
    assert not hasattr(remedy, "n_features_in_")


@pytest.mark.parametrize(
    ("remedy", "x", "words"),
    [
        (Whitening(13), cloud(), "13 components were asked for, .* have 12"),
        (Whitening(40), cloud(30, 50), "have 29"),
        (AllButTheTop(0), cloud(), "0 components"),
        (WithoutRogues(12), cloud(), "12 coordinates dropped .* have 11"),
        (Centring(), cloud(1), "1 vectors are too few"),
        (Centring(), cloud()[0], r"of shape \(12,\)"),
        (Centring(), np.full((3, 2), np.nan), "finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(remedy, x, words):
    with pytest.raises(InputError, match=words):
        remedy.fit(x)


def test_vectors_of_another_width_are_refused():
    with pytest.raises(InputError, match=r"fitted on vectors of 12 dimensions .* those of 50"):
        Centring().fit(cloud()).transform(cloud(30, 50))


def test_a_method_is_found_by_its_name_and_a_misspelt_one_gets_a_suggestion():
    assert repr(named("all-but-top", 5)) == "AllButTheTop(components=5)"
    assert repr(named("components", 5)) == "Components(n=5)"
    with pytest.raises(InputError, match="did you mean whitening"):
        named("whiten")
    with pytest.raises(InputError, match="choose centring, standardising"):
        named("xyz")
    with pytest.raises(InputError, match="centring takes no number"):
        named("centring", 3)


def test_the_package_offers_them():
    assert plm_geometry.remedies is remedies
