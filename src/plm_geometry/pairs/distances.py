"""Distances between the embeddings of pairs, millions of them at a time."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from plm_geometry.base.compute import run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.pairs.drawing import draw_pairs

# Numbers of a tile of vectors, and of a chunk of pairs' vectors: the first makes a matrix product
# run at full speed, the second stays in the processor's cache.
_TILE_ELEMENTS = 2**20
_MOST_TILE_ROWS = 1024
_CHUNK_ELEMENTS = 2**17
# A block of fewer pairs costs more to hand out than to work on.
_USUAL_BLOCK_PAIRS = 4096
# So many products within a matrix product take the time of one pair on its own.
_PRODUCTS_FOR_ONE = 30
# Below this, 1 - cosine has lost too many digits to stand for a distance.
_NEAR = 1e-4


def pair_distances(
    vectors: np.ndarray, first: np.ndarray, second: np.ndarray, *, workers: int | None = None
) -> pd.DataFrame:
    """Return the distances between the vectors of each pair.

    Where many pairs share proteins they come from products of whole matrices, else one by one.
    Either way all is computed in float64: a cosine to 1e-14, a squared distance to 1e-10 of
    itself, also between vectors that nearly agree. Which other pairs are asked for changes
    nothing beyond that, and the number of workers nothing at all.

    Parameters
    ----------
    vectors : numpy.ndarray, shape ``(n_proteins, dim)``
        One vector per protein.
    first, second : numpy.ndarray of int, shape ``(n_pairs,)``
        Pairs, as rows of `vectors`.
    workers : int, optional
        Threads; as many as there are cores if not given.

    Returns
    -------
    pandas.DataFrame
        One row per pair: ``cosine_similarity`` (NaN where a vector is zero) and
        ``squared_euclidean``. Beyond it and the input, memory takes about 30 bytes per pair.

    Raises
    ------
    InputError
        If a vector holds NaN, infinity, or numbers whose squares overflow.
    """
    lengths, found = _lengths(vectors), np.empty((2, len(first)))
    blocks = _neighbours(vectors.shape, first, second)

    def measure(block: np.ndarray) -> np.ndarray:
        return _measured(vectors, lengths, first[block], second[block])

    # Threads of ours use the cores; threads of theirs would only get in the way.
    with threadpool_limits(1, user_api="blas"):
        for index, distances in run_blocks(measure, blocks, workers=workers):
            found[:, blocks[index]] = distances
    return pd.DataFrame(found.T, columns=["cosine_similarity", "squared_euclidean"], copy=False)


def pairwise_cosines(
    vectors: np.ndarray, n_pairs: int, *, seed: int, centre: bool = False
) -> np.ndarray:
    """Return the cosine similarities of pairs drawn at random.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        At least two.
    n_pairs : int
        Distinct pairs to draw; all, where there are no more.
    seed : int
        The same seed draws the same pairs.
    centre : bool
        Subtract the mean of all vectors first.

    Returns
    -------
    ndarray, shape (n_drawn,)
        NaN where a vector of the pair is zero.

    Raises
    ------
    InputError
        If there are fewer than two vectors, or no pair is asked for.
    """
    most = len(vectors) * (len(vectors) - 1) // 2
    first, second = draw_pairs(len(vectors), min(n_pairs, most), seed=seed)
    if centre:
        vectors = vectors - vectors.mean(axis=0, dtype=np.float64)
    return pair_distances(vectors, first, second)["cosine_similarity"].to_numpy()


def _measured(vectors: np.ndarray, lengths: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return cosine similarities and squared distances of pairs, shape ``(2, n_pairs)``."""
    a, b = lengths[i], lengths[j]
    cosine = _cosines(vectors, lengths, i, j)
    # Not a^2 + b^2 - 2 a b cosine, which cancels long before this does.
    squared = (a - b) ** 2 + 2 * a * b * (1 - cosine)
    near = np.flatnonzero(1 - cosine < _NEAR)
    squared[near] = _of_each(_squared_distance, vectors, i[near], j[near])
    # So that equal vectors have a cosine of 1, and not of its rounding.
    cosine[near] = 1 - (squared[near] - (a - b)[near] ** 2) / (2 * a * b)[near]
    cosine[a * b == 0] = np.nan
    return np.stack([cosine.clip(-1, 1), squared])


def _cosines(vectors: np.ndarray, lengths: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return cosine similarities, 0 where a vector is zero: by matrix, or one by one."""
    lengths = np.where(lengths > 0, lengths, 1)
    rows, columns = (slice(side.min(), side.max() + 1) for side in (i, j))
    n_products = (rows.stop - rows.start) * (columns.stop - columns.start)
    if n_products > min(_MOST_TILE_ROWS**2, _PRODUCTS_FOR_ONE * len(i)):
        return _of_each(np.vecdot, vectors, i, j) / (lengths[i] * lengths[j])
    a, b = (np.divide(vectors[k], lengths[k, None], dtype=np.float64) for k in (rows, columns))
    return (a @ b.T)[i - rows.start, j - columns.start]


def _of_each(
    of: Callable[[np.ndarray, np.ndarray], np.ndarray],
    vectors: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
) -> np.ndarray:
    """Return a number of each pair of rows, of so few at a time that they stay in the cache."""
    step = max(_CHUNK_ELEMENTS // vectors.shape[1], 1)
    chunks = (slice(start, start + step) for start in range(0, len(i), step))
    sides = ((vectors[i[chunk]], vectors[j[chunk]]) for chunk in chunks)
    found = [of(a.astype(np.float64), b.astype(np.float64)) for a, b in sides]
    return np.concatenate([np.empty(0), *found])


def _squared_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    difference = a - b
    return np.vecdot(difference, difference)


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """Return the Euclidean length of each vector."""
    rows = np.arange(len(vectors))
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(_of_each(np.vecdot, vectors, rows, rows))
    if not np.isfinite(lengths).all():
        raise InputError(
            f"vector {int(np.argmin(np.isfinite(lengths)))} holds NaN, infinity or numbers whose "
            "squares overflow; embed that protein again."
        )
    return lengths


def _neighbours(shape: tuple[int, int], first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
    """Cut pairs into blocks whose proteins lie near each other, shape ``(n_block,)`` each.

    Proteins are cut into tiles, and a block holds the pairs of one tile with one other. Few pairs
    of many proteins make larger tiles, so that a block is worth handing out.
    """
    n, dim = shape
    tile_rows = np.clip(_TILE_ELEMENTS // dim, 1, _MOST_TILE_ROWS)
    n_across = int(np.sqrt(2 * len(first) / _USUAL_BLOCK_PAIRS))
    n_across = int(np.clip(n_across, 1, min(-(-n // tile_rows), 256)))
    rows = -(-n // n_across)
    # Numbers of two bytes are sorted by counting, in a fraction of the time of longer ones.
    tile = (first // rows).astype(np.uint16)
    tile *= np.uint16(n_across)
    tile += (second // rows).astype(np.uint16)
    sizes = np.bincount(tile)
    return np.split(np.argsort(tile, kind="stable"), np.cumsum(sizes[sizes > 0]))[:-1]
