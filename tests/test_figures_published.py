"""Published numbers are drawn beside runs, like with like."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.paper import published


def test_each_choice_is_a_row_and_each_number_a_panel_with_what_is_printed():
    frame = pd.DataFrame(
        {"number": ["r", "r", "r", "k"], "choice": ["usual", "usual", "other", "mean"],
         "label": ["yeast", "mine", "mine", "UniRep-64"], "role": "model",
         "value": [0.7, 0.6, 0.8, 5.0], "low": np.nan, "high": np.nan,
         "printed": [0.847, 0.847, 0.847, np.nan]}
    )  # fmt: skip
    top, bottom = figures.under_choices(frame).axes
    assert [label.get_text() for label in top.get_yticklabels()] == ["usual", "other"]
    assert sorted(np.concatenate(frames.dots(top))) == [0.6, 0.7, 0.8]
    assert [line.get_xdata()[0] for line in top.lines if line.get_label() == "printed"] == [0.847]
    assert not [line for line in bottom.lines if line.get_label() == "printed"]
    assert np.concatenate(frames.dots(bottom)).tolist() == [5.0]


def test_without_choices_the_figure_says_so():
    assert "no chapter" in frames.texts(figures.under_choices(pd.DataFrame()))[0].replace("\n", " ")


@pytest.fixture
def clouds():
    return published.beside_language(frames.local_isotropy(), frames.global_isotropy())


def test_groups_stand_in_order_and_published_values_are_open_diamonds(clouds):
    figure = figures.natural_language(published.natural_language(), clouds)
    by_layer, *by_cloud = figure.axes
    groups = [axes.get_title(loc="left") for axes in by_cloud]
    assert groups == [f"{of}, last layer" for of in ("word tokens", "residues", "whole proteins")]
    [tokens, _], [_, residues], [paper, proteins] = map(frames.dots, by_cloud)
    assert np.allclose(tokens, [0.11690, 0.05136, 0.17911, 0.00053])
    assert np.allclose(residues, 0.2)
    assert np.allclose(proteins, [0.1, 0.2, 0.3])
    assert np.allclose(paper, [0.001658, 0.003968, 0.001502, 0.231228])
    assert [label.get_text() for label in by_cloud[1].get_yticklabels()] == frames.LABELS
    colours = [axes.collections[1].get_facecolors() for axes in by_cloud[1:]]
    assert np.array_equal(*colours)
    assert len(by_layer.lines) == 8


def test_a_run_without_residues_has_no_group_of_them(clouds):
    figure = figures.natural_language(published.natural_language(), clouds[clouds.of != "residues"])
    assert "residues, last layer" not in frames.texts(figure)
