"""Figures show the data they are given, labelled, in one style, without pyplot's global state."""

import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from plm_geometry import figure_style, figures, published
from plm_geometry.association import COLUMNS, binned_spread

ROLES = {"ProtBERT (stand-in)": "stand-in", "ESM-2 8M": "model", "Composition": "control"}


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def isotropy():
    frame = pd.DataFrame(
        {
            "model": ["demo_prot_bert", "esm2_8m", "composition"],
            "title": list(ROLES),
            "role": list(ROLES.values()),
            "counterpart": ["prot_bert", "", ""],
            "isoscore": [0.1, 0.2, 0.3],
            "effective_dimensions": [7.3, 64.8, 6.7],
            "mean_cosine_similarity": [0.91, 0.72, -0.1],
        }
    )
    return published.beside(frame, same_proteins=False)


@pytest.fixture
def local(rng):
    pairs = list(itertools.product(ROLES.items(), "ACDEFGHIKLMNPQRSTVWYX"))
    frame = pd.DataFrame(
        {
            "title": [title for (title, _), _ in pairs],
            "role": [role for (_, role), _ in pairs],
            "residue": [residue for _, residue in pairs],
            "counterpart": ["prot_bert" if role == "stand-in" else "" for (_, role), _ in pairs],
            "effective_dimensions": rng.uniform(2, 20, len(pairs)),
        }
    )
    frame.loc[frame.role == "control", "effective_dimensions"] = np.nan
    # All residues together have a spread, even where those of one amino acid have none.
    together = frame[frame.residue == "A"].assign(residue="all", effective_dimensions=9.0)
    return published.beside_local(pd.concat([frame, together], ignore_index=True))


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def drawn(figure, path):
    """Return the bytes of a figure, drawn in the report's style."""
    with matplotlib.rc_context(figures.STYLE):
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path.read_bytes()


def test_a_label_marks_what_is_no_model_once():
    assert figures.label("ProtBERT", "model") == "ProtBERT"
    assert figures.label("ProtBERT", "stand-in") == "ProtBERT (stand-in)"
    assert figures.label("ProtBERT (stand-in)", "stand-in") == "ProtBERT (stand-in)"
    assert figures.label("Composition", "control") == "Composition (control)"


def test_models_differ_in_colour_and_controls_are_grey(isotropy):
    colours = figure_style.colours(isotropy)
    assert colours[:2] == list(figure_style.PALETTE[:2])
    assert colours[2] == figure_style.GREY


def test_global_isotropy_draws_this_run_and_the_published_values(isotropy):
    figure = figures.global_isotropy(isotropy)
    run, paper = figure.axes[0].collections
    assert np.allclose(run.get_offsets()[:, 0], [7.3, 64.8, 6.7])
    shown = np.ma.filled(paper.get_offsets()[:, 0], np.nan)
    assert np.allclose(shown[np.isfinite(shown)], 0.001658 * 1023 + 1)
    assert {"7.3", "64.8", "0.910", "Composition (control)"} <= set(texts(figure))
    low, high = figure.axes[1].get_xlim()
    assert low < -0.1 < 0.91 < high


def test_the_heat_map_has_the_twenty_by_class_and_no_model_without_values(local):
    figure = figures.local_heatmap(local, "effective_dimensions")
    axes = figure.axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == list("GAVLIMPFWYSTCNQKRHDE")
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "ProtBERT\n(stand-in)", "ESM-2 8M"
    ]  # fmt: skip
    glycine = local[(local.residue == "G") & (local.role == "model")].effective_dimensions.item()
    assert f"{glycine:.1f}" in texts(figure)


def test_the_spread_of_amino_acids_shows_means_and_the_published_average(local):
    figure = figures.local_spread(local)
    twenty = local[local.residue.isin(list("ACDEFGHIKLMNPQRSTVWY"))]
    means = twenty.groupby("title", sort=False).effective_dimensions.mean().dropna()
    *_, marks, average = figure.axes[0].collections
    assert np.allclose(marks.get_offsets()[:, 0], means)
    assert np.array_equal(average.get_segments(), [[[14, -0.5], [14, 0.5]]])
    assert "published: about 14" in texts(figure)


def test_without_a_published_average_none_is_drawn(local):
    figure = figures.local_spread(local.assign(published_dimensions=np.nan))
    assert not [text for text in texts(figure) if text.startswith("published")]


def test_colours_of_the_heat_map_span_the_models_and_the_bar_shows_what_lies_beyond(local):
    untrained = local[local.role == "model"].assign(
        title="Untrained", role="control", effective_dimensions=40.0
    )
    figure = figures.local_heatmap(pd.concat([local, untrained]), "effective_dimensions")
    models = local[local.residue.isin(figures.residue_order(local.residue))]
    cells, bar = figure.axes[0].collections[0], figure.axes[1]._colorbar
    drawn = models.effective_dimensions
    assert cells.get_clim() == (drawn.min(), drawn.max())
    assert bar.extend == "max"


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.8354, "\N{MINUS SIGN}0.835"), (-0.9998, "\N{MINUS SIGN}0.9998"), (1.0, "1.000"),
     (0.99981, "0.9998"), (0.0, "0.000"), (-1.0, "\N{MINUS SIGN}1.000"), (1 - 1e-15, "1.000")],
)  # fmt: skip
def test_only_what_is_one_is_shown_as_one(value, text):
    assert figures.rounded(value, 3) == text


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_each_matrix_is_a_titled_panel_with_its_numbers(count, rng):
    frames = [pd.DataFrame(rng.normal(size=(30, 4)), columns=COLUMNS) for _ in range(count)]
    matrices = {f"model {i}": frame.corr() for i, frame in enumerate(frames)}
    figure = figures.correlation_matrices(matrices)
    assert [axes.get_title() for axes in figure.axes[:count]] == list(matrices)
    last = matrices[f"model {count - 1}"].iloc[0, 1]
    assert figures.rounded(last, 3) in [text.get_text() for text in figure.axes[count - 1].texts]


def test_an_undefined_correlation_leaves_its_cell_empty():
    matrix = published.correlation_matrix()
    matrix.loc["cosine_similarity"] = np.nan
    figure = figures.correlation_matrices({"constant": matrix})
    assert "nan" not in texts(figure)


def test_the_scatter_counts_every_pair_and_draws_the_binned_quantiles(rng):
    identity = rng.uniform(0, 1, 500)
    frame = pd.DataFrame({"sequence_identity": identity, "cosine_similarity": identity**2})
    spread = binned_spread(identity, frame.cosine_similarity, 5)
    figure = figures.pair_scatter({"a": frame}, {"a": spread}, "cosine_similarity")
    cells, median = figure.axes[0].collections[0], figure.axes[0].lines[0]
    assert cells.get_array().sum() == 500
    assert np.allclose(median.get_ydata(), spread["median"])


def test_the_same_data_make_the_same_file(isotropy, tmp_path):
    first = drawn(figures.global_isotropy(isotropy), tmp_path / "first.svg")
    assert first == drawn(figures.global_isotropy(isotropy), tmp_path / "second.svg")


def test_drawing_leaves_no_open_figure_and_no_changed_setting(isotropy):
    before = dict(matplotlib.rcParams)
    figures.global_isotropy(isotropy)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before
