"""Each point names its proteins and shows their alignment; a menu changes the model."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry import figures
from plm_geometry.pairs import AlignedText

TITLES = {"mini_prot_bert": "mini ProtBERT", "composition": "Composition (control)"}


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
    assert len(figure.axes[0].collections[0].get_offsets()) == 3
