"""The figure of a run's proteins says how long they are and how like Swiss-Prot."""

import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.proteins.fasta import SWISSPROT_PERCENT

BY_CLASS = "GAVLIMPFWYSTCNQKRHDE"


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
    assert np.allclose(axes.collections[0].get_offsets()[:, 1], by_residue.swissprot)
    assert frames.titles(figure)[1] == "At most 1.0 percentage points from Swiss-Prot"


def test_proteins_of_one_length_are_drawn_too(composition):
    figure = figures.proteins(lengths(100, 100, 100), composition)
    assert max(bar.get_height() for bar in figure.axes[0].containers[0]) == 3
