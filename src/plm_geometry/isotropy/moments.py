"""Mergeable moments of a set of vectors: all that isotropy needs, in memory that does not grow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, reduce
from typing import Any, Self

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.accumulate import Accumulator, Workspace

_NO_VECTORS = "there are no vectors; give at least one."
# Numbers of a matrix that are computed at a time where a whole temporary one would be too much.
_SLAB_ELEMENTS = 2**18


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
    def from_vectors(
        cls, vectors: Any, *, rows_per_block: int | None = None, directions: bool = True
    ) -> Self:
        """Return the moments of the rows of `vectors`.

        Float64 and integers are computed in float64, float32 and float16 in float32 blocks that
        are shifted to their mean and added up in float64.

        Parameters
        ----------
        vectors : array-like, shape (n, d)
            One vector a row; any real type. It is not copied.
        rows_per_block : int, optional
            Rows taken at a time; by default what suits the processor.
        directions : bool
            If not, `unit_sum` and `unit_square_sum` are NaN, and it takes less time.

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
        if not len(matrix):
            return cls.empty(matrix.shape[1])
        return cls.from_blocks([matrix], rows_per_block=rows_per_block, directions=directions)

    @classmethod
    def from_blocks(
        cls,
        blocks: Iterable[np.ndarray],
        *,
        names: Sequence[str] | None = None,
        rows_per_block: int | None = None,
        directions: bool = True,
    ) -> Self:
        """Return the moments of the rows of all `blocks`, held in memory one at a time.

        Parameters
        ----------
        blocks : iterable of ndarray, shapes (n_i, d)
            At least one.
        names : sequence of str, optional
            What to call each row in an error message, beside its number.
        rows_per_block, directions
            As in `from_vectors`.

        Raises
        ------
        InputError
            As in `from_vectors`, and if there is no block.
        """
        accumulator, start = None, 0
        for block in blocks:
            accumulator = accumulator or Accumulator(
                block.shape[1], names=names, directions=directions
            )
            numbers = range(start, start + len(block))
            accumulator.add(block, numbers, rows_per_block=rows_per_block)
            start += len(block)
        if accumulator is None:
            raise InputError(_NO_VECTORS)
        return cls(**accumulator.sums())

    @property
    def dim(self) -> int:
        """Dimension d of the vectors."""
        return len(self.mean)

    @property
    def squared_resultant(self) -> float:
        """Squared length of the sum of all directions."""
        return float(self.unit_sum @ self.unit_sum)

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance, shape (d, d).

        Raises
        ------
        InputError
            If there are fewer than two vectors.
        """
        return covariance_of(self.scatter, self.count)

    def merge(self, other: Self) -> Self:
        """Return the moments of both sets together (Chan, Golub and LeVeque 1983, eq. 2.1).

        Raises
        ------
        InputError
            If the dimensions differ.
        """
        if self.dim != other.dim:
            raise InputError(
                f"vectors of dimension {self.dim} cannot be put together with vectors of "
                f"dimension {other.dim}."
            )
        count = self.count + other.count
        if not count:
            return self
        step = other.mean - self.mean
        scatter = self.scatter + other.scatter
        _add_outer(scatter, step, self.count * other.count / count)
        return type(self)(
            count=count,
            # From one mean to the other: equal means stay exactly equal.
            mean=self.mean + step * (other.count / count),
            scatter=scatter,
            unit_sum=self.unit_sum + other.unit_sum,
            unit_square_sum=self.unit_square_sum + other.unit_square_sum,
            n_zero=self.n_zero + other.n_zero,
        )

    def without(self, part: Self) -> Self:
        """Return the moments of these vectors less those of `part`: the inverse of `merge`."""
        count = self.count - part.count
        if count <= 0:
            return type(self).empty(self.dim)
        step = part.mean - self.mean
        mean = self.mean - step * (part.count / count)
        scatter = self.scatter - part.scatter
        _add_outer(scatter, part.mean - mean, -count * part.count / self.count)
        return type(self)(
            count=count,
            mean=mean,
            scatter=scatter,
            unit_sum=self.unit_sum - part.unit_sum,
            unit_square_sum=self.unit_square_sum - part.unit_square_sum,
            n_zero=self.n_zero - part.n_zero,
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


def covariance_of(scatter: np.ndarray, count: int) -> np.ndarray:
    """Return the covariance of `count` vectors, at least two, whose scatter is given."""
    require_two(count)
    return scatter / (count - 1)


def merge_all(parts: Sequence[Moments]) -> Moments:
    """Return the moments of all `parts` together; at least one is needed."""
    return reduce(Moments.merge, parts)


def random_parts(
    blocks: Iterable[np.ndarray],
    n_parts: int,
    *,
    seed: int,
    names: Sequence[str] | None = None,
    first: int = 0,
    start: int = 0,
) -> list[Moments]:
    """Return the moments of parts of a stream of vectors, to which they are drawn at random.

    Which part a vector belongs to follows from `seed`, its block's number and its place there, so
    that pieces of a stream may be divided apart from each other, and their parts merged.

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
    first, start : int
        Of the first block here and of its first vector: their numbers in the whole stream.

    Raises
    ------
    InputError
        As `Moments.from_blocks`.
    """
    parts: list[Accumulator] = []
    workspaces: list[Workspace] = []
    for number, block in enumerate(blocks, start=first):
        parts = parts or [
            Accumulator(block.shape[1], names=names, workspaces=workspaces) for _ in range(n_parts)
        ]
        order = np.random.default_rng([seed, number]).permutation(len(block))
        for turn, part in enumerate(parts):
            # The parts take turns, across blocks too.
            rows = np.sort(order[(turn - start) % n_parts :: n_parts])
            if len(rows):
                part.add(block[rows], start + rows)
        start += len(block)
    if not parts:
        raise InputError(_NO_VECTORS)
    return [Moments(**part.sums()) if part.count else Moments.empty(part.d) for part in parts]


def _add_outer(matrix: np.ndarray, step: np.ndarray, weight: float) -> None:
    """Add ``weight * outer(step, step)`` in place, without a second matrix."""
    rows = max(1, _SLAB_ELEMENTS // len(step))
    for start in range(0, len(step), rows):
        slab = slice(start, start + rows)
        matrix[slab] += np.outer(weight * step[slab], step)
