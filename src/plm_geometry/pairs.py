"""Pairs of proteins: drawing them, finding similar ones, distances between their embeddings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from plm_geometry.errors import InputError

_KMER = 4
# Above this, k-mers are shared by more than chance between proteins of ordinary lengths.
_LEAST_KMER_COSINE = 0.03
_STRATA = 20
# Numbers held at a time, in each of a few temporary arrays.
_BLOCK_ELEMENTS = 4_000_000


def all_pairs(n_proteins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all ``n (n - 1) / 2`` unordered pairs, as `draw_pairs` does."""
    return _decode(np.arange(_count(n_proteins), dtype=np.int64))


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
    available = _count(n_proteins)
    if not 0 < n_pairs <= available:
        raise InputError(
            f"{n_pairs} pairs were asked for, but {n_proteins} proteins make {available}; "
            f"ask for 1 to {available}."
        )
    rng = np.random.default_rng(seed)
    if 2 * n_pairs > available:
        return _decode(rng.permutation(available)[:n_pairs])
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < n_pairs:
        # As many draws as bring the missing number of new pairs, on average; mostly once.
        expected = available * np.log((available - len(drawn)) / (available - n_pairs))
        more = rng.integers(available, size=int(1.01 * expected) + 100)
        drawn = pd.unique(np.append(drawn, more))[:n_pairs]
    return _decode(drawn)


def similar_pairs(
    sequences: Sequence[str], n_pairs: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs that share 4-mers, spread evenly from those that share few to near-copies.

    Random pairs are hardly ever similar. Where a share p of residues is identical, about a
    share p^4 of 4-mers is, so that the fourth root of the cosine between two proteins' sets of
    4-mers stands for their identity. Pairs from about 0.4 up fall into strata of this estimate
    of width 0.05, and each stratum gives as many pairs as the others, or all that it has.

    Parameters
    ----------
    sequences : sequence of str
        The proteins.
    n_pairs : int
        Pairs to draw at most; fewer where fewer are similar.
    seed : int
        The same seed draws the same pairs.

    Returns
    -------
    first, second : numpy.ndarray of int64, shape ``(n_drawn,)``
        Indices of the proteins of each pair, ``first < second``; no pair comes twice.
    """
    first, second, cosine = _pairs_sharing_kmers(sequences)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    stratum = (cosine[shuffled] ** (1 / _KMER) * _STRATA).astype(int)
    place_in_stratum = pd.Series(stratum).groupby(stratum).cumcount()
    drawn = shuffled[np.argsort(place_in_stratum, kind="stable")[:n_pairs]]
    return first[drawn], second[drawn]


def pair_distances(vectors: np.ndarray, first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    """Return the distances between the vectors of each pair.

    Parameters
    ----------
    vectors : numpy.ndarray, shape ``(n_proteins, dim)``
        One vector a protein.
    first, second : numpy.ndarray of int, shape ``(n_pairs,)``
        Pairs, as rows of `vectors`.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``cosine_similarity`` (NaN where a vector is zero) and
        ``squared_euclidean``. Sums are accumulated in float64, and memory is flat in the
        number of pairs but for the result.

    Raises
    ------
    InputError
        If a vector holds NaN or infinity.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    if not np.isfinite(lengths).all():
        row = int(np.flatnonzero(~np.isfinite(lengths))[0])
        raise InputError(f"vector {row} holds NaN or infinity; embed that protein again.")
    dot = np.empty(len(first))
    squared = np.empty(len(first))
    rows = max(_BLOCK_ELEMENTS // vectors.shape[1], 1)
    for start in range(0, len(first), rows):
        block = slice(start, start + rows)
        a, b = vectors[first[block]], vectors[second[block]]
        dot[block] = np.einsum("ij,ij->i", a, b, dtype=np.float64)
        # Not |a|^2 + |b|^2 - 2ab, which cancels where two vectors nearly agree.
        difference = a - b
        squared[block] = np.einsum("ij,ij->i", difference, difference, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        cosine = dot / (lengths[first] * lengths[second])
    return pd.DataFrame({"cosine_similarity": cosine.clip(-1, 1), "squared_euclidean": squared})


def _count(n_proteins: int) -> int:
    """Return how many unordered pairs there are."""
    if n_proteins < 2:
        raise InputError(f"pairs need at least two proteins, but there are {n_proteins}.")
    return n_proteins * (n_proteins - 1) // 2


def _decode(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pair number ``j (j - 1) / 2 + i`` as ``(i, j)``, for ``i < j``."""
    second = ((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
    # The root is rounded: it may lie on the wrong side of a whole number.
    second += second * (second + 1) // 2 <= numbers
    second -= second * (second - 1) // 2 > numbers
    return numbers - second * (second - 1) // 2, second


def _pairs_sharing_kmers(sequences: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return first, second and k-mer cosine of all pairs above `_LEAST_KMER_COSINE`."""
    kmers = _unit_kmer_sets(sequences)
    found = []
    n_rows = max(_BLOCK_ELEMENTS // len(sequences), 1)
    for start in range(0, len(sequences), n_rows):
        shared = (kmers[start : start + n_rows] @ kmers.T).tocoo()
        rows, columns = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        kept = (rows < columns) & (shared.data > _LEAST_KMER_COSINE)
        found.append((rows[kept], columns[kept], shared.data[kept]))
    first, second, cosine = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second, cosine.clip(max=1)


def _unit_kmer_sets(sequences: Sequence[str]) -> sparse.csr_array:
    """Return which k-mers each protein has, as rows of length 1, shape ``(n, 26 ** k)``."""
    powers = 26 ** np.arange(_KMER, dtype=np.int64)
    columns = []
    for sequence in sequences:
        letters = np.frombuffer(sequence.encode(), dtype=np.uint8).astype(np.int64) - ord("A")
        is_long_enough = len(letters) >= _KMER
        kmers = np.convolve(letters, powers, mode="valid") if is_long_enough else letters[:0]
        columns.append(np.unique(kmers))
    sizes = np.array([len(c) for c in columns])
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    shape = (len(sequences), 26**_KMER)
    return sparse.csr_array((values, np.concatenate(columns), ends), shape=shape)
