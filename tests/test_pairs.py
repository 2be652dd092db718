"""Drawing pairs: uniform, distinct, reproducible; distances against scikit-learn."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics.pairwise import paired_cosine_distances, paired_euclidean_distances

from plm_geometry.errors import InputError
from plm_geometry.pairs import all_pairs, draw_pairs, pair_distances, similar_pairs
from plm_geometry.proteins import STANDARD_RESIDUES


@settings(deadline=None)
@given(st.integers(2, 60), st.data(), st.integers(0, 2**32))
def test_drawn_pairs_are_distinct_unordered_and_reproducible(n, data, seed):
    n_pairs = data.draw(st.integers(1, n * (n - 1) // 2))
    first, second = draw_pairs(n, n_pairs, seed=seed)
    assert ((first >= 0) & (first < second) & (second < n)).all()
    assert len(set(zip(first, second, strict=True))) == n_pairs
    again = draw_pairs(n, n_pairs, seed=seed)
    np.testing.assert_array_equal([first, second], again)


def test_another_seed_draws_other_pairs():
    assert not np.array_equal(draw_pairs(1000, 50, seed=1), draw_pairs(1000, 50, seed=2))


@pytest.mark.parametrize("n_pairs", [3, 10])
def test_every_pair_is_drawn_equally_often(n_pairs):
    # 15 pairs of 6 proteins; 3 of them are drawn by rejection, 10 by permutation.
    n_draws = 6_000
    times = Counter()
    for seed in range(n_draws):
        times.update(zip(*draw_pairs(6, n_pairs, seed=seed), strict=True))
    expected = n_draws * n_pairs / 15
    # Draws without replacement vary less than independent ones: the test is conservative.
    assert len(times) == 15
    assert stats.chisquare(list(times.values()), [expected] * 15).pvalue > 1e-4


def test_all_pairs_are_all():
    first, second = all_pairs(40)
    expected = {(i, j) for j in range(40) for i in range(j)}
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected
    assert len(first) == 780


def test_drawing_never_builds_the_quadratic_list():
    tracemalloc.start()
    first, second = draw_pairs(3_000_000, 10_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
    assert (first < second).all()
    assert second.max() < 3_000_000


def test_pair_numbers_are_decoded_exactly_where_the_root_is_rounded():
    from plm_geometry.pairs import _decode

    second = np.array([1, 2, 94_906_267, 2**31 - 1], dtype=np.int64)
    for first in (np.zeros_like(second), second - 1):
        decoded = _decode(second * (second - 1) // 2 + first)
        np.testing.assert_array_equal(decoded, [first, second])


def test_more_pairs_than_there_are_is_an_error_that_names_the_number():
    with pytest.raises(InputError, match="4950"):
        draw_pairs(100, 4951, seed=0)


@pytest.mark.parametrize("draw", [all_pairs, lambda n: draw_pairs(n, 1, seed=0)])
def test_one_protein_makes_no_pair(draw):
    with pytest.raises(InputError, match="at least two proteins"):
        draw(1)


def family(rng, n: int, length: int = 150) -> list[str]:
    """Return copies of one protein, from the same to hardly related."""
    ancestor = rng.choice(list(STANDARD_RESIDUES), length)
    copies = []
    for share in np.linspace(0, 0.6, n):
        changed = rng.random(length) < share
        copies.append(
            "".join(np.where(changed, rng.choice(list(STANDARD_RESIDUES), length), ancestor))
        )
    return copies


def test_similar_pairs_are_of_one_family_and_cover_near_copies():
    rng = np.random.default_rng(1)
    families = [family(rng, 12) for _ in range(30)]
    sequences = [sequence for members in families for sequence in members]
    first, second = similar_pairs(sequences, 400, seed=3)
    assert len(first) == 400
    assert (first < second).all()
    assert len(set(zip(first, second, strict=True))) == 400
    assert (first // 12 == second // 12).all()
    identity = [
        np.mean([a == b for a, b in zip(sequences[i], sequences[j], strict=True)])
        for i, j in zip(first, second, strict=True)
    ]
    assert np.mean(np.array(identity) > 0.9) > 0.05
    assert np.mean(np.array(identity) < 0.5) > 0.05
    np.testing.assert_array_equal(similar_pairs(sequences, 400, seed=3), [first, second])


def test_where_nothing_is_similar_no_pair_is_drawn():
    for sequences in (["MKVW", "ACDEF", "GH"], ["M", "K"]):
        first, second = similar_pairs(sequences, 5, seed=0)
        assert len(first) == len(second) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_equal_scikit_learns(dtype):
    rng = np.random.default_rng(0)
    # A large common mean and near-copies: where |a|^2 + |b|^2 - 2ab loses its digits.
    vectors = (rng.standard_normal((300, 64)) + 5).astype(dtype)
    vectors[1] = vectors[0] * dtype(1.00001)
    first, second = rng.integers(0, 300, (2, 5_000))
    first[0], second[0] = 0, 1
    found = pair_distances(vectors, first, second)
    a, b = vectors[first].astype(np.float64), vectors[second].astype(np.float64)
    np.testing.assert_allclose(
        found["cosine_similarity"], 1 - paired_cosine_distances(a, b), rtol=1e-6
    )
    np.testing.assert_allclose(
        found["squared_euclidean"], paired_euclidean_distances(a, b) ** 2, rtol=1e-6
    )


def test_a_zero_vector_has_no_cosine_but_a_distance():
    vectors = np.array([[0, 0], [3, 4]], dtype=np.float32)
    found = pair_distances(vectors, np.array([0, 0, 1]), np.array([1, 0, 1]))
    assert found["cosine_similarity"].isna().tolist() == [True, True, False]
    assert found["squared_euclidean"].tolist() == [25, 0, 0]


def test_blocks_do_not_change_distances(monkeypatch):
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((50, 8)).astype(np.float32)
    first, second = all_pairs(50)
    whole = pair_distances(vectors, first, second)
    monkeypatch.setattr("plm_geometry.pairs._BLOCK_ELEMENTS", 56)
    assert pair_distances(vectors, first, second).equals(whole)


def test_nan_in_a_vector_is_refused_with_its_row():
    vectors = np.ones((3, 2))
    vectors[2, 1] = np.nan
    with pytest.raises(InputError, match="vector 2"):
        pair_distances(vectors, np.array([0]), np.array([1]))
