"""The figure of a file of vectors shows the numbers it was given."""

import numpy as np
import pytest

from plm_geometry.figures.vectors import vector_file
from plm_geometry.isotropy.measures import interval_row, isotropy_row
from plm_geometry.isotropy.moments import merge_all, random_parts
from plm_geometry.isotropy.spectrum import coordinate_shares, eigenvalues


@pytest.fixture
def measured():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((300, 12)) * np.arange(1, 13) ** -1.0 + rng.standard_normal(12)
    parts = random_parts([vectors], 10, seed=0)
    whole = merge_all(parts)
    return whole, isotropy_row(whole) | interval_row(whole, map(whole.without, parts))


def drawn(measured, **changes):
    whole, row = measured
    return vector_file(row | changes, eigenvalues(whole), coordinate_shares(whole), "mine")


def words(axes):
    return " ".join(text.get_text() for text in axes.texts)


def test_the_spectrum_adds_up_to_one_and_marks_the_effective_dimensions(measured):
    axes = drawn(measured).axes[0]
    shares = axes.lines[0].get_ydata()
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert shares.sum() == pytest.approx(1)
    assert 1 / (shares**2).sum() == pytest.approx(axes.lines[1].get_xdata()[0])
    assert "effective dimensions" in words(axes)


def test_the_coordinates_add_up_to_the_mean_cosine(measured):
    as_they_are, alike = drawn(measured).axes[1].lines
    mean_cosine = measured[1]["mean_cosine_similarity"]
    assert as_they_are.get_ydata()[-1] == pytest.approx(mean_cosine)
    assert alike.get_ydata()[-1] == pytest.approx(mean_cosine)
    assert (as_they_are.get_ydata()[:-1] > alike.get_ydata()[:-1]).all()


def test_the_measures_are_written_with_their_intervals(measured):
    _, row = measured
    for axes, name in zip(drawn(measured).axes[2:], ["effective_dimensions",
                                                     "mean_cosine_similarity"],
                          strict=True):  # fmt: skip
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        assert words(axes) == f"{row[name]:.4g} ({low:.4g} to {high:.4g})"
        assert tuple(axes.lines[0].get_xdata()) == (low, high)


def test_what_is_not_known_is_said(measured):
    whole, row = measured
    unknown = dict.fromkeys([name for name in row if "_low" in name or "_high" in name])
    unknown |= {"mean_cosine_similarity": None}
    figure = vector_file(row | unknown, eigenvalues(whole), None, "mine")
    assert words(figure.axes[1]) == "not known"
    assert words(figure.axes[3]) == "not defined"
    assert words(figure.axes[2]) == f"{row['effective_dimensions']:.4g}"


def test_the_title_says_whose_and_how_many_vectors(measured):
    assert drawn(measured).get_suptitle() == "mine: 300 vectors of 12 dimensions"
