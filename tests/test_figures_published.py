"""Published numbers are drawn beside runs, like with like."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.paper import published


@pytest.fixture
def measured():
    rows = [
        {"sample": "mine", "model": "a", "title": "ProtBERT", "role": "model", "quantity": quantity,
         "value": value, "low": value - 0.1, "high": value + 0.1}
        for quantity, value in (("effective_dimensions", 4.9), ("mean_cosine_similarity", 0.8))
    ]  # fmt: skip
    control = [one | {"title": "Composition", "role": "control", "low": np.nan} for one in rows]
    return pd.DataFrame(rows + control)


def test_entries_show_the_printed_number_and_every_run(measured):
    entries = measured.assign(name="cosine – score", published=0.014)
    figure = figures.checkpoint_correlations(pd.concat([entries, entries.assign(name="other")]))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cosine – score", "other"]
    assert np.allclose(axes.collections[-1].get_offsets()[:, 0], 0.014)
    assert {"ProtBERT, mine", "Composition (control), mine"} <= set(frames.texts(figure))


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
