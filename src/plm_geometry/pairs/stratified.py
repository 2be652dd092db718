"""Drawing similar pairs more often than they occur, with the weights that undo it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.pairs.drawing import (
    check_available,
    count_pairs,
    decode,
    draw_numbers,
    draw_pairs,
)
from plm_geometry.pairs.kmers import EDGES, similar_pairs


@dataclass(frozen=True)
class PairSample:
    """Pairs drawn from all pairs of a set of proteins, stratum after stratum.

    Attributes
    ----------
    first, second : numpy.ndarray of int64, shape ``(n_pairs,)``
        Indices of the proteins of each pair, ``first < second``; no pair comes twice.
    stratum : numpy.ndarray of int64, shape ``(n_pairs,)``
        How many of the identities `kmers.EDGES` the pair should reach, as far as the k-mers that
        it shares tell: 0 for most pairs, which share few or none.
    weight : numpy.ndarray of float64, shape ``(n_pairs,)``
        For how many pairs of its stratum each stands: 1 / inclusion probability. The weights
        add up to the number of all pairs, and weighted sums estimate those over all pairs.
    n_compared : int
        How many proteins' k-mers were compared. Where there are more proteins, a pair with one
        of the others is in stratum 0, whatever it shares.
    """

    first: np.ndarray
    second: np.ndarray
    stratum: np.ndarray
    weight: np.ndarray
    n_compared: int


def draw_stratified(
    sequences: Sequence[str], n_pairs: int, *, seed: int, similar_share: float = 0.5
) -> PairSample:
    """Draw distinct pairs, many of them similar, although among all pairs hardly any is.

    Pairs that share k-mers are listed, in strata of the identity that this lets expect
    (`kmers.similar_pairs`). A part of the sample comes from them, each stratum giving as many as
    the others, or all that it has; the rest is drawn from all other pairs without listing them.
    Within its stratum each pair is as likely as any other, so that its inclusion probability is
    known, however well or badly k-mers tell identity. Strata and probabilities depend on the
    proteins alone; where not all are compared, on the seed too.

    Parameters
    ----------
    sequences : sequence of str
        The proteins. Their order changes nothing but which of equal sequences is drawn.
    n_pairs : int
        Pairs to draw, without replacement; fewer than there are strata are drawn uniformly.
    seed : int
        The same seed draws the same pairs.
    similar_share : float
        Share of the sample to take from listed pairs: all of these where they are fewer, more
        where the other pairs are too few, and at least one of each stratum.

    Raises
    ------
    InputError
        If there are fewer than two proteins, fewer pairs than `n_pairs`, or if `similar_share` is
        not between 0 and 1.

    References
    ----------
    Horvitz and Thompson, "A generalization of sampling without replacement from a finite
    universe", Journal of the American Statistical Association 47, 1952.
    """
    check_available(len(sequences), n_pairs)
    rng = np.random.default_rng(seed)
    # Shuffled from their sorted order: how they came does not matter.
    order = rng.permutation(sorted(range(len(sequences)), key=sequences.__getitem__))
    similar = similar_pairs([sequences[i] for i in order])
    sizes = np.bincount(similar.stratum, minlength=len(EDGES) + 1)
    sizes[0] = count_pairs(len(sequences)) - len(similar.numbers)
    if n_pairs < np.count_nonzero(sizes):  # too few to stand for strata: all pairs are one
        first, second = draw_pairs(len(sequences), n_pairs, seed=seed)
        stratum = np.zeros(n_pairs, dtype=np.int64)
        weight = np.full(n_pairs, count_pairs(len(sequences)) / n_pairs)
        return PairSample(first, second, stratum, weight, similar.n_compared)
    counts = _allocation(sizes, n_pairs, similar_share)
    drawn = [_skipping(similar.numbers, draw_numbers(sizes[0], counts[0], rng))]
    for stratum in range(1, len(sizes)):
        of_stratum = similar.numbers[similar.stratum == stratum]
        drawn.append(rng.choice(of_stratum, counts[stratum], replace=False))
    proteins = np.sort(order[np.stack(decode(np.concatenate(drawn)))], axis=0)
    weights = np.divide(sizes, counts, out=np.zeros(len(sizes)), where=counts > 0)
    stratum = np.repeat(np.arange(len(sizes)), counts)
    return PairSample(*proteins, stratum, weights[stratum], similar.n_compared)


def _allocation(sizes: np.ndarray, n_pairs: int, similar_share: float) -> np.ndarray:
    """Return how many pairs to draw of each stratum, at least one of each that has any."""
    if not 0 <= similar_share <= 1:
        raise InputError(f"the share of similar pairs is {similar_share}; give one from 0 to 1.")
    least = np.minimum(sizes, 1)
    n_similar = np.clip(
        round(similar_share * n_pairs),
        max(least[1:].sum(), n_pairs - sizes[0]),
        min(sizes[1:].sum(), n_pairs - least[0]),
    )
    counts = np.zeros_like(sizes)
    counts[0] = n_pairs - n_similar
    # The smallest stratum first: what it cannot give, the others share.
    by_size = 1 + np.argsort(sizes[1:], kind="stable")
    for n_left, stratum in zip(range(len(by_size), 0, -1), by_size, strict=True):
        counts[stratum] = min(sizes[stratum], (n_pairs - counts.sum()) // n_left)
    return counts


def _skipping(taken: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Return the numbers of these ranks among all that are not in `taken`, which ascends."""
    # So many numbers below each taken one are free.
    n_free = taken - np.arange(len(taken))
    return ranks + np.searchsorted(n_free, ranks, side="right")
