"""What the pass over the vectors refuses, and what it calls the culprit."""

import numpy as np
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.accumulate import Accumulator
from plm_geometry.isotropy.moments import Moments


def vectors_with(value, row, kind="float64"):
    vectors = np.random.default_rng(0).standard_normal((50, 4)).astype(kind)
    vectors[row, 2] = value
    return vectors


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_a_value_that_is_not_finite_is_named_by_its_row(value, what, kind):
    with pytest.raises(InputError, match=rf"^row 37 holds {what}"):
        Moments.from_vectors(vectors_with(value, 37, kind), rows_per_block=10)


def test_the_row_is_counted_over_all_blocks_and_named():
    blocks = [vectors_with(0, 0), vectors_with(np.nan, 5)]
    names = [f"P{i:05}" for i in range(100)]
    with pytest.raises(InputError, match=r"^row 55 \(P00055\) holds NaN"):
        Moments.from_blocks(blocks, names=names)


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
        Accumulator(0)


def test_no_rows_are_empty_moments():
    assert Moments.from_vectors(np.empty((0, 4))).count == 0
