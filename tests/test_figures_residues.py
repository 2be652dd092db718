"""Amino acids are drawn in the order of their side chains, beside how long proteins are."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.paper import published
from plm_geometry.proteins.fasta import SWISSPROT_PERCENT

BY_CLASS = "GAVLIMPFWYSTCNQKRHDE"


@pytest.fixture
def local():
    return published.beside_local(frames.local_isotropy())


def test_the_heat_map_has_the_twenty_by_class_and_no_model_without_values(local):
    figure = figures.local_heatmap(local, "effective_dimensions")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(BY_CLASS)
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "ProtBERT", "ESM-2 8M"
    ]  # fmt: skip
    glycine = local[(local.residue == "G") & (local.model == "esm2_8m")].effective_dimensions.item()
    assert f"{glycine:.1f}" in frames.texts(figure)


def test_colours_of_the_heat_map_span_the_models(local):
    untrained = local[local.model == "esm2_8m"].assign(
        title="Untrained", role="control", effective_dimensions=40.0
    )
    figure = figures.local_heatmap(pd.concat([local, untrained]), "effective_dimensions")
    models = local[local.residue.isin(list(BY_CLASS))]
    drawn = models.effective_dimensions
    assert figure.axes[0].collections[0].get_clim() == (drawn.min(), drawn.max())


@pytest.mark.parametrize("draw", ["local_heatmap", "local_intervals", "local_spread"])
def test_where_no_amino_acid_has_a_spread_the_figure_says_so(local, draw):
    column = () if draw == "local_spread" else ("effective_dimensions",)
    figure = getattr(figures, draw)(local.assign(effective_dimensions=np.nan), *column)
    said = " ".join(frames.texts(figure)).replace("\n", " ")
    assert "the residues of no amino acid differ" in said


def test_controls_alone_have_colours_too(local):
    figure = figures.local_heatmap(local.assign(role="control"), "effective_dimensions")
    assert np.isfinite(figure.axes[0].collections[0].get_clim()).all()


def test_the_spread_of_amino_acids_shows_means_and_the_published_average(local):
    figure = figures.local_spread(local)
    twenty = local[local.residue.isin(list(BY_CLASS))]
    means = twenty.groupby("title", sort=False).effective_dimensions.mean().dropna()
    dots, marks, average = figure.axes[0].collections
    assert np.allclose(dots.get_offsets()[:, 0], twenty.effective_dimensions.dropna())
    assert np.allclose([ends[0, 0] for ends in marks.get_segments()], means)
    assert np.array_equal(average.get_segments()[0], [[14, -0.5], [14, 0.5]])
    assert "published: about 14" in frames.texts(figure)


def test_without_a_published_average_none_is_drawn(local):
    figure = figures.local_spread(local.assign(published_dimensions=np.nan))
    assert not [text for text in frames.texts(figure) if text.startswith("published")]


def test_each_amino_acid_has_its_interval_in_the_order_of_the_classes(local):
    figure = figures.local_intervals(local, "effective_dimensions")
    assert frames.titles(figure) == frames.LABELS[:2]
    intervals, dots = figure.axes[1].collections
    model = local[local.model == "esm2_8m"].set_index("residue").loc[list(BY_CLASS)]
    assert np.allclose(dots.get_offsets()[:, 1], model.effective_dimensions)
    low, high = np.array(intervals.get_segments())[:, :, 1].T
    assert np.allclose(low, model.effective_dimensions_low)
    assert np.allclose(high, model.effective_dimensions_high)
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "aliphatic", "aromatic", "polar", "positive", "negative"
    ]  # fmt: skip


def test_an_amino_acid_that_a_run_lacks_leaves_no_class_empty(local):
    few = local[local.residue.isin(["A", "G", "D"])]
    figure = figures.local_intervals(few, "effective_dimensions")
    assert [text.get_text() for text in figure.axes[0].texts] == ["aliphatic", "negative"]
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["G", "A", "D"]


def test_variance_between_and_within_fill_the_bar():
    frame = frames.MODELS.assign(between=[0.25, 0.5, 1.0], within=[0.75, 0.5, 0.0])
    figure = figures.local_variance(frame)
    between, within = figure.axes[0].containers
    ends = [bar.get_x() + bar.get_width() for bar in within]
    assert np.allclose(ends, 1)
    assert np.allclose([bar.get_width() for bar in between], frame.between)
    assert {"25%", "50%", "100%", *frames.LABELS} <= set(frames.texts(figure))


@pytest.fixture
def composition():
    """Return Swiss-Prot's own shares, but for a point of leucine that alanine has."""
    share = pd.Series(SWISSPROT_PERCENT) / sum(SWISSPROT_PERCENT.values())
    moved = share + pd.Series({"L": -0.01, "A": 0.01}).reindex(share.index, fill_value=0)
    return pd.DataFrame({"residue": share.index, "share": moved, "swissprot": share})


def lengths(*values):
    return pd.DataFrame({"length": values})


def test_every_protein_is_in_the_histogram_and_the_middle_half_is_named(composition):
    values = [30, 100, 200, 300, 35_213]
    figure = figures.proteins(lengths(*values), composition)
    bars = list(figure.axes[0].containers[0])
    assert sum(bar.get_height() for bar in bars) == len(values)
    assert bars[0].get_x() < 30
    assert bars[-1].get_x() + bars[-1].get_width() > 35_213
    assert frames.titles(figure)[0] == "Half have 100 to 300, median 200"


def test_amino_acids_stand_by_class_with_swissprots_shares_beside(composition):
    figure = figures.proteins(lengths(100, 200), composition)
    axes = figure.axes[1]
    by_residue = composition.set_index("residue").loc[list(BY_CLASS)]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(BY_CLASS)
    assert np.allclose([bar.get_height() for bar in axes.containers[0]], by_residue.share)
    assert np.allclose(axes.lines[0].get_ydata(), by_residue.swissprot)
    assert frames.titles(figure)[1] == "At most 1.0 percentage points from Swiss-Prot"


def test_proteins_of_one_length_are_drawn_too(composition):
    figure = figures.proteins(lengths(100, 100, 100), composition)
    assert max(bar.get_height() for bar in figure.axes[0].containers[0]) == 3
