"""Subsets of a cloud of known dimensions: bias and spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.convergence import convergence
from plm_geometry.isotropy.measures import effective_dimensions

SPECTRUM = 1 / np.sqrt(np.arange(1, 17))
TRUE_DIMENSIONS = SPECTRUM.sum() ** 2 / (SPECTRUM**2).sum()


def gaussian(seed, n):
    return np.random.default_rng(seed).standard_normal((n, 16)) * np.sqrt(SPECTRUM)


@pytest.fixture(scope="module")
def table():
    return convergence(gaussian(0, 8000), seed=1, draws=40)


def test_the_estimate_of_the_whole_set_is_its_score():
    vectors = gaussian(1, 1000)
    last = convergence(vectors, seed=0, draws=3).iloc[-1]
    whole = effective_dimensions(vectors)
    assert last["n"] == 1000
    assert last[["effective_dimensions", "low", "high"]].tolist() == pytest.approx([whole] * 3)


def test_subsets_are_nested_beginnings_of_random_orders():
    vectors = gaussian(2, 300)
    rng = np.random.default_rng(5)
    orders = [rng.permutation(300) for _ in range(2)]
    found = convergence(vectors, seed=5, draws=2)
    for n, median in zip(found["n"], found["effective_dimensions"], strict=True):
        plain = [effective_dimensions(vectors[order[:n]]) for order in orders]
        assert median == pytest.approx(np.mean(plain), rel=1e-10)


def test_sizes_are_halved_from_the_whole_set_or_from_16384():
    assert convergence(gaussian(3, 1000), seed=0, draws=2)["n"].tolist() == [
        62, 125, 250, 500, 1000
    ]  # fmt: skip
    assert convergence(gaussian(3, 20), seed=0, draws=2)["n"].tolist() == [20]
    largest = convergence(gaussian(3, 20_000), seed=0, draws=2)["n"]
    assert (largest.iloc[0], largest.iloc[-1]) == (32, 16_384)


def test_the_plain_estimate_is_low_by_the_law_and_the_corrected_one_is_not(table):
    few = table.iloc[0]
    assert few["n"] == 62
    # Of n Gaussian vectors, 1/PR is too large by about 1/n.
    predicted = 1 / (1 / TRUE_DIMENSIONS + 1 / 62)
    assert few["effective_dimensions"] == pytest.approx(predicted, rel=0.03)
    assert few["effective_dimensions"] < 0.9 * TRUE_DIMENSIONS
    assert table["corrected"].to_numpy() == pytest.approx(TRUE_DIMENSIONS, rel=0.05)
    assert table["corrected"].iloc[-1] == pytest.approx(TRUE_DIMENSIONS, rel=0.01)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10))
def test_scale_shift_and_rotation_change_nothing(seed, scale, shift):
    vectors = gaussian(seed, 100)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((16, 16)))
    found = convergence((vectors @ rotation + shift) * scale, seed=1, draws=3)
    expected = convergence(vectors, seed=1, draws=3)
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6, nan_ok=True)


def test_blocks_of_rows_change_nothing(monkeypatch):
    vectors = gaussian(4, 200)
    at_once = convergence(vectors, seed=0, draws=2)
    monkeypatch.setattr("plm_geometry.isotropy.convergence._BLOCK_ELEMENTS", 16 * 7)
    in_blocks = convergence(vectors, seed=0, draws=2)
    assert in_blocks.to_numpy() == pytest.approx(at_once.to_numpy(), rel=1e-9, nan_ok=True)


def test_fewer_than_four_vectors_are_refused():
    with pytest.raises(InputError, match="3 vectors have no subsets"):
        convergence(gaussian(5, 3), seed=0)
