"""Rows of the isotropy tables: intervals that hold their estimate, shares that add up."""

import numpy as np
import pytest

from plm_geometry.isotropy.measures import effective_dimensions, isotropy_row
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.isotropy.tables import (
    dimensions_or_nan,
    measured,
    ordered_letters,
    variance_shares,
)


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return rng.normal(size=(400, 6)) * np.arange(1, 7) + 2


def blocks_of(vectors, n):
    return [Moments.from_vectors(part) for part in np.array_split(vectors, n)]


def test_a_row_is_the_plain_measures_and_intervals_around_the_corrected_ones(vectors):
    whole = Moments.from_vectors(vectors)
    row = measured(whole, blocks_of(vectors, 10))
    assert isotropy_row(whole).items() <= row.items()
    corrected = row["effective_dimensions_corrected"]
    assert row["effective_dimensions_low"] < corrected < row["effective_dimensions_high"]
    # 1/PR of N vectors is too large by about 1/N.
    assert row["effective_dimensions"] < corrected < row["effective_dimensions"] * 1.05
    assert row["isoscore_low"] == pytest.approx((row["effective_dimensions_low"] - 1) / 5)


def test_fewer_than_ten_blocks_give_no_interval(vectors):
    empty = Moments.empty(6)
    row = measured(Moments.from_vectors(vectors), [*blocks_of(vectors, 9), empty, empty])
    assert np.isnan([row["isoscore_low"], row["effective_dimensions_corrected"]]).all()
    assert row["isoscore"] > 0


def test_a_cloud_without_spread_is_missing_not_an_error():
    same = np.ones((20, 3))
    row = measured(Moments.from_vectors(same), blocks_of(same, 10))
    assert (row["n"], row["d"]) == (20, 3)
    assert np.isnan([row["isoscore"], row["isoscore_low"], row["mean_cosine_similarity"]]).all()


def test_dimensions_are_missing_where_there_is_one_vector_or_one_value(vectors):
    assert dimensions_or_nan(Moments.from_vectors(vectors)) == effective_dimensions(vectors)
    for few in (vectors[:0], vectors[:1], np.ones((20, 3))):
        assert np.isnan(dimensions_or_nan(Moments.from_vectors(few)))


def test_variance_between_and_within_amino_acids_are_those_of_a_plain_loop(vectors):
    labels = np.random.default_rng(1).choice(list("ACX"), size=len(vectors))
    letters = {a: Moments.from_vectors(vectors[labels == a]) for a in "ACX"}
    mean = vectors.mean(axis=0)
    within = sum(((vectors[labels == a] - vectors[labels == a].mean(axis=0)) ** 2).sum()
                 for a in "ACX")  # fmt: skip
    total = ((vectors - mean) ** 2).sum()
    shares = variance_shares(letters)
    assert shares["within"] == pytest.approx(within / total, rel=1e-12)
    assert shares["between"] == pytest.approx(1 - within / total, rel=1e-9)
    assert np.trace(merge_all(list(letters.values())).scatter) == pytest.approx(total)


def test_standard_residues_come_first():
    assert ordered_letters(dict.fromkeys("XYBA")) == ["A", "Y", "B", "X"]
