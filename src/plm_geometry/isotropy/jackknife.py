"""The delete-a-block jackknife: blocks, an estimate without its bias, its confidence interval."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Fewer blocks than these give an interval that is wide and itself uncertain.
LEAST_BLOCKS = 10


class Interval(NamedTuple):
    """A bias-corrected estimate and the ends of its confidence interval."""

    estimate: float
    low: float
    high: float


def jackknife(counts: Sequence[int], values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Return the jackknife estimate of a statistic, and its interval.

    Parameters
    ----------
    counts : sequence of int, length n_blocks + 1
        Members of the whole, and of what remains without each of at least two blocks, which
        may differ in size.
    values : sequence of float, length n_blocks + 1
        The statistic of the whole and of those remainders.
    level : float
        Nominal coverage.

    References
    ----------
    Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", Statistics and
    Computing 9 (1999), 3-8: estimate (equation 6) and variance (8). Ends from Student's t,
    blocks less one degrees of freedom.
    """
    from scipy.special import stdtrit  # here, because the command need not wait for it

    full, remaining = values[0], np.array(values[1:])
    kept = np.array(counts[1:]) / counts[0]
    estimate = full + (kept * (full - remaining)).sum()
    ratio = 1 / (1 - kept)
    pseudo = ratio * full - (ratio - 1) * remaining
    error = math.sqrt(((pseudo - estimate) ** 2 / (ratio - 1)).mean())
    reach = float(stdtrit(len(kept) - 1, (1 + level) / 2)) * error
    return Interval(float(estimate), float(estimate - reach), float(estimate + reach))


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
