"""Global isotropy is drawn with its intervals, and convergence with its band."""

import numpy as np
import pytest

import figure_frames as frames
from plm_geometry import figures


def test_global_isotropy_draws_this_run_and_the_published_values():
    figure = figures.global_isotropy(frames.global_isotropy())
    run, corrected, paper = frames.dots(figure.axes[0])
    assert np.allclose(run, [7.3, 64.8, 6.7])
    assert np.allclose(corrected, [7.4, np.nan, 6.8], equal_nan=True)
    assert np.allclose(paper[np.isfinite(paper)], 0.001658 * 1023 + 1)
    assert {"7.3", "64.8", "0.910", "Composition (control)"} <= set(frames.texts(figure))
    low, high = figure.axes[1].get_xlim()
    assert low < -0.1 < 0.91 < high


def test_intervals_stand_under_their_dots_and_what_has_none_is_drawn_all_the_same():
    figure = figures.global_isotropy(frames.global_isotropy())
    dimensions, cosine = (axes.collections[1].get_segments() for axes in figure.axes)
    assert np.allclose(dimensions[0], [[7.0, 0.25], [7.9, 0.25]])
    assert np.allclose(cosine[-1], [[-0.12, 2.25], [-0.08, 2.25]])
    assert all(np.isfinite(axes.get_xlim()).all() for axes in figure.axes)


def test_one_model_makes_a_figure():
    assert len(figures.global_isotropy(frames.global_isotropy()[:1]).axes) == 2


@pytest.fixture
def cosines():
    frame = frames.for_each(of=["proteins", "residues"], centred=[False, True], cosine=[0.1, 0.9])
    return frame[(frame.role != "control") | (frame.of == "proteins")]


def test_cosines_have_a_row_a_model_and_a_column_a_kind_of_pair(cosines):
    figure = figures.pairwise_cosines(cosines)
    assert len(figure.axes) == 6
    assert frames.titles(figure)[:2] == ["pairs of proteins", "pairs of residues"]
    raw, centred = figure.axes[0].patches
    assert raw.get_data().values.sum() == centred.get_data().values.sum() == 2
    assert "none" in frames.texts(figure)


def test_undefined_cosines_are_left_out(cosines):
    vectors_alike = cosines.assign(cosine=cosines.cosine.where(~cosines.centred))
    raw, centred = figures.pairwise_cosines(vectors_alike).axes[0].patches
    assert raw.get_data().values.sum() == 2
    assert centred.get_data().values.sum() == 0


def test_without_residues_there_is_one_column_of_cosines(cosines):
    figure = figures.pairwise_cosines(cosines[cosines.of == "proteins"])
    assert len(figure.axes) == 3
    assert "none" not in frames.texts(figure)
