"""Amino acids: their order by side chains, their dimensions, the variance between them."""

import numpy as np
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.paper import published

BY_CLASS = "GAVLIMPFWYSTCNQKRHDE"


@pytest.fixture
def local():
    return published.beside_local(frames.local_isotropy())


def test_amino_acids_are_ordered_by_class_without_other_letters(local):
    assert figures.residue_order(local.residue) == list(BY_CLASS)


def test_where_no_amino_acid_has_a_spread_the_figure_says_so(local):
    figure = figures.local_spread(local.assign(effective_dimensions=np.nan))
    said = " ".join(frames.texts(figure)).replace("\n", " ")
    assert "the residues of no amino acid differ" in said


def test_the_spread_of_amino_acids_shows_means_and_the_published_average(local):
    figure = figures.local_spread(local)
    twenty = local[local.residue.isin(list(BY_CLASS))]
    means = twenty.groupby("title", sort=False).effective_dimensions.mean().dropna()
    dots, marks, average = figure.axes[0].collections
    assert np.allclose(dots.get_offsets()[:, 0], twenty.effective_dimensions.dropna())
    assert np.allclose([ends[0, 0] for ends in marks.get_segments()], means)
    assert np.array_equal(average.get_segments()[0], [[14, -0.5], [14, 0.5]])
    assert "published: about 14" in frames.texts(figure)


def test_without_a_published_average_none_is_drawn(local):
    figure = figures.local_spread(local.assign(published_dimensions=np.nan))
    assert not [text for text in frames.texts(figure) if text.startswith("published")]


def test_variance_between_and_within_fill_the_bar():
    frame = frames.MODELS.assign(between=[0.25, 0.5, 1.0], within=[0.75, 0.5, 0.0])
    figure = figures.local_variance(frame)
    between, within = figure.axes[0].containers
    ends = [bar.get_x() + bar.get_width() for bar in within]
    assert np.allclose(ends, 1)
    assert np.allclose([bar.get_width() for bar in between], frame.between)
    assert {"25%", "50%", "100%", *frames.LABELS} <= set(frames.texts(figure))
