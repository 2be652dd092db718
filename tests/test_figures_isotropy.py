"""Global isotropy is drawn with its intervals, and convergence with its band."""

import numpy as np
import pytest

import figure_frames as frames
from plm_geometry import figures


def test_global_isotropy_draws_this_run_and_the_published_values():
    figure = figures.global_isotropy(frames.global_isotropy())
    _, run, corrected, paper = figure.axes[0].collections
    assert np.allclose(run.get_offsets()[:, 0], [7.3, 64.8, 6.7])
    assert np.allclose(corrected.get_offsets()[[0, 2], 0], [7.4, 6.8])
    shown = np.ma.filled(paper.get_offsets()[:, 0], np.nan)
    assert np.allclose(shown[np.isfinite(shown)], 0.001658 * 1023 + 1)
    assert {"7.3", "64.8", "0.910", "Composition (control)"} <= set(frames.texts(figure))
    low, high = figure.axes[1].get_xlim()
    assert low < -0.1 < 0.91 < high


def test_intervals_stand_under_their_dots_and_what_has_none_is_drawn_all_the_same():
    figure = figures.global_isotropy(frames.global_isotropy())
    dimensions, cosine = (axes.collections[0].get_segments() for axes in figure.axes)
    assert np.allclose(dimensions[0], [[7.0, 0.25], [7.9, 0.25]])
    assert np.allclose(cosine[-1], [[-0.12, 2.25], [-0.08, 2.25]])
    assert all(np.isfinite(axes.get_xlim()).all() for axes in figure.axes)


def test_one_model_makes_a_figure():
    assert len(figures.global_isotropy(frames.global_isotropy()[:1]).axes) == 2


@pytest.fixture
def convergence():
    frame = frames.for_each(n=[100, 200, 400])
    value = 7 - 100 / frame.n
    return frame.assign(
        effective_dimensions=value, low=value - 0.5, high=value + 0.5, corrected=7.0
    )


def test_convergence_has_a_panel_a_model_with_plain_corrected_and_band(convergence):
    figure = figures.convergence(convergence)
    assert frames.titles(figure) == frames.LABELS
    plain, corrected = figure.axes[0].lines
    assert np.allclose(plain.get_ydata(), [6, 6.5, 6.75])
    assert np.allclose(corrected.get_ydata(), 7)
    corners = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == (5.5, 7.25)
