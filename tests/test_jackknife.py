"""The jackknife against its textbook form, and blocks that keep families together."""

import math

import numpy as np
import pytest

from plm_geometry.isotropy.jackknife import draw_blocks, jackknife


def test_the_mean_of_single_values_gets_the_textbook_interval():
    values = np.random.default_rng(0).standard_normal(12)
    without = [np.delete(values, i).mean() for i in range(12)]
    found = jackknife([12] + 12 * [11], [values.mean(), *without])
    error = values.std(ddof=1) / math.sqrt(12)
    assert found.estimate == pytest.approx(values.mean())
    assert found.high - found.estimate == pytest.approx(2.200985 * error, rel=1e-6)
    assert found.estimate - found.low == pytest.approx(2.200985 * error, rel=1e-6)


def test_a_bias_of_one_over_n_is_removed_whatever_the_sizes_of_the_blocks():
    sizes = np.array([5, 9, 9, 20, 57])
    counts = [100, *(100 - sizes)]
    found = jackknife(counts, [3 + 7 / n for n in counts])
    assert found.estimate == pytest.approx(3, rel=1e-12)


def test_a_higher_level_widens_the_interval():
    counts, values = [4, 3, 3, 3, 3], [2.0, 1.0, 2.0, 2.5, 3.0]
    usual, wide = jackknife(counts, values), jackknife(counts, values, level=0.99)
    assert wide.low < usual.low < usual.estimate < usual.high < wide.high


def test_blocks_are_even_and_families_stay_together():
    even = draw_blocks(103, n_blocks=10, seed=1)
    assert sorted(np.bincount(even)) == [10] * 7 + [11] * 3
    families = np.random.default_rng(0).integers(0, 40, 500)
    blocks = draw_blocks(500, n_blocks=10, seed=1, families=families)
    assert all(len(set(blocks[families == family])) == 1 for family in range(40))
    assert np.bincount(blocks).min() > 30


def test_blocks_follow_their_seed():
    assert (draw_blocks(50, seed=1) == draw_blocks(50, seed=1)).all()
    assert (draw_blocks(50, seed=1) != draw_blocks(50, seed=2)).any()
