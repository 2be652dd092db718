"""Mergeable moments of a set of vectors: all that isotropy needs, in memory that does not grow."""

import operator
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cache, reduce
from threading import Lock, local
from typing import Any, Self

import numpy as np
from threadpoolctl import ThreadpoolController

from plm_geometry.base.errors import InputError

_NO_VECTORS = "there are no vectors; give at least one."
# Numbers of a matrix that are computed at a time where a whole temporary one would be too much.
_SLAB_ELEMENTS = 2**18
# Vectors multiplied in one product: so many that adding it up costs little beside it, so few that
# float32 keeps its digits.
_BLOCK_BYTES = 12 * 2**20
# Part of a block that is swept at a time: it stays in the processor's cache.
_SWEEP_BYTES = 2**20
# Rows of a block that its shift is taken from: an eighth of a deviation from the mean is near.
_SHIFT_ROWS = 64
# Vectors of a cloud that are computed in float64 whatever their type. A sum of 300 squares in
# float32 may miss 1e-6 of itself, which shows where one coordinate outweighs the others; of more
# vectors the products' errors cancel.
_EXACT_ROWS = 1024
# From so many blocks on, threads of one core each are faster than products on all cores.
_MANY_BLOCKS = 4
_THREADS_BYTES = 2**28
# Held while products are limited to one core, which is for the whole process: of two that limit
# at a time, one would put the other's limit back for good.
_LIMITING = Lock()
# Squared norms within which sums of squares neither overflow nor lose digits to underflow.
_SAFE_SQUARES = {"float32": (1e-20, 1e20), "float64": (1e-280, 1e280)}


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of `count` vectors of dimension d, in float64.

    Two sets of vectors are described together by `merge`, exactly and in any order.

    Attributes
    ----------
    count : int
        Number of vectors.
    mean : ndarray, shape (d,)
    scatter : ndarray, shape (d, d)
        Sum of ``outer(x - mean, x - mean)``.
    unit_sum : ndarray, shape (d,)
        Sum of the directions ``x / |x|`` of the vectors that are not zero.
    unit_square_sum : ndarray, shape (d,)
        Sum of the squares of those directions, by coordinate.
    n_zero : int
        Number of zero vectors, which have no direction.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray
    unit_sum: np.ndarray
    unit_square_sum: np.ndarray
    n_zero: int

    @classmethod
    def empty(cls, d: int) -> Self:
        """Return the moments of no vectors of dimension `d`."""
        return cls(0, np.zeros(d), np.zeros((d, d)), np.zeros(d), np.zeros(d), 0)

    @classmethod
    def from_vectors(cls, vectors: Any) -> Self:
        """Return the moments of the rows of `vectors`.

        Float64, integers and the first 1,024 vectors are computed in float64, float32 and float16
        beyond these in float32 blocks that are shifted to their mean and added up in float64.

        Parameters
        ----------
        vectors : array-like, shape (n, d)
            One vector a row; any real type. It is not copied.

        Raises
        ------
        InputError
            If it is no numeric matrix, or a row holds NaN, infinity or squares that overflow.
        """
        try:
            matrix = np.asarray(vectors)
        except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors elsewhere
            raise InputError(f"the vectors are no array of numbers: {error}.") from error
        if matrix.ndim != 2:
            raise InputError(
                f"an array of shape {matrix.shape} was given where a matrix is needed; "
                "give one vector a row, shape (n, d)."
            )
        return cls.from_blocks([matrix])

    @classmethod
    def from_blocks(cls, blocks: Iterable[np.ndarray]) -> Self:
        """Return the moments of the rows of all `blocks`, held in memory one at a time.

        Parameters
        ----------
        blocks : iterable of ndarray, shapes (n_i, d)
            At least one.

        Raises
        ------
        InputError
            As in `from_vectors`, and if there is no block.
        """
        sums, start = Accumulator(), 0
        for block in blocks:
            sums.add(block, range(start, start + len(block)))
            start += len(block)
        if not sums.moments:
            raise InputError(_NO_VECTORS)
        return sums.moments[None]

    @property
    def dim(self) -> int:
        """Dimension d of the vectors."""
        return len(self.mean)

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance, shape (d, d).

        Raises
        ------
        InputError
            If there are fewer than two vectors.
        """
        require_two(self.count)
        return self.scatter / (self.count - 1)

    def merge(self, other: Self) -> Self:
        """Return the moments of both sets together (Chan, Golub and LeVeque 1983, eq. 2.1).

        Raises
        ------
        InputError
            If the dimensions differ.
        """
        return self._combined(other, operator.add)

    def without(self, part: Self) -> Self:
        """Return the moments of these vectors less those of `part`: the inverse of `merge`."""
        left = self._combined(part, operator.sub)
        # Below the rounding of what was there before, nothing is left.
        if np.trace(left.scatter) <= self.dim * np.finfo(float).eps * np.trace(self.scatter):
            left.scatter[:] = 0
        return left

    def _combined(self, other: Self, combine: Callable) -> Self:
        """Add, subtract, or (`operator.iadd`) add to this set's own arrays."""
        if self.dim != other.dim:
            raise InputError(
                f"vectors of dimension {self.dim} cannot be put together with vectors of "
                f"dimension {other.dim}."
            )
        count = combine(self.count, other.count)
        if count <= 0:
            return type(self).empty(self.dim)
        # From one mean to the other: equal means stay exactly equal.
        step, share = other.mean - self.mean, (count - self.count) / count
        scatter = combine(self.scatter, other.scatter)
        _add_outer(scatter, step, self.count * share)
        return type(self)(
            count=count,
            mean=self.mean + step * share,
            scatter=scatter,
            unit_sum=combine(self.unit_sum, other.unit_sum),
            unit_square_sum=combine(self.unit_square_sum, other.unit_square_sum),
            n_zero=combine(self.n_zero, other.n_zero),
        )

    def to_arrays(self, *, packed: bool = False) -> dict[str, np.ndarray]:
        """Return the moments as named arrays, for storing.

        Parameters
        ----------
        packed : bool
            Of the scatter only its upper triangle, shape (d (d + 1) / 2,). The lower one is its
            mirror image but for rounding.
        """
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        if packed:
            arrays["scatter"] = self.scatter[_upper_triangle(self.dim)]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the moments that `to_arrays` stored."""
        values = {field.name: np.asarray(arrays[field.name]) for field in fields(cls)}
        if values["scatter"].ndim == 1:
            values["scatter"] = _unpacked(values["scatter"], len(values["mean"]))
        return cls(**values | {name: int(values[name]) for name in ("count", "n_zero")})


def _unpacked(triangle: np.ndarray, d: int) -> np.ndarray:
    square = np.empty((d, d))
    places = _upper_triangle(d)
    square[places] = square.T[places] = triangle
    return square


@cache
def _upper_triangle(d: int) -> tuple[np.ndarray, np.ndarray]:
    # Finding the places takes longer than filling them.
    return np.triu_indices(d)


def require_two(count: int) -> None:
    """Raise an InputError if there are fewer than two vectors, which have no covariance."""
    if count < 2:
        raise InputError(f"{count} vector has no covariance; give at least two.")


def merge_all(parts: Sequence[Moments]) -> Moments:
    """Return the moments of all `parts` together; at least one is needed."""
    return reduce(Moments.merge, parts)


def random_parts(
    blocks: Iterable[np.ndarray],
    n_parts: int,
    *,
    seed: int,
    names: Sequence[str] | None = None,
) -> list[Moments]:
    """Return the moments of parts of a stream of vectors, to which they are drawn at random.

    Which part a vector belongs to follows from `seed`, its block's number and its place there.

    Parameters
    ----------
    blocks : iterable of ndarray, shapes (n_i, d)
        At least one. Each is divided as evenly as it can be.
    n_parts : int
        Together the parts take ``n_parts * d**2`` doubles.
    seed : int
        Of the draw.
    names : sequence of str, optional
        As in `Moments.from_blocks`, of the whole stream.

    Raises
    ------
    InputError
        As `Moments.from_blocks`.
    """
    sums, start = Accumulator(names), 0
    for number, block in enumerate(blocks):
        order = np.random.default_rng([seed, number]).permutation(len(block))
        for part in range(n_parts):
            # The parts take turns, across blocks too.
            rows = np.sort(order[(part - start) % n_parts :: n_parts])
            sums.add(block[rows], start + rows, part)
        start += len(block)
    if not sums.moments:
        raise InputError(_NO_VECTORS)
    return [sums.moments[part] for part in range(n_parts)]


class Accumulator:
    """Sums over vectors that arrive in pieces, of one cloud or several side by side.

    Each block is shifted to near its mean, so that a common mean far from zero costs no digits,
    and added to its cloud in place (Chan, Golub and LeVeque 1983), always in the same order.

    Parameters
    ----------
    names : sequence of str, optional
        What to call each vector in an error message, beside its number.

    Attributes
    ----------
    moments : dict of hashable to Moments
        Of each cloud so far; its arrays change with the next piece.
    """

    def __init__(self, names: Sequence[str] | None = None):
        self.moments: dict[Hashable, Moments] = {}
        self._names = names
        self._rooms = local()

    def add(self, vectors: np.ndarray, numbers: Sequence[int], cloud: Hashable = None) -> None:
        """Add the rows of `vectors`, shape (k, d), to a cloud, here called by any key.

        Error messages call the rows by their `numbers`.

        Raises
        ------
        InputError
            If they have no dimensions, another number of them than the cloud, or no real numbers,
            or a row holds NaN, infinity or squares that overflow.
        """
        d = vectors.shape[1]
        if d < 1:
            raise InputError("the vectors have no dimensions; give vectors of at least one.")
        total = self.moments.get(cloud) or Moments.empty(d)
        if len(vectors) and d != total.dim:
            raise InputError(
                f"row {numbers[0]} has {d} dimensions where those before have {total.dim}; "
                "give vectors of one width."
            )
        blocks = list(_blocks(vectors, max(0, _EXACT_ROWS - total.count)))
        for block in self._each(vectors, numbers, blocks):
            total = total._combined(block, operator.iadd)
        self.moments[cloud] = total

    def _each(
        self, vectors: np.ndarray, numbers: Sequence[int], blocks: list[tuple[slice, type]]
    ) -> Iterator[Moments]:
        """Yield the moments of blocks in order: of many, several at a time, each on one core.

        What lies between two products then keeps all cores busy, too.
        """
        n_threads = _affordable_threads(vectors.shape[1]) if len(blocks) >= _MANY_BLOCKS else 1
        if n_threads == 1:
            for rows, dtype in blocks:
                yield self._block(vectors[rows], numbers[rows], dtype)
            return
        # In order, so that of several faulty rows the first is named.
        begun: deque[Future[Moments]] = deque()
        with _LIMITING, _blas().limit(limits=1), ThreadPoolExecutor(n_threads) as pool:
            for rows, dtype in blocks:
                # One more than there are threads: it is added up while they work.
                if len(begun) > n_threads:
                    yield begun.popleft().result()
                begun.append(pool.submit(self._apart, vectors[rows], numbers[rows], dtype))
            while begun:
                yield begun.popleft().result()

    def _apart(self, vectors: np.ndarray, numbers: Sequence[int], dtype: type) -> Moments:
        """As `_block`, in arrays of its own: another block may be computed before it is used."""
        block = self._block(vectors, numbers, dtype)
        return replace(block, scatter=block.scatter.copy())

    def _block(self, vectors: np.ndarray, numbers: Sequence[int], dtype: type) -> Moments:
        """Return the moments of a few vectors, computed in float64 where `dtype` is too narrow."""
        # Squares that are not finite are looked for, and need no warning.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._sums(vectors, numbers, dtype)

    def _sums(self, vectors: np.ndarray, numbers: Sequence[int], dtype: type) -> Moments:
        n, d = vectors.shape
        shifted, scatter = self._space(n, d, dtype)
        shift, step = _near_mean(vectors, dtype), _rows_in(_SWEEP_BYTES, d, dtype)
        # Repeated: two arrays are subtracted faster than one row from each of many.
        shifts = np.tile(shift, (min(n, step), 1))
        sums, n_zero = np.zeros((3, d)), 0
        for start in range(0, n, step):
            part = slice(start, start + step)
            rows = np.ascontiguousarray(vectors[part], dtype)
            squares, room = np.vecdot(rows, rows), shifted[part]
            if not self._is_safe(vectors[part], squares, numbers[part]):
                return self._sums(vectors, numbers, np.float64)
            inverse = np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)
            sums[0] += np.sqrt(inverse) @ rows
            sums[1] += inverse @ np.square(rows, out=room)
            sums[2] += np.ones(len(rows), dtype) @ np.subtract(rows, shifts[: len(rows)], out=room)
            n_zero += int(np.count_nonzero(squares == 0))
        np.matmul(shifted.T, shifted, out=scatter)
        residual = sums[2] / n
        _add_outer(scatter, residual.astype(dtype), -n)
        return Moments(n, shift + residual, scatter, sums[0], sums[1], n_zero)

    def _space(self, n: int, d: int, dtype: type) -> list[np.ndarray]:
        """Return uninitialised arrays (n, d) and (d, d): memory used again is faster than new."""
        size = (n + d) * d * np.dtype(dtype).itemsize
        room = getattr(self._rooms, "room", np.empty(0, np.uint8))
        if room.size < size:
            room = self._rooms.room = np.empty(size, np.uint8)
        return np.split(room[:size].view(dtype).reshape(n + d, d), [n])

    def _is_safe(self, rows: np.ndarray, squares: np.ndarray, numbers: Sequence[int]) -> bool:
        """Refuse rows whose squared lengths no float64 holds; return whether those here do."""
        low, high = _SAFE_SQUARES[squares.dtype.name]
        if squares.min() > low and squares.max() < high:
            return True
        doubtful = np.flatnonzero(~((squares > low) & (squares < high)) & rows.any(axis=1))
        for row in doubtful:
            _check_finite(rows[row], self._name(numbers[row]))
        if len(doubtful) and squares.dtype == np.float64:
            raise InputError(
                f"{self._name(numbers[doubtful[0]])} has a squared length beyond floating point; "
                "multiply all vectors by one constant (isotropy does not change)."
            )
        return not len(doubtful)

    def _name(self, number: int) -> str:
        return f"row {number}" + (f" ({self._names[number]})" if self._names else "")


@cache
def _blas() -> ThreadpoolController:
    # Looked for once, which takes milliseconds: NumPy has loaded its own by now.
    return ThreadpoolController().select(user_api="blas")


def _affordable_threads(d: int) -> int:
    """Return how many blocks to compute side by side: as many as products have threads.

    Fewer where vectors are so wide that the blocks, their products and copies take much memory.
    """
    n_threads = max((library.num_threads for library in _blas().lib_controllers), default=1)
    return max(1, min(n_threads, int(_THREADS_BYTES // (_BLOCK_BYTES + 3 * 8 * d * d))))


def _check_finite(vector: np.ndarray, name: str) -> None:
    """Raise an InputError that calls the vector by `name` if it holds NaN or infinity."""
    if np.isnan(vector).any():
        raise InputError(f"{name} holds NaN; mend or remove it.")
    if np.isinf(vector).any():
        half = vector.dtype == np.float16
        cause = " (float16 ends at 65,504: write the vectors as float32)" if half else ""
        raise InputError(f"{name} holds infinity{cause}; mend or remove it.")


def _blocks(vectors: np.ndarray, n_exact: int) -> Iterator[tuple[slice, type]]:
    """Yield the rows of each block and in what it is computed: the first `n_exact` in float64."""
    kind = vectors.dtype
    if kind.kind not in "fiub":
        raise InputError(f"vectors of type {kind} are no real numbers; give floats.")
    narrow = kind.kind == "f" and kind.itemsize <= 4
    n, d = vectors.shape
    start = 0
    while start < n:
        dtype = np.float32 if narrow and start >= n_exact else np.float64
        # With fewer rows than columns, adding the product up would outweigh it.
        stop = min(n, start + max(d, _rows_in(_BLOCK_BYTES, d, dtype)))
        if narrow and start < n_exact:
            stop = min(stop, n_exact)
        yield slice(start, stop), dtype
        start = stop


def _rows_in(size: int, d: int, dtype: type) -> int:
    """Return how many vectors take `size` bytes, at least one."""
    return max(1, size // (d * np.dtype(dtype).itemsize))


def _near_mean(vectors: np.ndarray, dtype: type) -> np.ndarray:
    """Return a vector near the mean, from some of the vectors; if all are equal, their value."""
    some = vectors[:: max(1, len(vectors) // _SHIFT_ROWS)].astype(dtype)
    near = some[0] + (some - some[0]).mean(axis=0)
    # Rounded as float16 is: what is left of each vector then has few digits, and its products are
    # exact. Off that grid each of few values would be rounded alike, time and again.
    return near.astype(vectors.dtype).astype(dtype) if vectors.dtype.kind == "f" else near


def _add_outer(matrix: np.ndarray, step: np.ndarray, weight: float) -> None:
    """Add ``weight * outer(step, step)`` in place, without a second matrix."""
    rows = max(1, _SLAB_ELEMENTS // len(step))
    for start in range(0, len(step), rows):
        slab = slice(start, start + rows)
        matrix[slab] += np.outer(weight * step[slab], step)
