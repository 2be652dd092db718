"""The scatter stands for every pair by its weight; discrimination has a panel for each model."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.association import binned_spread
from plm_geometry.base.errors import InputError
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


def density(frame, measure, *, log=False):
    return figures.densities(frame, [(measure, log)])[measure, log]


def test_a_density_holds_the_weight_of_every_pair(table):
    found = density(table, "cosine_similarity")
    assert found.weight.sum() == pytest.approx(table.weight.sum())
    assert found.edges[[0, -1]] == pytest.approx([table.cosine_similarity.min(),
                                                  table.cosine_similarity.max()])  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-5, 3.0])
@pytest.mark.parametrize("log", [False, True])
def test_any_distances_have_cells_and_without_any_a_panel_says_so(table, value, log):
    alike = table.assign(squared_euclidean=value)
    found = density(alike, "squared_euclidean", log=log)
    assert (np.diff(found.edges) > 0).all()
    assert found.weight.sum() == pytest.approx(0 if np.isnan(value) else table.weight.sum())
    figure = figures.pair_scatter({"A": found}, "squared_euclidean")
    figure.draw_without_rendering()
    said = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert said == ["no pair has a squared Euclidean distance"] * bool(np.isnan(value))


def test_pairs_without_weights_count_one_each(table):
    assert density(table.drop(columns="weight"), "euclidean").weight.sum() == 500


@pytest.mark.parametrize("log", [False, True])
def test_cells_are_those_of_a_two_dimensional_histogram(table, log):
    found = density(table, "euclidean", log=log)
    expected, _, _ = np.histogram2d(
        table.sequence_identity, np.sqrt(table.squared_euclidean), weights=table.weight,
        bins=[np.linspace(0, 1, 61), found.edges],
    )  # fmt: skip
    # A pair on an edge may fall to either side of it.
    assert np.abs(found.weight - expected).sum() <= 2 * table.weight.nlargest(2).sum()


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("cosine_similarity", lambda frame: frame.cosine_similarity),
        ("cosine_distance", lambda frame: 1 - frame.cosine_similarity),
        ("squared_euclidean", lambda frame: frame.squared_euclidean),
        ("euclidean", lambda frame: np.sqrt(frame.squared_euclidean)),
    ],
)
def test_the_spread_of_a_density_is_the_weighted_one_of_what_is_drawn(table, measure, values):
    found = density(table, measure).spread
    bins = np.linspace(0, 1, 21)
    expected = binned_spread(
        table.sequence_identity, values(table), bins, weights=table.weight
    )[found.columns]  # fmt: skip
    # Between two pairs a quantile is interpolated, on this scale or that.
    pd.testing.assert_frame_equal(found, expected, rtol=0.02)


def test_pairs_without_a_cosine_are_left_out(table):
    table.loc[:9, "cosine_similarity"] = np.nan
    found = density(table, "cosine_distance", log=True)
    assert found.weight.sum() == pytest.approx(table.weight[10:].sum())


def test_equal_proteins_lie_at_the_foot_of_a_logarithmic_axis(table):
    table.loc[:4, "squared_euclidean"] = 0
    found = density(table, "squared_euclidean", log=True)
    assert found.edges[0] > 0
    assert found.weight.sum() == pytest.approx(table.weight.sum())
    assert np.ptp(np.diff(np.log(found.edges))) == pytest.approx(0, abs=1e-9)


def test_a_constant_distance_can_be_drawn(table):
    found = density(table.assign(squared_euclidean=0.0), "squared_euclidean", log=False)
    assert found.weight.sum() == pytest.approx(table.weight.sum())


def test_an_unknown_measure_is_refused_and_the_known_ones_are_listed(table):
    with pytest.raises(InputError, match="cosine_distance"):
        density(table, "manhattan")


@pytest.mark.parametrize("log", [False, True])
def test_the_scatter_draws_cells_and_binned_quantiles_of_each_model(table, log):
    found = density(table, "squared_euclidean", log=log)
    figure = figures.pair_scatter({"a": found, "b": found}, "squared_euclidean")
    assert frames.titles(figure)[:2] == ["a", "b"]
    axes = figure.axes[0]
    assert axes.get_yscale() == ("log" if log else "linear")
    assert axes.collections[0].get_rasterized()
    assert axes.collections[0].get_array().sum() == pytest.approx(table.weight.sum())
    assert np.allclose(axes.lines[0].get_ydata(), found.spread["median"])


def test_quantiles_of_fewer_than_ten_pairs_are_not_drawn(table):
    found = density(table[table.sequence_identity < 0.5].head(9), "euclidean")
    figure = figures.pair_scatter({"a": found}, "euclidean")
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).all()


@pytest.mark.parametrize("measure", ["auc", "average_precision"])
def test_discrimination_has_a_panel_a_model_with_both_distances(measure):
    frame = frames.discrimination()
    figure = figures.discrimination(frame, measure)
    assert frames.titles(figure) == frames.LABELS
    first = frame[(frame.model == frame.model[0]) & (frame.distance == "cosine_similarity")]
    line = figure.axes[0].lines[1]  # behind the line of chance
    assert np.allclose(line.get_ydata(), first[measure].dropna())
    assert figures.LABELS[measure] in frames.texts(figure)


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
