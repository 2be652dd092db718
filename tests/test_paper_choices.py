"""Numbers under other choices: one choice at a time, from what chapters have kept."""

import pandas as pd

from figure_frames import settings_grid
from plm_geometry.paper import choices, published


def test_each_row_departs_in_one_choice_and_none_is_lost():
    found = choices.of_alignment(pd.DataFrame(), "")
    real = published.table("score_identity_real")
    usual = (real.gap_open == 11) & (real.denominator == "alignment_length")
    others = (real.longest == 0) & (
        (real.gap_open == 11) | (real.denominator == "alignment_length")
    )
    assert sorted(found["value"]) == sorted(real[usual | others]["estimate"])
    yeast = found[found["label"] == "yeast"].set_index("choice")["value"]
    assert yeast.index[0] == choices.AS_USUAL
    assert yeast["proteins up to 1,000 residues"] == 0.8556
    assert yeast["over longer protein"] == 0.7481
    assert set(found["printed"]) == {0.847}


def test_a_builds_settings_stand_beside_them():
    grid = settings_grid()
    found = choices.of_alignment(grid, "mine")
    mine = found[found["label"] == "mine"].set_index("choice")["value"]
    expected = grid[(grid["mode"] == "local") & (grid.gap_open == 11)
                    & (grid.denominator == "alignment_length")]  # fmt: skip
    assert mine["local"] == expected["estimate"].item()
    assert len(mine) == 1 + 1 + 1 + 3  # as usual, local, free gaps, three denominators


def test_without_chapter_06_there_is_no_pooling():
    assert choices.of_pooling(pd.DataFrame()).empty
