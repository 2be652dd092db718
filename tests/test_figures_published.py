"""Published numbers are drawn beside runs, apart by verdict, like with like; controls are grey."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.figures.style import GREY, PALETTE
from plm_geometry.paper import published
from plm_geometry.paper.verdicts import verdicts
from run_summaries import as_printed, row, summary


@pytest.fixture
def table():
    measured = [
        row("isoscore", 0.001658, low=0.0016, high=0.0017),
        row("isoscore", 0.5, "prot_xlnet"),
        row("correlation:cosine_similarity:squared_euclidean", -0.8, low=-0.9, high=-0.7),
    ]
    build = verdicts([summary(measured)]).assign(record="")
    build = build[~build.part.str.startswith("natural")]
    other = build[build.quantity == "isoscore"].assign(
        record="mine", value=0.01, verdict="not comparable"
    )
    return pd.concat([build, other], ignore_index=True)


def dots(axes, colour):
    """Return the values of filled or empty dots whose edge has a colour."""
    found = [
        marks
        for marks in axes.collections
        if hasattr(marks, "get_sizes") and len(marks.get_sizes())
    ]
    return [
        value
        for marks in found[1:]  # the first are the printed numbers
        if to_hex(marks.get_edgecolor()[0]).upper() == colour
        for value in marks.get_offsets()[:, 0]
    ]


def test_each_number_has_a_row_in_the_panel_of_its_unit(table):
    figure = figures.published_and_run(table)
    assert [axes.get_xlabel() for axes in figure.axes] == ["IsoScore", "dimensions", "correlation"]
    rows = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    assert [len(names) for names in rows] == [4, 13, 6]
    printed = figure.axes[0].collections[0].get_offsets()
    assert np.allclose(printed[:4, 0], [0.001658, 0.003968, 0.001502, 0.231228])


def test_colours_part_the_verdicts_and_other_runs_stand_below(table):
    axes = figures.published_and_run(table).axes[0]
    assert dots(axes, PALETTE[3].upper()) == [0.001658]
    assert dots(axes, PALETTE[2].upper()) == [0.5]
    assert sorted(dots(axes, GREY)) == [0.01] * 4


def test_a_build_without_runs_shows_the_printed_numbers_alone(table):
    empty = verdicts([]).assign(record="")
    figure = figures.published_and_run(empty[~empty.part.str.startswith("natural")])
    assert all(len(axes.collections) == 1 for axes in figure.axes)


@pytest.fixture
def measured():
    rows = [
        {"sample": "mine", "model": "a", "title": "ProtBERT", "role": "model", "quantity": quantity,
         "value": value, "low": value - 0.1, "high": value + 0.1}
        for quantity, value in (("effective_dimensions", 4.9), ("mean_cosine_similarity", 0.8))
    ]  # fmt: skip
    control = [one | {"title": "Composition", "role": "control", "low": np.nan} for one in rows]
    return pd.DataFrame(rows + control)


def test_checkpoints_have_a_row_each_with_their_controls_in_grey(measured):
    figure = figures.checkpoint_isotropy(measured)
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "ProtBERT, mine", "Composition (control), mine"
    ]  # fmt: skip
    for axes, value in ((left, 4.9), (right, 0.8)):
        marks = axes.collections[-1]
        assert np.allclose(marks.get_offsets()[:, 0], value)
        assert [to_hex(colour).upper() for colour in marks.get_facecolor()] == [PALETTE[0], GREY]


def test_entries_show_the_printed_number_and_every_run(measured):
    entries = measured.assign(name="cosine – score", published=0.014)
    figure = figures.checkpoint_correlations(pd.concat([entries, entries.assign(name="other")]))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cosine – score", "other"]
    assert np.allclose(axes.collections[-1].get_offsets()[:, 0], 0.014)
    assert {"ProtBERT, mine", "Composition (control), mine"} <= set(frames.texts(figure))


def test_every_number_at_its_printed_value_agrees_and_is_drawn():
    table = verdicts([summary(as_printed())]).assign(record="")
    table = table[~table.part.str.startswith("natural")]
    axes = figures.published_and_run(table).axes[2]
    assert len(dots(axes, PALETTE[3].upper())) == 6


@pytest.fixture
def clouds():
    return published.beside_language(frames.local_isotropy(), frames.global_isotropy())


def test_groups_stand_in_order_and_published_values_are_open_diamonds(clouds):
    figure = figures.natural_language(published.natural_language(), clouds)
    by_layer, *by_cloud = figure.axes
    groups = [axes.get_title(loc="left") for axes in by_cloud]
    assert groups == [f"{of}, last layer" for of in ("word tokens", "residues", "whole proteins")]
    [tokens, _], [_, residues], [paper, proteins] = map(frames.dots, by_cloud)
    assert np.allclose(tokens, [0.11690, 0.05136, 0.17911, 0.00053])
    assert np.allclose(residues, 0.2)
    assert np.allclose(proteins, [0.1, 0.2, 0.3])
    assert np.allclose(paper, [0.001658, 0.003968, 0.001502, 0.231228])
    assert [label.get_text() for label in by_cloud[1].get_yticklabels()] == frames.LABELS
    colours = [axes.collections[1].get_facecolors() for axes in by_cloud[1:]]
    assert np.array_equal(*colours)
    assert len(by_layer.lines) == 8


def test_a_run_without_residues_has_no_group_of_them(clouds):
    figure = figures.natural_language(published.natural_language(), clouds[clouds.of != "residues"])
    assert "residues, last layer" not in frames.texts(figure)
