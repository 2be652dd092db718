"""Components, coordinates and shapes are drawn as they are given, one line or panel a model."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.figures.spectra import vector_file
from plm_geometry.isotropy.measures import interval_row, isotropy_row
from plm_geometry.isotropy.moments import merge_all, random_parts
from plm_geometry.isotropy.spectrum import coordinate_shares, eigenvalues

MEASURES = ["effective_dimensions", "mean_cosine_similarity"]


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


def test_minis_have_no_line_beside_models_and_one_without_them(spectra):
    minis = spectra.assign(role=spectra.role.replace("model", "mini"))
    one_of_each = spectra.assign(role=spectra.role.where(spectra.model != "prot_bert", "mini"))
    counts = [len(figures.spectrum(given).axes[0].lines) for given in (spectra, one_of_each, minis)]
    assert counts == [6, 4, 6]


def test_each_cloud_stands_over_its_column_of_yardsticks():
    rng = np.random.default_rng(1)
    clouds = {name: rng.normal(size=(50, 3)) for name in ("ball", "cone")}
    table = pd.DataFrame(
        {"isoscore": [0.98, 0.25], "share_first_10": [np.nan, np.nan]}, index=list(clouds)
    )
    figure = figures.constructed_clouds(clouds, table)
    ball, cone, below = figure.axes
    assert [ball.get_title(), cone.get_title()] == ["ball", "cone"]
    places = {text.get_text(): text.get_position() for text in below.texts}
    assert places["0.98"][0] + 1 == places["0.25"][0]
    named = [text.get_text() for text in below.get_yticklabels()]
    assert named == ["IsoScore", "share of first 10"]
    assert frames.texts(figure).count("–") == 2
    columns = [
        below.get_position().x0 + below.get_position().width * places[said][0] / 2
        for said in ("0.98", "0.25")
    ]
    middle = [(axes.get_position().x0 + axes.get_position().x1) / 2 for axes in (ball, cone)]
    assert np.allclose(middle, columns)


@pytest.fixture
def measured():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((300, 12)) * np.arange(1, 13) ** -1.0 + rng.standard_normal(12)
    parts = random_parts([vectors], 10, seed=0)
    whole = merge_all(parts)
    return whole, isotropy_row(whole) | interval_row(whole, map(whole.without, parts))


def drawn(measured, **changes):
    whole, row = measured
    return vector_file(row | changes, eigenvalues(whole), coordinate_shares(whole), "mine")


def test_the_coordinates_add_up_to_the_mean_cosine(measured):
    as_they_are, alike = drawn(measured).axes[1].lines
    mean_cosine = measured[1]["mean_cosine_similarity"]
    assert as_they_are.get_ydata()[-1] == pytest.approx(mean_cosine)
    assert alike.get_ydata()[-1] == pytest.approx(mean_cosine)
    assert (as_they_are.get_ydata()[:-1] > alike.get_ydata()[:-1]).all()


def test_the_title_says_whose_and_how_many_vectors(measured):
    assert drawn(measured).get_suptitle() == "mine: 300 vectors of 12 dimensions"


def test_the_spectrum_adds_up_to_one_and_marks_the_effective_dimensions(measured):
    line, dot = drawn(measured).axes[0].lines
    assert line.get_ydata().sum() == pytest.approx(1)
    assert 1 / (line.get_ydata() ** 2).sum() == pytest.approx(dot.get_xdata()[0])


def test_the_measures_are_written_with_their_intervals(measured):
    _, row = measured
    for axes, name in zip(drawn(measured).axes, MEASURES, strict=True):
        value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        assert f"{value:.4g} (95 %: {low:.4g} to {high:.4g})" in axes.get_title()


def test_what_is_not_known_is_said(measured):
    whole, row = measured
    unknown = dict.fromkeys([name for name in row if "_low" in name or "_high" in name])
    unknown |= {"mean_cosine_similarity": None}
    left, right = vector_file(row | unknown, eigenvalues(whole), None, "mine").axes
    assert left.get_title().endswith(f"\n{row['effective_dimensions']:.4g}")
    assert right.get_title().endswith("not defined")
    assert [text.get_text() for text in right.texts] == ["not known"]
