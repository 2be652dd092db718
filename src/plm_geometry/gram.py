"""Few vectors of very many dimensions, described by their inner products alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from plm_geometry.accumulate import beyond_floating_point, check_finite, row_name
from plm_geometry.moments import covariance_of


@dataclass(frozen=True, eq=False)
class Gram:
    """Inner products of `count` vectors of dimension `dim`, in float64.

    The matrix of the centred vectors' inner products and their scatter matrix have the same
    eigenvalues apart from zeros, so that isotropy can be told from the smaller of the two. It
    takes the place of `Moments` where the dimension's square does not fit in memory.

    Attributes
    ----------
    dim : int
        Dimension d of the vectors.
    scatter : ndarray, shape (count, count)
        Inner products of the vectors less their mean, in the place of `Moments.scatter`.
    along_mean : ndarray, shape (count,)
        Inner product of each vector, less the mean, with the mean.
    squared_mean : float
        Squared length of the mean.
    squares : ndarray, shape (count,)
        Squared length of each vector.
    """

    dim: int
    scatter: np.ndarray
    along_mean: np.ndarray
    squared_mean: float
    squares: np.ndarray

    @classmethod
    def from_coordinates(
        cls, slabs: Iterable[np.ndarray], *, names: Sequence[str] | None = None
    ) -> Self:
        """Return the inner products of n vectors, read some coordinates at a time.

        Parameters
        ----------
        slabs : iterable of ndarray, shapes (k_i, n)
            At least one: the values of k_i coordinates in all vectors.
        names : sequence of str, optional
            What to call each vector in an error message, beside its number.

        Raises
        ------
        InputError
            If a vector holds NaN, infinity or squares that overflow.
        """
        dim, scatter, along_mean, squared_mean, squares, differs = 0, 0.0, 0.0, 0.0, 0.0, False
        with np.errstate(over="ignore", invalid="ignore"):
            for slab in slabs:
                _check_finite(slab, names)
                dim += len(slab)
                squares += np.einsum("ij,ij->j", slab, slab, dtype=np.float64)
                differs |= slab.any(axis=0)
                mean, centred = _centred(slab)
                scatter += centred.T @ centred
                along_mean += mean @ centred
                squared_mean += float(mean @ mean)
        # Zero vectors are legal, those whose squares vanish or overflow are not.
        if not (np.isfinite(squares) & ((squares > 0) | ~differs)).all():
            raise beyond_floating_point("a vector")
        return cls(dim, scatter, along_mean, squared_mean, squares)

    @property
    def count(self) -> int:
        """Number of vectors."""
        return len(self.scatter)

    @property
    def n_zero(self) -> int:
        """Number of zero vectors, which have no direction."""
        return int(np.count_nonzero(self.squares == 0))

    @property
    def covariance(self) -> np.ndarray:
        """A matrix, shape (count, count), with the eigenvalues of the covariance but for zeros.

        Raises
        ------
        InputError
            If there are fewer than two vectors.
        """
        return covariance_of(self.scatter, self.count)

    @property
    def squared_resultant(self) -> float:
        """Squared length of the sum of all directions."""
        lengths = np.sqrt(self.squares)
        weights = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        total = weights.sum()
        across = 2 * total * (weights @ self.along_mean) + total**2 * self.squared_mean
        return float(weights @ self.scatter @ weights + across)

    def subset(self, rows: Any) -> Self:
        """Return the inner products of some of the vectors, about their own mean."""
        scatter = self.scatter[np.ix_(rows, rows)]
        along_mean = self.along_mean[rows]
        # Of each vector with the step from the old mean to the new one.
        along_step = scatter.mean(axis=1)
        squared_step = float(along_step.mean())
        step_along_mean = float(along_mean.mean())
        return type(self)(
            dim=self.dim,
            scatter=scatter - along_step - along_step[:, None] + squared_step,
            along_mean=along_mean + along_step - step_along_mean - squared_step,
            squared_mean=self.squared_mean + 2 * step_along_mean + squared_step,
            squares=self.squares[rows],
        )


def _centred(slab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each coordinate's mean and the values less it, in float64."""
    first = slab[:, :1].astype(np.float64)
    # Counted from the first vector: where all are equal nothing is rounded.
    centred = slab - first
    step = centred.mean(axis=1, keepdims=True)
    centred -= step
    return (first + step)[:, 0], centred


def _check_finite(slab: np.ndarray, names: Sequence[str] | None) -> None:
    doubtful = np.flatnonzero(~np.isfinite(slab).all(axis=0))
    if len(doubtful):
        check_finite(slab[:, doubtful[0]], row_name(doubtful[0], names))
