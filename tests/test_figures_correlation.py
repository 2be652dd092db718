"""Correlations are drawn with their numbers, intervals, and the paper's values where it has any."""

import itertools

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.association import COLUMNS
from plm_geometry.isotropy.signs import simulated_signs
from plm_geometry.paper import published


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_each_matrix_is_a_titled_panel_with_its_numbers(count, rng):
    samples = [pd.DataFrame(rng.normal(size=(30, 4)), columns=COLUMNS) for _ in range(count)]
    matrices = {f"model {i}": sample.corr() for i, sample in enumerate(samples)}
    figure = figures.correlation_matrices(matrices)
    assert [axes.get_title() for axes in figure.axes[:count]] == list(matrices)
    last = matrices[f"model {count - 1}"].iloc[0, 1]
    assert figures.rounded(last, 3) in [text.get_text() for text in figure.axes[count - 1].texts]


def test_the_colour_scale_names_the_kind_of_correlation():
    matrices = {"published": published.correlation_matrix()}
    assert "Spearman" in frames.texts(figures.correlation_matrices(matrices, "Spearman"))


def test_an_undefined_correlation_leaves_its_cell_empty():
    matrix = published.correlation_matrix()
    matrix.loc["cosine_similarity"] = np.nan
    figure = figures.correlation_matrices({"constant": matrix})
    assert "nan" not in frames.texts(figure)


def test_rows_of_a_correlation_become_its_matrix(rng):
    matrix = pd.DataFrame(rng.normal(size=(30, 4)), columns=COLUMNS).corr()
    rows = [(a, b, matrix.loc[a, b]) for a, b in itertools.combinations(COLUMNS, 2)]
    made = figures.square(pd.DataFrame(rows, columns=["a", "b", "estimate"]))
    pd.testing.assert_frame_equal(made, matrix)


def test_each_entry_is_a_panel_with_raw_adjusted_and_published_values():
    raw = frames.correlations()
    adjusted = raw.assign(estimate=-raw.estimate)
    figure = figures.correlation_intervals(published.beside_correlations(raw), adjusted)
    assert frames.titles(figure) == ["cosine similarity – alignment score",
                                     "cosine similarity – sequence identity"]  # fmt: skip
    filled, hollow, diamonds = frames.dots(figure.axes[0])
    of_panel = raw[raw.b == "alignment_score"].estimate
    assert np.allclose(filled, of_panel)
    assert np.allclose(hollow, -of_panel)
    assert diamonds[np.isfinite(diamonds)].tolist() == [0.014]
    named = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert named == frames.LABELS


def test_every_setting_is_a_dot_on_its_interval_and_the_papers_value_a_line():
    grid = frames.settings_grid()
    figure = figures.score_against_settings(grid, 0.847)
    assert frames.titles(figure) == ["global", "local"]
    drawn = [values for axes in figure.axes for values in frames.dots(axes)]
    assert sorted(np.concatenate(drawn)) == sorted(grid.estimate)
    assert [axes.lines[-1].get_xdata()[0] for axes in figure.axes] == [0.847, 0.847]
    assert "11/1" in frames.texts(figure)
    assert "length of the alignment" in frames.texts(figure)


@pytest.fixture
def models():
    table = frames.MODELS.assign(label=frames.LABELS)
    published = pd.DataFrame({"label": ["ProtBERT, 70 proteins"], "role": ["published"]})
    table = pd.concat([table, published], ignore_index=True)
    return table.assign(r=[-0.9, -0.8, -0.7, -0.6], norm_variation=[0.1, 0.2, 0.3, 0.4])


def test_signs_show_models_as_points_and_simulated_clouds_as_lines(models):
    curves = simulated_signs(30)
    [axes] = figures.signs(curves, models, 0.791).axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    for row in models.itertuples():
        assert drawn[row.label] == [[row.norm_variation, row.r]]
    assert sum(label.startswith("constructed: ") for label in drawn) == 7
    assert "published: 0.791" in frames.texts(axes.figure)
