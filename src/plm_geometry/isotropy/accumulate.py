"""The sums behind `Moments`: one pass over blocks of vectors, at the speed of a matrix product."""

import math
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.cores import blas_threads, side_by_side

# Vectors that are shifted by one vector and multiplied in one product: so many that adding the
# result up costs little beside it, so few that float32 keeps its digits.
_BLOCK_BYTES = 12 * 2**20
_MAX_BLOCK_ROWS = 8192
# Copies and products of all blocks that are in work at once.
_WORKSPACE_BYTES = 96e6
# Part of a block that is swept at a time: it stays in the processor's cache.
_SWEEP_BYTES = 2**20
# Rows of a block that its shift is taken from: an eighth of a deviation from the mean is near.
_SHIFT_ROWS = 64
# Blocks whose means are kept apart before they are put together: memory stays flat.
_OPEN_BLOCKS = 64
# Vectors of a stream that are computed in float64 whatever their type. A sum of 300 squares in
# float32 may miss 1e-6 of itself, which shows where one coordinate outweighs the others; of more
# vectors the products' errors cancel.
_EXACT_ROWS = 1024
# Squared norms within which sums of squares neither overflow nor lose digits to underflow.
_SAFE_SQUARES = {"float32": (1e-20, 1e20), "float64": (1e-280, 1e280)}


class Workspace:
    """Room for the shifted copy of a block and for its product.

    Memory used again is faster than new, and accumulators that take turns may share it.
    """

    def __init__(self):
        self._copy = self._product = np.empty((0, 0))

    def room(self, shape: tuple[int, int], dtype: type) -> tuple[np.ndarray, np.ndarray]:
        """Return uninitialised arrays, of this shape and (d, d)."""
        n, d = shape
        if self._copy.dtype != dtype or len(self._copy) < n:
            self._copy, self._product = np.empty((n, d), dtype), np.empty((d, d), dtype)
        return self._copy[:n], self._product


class _Block(NamedTuple):
    """Consecutive vectors, what an error message calls them, and room to work in."""

    vectors: np.ndarray
    numbers: Sequence[int]
    names: Sequence[str] | None
    workspace: Workspace
    directions: bool
    dtype: type


class _BlockSums(NamedTuple):
    """Sums over the vectors of a block, in part less a `shift` that is near their mean."""

    count: int
    shift: np.ndarray
    scatter: np.ndarray
    residual_sum: np.ndarray
    unit_sum: np.ndarray
    unit_square_sum: np.ndarray
    n_zero: int


class Accumulator:
    """Sums over a stream of vectors of dimension `d`.

    Each block is shifted to near its mean, so that a common mean far from zero costs no digits.
    Float64, integers and the first 1,024 vectors are computed in float64, narrower floats after
    these in float32 block by block, and the blocks are added up in float64 (Chan, Golub and
    LeVeque 1983), always in the same order.

    Parameters
    ----------
    d : int
        Dimension of the vectors.
    names : sequence of str, optional
        What to call each vector in an error message, beside its number.
    workspaces : list of Workspace, optional
        That of another accumulator of the same `d`, to be shared.
    directions : bool
        Sum up unit vectors too; if not, their sums are NaN, and the pass takes less time.
    """

    def __init__(
        self,
        d: int,
        *,
        names: Sequence[str] | None = None,
        workspaces: list[Workspace] | None = None,
        directions: bool = True,
    ):
        if d < 1:
            raise InputError("the vectors have no dimensions; give vectors of at least one.")
        self.d = d
        self.names = names
        self.scatter = np.zeros((d, d))
        self.directions = directions
        self.unit_sum = np.full(d, 0.0 if directions else np.nan)
        self.unit_square_sum = self.unit_sum.copy()
        self.n_zero = 0
        # Of each open block: its rows, its mean, and how far its shift was from its mean.
        self._counts: list[int] = []
        self._means: list[np.ndarray] = []
        self._residuals: list[np.ndarray] = []
        self._workspaces = [] if workspaces is None else workspaces

    @property
    def count(self) -> int:
        """Vectors added so far."""
        return sum(self._counts)

    def add(
        self, vectors: np.ndarray, numbers: Sequence[int], *, rows_per_block: int | None = None
    ) -> None:
        """Add the rows of `vectors`, shape (k, d); error messages call them by their `numbers`.

        Raises
        ------
        InputError
            If they are of another width or no real numbers, or a row holds NaN, infinity or
            squares that overflow.
        """
        if vectors.shape[1] != self.d:
            raise InputError(
                f"row {numbers[0]} has {vectors.shape[1]} dimensions where those before "
                f"have {self.d}; give vectors of one width."
            )
        dtype = _precision(vectors.dtype)
        exact = max(0, _EXACT_ROWS - self.count)
        if dtype == np.float32 and exact:
            dtype, rest = np.float64, vectors[exact:]
            if len(rest):
                self.add(vectors[:exact], numbers[:exact], rows_per_block=rows_per_block)
                self.add(rest, numbers[exact:], rows_per_block=rows_per_block)
                return
        rows = rows_per_block or _block_rows(len(vectors), self.d, dtype)
        n_threads = _affordable_threads(rows, self.d, dtype) if rows < len(vectors) else 1
        # A block more than there are threads: one is being added up while they work.
        ahead = n_threads + (n_threads > 1)
        self._workspaces += [Workspace() for _ in range(ahead - len(self._workspaces))]
        blocks = (
            _Block(vectors[part], numbers[part], self.names, workspace, self.directions, dtype)
            for part, workspace in zip(_slices(len(vectors), rows), cycle(self._workspaces))
        )
        for sums in side_by_side(_sums_of, blocks, n_threads=n_threads, ahead=ahead):
            self._include(sums)

    def sums(self) -> dict[str, Any]:
        """Return the fields of the `Moments` of all vectors added; at least one is needed."""
        self._close_blocks()
        return {
            "count": self._counts[0],
            "mean": self._means[0],
            "scatter": self.scatter,
            "unit_sum": self.unit_sum,
            "unit_square_sum": self.unit_square_sum,
            "n_zero": self.n_zero,
        }

    def _include(self, block: _BlockSums) -> None:
        self.scatter += block.scatter
        self.unit_sum += block.unit_sum
        self.unit_square_sum += block.unit_square_sum
        self.n_zero += block.n_zero
        residual = block.residual_sum / block.count
        self._counts.append(block.count)
        self._means.append(block.shift + residual)
        self._residuals.append(residual)
        if len(self._counts) == _OPEN_BLOCKS:
            self._close_blocks()

    def _close_blocks(self) -> None:
        """Move the open blocks' scatter from their shifts to one common mean."""
        counts = np.array(self._counts, dtype=np.float64)[:, None]
        # Means are counted from the first: where all vectors are equal nothing is rounded.
        steps = np.array(self._means) - self._means[0]
        step = (counts * steps).sum(axis=0) / counts.sum()
        # One product for both: what each shift off its block's mean adds goes, what lies between
        # the blocks' means comes.
        apart = np.concatenate([self._residuals, steps - step])
        self.scatter += apart.T @ (np.concatenate([-counts, counts]) * apart)
        self._counts = [sum(self._counts)]
        self._means = [self._means[0] + step]
        self._residuals = [np.zeros_like(step)]


def row_name(number: int, names: Sequence[str] | None) -> str:
    """Return what an error message calls a vector."""
    return f"row {number}" + (f" ({names[number]})" if names else "")


def check_finite(vector: np.ndarray, name: str) -> None:
    """Raise an InputError that calls the vector by `name` if it holds NaN or infinity."""
    if np.isnan(vector).any():
        raise InputError(f"{name} holds NaN; mend or remove it.")
    if np.isinf(vector).any():
        half = vector.dtype == np.float16
        cause = " (float16 ends at 65,504: write the vectors as float32)" if half else ""
        raise InputError(f"{name} holds infinity{cause}; mend or remove it.")


def beyond_floating_point(name: str) -> InputError:
    """Return the error for a vector whose squared length over- or underflows."""
    return InputError(
        f"{name} has a squared length beyond floating point; "
        "multiply all vectors by one constant (isotropy does not change)."
    )


def _precision(dtype: np.dtype) -> type:
    """Return in which floating point numbers of a type are computed."""
    if dtype.kind not in "fiub":
        raise InputError(f"vectors of type {dtype} are no real numbers; give floats.")
    return np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64


def _block_rows(n: int, d: int, dtype: type) -> int:
    """Return how many of `n` vectors make a block: the same on any number of cores."""
    # With fewer rows than columns, adding the product up would outweigh it.
    most = min(_MAX_BLOCK_ROWS, max(d, _rows_in(_BLOCK_BYTES, d, dtype)))
    if n <= most:
        return max(1, n)
    # An even number of equal blocks, so that two cores end together.
    return math.ceil(n / (2 * math.ceil(n / (2 * most))))


def _affordable_threads(rows: int, d: int, dtype: type) -> int:
    """Return how many blocks to compute side by side."""
    size = (rows + d) * d * np.dtype(dtype).itemsize
    n_threads = min(blas_threads(), int(_WORKSPACE_BYTES // size) - 1)
    return n_threads if n_threads > 1 else 1


def _slices(n: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def _rows_in(size: int, d: int, dtype: type) -> int:
    """Return how many vectors take `size` bytes, at least one."""
    return max(1, size // (d * np.dtype(dtype).itemsize))


class _TooNarrow(Exception):
    """Squared lengths overflow or vanish in float32, though all values are finite."""


def _sums_of(block: _Block) -> _BlockSums:
    """Return the sums over a block, computed in float64 where float32 is too narrow."""
    # Squares that are not finite are looked for, and need no warning.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            return _sums_in(block, block.dtype)
        except _TooNarrow:
            return _sums_in(block, np.float64)


def _sums_in(block: _Block, dtype: type) -> _BlockSums:
    n, d = block.vectors.shape
    copy, product = block.workspace.room((n, d), dtype)
    shift = _near_mean(block.vectors, dtype)
    # Repeated: two arrays are subtracted faster than one row from each of many.
    shifts = np.tile(shift, (_rows_in(_SWEEP_BYTES, d, dtype), 1))
    sums, squares = np.zeros((3, d)), np.empty(n, dtype)
    for part in _slices(n, len(shifts)):
        rows = np.ascontiguousarray(block.vectors[part], dtype)
        squares[part] = np.vecdot(rows, rows)
        _check(block, part, squares[part])
        if block.directions:
            sums[:2] += _direction_sums(rows, squares[part], copy[part])
        np.subtract(rows, shifts[: len(rows)], out=copy[part])
        sums[2] += np.ones(len(rows), dtype) @ copy[part]
    np.matmul(copy.T, copy, out=product)
    n_zero = int(np.count_nonzero(squares == 0))
    return _BlockSums(n, shift, product, sums[2], sums[0], sums[1], n_zero)


def _direction_sums(
    rows: np.ndarray, squares: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the rows' unit vectors, and of the squares of their coordinates."""
    inverse = np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)
    return np.sqrt(inverse) @ rows, inverse @ np.square(rows, out=room)


def _check(block: _Block, part: slice, squares: np.ndarray) -> None:
    """Refuse vectors whose squared lengths are not what they should be."""
    low, high = _SAFE_SQUARES[squares.dtype.name]
    if squares.min() > low and squares.max() < high:
        return
    rows, numbers = block.vectors[part], block.numbers[part]
    doubtful = np.flatnonzero(~((squares > low) & (squares < high)))
    doubtful = doubtful[rows[doubtful].any(axis=1)]  # zero vectors are no doubt
    for row in doubtful:
        check_finite(rows[row], row_name(numbers[row], block.names))
    if len(doubtful) and squares.dtype != np.float64:
        raise _TooNarrow
    if len(doubtful):
        raise beyond_floating_point(row_name(numbers[doubtful[0]], block.names))


def _near_mean(vectors: np.ndarray, dtype: type) -> np.ndarray:
    """Return a vector near the mean, from some of the vectors; if all are equal, their value."""
    some = vectors[:: max(1, len(vectors) // _SHIFT_ROWS)].astype(dtype)
    near = some[0] + (some - some[0]).mean(axis=0)
    # Rounded as float16 is: what is left of each vector then has few digits, and its products are
    # exact. Off that grid each of few values would be rounded alike, time and again.
    return near.astype(vectors.dtype).astype(dtype) if vectors.dtype.kind == "f" else near
