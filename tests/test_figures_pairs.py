"""Correlations and pairs of proteins are drawn with their numbers, one panel a model."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures, published
from plm_geometry.association import COLUMNS, binned_spread


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


def test_an_undefined_correlation_leaves_its_cell_empty():
    matrix = published.correlation_matrix()
    matrix.loc["cosine_similarity"] = np.nan
    figure = figures.correlation_matrices({"constant": matrix})
    assert "nan" not in frames.texts(figure)


def test_the_scatter_counts_every_pair_and_draws_the_binned_quantiles(rng):
    identity = rng.uniform(0, 1, 500)
    frame = pd.DataFrame({"sequence_identity": identity, "cosine_similarity": identity**2})
    spread = binned_spread(identity, frame.cosine_similarity, 5)
    figure = figures.pair_scatter({"a": frame}, {"a": spread}, "cosine_similarity")
    cells, median = figure.axes[0].collections[0], figure.axes[0].lines[0]
    assert cells.get_array().sum() == 500
    assert np.allclose(median.get_ydata(), spread["median"])
