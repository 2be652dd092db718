"""Drawing similar pairs more often than they occur, with the weights that undo it.

Which pairs look similar, a cheap look at all of them tells: by the k-mers that they share.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from plm_geometry.pairs.drawing import (
    check_available,
    count_pairs,
    decode,
    draw_numbers,
    draw_pairs,
    encode,
)

# Short enough to be shared at 40% identity, long enough to be hardly ever shared by chance: with
# 4-mers most pairs of proteins share one, and a look at all pairs takes eight times as long.
_KMER = 5
_LETTERS = 26
# Identities to expect that part the strata of pairs. Below the first, proteins of ordinary lengths
# share as many k-mers by chance.
EDGES = np.arange(8, 20) / 20
# Of a sample, as far as there are as many of both kinds.
SIMILAR_SHARE = 0.5
# What a look may cost: less than a GB, and a minute or two. It does for 20,000 proteins.
_MOST_RESIDUES = 16_000_000
_MOST_PRODUCTS = 600_000_000
_MOST_LISTED = 20_000_000
_PRODUCTS_AT_A_TIME = 8_000_000


class PairSample(NamedTuple):
    """Pairs drawn from all pairs of a set of proteins, stratum after stratum.

    Attributes
    ----------
    first, second : numpy.ndarray of int64, shape ``(n_pairs,)``
        Indices of the proteins of each pair, ``first < second``; no pair comes twice.
    stratum : numpy.ndarray of int64, shape ``(n_pairs,)``
        How many of the identities `EDGES` the pair should reach, as far as the k-mers that
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


def draw_stratified(sequences: Sequence[str], n_pairs: int, *, seed: int) -> PairSample:
    """Draw distinct pairs, many of them similar, although among all pairs hardly any is.

    Pairs that share k-mers are listed, in strata of the identity that this lets expect
    (`similar_pairs`). Half of the sample comes from them, each stratum giving as many as
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

    Raises
    ------
    InputError
        If there are fewer than two proteins, or fewer pairs than `n_pairs`.

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
    counts = _allocation(sizes, n_pairs)
    drawn = [_skipping(similar.numbers, draw_numbers(sizes[0], counts[0], rng))]
    for stratum in range(1, len(sizes)):
        of_stratum = similar.numbers[similar.stratum == stratum]
        drawn.append(rng.choice(of_stratum, counts[stratum], replace=False))
    proteins = np.sort(order[np.stack(decode(np.concatenate(drawn)))], axis=0)
    weights = np.divide(sizes, counts, out=np.zeros(len(sizes)), where=counts > 0)
    stratum = np.repeat(np.arange(len(sizes)), counts)
    return PairSample(*proteins, stratum, weights[stratum], similar.n_compared)


def _allocation(sizes: np.ndarray, n_pairs: int) -> np.ndarray:
    """Return how many pairs to draw of each stratum, at least one of each that has any."""
    least = np.minimum(sizes, 1)
    n_similar = np.clip(
        round(SIMILAR_SHARE * n_pairs),
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


class SimilarPairs(NamedTuple):
    """Pairs that share k-mers.

    Attributes
    ----------
    numbers : numpy.ndarray of int64, shape ``(n_listed,)``
        The pairs, as `drawing.encode` numbers them, ascending.
    stratum : numpy.ndarray of uint8, shape ``(n_listed,)``
        How many of the identities `EDGES` each reaches; those that reach none are not listed.
    n_compared : int
        So many proteins, from the first on, were compared, each with each.
    """

    numbers: np.ndarray
    stratum: np.ndarray
    n_compared: int


def similar_pairs(sequences: Sequence[str]) -> SimilarPairs:
    """List the pairs that share more 5-mers than by chance.

    Where a share p of residues is identical, about a share p^5 of 5-mers is, so that the fifth
    root of the cosine between two proteins' sets of 5-mers stands for their identity.

    The work grows with the square of the number of proteins. Of too many, only the first are
    compared: as many as keep within 16 million residues, 600 million products of two proteins'
    entries for a k-mer, and 20 million pairs listed.

    Parameters
    ----------
    sequences : sequence of str
        The proteins; of too many, in random order.
    """
    n = np.searchsorted(np.cumsum([len(s) for s in sequences]), _MOST_RESIDUES, side="right")
    kmers, sizes = _kmer_sets(sequences[:n])
    kmers = kmers[: _affordable(kmers)]
    others = kmers.T.tocsr()
    found = []
    for start, end in pairwise(_block_edges(kmers)):
        shared = (kmers[start:end] @ others).tocoo()
        found.append(_listed(shared.col, shared.row + start, shared.data, sizes))
        if sum(len(numbers) for numbers, _ in found) > _MOST_LISTED:
            break
    numbers, strata = (np.concatenate(part) for part in zip(*found, strict=True))
    return SimilarPairs(numbers, strata, end)


def _listed(
    first: np.ndarray, second: np.ndarray, n_shared: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return number and stratum of the pairs that reach one, ``first < second``, ascending."""
    cosine = n_shared / np.sqrt(sizes[first] * sizes[second])
    stratum = np.searchsorted(EDGES**_KMER, cosine, side="right").astype(np.uint8)
    listed = np.flatnonzero((stratum > 0) & (first < second))
    numbers = encode(first[listed], second[listed])
    order = np.argsort(numbers)
    return numbers[order], stratum[listed[order]]


def _kmer_sets(sequences: Sequence[str]) -> tuple[sparse.csr_array, np.ndarray]:
    """Return which k-mers each protein has, as rows of ones, and how many."""
    # The letter before A parts the proteins: no k-mer reaches from one into the next.
    text = np.frombuffer("@".join(sequences).encode(), dtype=np.int8) - ord("A")
    n_windows = max(len(text) - _KMER + 1, 0)
    codes, within = np.zeros(n_windows, dtype=np.int32), np.ones(n_windows, dtype=bool)
    for offset in range(_KMER):
        letters = text[offset : offset + n_windows]
        codes = codes * _LETTERS + letters
        within &= letters >= 0
    protein = np.cumsum(text < 0, dtype=np.int32)[:n_windows][within]
    columns, distinct = pd.factorize(codes[within])
    ones = np.ones(len(columns), dtype=np.int32)
    place = (protein, columns.astype(np.int32))
    sets = sparse.csr_array((ones, place), shape=(len(sequences), len(distinct)))
    sets.data[:] = 1  # it has added up what comes twice
    return sets, np.diff(sets.indptr).astype(np.int64)


def _affordable(kmers: sparse.csr_array) -> int:
    """Return how many proteins, from the first on, can be compared with each other."""
    n = kmers.shape[0]
    while (products := (_times_seen(kmers[:n]) ** 2).sum()) > _MOST_PRODUCTS:
        n = int(n * np.sqrt(_MOST_PRODUCTS / products))
    return n


def _times_seen(kmers: sparse.csr_array) -> np.ndarray:
    """Return how many proteins have each k-mer."""
    return np.bincount(kmers.indices, minlength=kmers.shape[1])


def _block_edges(kmers: sparse.csr_array) -> list[int]:
    """Part the proteins into blocks of about equal work, whatever their lengths."""
    products = np.cumsum(kmers @ _times_seen(kmers))
    starts = np.flatnonzero(np.diff(products // _PRODUCTS_AT_A_TIME)) + 1
    return [0, *starts.tolist(), kmers.shape[0]]
