"""Components, coordinates and cosines are drawn as they are given, one line or panel a model."""

import numpy as np
import pytest

import figure_frames as frames
from plm_geometry import figures


@pytest.fixture
def spectra():
    frame = frames.for_each(component=[1, 2, 3, 4])
    return frame.assign(share=np.tile([0.5, 0.5, 0, 0], 3))


def test_the_dot_on_a_spectrum_is_at_the_effective_dimensions(spectra):
    figure = figures.spectrum(spectra)
    line, dot = figure.axes[0].lines[:2]
    assert list(line.get_xdata()) == [1, 2]
    assert np.isclose(dot.get_xdata()[0], 2)
    assert np.isclose(dot.get_ydata()[0], 0.5)
    assert "ESM-2 8M: 2.0" in frames.texts(figure)
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_yscale()) == ("log", "log")


def test_components_that_are_rounding_are_not_drawn(spectra):
    figure = figures.spectrum(spectra.assign(share=np.tile([0.6, 0.4, 1e-12, 0], 3)))
    assert len(figure.axes[0].lines[0].get_xdata()) == 2


def test_a_model_without_spread_has_no_line(spectra):
    figure = figures.spectrum(spectra.assign(share=np.repeat([0.25, np.nan, 0.25], 4)))
    assert len(figure.axes[0].lines) == 4
    assert "ESM-2 8M" not in " ".join(frames.texts(figure))


def test_the_strongest_ten_coordinates_are_named_beside_an_equal_share():
    share = np.arange(20) / np.arange(20).sum()
    frame = frames.for_each("ESM-2 8M", coordinate=range(20)).assign(share=share)
    axes = figures.coordinate_shares(frame).axes[0]
    named = [int(label.get_text()) for label in axes.get_xticklabels()]
    assert named == list(range(19, 9, -1))
    assert np.allclose([bar.get_height() for bar in axes.patches], share[:9:-1])
    assert np.allclose(axes.lines[0].get_ydata(), 1 / 20)
    assert axes.get_title() == f"ESM-2 8M\n10 of 20: {share[10:].sum():.0%}"


def test_minis_have_no_panel_beside_models_and_one_without_them():
    frame = frames.for_each(coordinate=range(3)).assign(share=0.5)
    minis = frame.assign(role=frame.role.replace("model", "mini"))
    one_of_each = frame.assign(role=frame.role.where(frame.model != "prot_bert", "mini"))
    counts = [len(figures.coordinate_shares(given).axes) for given in (frame, one_of_each, minis)]
    assert counts == [counts[0], counts[0] - 1, counts[0]]


def test_a_model_whose_parts_are_undefined_has_no_panel():
    frame = frames.for_each(coordinate=range(3)).assign(share=[0.5, 0.2, 0.3] + [np.nan] * 6)
    assert len(figures.coordinate_shares(frame).axes) == 1
    said = frames.texts(figures.coordinate_shares(frame.assign(share=np.nan)))
    assert any("length 0" in text.replace("\n", " ") for text in said)


def test_fewer_than_ten_coordinates_are_all_named():
    frame = frames.for_each(coordinate=range(3)).assign(share=np.tile([0.2, 0.5, 0.3], 3))
    figure = figures.coordinate_shares(frame)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["1", "2", "0"]


def test_what_is_left_is_drawn_by_kind_against_how_many_were_removed():
    frame = frames.for_each(kind=["component", "coordinate"], removed=[10, 3, 1, 0])
    frame["isoscore"] = 0.01 * (1 + frame.removed) * np.where(frame.kind == "component", 1, 2)
    # A cloud of few dimensions has no rows for what it cannot lose.
    frame = frame[(frame.role != "control") | (frame.removed < 10)]
    components, coordinates = figures.after_removing(frame).axes
    assert np.allclose(components.lines[0].get_ydata(), [0.01, 0.02, 0.04, 0.11])
    assert np.allclose(coordinates.lines[0].get_ydata(), [0.02, 0.04, 0.08, 0.22])
    assert [text.get_text() for text in components.get_xticklabels()] == ["0", "1", "3", "10"]
    assert list(components.lines[-1].get_xdata()) == [0, 1, 2]


@pytest.fixture
def cosines():
    frame = frames.for_each(of=["proteins", "residues"], centred=[False, True], cosine=[0.1, 0.9])
    return frame[(frame.role != "control") | (frame.of == "proteins")]


def test_cosines_have_a_row_a_model_and_a_column_a_kind_of_pair(cosines):
    figure = figures.pairwise_cosines(cosines)
    assert len(figure.axes) == 6
    assert frames.titles(figure)[:2] == ["pairs of proteins", "pairs of residues"]
    raw, centred = figure.axes[0].patches
    assert raw.get_data().values.sum() == centred.get_data().values.sum() == 2
    assert "none" in frames.texts(figure)


def test_undefined_cosines_are_left_out(cosines):
    vectors_alike = cosines.assign(cosine=cosines.cosine.where(~cosines.centred))
    raw, centred = figures.pairwise_cosines(vectors_alike).axes[0].patches
    assert raw.get_data().values.sum() == 2
    assert centred.get_data().values.sum() == 0


def test_without_residues_there_is_one_column_of_cosines(cosines):
    figure = figures.pairwise_cosines(cosines[cosines.of == "proteins"])
    assert len(figure.axes) == 3
    assert "none" not in frames.texts(figure)
