"""The jackknife against its textbook form, and blocks that keep families together."""

import math

import numpy as np
import pytest

from plm_geometry.isotropy.jackknife import draw_blocks, jackknife


def test_the_mean_of_single_values_gets_the_textbook_interval():
    values = np.random.default_rng(0).standard_normal(12)
    without = [np.delete(values, i).mean() for i in range(12)]
    error = values.std(ddof=1) / math.sqrt(12)
    for counts in (None, [12] + 12 * [11]):
        found = jackknife([values.mean(), *without], counts)
        assert found.estimate == pytest.approx(values.mean())
        assert found.standard_error == pytest.approx(error)
        assert found.high - found.estimate == pytest.approx(2.200985 * error, rel=1e-6)
        assert found.estimate - found.low == pytest.approx(2.200985 * error, rel=1e-6)


def test_a_bias_of_one_over_n_is_removed_whatever_the_sizes_of_the_blocks():
    sizes = np.array([5, 9, 9, 20, 57])
    counts = [100, *(100 - sizes)]
    found = jackknife([3 + 7 / n for n in counts], counts)
    assert found.estimate == pytest.approx(3, rel=1e-12)


def test_several_statistics_are_each_jackknifed_and_one_that_is_undefined_is_nan():
    values = np.random.default_rng(1).standard_normal((9, 2, 3))
    values[4, 1, 2] = np.nan
    counts = [80, 70, 72, 71, 68, 69, 70, 70, 70]
    for sizes in (None, counts):
        together = jackknife(values, sizes)
        for i, j in np.ndindex(2, 3):
            found = [field[i, j] for field in together]
            np.testing.assert_allclose(found, jackknife(values[:, i, j], sizes), rtol=1e-12)
    assert np.isnan(together.estimate).sum() == np.isnan(together.high).sum() == 1


def test_too_few_blocks_leave_only_the_estimate_of_the_whole():
    values = np.arange(6.0)
    assert jackknife(values, least=6)[0] == 0
    assert np.isnan(jackknife(values, least=6)[1:]).all()
    assert np.isnan(jackknife(values, [10, 8, 8, 8, 8, 8], least=6)).all()
    assert np.isfinite(jackknife(values, least=5)).all()


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
