"""The delete-a-block jackknife: blocks, estimates without their bias, 95 % intervals."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

# Fewer blocks than these give an interval that is wide and itself uncertain.
LEAST_BLOCKS = 10


class Interval(NamedTuple):
    """An estimate, the ends of its 95 % interval and its standard error; NaN where undefined."""

    estimate: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    standard_error: float | np.ndarray

    def named(self, name: str, scale: Callable[[float], float] = float) -> dict[str, float]:
        """Return a number and its ends as columns: `name`, ``name_low`` and ``name_high``.

        Each through `scale`, which grows, such as the exponential of an interval of logarithms.
        """
        ends = {name: self.estimate, f"{name}_low": self.low, f"{name}_high": self.high}
        return {column: scale(value) for column, value in ends.items()}


def jackknife(
    values: ArrayLike, counts: Sequence[int] | None = None, *, least: int = 2
) -> Interval:
    """Return the 95 % interval of a statistic from its values without each block of the data.

    Of a difference of two statistics over the same blocks, give the differences as values: what
    both have in common drops out.

    Parameters
    ----------
    values : array-like, shape (n_blocks + 1, ...)
        The statistic of the whole, and without each block.
    counts : sequence of int, length n_blocks + 1, optional
        Members of the whole, and without each block; blocks may differ in size. The estimate is
        then corrected for a bias of order 1/n. Without counts all blocks count alike and the
        estimate is that of the whole.
    least : int
        With fewer blocks everything but the estimate of the whole is NaN; at least 2.

    Returns
    -------
    Interval
        Of arrays of shape ``(...)``. Ends from Student's t, blocks less one degrees of freedom.
        A corrected estimate is NaN where the interval is.

    References
    ----------
    Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", Statistics and
    Computing 9 (1999), 3-8: estimate (equation 6) and variance (8). With equal blocks the variance
    is Tukey's, ``(g - 1) / g * sum((without - mean(without))**2)``.
    """
    values = np.asarray(values, dtype=np.float64)
    whole, without, n_blocks = values[0], values[1:], len(values) - 1
    if n_blocks < least:
        unknown = np.full_like(whole, np.nan)[()]
        return Interval(whole if counts is None else unknown, unknown, unknown, unknown)
    kept = (
        np.full(n_blocks, 1 - 1 / n_blocks) if counts is None else np.divide(counts[1:], counts[0])
    )
    kept = kept.reshape(-1, *[1] * whole.ndim)
    change = whole - without
    corrected = whole + (kept * change).sum(axis=0)
    pseudo = whole + kept / (1 - kept) * change
    error = np.sqrt(((pseudo - corrected) ** 2 * (1 - kept) / kept).mean(axis=0))
    estimate = whole if counts is None else corrected
    reach = stdtrit(n_blocks - 1, 0.975) * error
    return Interval(estimate, estimate - reach, estimate + reach, error)


def draw_blocks(
    n: int, *, n_blocks: int = 20, seed: int = 0, families: Sequence[Any] | None = None
) -> np.ndarray:
    """Assign vectors at random to blocks of nearly equal size, to be left out one at a time.

    Parameters
    ----------
    n : int
        Number of vectors.
    n_blocks : int
        Number of blocks.
    seed : int
        Of the draw.
    families : sequence, optional
        The family of each vector: a family is never divided.

    Returns
    -------
    ndarray of int, shape (n,)
        The block of each vector, from 0.
    """
    _, family = np.unique(np.arange(n) if families is None else families, return_inverse=True)
    sizes = np.bincount(family)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    block_sizes = np.zeros(n_blocks, dtype=np.int64)
    block_of = np.empty(len(sizes), dtype=np.int64)
    # The largest families first, each to the block that is smallest by then.
    for index in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        block_of[index] = block_sizes.argmin()
        block_sizes[block_of[index]] += sizes[index]
    return block_of[family]
