"""Choosing pairs: all of them, some at random without listing the rest, by family."""

from itertools import combinations

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError

# Up to this many numbers for each that is drawn, an array of all is small enough to shuffle.
_SHUFFLED_FOR_ONE = 4


def count_pairs(n_proteins: int) -> int:
    """Return how many unordered pairs `n_proteins` make.

    Raises
    ------
    InputError
        If there are fewer than two proteins.
    """
    if n_proteins < 2:
        raise InputError(f"pairs need at least two proteins, but there are {n_proteins}.")
    return n_proteins * (n_proteins - 1) // 2


def all_pairs(n_proteins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all ``n (n - 1) / 2`` unordered pairs, as `draw_pairs` does."""
    return decode(np.arange(count_pairs(n_proteins), dtype=np.int64))


def draw_pairs(n_proteins: int, n_pairs: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw distinct unordered pairs, each as likely as any other, in random order.

    Memory grows with `n_pairs`, not with the square of `n_proteins`.

    Parameters
    ----------
    n_proteins : int
        Proteins to pair.
    n_pairs : int
        Pairs to draw, without replacement.
    seed : int
        The same seed draws the same pairs.

    Returns
    -------
    first, second : numpy.ndarray of int64, shape ``(n_pairs,)``
        Indices of the proteins of each pair, ``first < second``.

    Raises
    ------
    InputError
        If there are fewer than two proteins, or fewer pairs than `n_pairs`.
    """
    check_available(n_proteins, n_pairs)
    rng = np.random.default_rng(seed)
    return decode(draw_numbers(count_pairs(n_proteins), n_pairs, rng))


def check_available(n_proteins: int, n_pairs: int) -> None:
    """Raise `InputError` where `n_proteins` do not make `n_pairs` pairs."""
    available = count_pairs(n_proteins)
    if not 0 < n_pairs <= available:
        raise InputError(
            f"{n_pairs} pairs were asked for, but {n_proteins} proteins make {available}; "
            f"ask for 1 to {available}."
        )


def draw_numbers(available: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` distinct numbers below `available`, each as likely as any other."""
    if available <= _SHUFFLED_FOR_ONE * n:
        return rng.choice(available, n, replace=False)
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < n:
        # As many draws as bring the missing number of new ones, on average; mostly once.
        expected = available * np.log((available - len(drawn)) / (available - n))
        more = rng.integers(available, size=int(1.01 * expected) + 100)
        drawn = pd.unique(np.append(drawn, more))[:n]
    return drawn


def encode(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the number ``second (second - 1) / 2 + first`` of each pair ``first < second``."""
    second = second.astype(np.int64)  # of narrower ones the product would overflow
    return second * (second - 1) // 2 + first


def decode(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs ``(first, second)`` that have these numbers; `encode` turned round."""
    second = ((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
    # The root is rounded: it may lie on the wrong side of a whole number.
    second += encode(0, second + 1) <= numbers
    second -= encode(0, second) > numbers
    return numbers - encode(0, second), second


def pairs_within(family: np.ndarray, n_most: int, rng: np.random.Generator) -> np.ndarray:
    """Return pairs of one family, a random sample where there are more than `n_most`.

    Parameters
    ----------
    family : ndarray of int, shape (n_proteins,)
        The family of each protein.
    n_most : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape ``(2, n_pairs)``
        Indices of the proteins of each pair; empty where each family has one member.
    """
    members = pd.Series(np.arange(len(family))).groupby(family)
    listed = [pair for _, group in members for pair in combinations(group, 2)]
    found = np.array(listed, dtype=np.int64).reshape(-1, 2)
    if len(found) > n_most:
        found = found[rng.choice(len(found), n_most, replace=False)]
    return found.T


def pairs_between(family: np.ndarray, n_most: int, rng: np.random.Generator) -> np.ndarray:
    """Return random pairs of different families, at most `n_most`; shapes as `pairs_within`."""
    n_pairs = min(n_most, count_pairs(len(family)))
    drawn = np.stack(draw_pairs(len(family), n_pairs, seed=int(rng.integers(2**31))))
    return drawn[:, family[drawn[0]] != family[drawn[1]]]
