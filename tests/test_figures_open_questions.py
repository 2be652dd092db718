"""Figures of the open questions show the numbers they are given, and the published ones."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.association.signs import simulated_signs
from plm_geometry.paper.arithmetic import proteins_for_pairs


def points(axes):
    """Return the single points of a panel."""
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines
            if len(line.get_xdata()) == 1]  # fmt: skip


def test_numbers_of_pairs_are_marked_where_they_are_reached():
    figure = figures.pair_counts(proteins_for_pairs(6.4e6), 6.4e6, 5700)
    said = frames.texts(figure)
    assert {"3,578", "2,530", "16.2 million", "32.5 million", "5,700 proteins"} <= set(said)
    assert (3578, pytest.approx(6.4)) in points(figure.axes[0])


@pytest.fixture
def models():
    table = frames.MODELS.assign(label=frames.LABELS)
    published = pd.DataFrame({"label": ["ProtBERT, 70 proteins"], "role": ["published"]})
    table = pd.concat([table, published], ignore_index=True)
    return table.assign(r=[-0.9, -0.8, -0.7, -0.6], norm_variation=[0.1, 0.2, 0.3, 0.4],
                        best_r=[-0.1, 0.2, 0.5, 0.3])  # fmt: skip


def test_signs_show_models_as_points_and_simulated_clouds_as_lines(models):
    curves = simulated_signs(30)
    figure = figures.signs(curves, models, 0.791)
    left, right = figure.axes
    assert points(left) == list(zip(models.norm_variation, models.r, strict=True))
    markers = [line.get_marker() for line in left.lines if len(line.get_xdata()) == 1]
    assert markers == ["o", "o", "o", "D"]
    assert {"two groups", "tied, mean cosine 0.5", "published: 0.791"} <= set(frames.texts(figure))
    assert right.collections[1].get_offsets()[:, 0].tolist() == models.r.tolist()
    assert right.collections[2].get_offsets()[:, 0].tolist() == models.best_r.tolist()
    assert [text.get_text() for text in right.get_yticklabels()] == models.label.tolist()


def test_settings_of_every_data_set_are_in_the_panel_of_their_denominator():
    grid = frames.settings_grid().query("mode == 'global'")
    both = pd.concat([grid.assign(proteins="yeast"),
                      grid.assign(proteins="this run", estimate=grid.estimate / 2)])  # fmt: skip
    figure = figures.settings_on_real_proteins(both, 0.847)
    assert frames.titles(figure) == ["length of the alignment", "columns without a gap",
                                     "length of the shorter"]  # fmt: skip
    for axes, kind in zip(figure.axes, both.denominator.unique(), strict=True):
        drawn = np.concatenate([dots.get_offsets()[:, 0] for dots in axes.collections[1::2]])
        assert sorted(drawn) == sorted(both[both.denominator == kind].estimate)
    assert {"yeast", "this run", "published: 0.847"} <= set(frames.texts(figure))


def test_residues_means_and_proteins_stand_in_one_row_a_model():
    of = ["residues", "means of random residues", "proteins"]
    frame = frames.for_each(of=of)
    frame = frame.assign(isoscore=np.linspace(0.01, 0.4, len(frame)))
    # A file of embeddings has proteins only.
    frame = frame[(frame.title != "ESM-2 8M") | (frame.of == "proteins")]
    figure = figures.pooling_isotropy(frame)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == frames.LABELS
    assert {point[0] for point in points(axes)} == set(frame.isoscore)
    assert [place for _, place in points(axes)].count(1) == 2  # its dot, and its line of one point
