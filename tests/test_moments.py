"""Moments against plain NumPy, the ways of putting them together, and what they refuse."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.measures import effective_dimensions, mean_cosine_similarity
from plm_geometry.isotropy.moments import Accumulator, Moments, merge_all, random_parts


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


def anisotropic(rng, n, d):
    """A cloud with unequal variances, correlations and a mean of its own."""
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 3 * rng.standard_normal(d)


def assert_same(first, second, rtol):
    """Every field of `first` equals that of `second`, relative to the field's largest entry."""
    for name, value in first.to_arrays().items():
        other = second.to_arrays()[name]
        np.testing.assert_allclose(value, other, rtol=0, atol=rtol * np.abs(other).max())


def test_every_field_is_what_its_definition_says(rng):
    vectors = anisotropic(rng, 200, 7)
    vectors[[3, 50]] = 0
    moments = Moments.from_vectors(vectors)
    directions = np.array([x / np.linalg.norm(x) for x in vectors if x.any()])
    assert (moments.count, moments.dim, moments.n_zero) == (200, 7, 2)
    np.testing.assert_allclose(moments.mean, vectors.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(vectors.T), rtol=1e-12)
    np.testing.assert_allclose(moments.unit_sum, directions.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.unit_square_sum, (directions**2).sum(axis=0), rtol=1e-12)


@settings(deadline=None, max_examples=50)
@given(
    cuts=st.lists(st.integers(0, 60), max_size=6),
    order=st.randoms(use_true_random=False),
    kind=st.sampled_from(["float64", "float32"]),
    far=st.sampled_from([0.0, 1.0, 100.0]),
)
def test_any_split_merged_in_any_order_is_the_whole(cuts, order, kind, far):
    vectors = (anisotropic(np.random.default_rng(5), 60, 6) + far).astype(kind)
    edges = [0, *sorted(cuts), 60]
    parts = [Moments.from_vectors(vectors[a:b]) for a, b in itertools.pairwise(edges)]
    order.shuffle(parts)
    rtol = 1e-12 if kind == "float64" else 1e-6
    assert_same(merge_all(parts), Moments.from_vectors(vectors), rtol)


def test_merging_is_associative(rng):
    a, b, c = (Moments.from_vectors(anisotropic(rng, n, 5)) for n in (3, 40, 11))
    assert_same(a.merge(b).merge(c), a.merge(b.merge(c)), 1e-12)


def test_merging_with_nothing_changes_nothing(rng):
    moments = Moments.from_vectors(anisotropic(rng, 30, 5))
    assert_same(Moments.empty(5).merge(moments), moments, 1e-15)
    assert_same(moments.merge(Moments.empty(5)), moments, 1e-15)
    assert Moments.empty(5).merge(Moments.empty(5)).count == 0


def test_without_is_the_inverse_of_merge(rng):
    a, b = (Moments.from_vectors(anisotropic(rng, n, 5)) for n in (50, 20))
    assert_same(a.merge(b).without(b), a, 1e-11)
    assert a.without(a).count == 0


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and sweeps of the size that a test can afford."""
    monkeypatch.setattr("plm_geometry.isotropy.moments._BLOCK_BYTES", 4000)
    monkeypatch.setattr("plm_geometry.isotropy.moments._SWEEP_BYTES", 1000)


@pytest.mark.parametrize(("kind", "rtol"), [("float64", 1e-12), ("float32", 1e-6)])
def test_many_blocks_are_as_exact_as_one(rng, small_blocks, kind, rtol):
    vectors = (anisotropic(rng, 5000, 6) + 100).astype(kind)
    found, exact = Moments.from_vectors(vectors), np.cov(vectors.astype(np.float64).T)
    np.testing.assert_allclose(found.covariance, exact, rtol=0, atol=rtol * exact.max())
    units = vectors.astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    np.testing.assert_allclose(found.unit_sum, units.sum(axis=0), rtol=rtol)
    np.testing.assert_allclose(found.unit_square_sum, (units**2).sum(axis=0), rtol=rtol)


def test_the_first_row_that_is_not_finite_is_named_whichever_block_holds_it(rng, small_blocks):
    vectors = anisotropic(rng, 5000, 6)
    vectors[[2345, 4000]] = np.nan
    with pytest.raises(InputError, match=r"^row 2345 holds NaN"):
        Moments.from_vectors(vectors)


def test_where_single_precision_is_too_narrow_double_is_taken(rng, small_blocks):
    vectors = anisotropic(rng, 5000, 6).astype(np.float32)
    vectors[2345] *= np.float32(1e15)
    exact = Moments.from_vectors(vectors.astype(np.float64))
    assert_same(Moments.from_vectors(vectors), exact, 1e-6)


def test_clouds_that_are_accumulated_side_by_side_are_those_of_each_alone(rng):
    clouds = {"A": anisotropic(rng, 3000, 6), "B": anisotropic(rng, 40, 4).astype(np.float32)}
    sums = Accumulator()
    for start in range(0, 3000, 700):
        for name, vectors in clouds.items():
            piece = vectors[start : start + 700]
            sums.add(piece, range(start, start + len(piece)), name)
    for name, vectors in clouds.items():
        assert_same(sums.moments[name], Moments.from_vectors(vectors), 1e-12)


def test_blocks_of_a_stream_are_the_rows_of_one_array(rng):
    vectors = anisotropic(rng, 300, 6)
    stream = (vectors[start : start + 2] for start in range(0, 300, 2))
    assert_same(Moments.from_blocks(stream), Moments.from_vectors(vectors), 1e-12)


def test_merging_other_widths_is_refused(rng):
    with pytest.raises(InputError, match=r"dimension 4 .* dimension 5"):
        Moments.empty(4).merge(Moments.empty(5))


def test_storing_and_reading_gives_the_same_moments(rng, tmp_path):
    moments = Moments.from_vectors(anisotropic(rng, 30, 5))
    np.savez(tmp_path / "moments.npz", **moments.to_arrays())
    with np.load(tmp_path / "moments.npz") as stored:
        assert_same(Moments.from_arrays(stored), moments, 0)


@pytest.mark.parametrize("kind", ["int8", "int64", "uint16", "bool"])
def test_integers_are_vectors_too(rng, kind):
    vectors = rng.integers(0, 2 if kind == "bool" else 100, (50, 4)).astype(kind)
    assert_same(Moments.from_vectors(vectors), Moments.from_vectors(vectors.astype(float)), 1e-15)


def test_half_precision_is_computed_in_single(rng):
    vectors = anisotropic(rng, 500, 8).astype(np.float16)
    assert_same(Moments.from_vectors(vectors), Moments.from_vectors(vectors.astype(float)), 1e-6)


def test_lists_fortran_order_and_strides_are_read_like_arrays(rng):
    vectors = anisotropic(rng, 40, 6)
    expected = Moments.from_vectors(vectors)
    wide = np.repeat(vectors, 2, axis=1)
    for same in (vectors.tolist(), np.asfortranarray(vectors), wide[:, ::2]):
        assert_same(Moments.from_vectors(same), expected, 1e-15)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_single_precision_neither_overflows_nor_vanishes(rng, scale):
    vectors = anisotropic(rng, 100, 6)
    scaled = Moments.from_vectors((vectors * scale).astype(np.float32))
    assert scaled.n_zero == 0
    assert effective_dimensions(scaled) == pytest.approx(effective_dimensions(vectors), rel=1e-6)
    assert mean_cosine_similarity(scaled) == pytest.approx(
        mean_cosine_similarity(vectors), rel=1e-6
    )


@pytest.mark.parametrize("d", [4, 64, 256])
def test_a_mean_a_thousand_deviations_off_costs_no_digits(rng, d):
    spread = np.exp(rng.standard_normal(d))
    far = 1000 * spread * rng.choice([-1, 1], d)
    vectors = (rng.standard_normal((30_000, d)) * spread + far).astype(np.float32)
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    covariance = centred.T @ centred
    two_pass = np.trace(covariance) ** 2 / np.sum(covariance**2)
    assert effective_dimensions(vectors) == pytest.approx(two_pass, rel=1e-6)


def test_a_drifting_mean_costs_no_digits(rng):
    vectors = anisotropic(rng, 20_000, 16)
    vectors = (vectors[np.argsort(vectors[:, 0])] + 500).astype(np.float32)
    exact = effective_dimensions(vectors.astype(np.float64))
    assert effective_dimensions(vectors) == pytest.approx(exact, rel=1e-6)


def test_equal_vectors_scatter_exactly_nothing(small_blocks):
    for kind in ("float16", "float32", "float64"):
        moments = Moments.from_vectors(np.full((3001, 3), 0.1, dtype=kind))
        assert not moments.scatter.any()


def test_one_vector_has_no_covariance():
    with pytest.raises(InputError, match="1 vector has no covariance"):
        _ = Moments.from_vectors([[1.0, 2.0]]).covariance


def drawn(vectors, rows_per_read, n_parts=7, seed=3):
    blocks = [vectors[i : i + rows_per_read] for i in range(0, len(vectors), rows_per_read)]
    return random_parts(blocks, n_parts, seed=seed)


@pytest.mark.parametrize("rows_per_read", [5, 64, 1000])
def test_random_parts_are_even_and_together_the_whole(rng, rows_per_read):
    vectors = anisotropic(rng, 300, 6)
    parts = drawn(vectors, rows_per_read)
    assert sorted({part.count for part in parts}) == [42, 43]
    assert_same(merge_all(parts), Moments.from_vectors(vectors), 1e-12)


def test_random_parts_are_disjoint_random_and_follow_their_seed():
    numbers = np.arange(1.0, 301.0)[:, None]  # the one whose sums tell each row
    parts, again, other = (drawn(numbers, 1000, seed=seed) for seed in (3, 3, 4))
    means = np.array([part.mean[0] for part in parts])
    np.testing.assert_array_equal(means, [part.mean[0] for part in again])
    assert (means != [part.mean[0] for part in other]).any()
    assert 1 < means.std() < 40


def test_random_parts_of_one_read_are_those_of_draw_blocks(rng):
    vectors = anisotropic(rng, 100, 4)
    block_of = draw_blocks(100, n_blocks=7, seed=3)
    for number, part in enumerate(drawn(vectors, 1000)):
        assert_same(part, Moments.from_vectors(vectors[block_of == number]), 1e-12)


def test_random_parts_name_rows_as_the_stream_numbers_them(rng):
    vectors = anisotropic(rng, 300, 6)
    vectors[222, 1] = np.inf
    names = [f"P{i:05}" for i in range(300)]
    with pytest.raises(InputError, match=r"^row 222 \(P00222\) holds infinity"):
        random_parts([vectors[:150], vectors[150:]], 7, seed=3, names=names)


def test_random_parts_of_nothing_are_refused():
    with pytest.raises(InputError, match="there are no vectors"):
        random_parts([], 7, seed=3)


@given(
    distance=st.floats(0, 1e4),
    kind=st.sampled_from(["float16", "float32"]),
    n=st.sampled_from([10, 300, 1024, 1400, 4000]),
    shared=st.sampled_from([0, 20]),
    seed=st.integers(0, 1000),
)
def test_narrow_floats_keep_six_digits_whatever_their_mean(distance, kind, n, shared, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, 16)) * np.arange(1, 17) ** -0.5
    vectors[:, :2] += shared * rng.standard_normal((n, 1))
    far = distance * vectors.std(axis=0) * rng.choice([-1, 1], 16)
    largest = np.abs(vectors + far).max()
    vectors = ((vectors + far) / largest * 1000).astype(kind)  # within half precision
    centred = vectors.astype(float) - vectors.astype(float).mean(axis=0)
    covariance = centred.T @ centred
    assume(covariance.any())
    dimensions = np.trace(covariance) ** 2 / (covariance**2).sum()
    assert effective_dimensions(vectors) == pytest.approx(dimensions, rel=1e-6)


def vectors_with(value, row, kind="float64"):
    vectors = np.random.default_rng(0).standard_normal((50, 4)).astype(kind)
    vectors[row, 2] = value
    return vectors


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_a_value_that_is_not_finite_is_named_by_its_row(value, what, kind):
    with pytest.raises(InputError, match=rf"^row 37 holds {what}"):
        Moments.from_vectors(vectors_with(value, 37, kind))


def test_the_row_is_counted_over_all_blocks():
    with pytest.raises(InputError, match=r"^row 55 holds NaN"):
        Moments.from_blocks([vectors_with(0, 0), vectors_with(np.nan, 5)])


def test_an_overflow_of_half_precision_is_explained():
    with np.errstate(over="ignore"):
        vectors = vectors_with(70_000, 3, "float32").astype(np.float16)
    with pytest.raises(InputError, match=r"row 3 holds infinity \(float16 ends at 65,504"):
        Moments.from_vectors(vectors)


@pytest.mark.parametrize("value", [1e200, 1e-200])
def test_squares_beyond_double_precision_are_refused(value):
    vectors = np.zeros((5, 4))
    vectors[2] = value
    with pytest.raises(InputError, match=r"row 2 has a squared length beyond floating point"):
        Moments.from_vectors(vectors)


@pytest.mark.parametrize("kind", ["complex64", "U3", "object", "datetime64[s]"])
def test_what_is_no_real_number_is_refused(kind):
    with pytest.raises(InputError, match="no real numbers"):
        Moments.from_vectors(np.zeros((3, 2)).astype(kind))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_what_is_no_matrix_is_refused(shape):
    with pytest.raises(InputError, match="where a matrix is needed"):
        Moments.from_vectors(np.zeros(shape))


def test_ragged_lists_are_refused():
    with pytest.raises(InputError, match="no array of numbers"):
        Moments.from_vectors([[1.0, 2.0], [3.0]])


def test_blocks_of_unequal_width_are_refused():
    with pytest.raises(InputError, match="row 3 has 5 dimensions where those before have 4"):
        Moments.from_blocks([np.ones((3, 4)), np.ones((2, 5))])


def test_no_block_and_no_dimension_are_refused():
    with pytest.raises(InputError, match="there are no vectors"):
        Moments.from_blocks([])
    with pytest.raises(InputError, match="no dimensions"):
        Moments.from_vectors(np.empty((3, 0)))


def test_no_rows_are_empty_moments():
    assert Moments.from_vectors(np.empty((0, 4))).count == 0


def threads_of_products():
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


def test_sums_in_several_threads_are_right_and_leave_products_their_cores(monkeypatch):
    monkeypatch.setattr("plm_geometry.isotropy.moments._BLOCK_BYTES", 4000)  # many blocks
    # As if none saw that another had limited products already.
    monkeypatch.setattr("plm_geometry.isotropy.moments._affordable_threads", lambda d: 2)
    vectors = np.random.default_rng(0).standard_normal((4000, 20)).astype(np.float32)
    alone = Moments.from_vectors(vectors)
    before = threads_of_products()
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(Moments.from_vectors, [vectors] * 120):
            np.testing.assert_array_equal(found.scatter, alone.scatter)
    assert threads_of_products() == before


def test_of_several_faulty_vectors_in_many_blocks_the_first_is_named(monkeypatch):
    monkeypatch.setattr("plm_geometry.isotropy.moments._BLOCK_BYTES", 4000)
    vectors = np.ones((4000, 20), np.float32)
    vectors[[1700, 1900, 3999]] = np.nan
    with pytest.raises(InputError, match="row 1700 holds NaN"):
        Moments.from_vectors(vectors)
