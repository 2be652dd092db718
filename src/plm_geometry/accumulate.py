"""The sums behind `Moments`: one pass over blocks of vectors, at the speed of a matrix product."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from plm_geometry.errors import InputError

# A block is large enough that its matrix product outweighs adding the result up, and short enough
# that float32 sums over its rows keep seven digits and its shifted copy stays under 32 MB.
_MAX_BLOCK_ROWS = 8192
_BLOCK_BYTES = 32 * 2**20
# Part of a block that is swept at a time: it stays in the processor's cache.
_CHUNK_BYTES = 2**20
# Rows of a block that its shift is taken from: near the mean is near enough.
_SHIFT_ROWS = 1024
# Blocks whose means are kept apart before they are put together: memory stays flat.
_OPEN_BLOCKS = 64
# Squared norms within which sums of squares neither overflow nor lose digits to underflow.
_SAFE_SQUARES = {"float32": (1e-20, 1e20), "float64": (1e-280, 1e280)}


class Accumulator:
    """Sums over a stream of vectors of dimension `d`.

    Each block is shifted to near its mean, so that a common mean far from zero costs no digits.
    Float64 and integers are computed in float64, narrower floats in float32 block by block, and
    the blocks are added up in float64 (Chan, Golub and LeVeque 1983).

    Parameters
    ----------
    d : int
        Dimension of the vectors.
    names : sequence of str, optional
        What to call each vector in an error message, beside its number.
    """

    def __init__(self, d: int, *, names: Sequence[str] | None = None):
        if d < 1:
            raise InputError("the vectors have no dimensions; give vectors of at least one.")
        self.names = names
        self.scatter = np.zeros((d, d))
        self.unit_sum = np.zeros(d)
        self.unit_square_sum = np.zeros(d)
        self.n_zero = 0
        # Of each open block: its rows, its mean, and how far its shift was from its mean.
        self._counts: list[int] = []
        self._means: list[np.ndarray] = []
        self._residuals: list[np.ndarray] = []
        self._shifted = self._product = np.empty((0, 0))

    def add(self, vectors: np.ndarray, *, rows_per_block: int | None = None) -> None:
        """Add the rows of `vectors`, shape (k, d).

        Raises
        ------
        InputError
            If they are of another width or no real numbers, or a row holds NaN, infinity or
            squares that overflow.
        """
        if vectors.shape[1] != len(self.unit_sum):
            raise InputError(
                f"row {sum(self._counts)} has {vectors.shape[1]} dimensions where those before "
                f"have {len(self.unit_sum)}; give vectors of one width."
            )
        for block in _split(vectors, rows_per_block):
            self._add_block(block)

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

    def _add_block(self, block: np.ndarray) -> None:
        rows, squares = self._measured(block)
        shifted = self._workspace(rows)
        shift = _near_mean(rows)
        residual = self._sweep(rows, squares, shift, shifted) / len(rows)
        self.scatter += np.matmul(shifted.T, shifted, out=self._product)
        self._counts.append(len(rows))
        self._means.append(shift + residual)
        self._residuals.append(residual)
        if len(self._counts) == _OPEN_BLOCKS:
            self._close_blocks()

    def _measured(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows as floats in which their squared norms are safe, and those norms."""
        rows = _as_floats(block)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.vecdot(rows, rows)
        low, high = _SAFE_SQUARES[rows.dtype.name]
        doubtful = np.flatnonzero(~((squares > low) & (squares < high)))
        doubtful = doubtful[rows[doubtful].any(axis=1)]  # zero vectors are no doubt
        if not len(doubtful):
            return rows, squares
        self._check_finite(block, doubtful)
        if rows.dtype == np.float64:
            raise InputError(
                f"{self._name(doubtful[0])} has a squared length beyond floating point; "
                "multiply all vectors by one constant (isotropy does not change)."
            )
        return self._measured(rows.astype(np.float64))

    def _check_finite(self, block: np.ndarray, doubtful: np.ndarray) -> None:
        """Name the first of the `doubtful` rows that holds NaN or infinity."""
        for row in doubtful:
            if np.isnan(block[row]).any():
                raise InputError(f"{self._name(row)} holds NaN; mend or remove it.")
            if np.isinf(block[row]).any():
                half = block.dtype == np.float16
                cause = " (float16 ends at 65,504: write the vectors as float32)" if half else ""
                raise InputError(f"{self._name(row)} holds infinity{cause}; mend or remove it.")

    def _name(self, row: int) -> str:
        """Name a row of the block that is being added."""
        index = sum(self._counts) + int(row)
        return f"row {index}" + (f" ({self.names[index]})" if self.names else "")

    def _workspace(self, rows: np.ndarray) -> np.ndarray:
        """Return room for a shifted copy of `rows`: memory used again is twice as fast as new."""
        if self._shifted.dtype != rows.dtype or len(self._shifted) < len(rows):
            self._shifted = np.empty_like(rows)
            self._product = np.empty_like(self.scatter, dtype=rows.dtype)
        return self._shifted[: len(rows)]

    def _sweep(
        self, rows: np.ndarray, squares: np.ndarray, shift: np.ndarray, shifted: np.ndarray
    ) -> np.ndarray:
        """Add the rows' directions, fill in `shifted`, and return its sum, shape (d,)."""
        inverse = np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)
        weights = np.sqrt(inverse)
        total = np.zeros_like(self.unit_sum)
        step = max(1, _CHUNK_BYTES // rows[0].nbytes)
        ones = np.ones(step, dtype=rows.dtype)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            self.unit_sum += weights[part] @ rows[part]
            self.unit_square_sum += inverse[part] @ np.square(rows[part], out=shifted[part])
            np.subtract(rows[part], shift, out=shifted[part])
            total += ones[: len(rows[part])] @ shifted[part]
        self.n_zero += int(np.count_nonzero(squares == 0))
        return total

    def _close_blocks(self) -> None:
        """Move the open blocks' scatter from their shifts to one common mean."""
        counts = np.array(self._counts, dtype=np.float64)[:, None]
        residuals = np.array(self._residuals)
        # Means are counted from the first: where all vectors are equal nothing is rounded.
        steps = np.array(self._means) - self._means[0]
        step = (counts * steps).sum(axis=0) / counts.sum()
        steps -= step
        self.scatter -= residuals.T @ (counts * residuals)
        self.scatter += steps.T @ (counts * steps)
        self._counts = [sum(self._counts)]
        self._means = [self._means[0] + step]
        self._residuals = [np.zeros_like(step)]


def _split(vectors: np.ndarray, rows_per_block: int | None) -> Iterator[np.ndarray]:
    """Yield consecutive rows, so many that their shifted copy stays small."""
    row_bytes = vectors.shape[1] * (8 if _needs_float64(vectors.dtype) else 4)
    rows = rows_per_block or min(_MAX_BLOCK_ROWS, max(1, _BLOCK_BYTES // row_bytes))
    return (vectors[start : start + rows] for start in range(0, len(vectors), rows))


def _near_mean(rows: np.ndarray) -> np.ndarray:
    """Return a vector near the mean of `rows`, from some of them; all equal, it is their value."""
    some = rows[:: max(1, len(rows) // _SHIFT_ROWS)]
    return rows[0] + (some - rows[0]).mean(axis=0)


def _as_floats(block: np.ndarray) -> np.ndarray:
    """Return `block` contiguous, float32 where that holds its values, else float64."""
    if block.dtype.kind not in "fiub":
        raise InputError(f"vectors of type {block.dtype} are no real numbers; give floats.")
    wide = _needs_float64(block.dtype)
    return np.ascontiguousarray(block, dtype=np.float64 if wide else np.float32)


def _needs_float64(dtype: np.dtype) -> bool:
    return dtype.kind != "f" or dtype.itemsize > 4
