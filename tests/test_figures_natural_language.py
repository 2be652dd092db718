"""Word tokens, residues and whole proteins are drawn apart, and like stands next to like."""

import numpy as np
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.paper import published


@pytest.fixture
def clouds():
    return published.beside_language(frames.local_isotropy(), frames.global_isotropy())


def test_groups_stand_in_order_and_published_values_are_open_diamonds(clouds):
    figure = figures.natural_language(published.natural_language(), clouds)
    by_layer, by_cloud = figure.axes
    groups = [text.get_text() for text in by_cloud.texts]
    assert groups == [f"{of}, last layer" for of in ("word tokens", "residues", "whole proteins")]
    run, paper = by_cloud.collections
    assert np.allclose(run.get_offsets()[:, 0], [0.2, 0.2, 0.2, 0.1, 0.2, 0.3])
    assert np.allclose(paper.get_offsets()[:4, 0], [0.11690, 0.05136, 0.17911, 0.00053])
    assert [label.get_text() for label in by_cloud.get_yticklabels()][4:7] == frames.LABELS
    rows = run.get_offsets()[:, 1]
    assert paper.get_offsets()[3, 1] < rows.min() < rows.max() < paper.get_offsets()[4, 1]
    assert np.array_equal(run.get_facecolors()[:3], run.get_facecolors()[3:])
    assert len(by_layer.lines) == 8


def test_a_run_without_residues_has_no_group_of_them(clouds):
    figure = figures.natural_language(published.natural_language(), clouds[clouds.of != "residues"])
    assert "residues, last layer" not in frames.texts(figure)
