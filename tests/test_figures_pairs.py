"""The scatter stands for every pair by its weight; discrimination has a panel for each model."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.pairs import AlignedText

TITLES = {"mini_prot_bert": "mini ProtBERT", "composition": "Composition (control)"}


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    identity = rng.uniform(0, 1, 500)
    return pd.DataFrame(
        {
            "sequence_identity": identity,
            "cosine_similarity": identity**2,
            "squared_euclidean": (1.1 - identity) ** 2,
            "weight": rng.uniform(1, 9, 500),
        }
    )


def test_a_density_holds_the_weight_of_every_pair(table):
    found, distance = figures.density(table), 1 - table.cosine_similarity
    assert found.weight.sum() == pytest.approx(table.weight.sum())
    assert found.edges[[0, -1]] == pytest.approx([distance.min(), distance.max()])


@pytest.mark.parametrize("cosine", [np.nan, 1.0, 1 - 1e-5, -1.0])
def test_any_cosines_have_cells_and_without_any_a_panel_says_so(table, cosine):
    found = figures.density(table.assign(cosine_similarity=cosine))
    assert (np.diff(found.edges) > 0).all()
    assert found.weight.sum() == pytest.approx(0 if np.isnan(cosine) else table.weight.sum())
    figure = figures.pair_scatter({"A": found})
    figure.draw_without_rendering()
    said = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert said == ["no pair has a cosine similarity"] * bool(np.isnan(cosine))


def test_pairs_without_weights_count_one_each(table):
    assert figures.density(table.drop(columns="weight")).weight.sum() == 500


def test_cells_are_those_of_a_two_dimensional_histogram(table):
    found = figures.density(table)
    expected, _, _ = np.histogram2d(
        table.sequence_identity, 1 - table.cosine_similarity, weights=table.weight,
        bins=[np.linspace(0, 1, 61), found.edges],
    )  # fmt: skip
    # A pair on an edge may fall to either side of it.
    assert np.abs(found.weight - expected).sum() <= 2 * table.weight.nlargest(2).sum()


def test_pairs_without_a_cosine_are_left_out(table):
    table.loc[:9, "cosine_similarity"] = np.nan
    found = figures.density(table)
    assert found.weight.sum() == pytest.approx(table.weight[10:].sum())
    assert found.spread["n"].sum() == 490


def test_equal_vectors_lie_at_the_foot_of_the_logarithmic_axis(table):
    table.loc[:4, "cosine_similarity"] = 1
    found = figures.density(table)
    assert found.edges[0] > 0
    assert found.weight.sum() == pytest.approx(table.weight.sum())
    assert np.ptp(np.diff(np.log(found.edges))) == pytest.approx(0, abs=1e-9)


def test_the_scatter_draws_cells_and_binned_quantiles_of_each_model(table):
    found = figures.density(table)
    figure = figures.pair_scatter({"a": found, "b": found})
    assert frames.titles(figure)[:2] == ["a", "b"]
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    assert axes.collections[0].get_rasterized()
    assert axes.collections[0].get_array().sum() == pytest.approx(table.weight.sum())
    assert np.allclose(axes.lines[0].get_ydata(), found.spread["median"])


def test_quantiles_of_fewer_than_ten_pairs_are_not_drawn(table):
    found = figures.density(table[table.sequence_identity < 0.5].head(9))
    figure = figures.pair_scatter({"a": found})
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).all()


def test_discrimination_has_a_panel_a_model_with_both_distances():
    frame = frames.discrimination()
    figure = figures.discrimination(frame)
    assert frames.titles(figure) == frames.LABELS
    first = frame[(frame.model == frame.model[0]) & (frame.distance == "cosine_similarity")]
    line = figure.axes[0].lines[1]  # behind the line of chance
    assert np.allclose(line.get_ydata(), first["auc"].dropna())
    assert figures.LABELS["auc"] in frames.texts(figure)


@pytest.fixture
def pairs():
    short = AlignedText("MKV", "|| ", "MKA")
    long = AlignedText("A" * 100 + "C" * 60, " " * 100 + "|" * 60, "G" * 100 + "C" * 60)
    return pd.DataFrame(
        {
            "accession_a": ["P1", "P1", "P<2>"],
            "accession_b": ["P2", "P3", "P3"],
            "length_a": [3, 160, 9000],
            "length_b": [3, 160, 9000],
            "sequence_identity": [2 / 3, 0.375, 0.1],
            "alignment_score": [9.0, 40.0, -3.0],
            "alignment": [short, long, None],
            "mini_prot_bert": [0.9, 0.8, 0.7],
            "composition": [0.5, 0.6, np.nan],
        }
    )


@pytest.fixture
def drawn(pairs):
    return figures.pair_explorer(pairs, TITLES)


def test_every_pair_is_a_point(pairs, drawn):
    [points] = drawn.data
    assert points.x == pytest.approx(pairs.sequence_identity, abs=1e-4)
    assert points.y == pytest.approx(pairs.mini_prot_bert)


def test_a_point_says_which_proteins_it_is_and_how_they_align(drawn):
    said = drawn.data[0].customdata[0].split("<br>")
    assert said[0] == "<b>P1</b> (3) and <b>P2</b> (3 residues)"
    assert said[1] == "identity 66.7%, score 9"
    assert said[2:] == ["3 columns", "MKV", "||\N{NO-BREAK SPACE}", "MKA"]


def test_of_a_long_alignment_the_stretch_with_most_identities_is_shown(drawn):
    *_, note, first, marks, second = drawn.data[0].customdata[1].split("<br>")
    assert note == "best 44 of 160 columns"
    assert first == second == "C" * 44
    assert marks == "|" * 44


def test_what_is_too_long_to_show_is_said(drawn):
    assert drawn.data[0].customdata[2].endswith("(too long to show the alignment)")


def test_a_name_is_text_and_no_markup(drawn):
    assert "<b>P&lt;2&gt;</b>" in drawn.data[0].customdata[2]


def test_the_menu_puts_each_models_values_at_the_points(pairs, drawn):
    [menu] = drawn.layout.updatemenus
    assert [button.label for button in menu.buttons] == list(TITLES.values())
    [change] = menu.buttons[1].args
    np.testing.assert_allclose(np.array(change["y"][0], dtype=float), pairs.composition)


def test_it_has_the_ground_and_colour_of_the_other_figures(drawn):
    assert drawn.layout.paper_bgcolor == figures.STYLE["figure.facecolor"]
    assert drawn.data[0].marker.color == "#0072B2"


def test_the_still_figure_has_a_panel_and_all_dots_of_each_model(pairs):
    figure = figures.sampled_pairs(pairs, TITLES)
    assert [axes.get_title() for axes in figure.axes] == ["mini ProtBERT",
                                                          "Composition (control)"]  # fmt: skip
    assert len(figure.axes[0].lines[0].get_xdata()) == 3


def test_discrimination_against_a_control_is_drawn_where_it_was_compared_and_testable():
    frame = frames.discrimination()
    ends = {f"auc_difference{end}": frame.auc - 0.6 + by
            for end, by in (("", 0), ("_low", -0.1), ("_high", 0.1))}  # fmt: skip
    frame = frame.assign(**ends)
    own = frame.model == "composition"
    frame.loc[own, "auc_difference"] = np.nan
    figure = figures.discrimination(frame)
    assert frames.titles(figure) == frames.LABELS[:2]
    assert figures.LABELS["auc_difference"] in frames.texts(figure)
    nothing = figures.discrimination(frame.assign(auc_difference_low=np.nan))
    assert any("testable" in text for text in frames.texts(nothing))
