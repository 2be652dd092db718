"""Figures of changed sequences show each mean at its dose or identity."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures


def averages(levels):
    """Return each model's rows at ``(change, level)``, ascending within a model."""
    grid = pd.DataFrame(levels, columns=["change", "level"])
    table = frames.MODELS.merge(grid, how="cross")
    value = np.linspace(0.1, 1.5, len(table))
    return table.assign(distance=value, distance_low=value - 0.05, distance_high=value + 0.05)


@pytest.fixture
def dose():
    shares = [("permuted", share) for share in (0.0, 0.5, 1.0)]
    return averages([*shares, ("dipeptides", 1.0)])


@pytest.fixture
def drift():
    return averages([(by, level) for by in ("pam", "uniform") for level in (1.0, 0.5, 0.2)])


@pytest.fixture
def relatives():
    table = frames.MODELS.merge(pd.DataFrame({"identity": [0.3, 0.6]}), how="cross")
    return table.assign(natural=np.linspace(0.2, 0.8, len(table)))


def test_a_dose_has_a_line_for_each_model_and_a_mark_beside_it(dose):
    (axes,) = figures.shuffling_dose(dose).axes
    lines = {line.get_label(): line for line in axes.lines}
    for title, label in zip(frames.MODELS.title, frames.LABELS, strict=True):
        rows = dose[(dose.title == title) & (dose.change == "permuted")]
        assert list(lines[label].get_xdata()) == [0, 50, 100]
        assert list(lines[label].get_ydata()) == rows.distance.tolist()
    beside = [line.get_ydata()[0] for line in axes.lines if min(line.get_xdata()) > 110]
    assert beside == dose[dose.change == "dipeptides"].distance.tolist()
    ends = [
        segment[:, 1].tolist() for marks in axes.collections for segment in marks.get_segments()
    ]
    assert sorted(ends) == sorted(dose[["distance_low", "distance_high"]].to_numpy().tolist())


def test_marks_tell_controls_apart_that_share_their_dashes(dose):
    (axes,) = figures.shuffling_dose(dose).axes
    markers = [line.get_marker() for line in axes.lines if line.get_label() in frames.LABELS]
    assert len(set(markers)) == len(frames.LABELS)


def test_drift_has_a_panel_a_model_with_both_ways_and_its_relatives(drift, relatives):
    figure = figures.drift(drift, relatives)
    assert frames.titles(figure) == frames.LABELS
    for axes, title in zip(figure.axes, frames.MODELS.title, strict=True):
        for line, change in zip(axes.lines, ("pam", "uniform"), strict=True):
            rows = drift[(drift.title == title) & (drift.change == change)]
            assert list(line.get_ydata()) == rows.distance.tolist()
        (seen,) = frames.dots(axes)
        assert seen.tolist() == [0.3, 0.6]
        assert axes.get_xlim()[0] > axes.get_xlim()[1]


def test_drift_without_relatives_or_models_is_drawn_all_the_same(drift):
    figure = figures.drift(drift, pd.DataFrame())
    assert not any(frames.dots(axes) for axes in figure.axes)
    empty = figures.drift(pd.DataFrame(), pd.DataFrame())
    assert any("no model here" in text for text in frames.texts(empty))
