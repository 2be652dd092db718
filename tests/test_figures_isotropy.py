"""Global isotropy is drawn with its intervals."""

import numpy as np

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
