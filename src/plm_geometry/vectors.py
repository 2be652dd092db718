"""Isotropy of vectors in files, read in blocks so that a file may be larger than memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.errors import InputError
from plm_geometry.gram import Gram
from plm_geometry.isotropy import interval_row, isotropy_row
from plm_geometry.jackknife import LEAST_BLOCKS, draw_blocks
from plm_geometry.moments import Moments, merge_all
from plm_geometry.vector_files import VectorFile, shown
from plm_geometry.vector_formats import Vectors

# Slabs of coordinates that are read at a time, counted as float64.
_SLAB_BYTES = 2**27
# Moments of the parts that a jackknife leaves out in turn, with the whole and what is left.
_PARTS_BYTES = 700e6
# Fewer vectors than dimensions are described by their inner products beyond this: from here on
# the covariance would take more than 128 MB.
_WIDE = 4096
# The smaller of the numbers of vectors and dimensions; its square takes 800 MB.
_LARGEST_SQUARE = 10_000
# Vectors that are stored one by one must fit in memory where they are wide.
_WIDE_BYTES = 400e6


@dataclass(frozen=True)
class FileIsotropy:
    """Isotropy of the vectors in a file.

    Attributes
    ----------
    cloud : Moments or Gram
        Of all its vectors.
    row : dict
        The entries of `isotropy.isotropy_row` and `isotropy.interval_row`; ``blocks``, the number
        that the intervals rest on, or None; ``seed``.
    warnings : list of str
        Sentences.
    """

    cloud: Moments | Gram
    row: dict[str, Any]
    warnings: list[str]


def file_isotropy(
    path: str | Path,
    *,
    key: str | None = None,
    transpose: bool = False,
    n_blocks: int = 20,
    seed: int = 0,
    cluster: str | None = None,
    warn: Callable[[str], object] = lambda sentence: None,
    progress: bool = True,
) -> FileIsotropy:
    """Return the isotropy of the vectors in a file, read once and in blocks.

    Memory does not grow with the file, only with the square of the number of dimensions (or,
    with over 4,096 dimensions and fewer vectors than these, of the number of vectors).

    Parameters
    ----------
    path, key, transpose
        As in `vector_files.open_vectors`.
    n_blocks : int
        Blocks of vectors drawn at random that the intervals' jackknife leaves out in turn. As
        many are used as fit in 700 MB; below ten there are no intervals.
    seed : int
        Of that draw.
    cluster : str, optional
        As in `compute.run_blocks`: the cluster's workers read the file and compute its moments.
        Wide vectors, described by their inner products, are computed here all the same.
    warn : callable
        Is told each warning at once.
    progress : bool
        Show a bar on a terminal's standard error.

    Raises
    ------
    InputError
        As `open_vectors` and `isotropy.isoscore`, and if neither the number of vectors nor that
        of dimensions is small enough.
    """
    # Workers may have started in another directory.
    path = Path(path) if cluster is None else Path(path).absolute()
    file = VectorFile(path, key, transpose)
    vectors = file.open()
    found: list[str] = []

    def note(sentence: str) -> None:
        found.append(sentence)
        warn(sentence)

    if vectors.n < vectors.d:
        note(
            f"there are fewer vectors ({vectors.n:,}) than dimensions ({vectors.d:,}); if the file "
            "is a matrix whose columns are the vectors, use --transpose."
        )
    wide = _is_wide(vectors, path)
    blocks = _affordable_blocks(vectors, wide, n_blocks)
    if wide:
        cloud, remainders = _read_gram(vectors, blocks, seed, progress)
    else:
        parts = file.random_parts(blocks or 1, seed=seed, cluster=cluster, progress=progress)
        cloud = merge_all(parts)
        remainders = map(cloud.without, parts) if blocks else ()
    row = _row(cloud, remainders, note)
    row |= {"blocks": None if row["isoscore_low"] is None else blocks, "seed": seed}
    if not blocks:
        note(f"no intervals are given: {_why_too_few_blocks(vectors)}.")
    return FileIsotropy(cloud, row, found)


def _row(
    cloud: Moments | Gram, remainders: Iterable[Moments | Gram], note: Callable[[str], None]
) -> dict[str, float | int | None]:
    """Return the measures and their intervals, noting what is undefined."""
    row = isotropy_row(cloud)
    if cloud.n_zero:
        note(
            f"{cloud.n_zero:,} of the {cloud.count:,} vectors are zero and have no direction: "
            "the mean cosine similarity is undefined."
        )
    try:
        return row | interval_row(cloud, remainders)
    except InputError:
        note("no intervals are given: without one of the blocks all vectors are the same.")
        return row | interval_row(cloud, ())


def _is_wide(vectors: Vectors, path: str | Path) -> bool:
    """Return whether the vectors are to be described by their inner products."""
    if min(vectors.n, vectors.d) > _LARGEST_SQUARE:
        raise InputError(
            f"{path} holds {vectors.n:,} vectors of {vectors.d:,} dimensions, and one of these "
            f"numbers must be {_LARGEST_SQUARE:,} at most; give vectors of fewer dimensions."
        )
    wide = vectors.n < vectors.d and vectors.d > _WIDE
    if wide and vectors.slabs is None and 8 * vectors.n * vectors.d > _WIDE_BYTES:
        raise InputError(
            f"{path} holds {vectors.n:,} vectors of {vectors.d:,} dimensions one by one, too wide "
            "to be held in memory; write them as one matrix (.npy)."
        )
    return wide


def _affordable_blocks(vectors: Vectors, wide: bool, wanted: int) -> int:
    """Return how many blocks can be left out in turn, or 0 if too few for an interval."""
    blocks = min(wanted, vectors.n)
    if not wide:
        # The whole and what is left of it are held too, and a matrix between.
        blocks = min(blocks, int(_PARTS_BYTES / (8 * vectors.d**2)) - 3)
    return blocks if blocks >= LEAST_BLOCKS else 0


def _why_too_few_blocks(vectors: Vectors) -> str:
    if vectors.n < LEAST_BLOCKS:
        return f"they need {LEAST_BLOCKS} vectors"
    return (
        f"the covariances of {LEAST_BLOCKS} blocks of vectors of {vectors.d:,} dimensions would "
        f"take more than {_PARTS_BYTES / 1e6:.0f} MB"
    )


def _read_gram(
    vectors: Vectors, n_blocks: int, seed: int, progress: bool
) -> tuple[Gram, Iterable[Gram]]:
    """Return the inner products of all vectors, and of those left without each block in turn."""
    width = max(1, _SLAB_BYTES // (8 * vectors.n))
    slabs = (vectors.slabs or partial(_slabs_in_memory, vectors))(width)
    with shown(slabs, vectors.d, "dimensions", progress) as slabs:
        gram = Gram.from_coordinates(slabs, names=vectors.accessions)
    if not n_blocks:
        return gram, ()
    block_of = draw_blocks(gram.count, n_blocks=n_blocks, seed=seed)
    return gram, (gram.subset(np.flatnonzero(block_of != block)) for block in range(n_blocks))


def _slabs_in_memory(vectors: Vectors, width: int) -> Iterator[np.ndarray]:
    matrix = np.concatenate(list(vectors.blocks(vectors.n)))
    return (matrix[:, start : start + width].T for start in range(0, vectors.d, width))
