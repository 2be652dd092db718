"""Files of moments: the same bits back, one letter at a time."""

import numpy as np
import pytest

from plm_geometry.embedding.moment_files import (
    MergedMoments,
    StoredMoments,
    read_moments,
    write_moments,
)
from plm_geometry.isotropy.moments import Moments


@pytest.fixture
def moments():
    rng = np.random.default_rng(0)
    return {
        layer: {letter: Moments.from_vectors(rng.normal(size=(9, 4))) for letter in letters}
        for layer, letters in ((0, "AC"), (10, "A"))
    }


def same(a, b):
    pairs = zip(a.to_arrays().items(), b.to_arrays().items(), strict=True)
    return all(x == y and np.array_equal(u, v) for (x, u), (y, v) in pairs)


def test_what_was_written_is_read_to_the_last_bit(moments, tmp_path):
    write_moments(tmp_path / "m.npz", moments, {"blocks_done": 3})
    found, note = read_moments(tmp_path / "m.npz")
    assert int(note["blocks_done"]) == 3
    assert found.keys() == moments.keys()
    for layer, letters in moments.items():
        assert found[layer].keys() == letters.keys()
        assert all(same(found[layer][letter], letters[letter]) for letter in letters)


def test_packed_moments_lose_no_more_than_rounding(tmp_path):
    whole = Moments.from_vectors(np.random.default_rng(1).normal(size=(500, 60)) + 30)
    write_moments(tmp_path / "whole.npz", {0: {"A": whole}}, {})
    write_moments(tmp_path / "packed.npz", {0: {"A": whole}}, {}, packed=True)
    found = StoredMoments(tmp_path / "packed.npz", 0)["A"]
    np.testing.assert_array_equal(np.triu(found.scatter), np.triu(whole.scatter))
    np.testing.assert_array_equal(found.scatter, found.scatter.T)
    np.testing.assert_allclose(found.scatter, whole.scatter, rtol=1e-12, atol=1e-9)
    sizes = [(tmp_path / f"{name}.npz").stat().st_size for name in ("packed", "whole")]
    assert sizes[0] < 0.6 * sizes[1]


def test_one_layer_is_read_by_letter(moments, tmp_path):
    write_moments(tmp_path / "m.npz", moments, {})
    stored = StoredMoments(tmp_path / "m.npz", 0)
    assert list(stored) == ["A", "C"]
    assert same(stored["C"], moments[0]["C"])
    with pytest.raises(KeyError):
        stored["W"]
    assert not len(StoredMoments(tmp_path / "m.npz", 1))


def test_groups_are_merged_letter_by_letter_where_they_have_it(moments):
    merged = MergedMoments([moments[0], moments[10]])
    assert list(merged) == ["A", "C"]
    assert same(merged["A"], moments[0]["A"].merge(moments[10]["A"]))
    assert same(merged["C"], moments[0]["C"])
    assert merged["A"] is merged["A"]
    with pytest.raises(KeyError):
        merged["W"]
    assert not MergedMoments([{}, {}])
