"""Which pairs look similar: a cheap look at all of them, by the k-mers that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from plm_geometry.pairs.drawing import encode

# Short enough to be shared at 40% identity, long enough to be hardly ever shared by chance: with
# 4-mers most pairs of proteins share one, and a look at all pairs takes eight times as long.
_KMER = 5
_LETTERS = 26
# Identities to expect that part the strata of pairs. Below the first, proteins of ordinary lengths
# share as many k-mers by chance.
EDGES = np.arange(8, 20) / 20
# What a look may cost: less than a GB, and a minute or two. It does for 20,000 proteins.
_MOST_RESIDUES = 16_000_000
_MOST_PRODUCTS = 600_000_000
_MOST_LISTED = 20_000_000
_PRODUCTS_AT_A_TIME = 8_000_000


@dataclass(frozen=True)
class SimilarPairs:
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
    codes = np.zeros(n_windows, dtype=np.int32)
    within = np.ones(n_windows, dtype=bool)
    for offset in range(_KMER):
        letters = text[offset : offset + n_windows]
        codes = codes * _LETTERS + letters
        within &= letters >= 0
    protein = np.cumsum(text < 0, dtype=np.int32)[:n_windows][within]
    ends = np.searchsorted(protein, np.arange(len(sequences) + 1))
    columns, distinct = pd.factorize(codes[within])
    ones = np.ones(len(columns), dtype=np.int32)
    shape = (len(sequences), len(distinct))
    sets = sparse.csr_array((ones, columns.astype(np.int32), ends.astype(np.int32)), shape=shape)
    sets.sum_duplicates()
    sets.data[:] = 1
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
