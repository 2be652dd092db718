"""Specification curves are sorted, and their matrices say which choices stand where."""

import itertools

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.association.specifications import explained

CHOICES = ["pooling", "layer", "proteins"]


@pytest.fixture
def frame():
    """Twelve specifications a model; of the control, one layer."""
    levels = [["mean", "max"], ["last", "one before"], ["60", "150", "300"]]
    grid = pd.DataFrame(itertools.product(*levels), columns=CHOICES)
    table = frames.MODELS.merge(grid, how="cross")
    table = table[(table.role != "control") | (table.layer == "last")].reset_index(drop=True)
    value = np.random.default_rng(0).permutation(len(table)) + 2.0 * (table.pooling == "max") * 50
    own = (table.pooling == "mean") & (table.layer == "last") & (table.proteins == "300")
    published = table.counterpart.map({"prot_bert": 7.0})
    return table.assign(effective_dimensions=value, own=own, published=published)


def drawn(figure):
    """Return each model's curve and the tints below it."""
    panels = len(frames.LABELS)
    tops, bottoms = figure.axes[:panels], figure.axes[panels : 2 * panels]
    curves = [axes.lines[0].get_ydata() for axes in tops]
    return curves, [axes.collections[0].get_array() for axes in bottoms]


def test_each_model_has_its_curve_in_ascending_order(frame):
    figure = figures.specification_curves(frame, "effective_dimensions", CHOICES)
    assert frames.titles(figure)[:3] == frames.LABELS
    curves, _ = drawn(figure)
    for title, curve in zip(frames.MODELS.title, curves, strict=True):
        assert list(curve) == sorted(frame[frame.title == title].effective_dimensions)


def test_the_reports_own_choices_are_marked_at_their_value(frame):
    figure = figures.specification_curves(frame, "effective_dimensions", CHOICES)
    for axes, title in zip(figure.axes, frames.MODELS.title, strict=False):
        own = frame[frame.own & (frame.title == title)].effective_dimensions
        assert axes.lines[1].get_ydata().tolist() == own.tolist()


def test_a_published_value_is_a_line_in_its_models_panel_alone(frame):
    figure = figures.specification_curves(frame, "effective_dimensions", CHOICES)
    lines = [[line.get_ydata()[0] for line in axes.lines[2:]] for axes in figure.axes[:3]]
    assert lines == [[7.0], [], []]
    assert "published" in frames.texts(figure)
    without = figures.specification_curves(
        frame.drop(columns="published"), "effective_dimensions", CHOICES
    )
    assert "published" not in frames.texts(without)


def test_the_matrix_names_choices_and_levels_and_fills_one_level_a_place(frame):
    figure = figures.specification_curves(frame, "effective_dimensions", CHOICES)
    named = [text.get_text() for text in figure.axes[3].get_yticklabels()]
    assert named == ["pooling", "mean", "largest value", "layer", "last", "one before",
                     "number of proteins", "60", "150", "300"]  # fmt: skip
    _, tints = drawn(figure)
    first = np.ma.filled(tints[0], np.nan)
    assert np.isnan(first[[0, 3, 6]]).all()  # headings
    for rows in ([1, 2], [4, 5], [7, 8, 9]):
        assert (first[rows].sum(axis=0) == 1).all()
    # The largest values are those of one pooling, which stands at the right.
    assert first[2].tolist() == [0] * 6 + [1] * 6


def test_what_is_no_choice_in_a_model_is_blank(frame):
    figure = figures.specification_curves(frame, "effective_dimensions", CHOICES)
    control = np.ma.filled(drawn(figure)[1][2], np.nan)
    assert np.isnan(control[[4, 5]]).all()
    assert not np.isnan(control[[1, 2, 7, 8, 9]]).any()


def test_many_specifications_are_gathered_into_shares():
    number = np.arange(6000)
    frame = pd.DataFrame({"title": "one", "role": "model", "counterpart": "", "own": False,
                          "cosine_identity": number, "gaps": np.where(number % 2, "11/1", "0/0"),
                          "mode": np.where(number < 3000, "local", "global")})  # fmt: skip
    figure = figures.specification_curves(frame, "cosine_identity", ["gaps", "mode"])
    tints = np.ma.filled(figure.axes[1].collections[0].get_array(), np.nan)
    assert tints.shape == (6, 150)
    assert np.allclose(tints[[1, 2]], 0.5)
    assert tints[4].tolist() == [1] * 75 + [0] * 75
    assert "6,000 ways" in frames.texts(figure)
    assert "as in the other chapters" not in frames.texts(figure)


def test_rows_without_the_number_are_not_drawn(frame):
    frame.loc[frame.role == "control", "effective_dimensions"] = np.nan
    figure = figures.specification_curves(frame, "effective_dimensions", CHOICES)
    assert frames.titles(figure)[:2] == frames.LABELS[:2]
    assert len(figure.axes) == 4


def test_shares_stand_in_the_row_of_their_model_and_the_column_of_their_choice(frame):
    parts = [
        explained(rows, "effective_dimensions", CHOICES).assign(
            number="effective_dimensions", label=label
        )
        for label, rows in frame.assign(label=figures.labels).groupby("label", sort=False)
    ]
    shares = pd.concat(parts, ignore_index=True)
    figure = figures.choice_shares(shares)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == frames.LABELS
    columns = [text.get_text().replace("\n", " ") for text in axes.get_xticklabels()]
    assert columns == ["pooling", "layer", "number of proteins", "their interplay"]
    cells = axes.collections[0].get_array().reshape(3, 4)
    assert cells[0, 0] == pytest.approx(parts[0].share[0])
    assert np.ma.getmaskarray(cells)[2, 1]  # the control has one layer
    said = [text.get_text() for text in axes.texts]
    assert f"{parts[0].share[0]:.0%}" in said
    assert "nan%" not in said
