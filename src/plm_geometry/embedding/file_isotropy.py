"""Isotropy of vectors in files, read in blocks so that a file may be larger than memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.formats import open_vectors
from plm_geometry.embedding.vectors import Vectors
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS
from plm_geometry.isotropy.measures import INTERVALS, interval_row, isotropy_row, one_line
from plm_geometry.isotropy.moments import Moments, merge_all, random_parts
from plm_geometry.proteins.fasta import Proteins

# Moments of the parts that a jackknife leaves out in turn, with the whole and what is left.
_PARTS_BYTES = 700e6
# The covariance of so many dimensions takes 800 MB.
_MOST_DIMENSIONS = 10_000
# Read at a time, counted as float64: enough that each part of it makes a fast matrix product.
_BLOCK_BYTES = 2**27


class FileIsotropy(NamedTuple):
    """Isotropy of the vectors in a file.

    Attributes
    ----------
    cloud : Moments
        Of all its vectors.
    row : dict
        The entries of `measures.isotropy_row` and `measures.interval_row`; ``blocks``, the number
        that the intervals rest on, or None; ``seed``.
    warnings : list of str
        Sentences.
    """

    cloud: Moments
    row: dict[str, Any]
    warnings: list[str]


def file_isotropy(
    path: str | Path,
    *,
    key: str | None = None,
    transpose: bool = False,
    n_blocks: int = 20,
    seed: int = 0,
    progress: bool = True,
) -> FileIsotropy:
    """Return the isotropy of the vectors in a file, read once and in blocks.

    Memory does not grow with the file where `open_vectors` reads its format in blocks, only with
    the square of the number of dimensions.

    Parameters
    ----------
    path, key, transpose
        As in `open_vectors`.
    n_blocks : int
        Blocks of vectors drawn at random that the intervals' jackknife leaves out in turn. As
        many are used as fit in 700 MB; below ten there are no intervals.
    seed : int
        Of that draw.
    progress : bool
        Show a bar on a terminal's standard error.

    Raises
    ------
    InputError
        As `open_vectors` and `measures.isoscore`, and if there are over 10,000 dimensions.
    """
    vectors = _open(path, key, transpose)
    # The whole and what is left of it are held too, and a matrix between.
    affordable = int(_PARTS_BYTES / (8 * vectors.d**2)) - 3
    blocks = min(n_blocks, vectors.n, affordable)
    blocks = blocks if blocks >= LEAST_BLOCKS else 0
    read = _counted(vectors, progress)
    parts = random_parts(read, blocks or 1, seed=seed, names=vectors.accessions)
    cloud = merge_all(parts)
    row = isotropy_row(cloud)
    warnings = _warnings(cloud, row, blocks)
    try:
        row |= interval_row(cloud, map(cloud.without, parts) if blocks else ())
    except InputError:
        warnings += ["no intervals are given: without one of the blocks all vectors are the same."]
        row |= dict.fromkeys(INTERVALS)
    row |= {"blocks": None if row["isoscore_low"] is None else blocks, "seed": seed}
    return FileIsotropy(cloud, row, warnings)


def _open(path: str | Path, key: str | None, transpose: bool) -> Vectors:
    vectors = open_vectors(path, key=key, transpose=transpose)
    if vectors.has_residues:
        raise InputError(
            f"{path} has one matrix per protein, of residues; use --per residue, or --key for one."
        )
    if vectors.d > _MOST_DIMENSIONS:
        raise InputError(
            f"{path} has vectors of {vectors.d:,} dimensions, and {_MOST_DIMENSIONS:,} are the "
            "most that can be measured; give vectors of fewer, or --transpose the matrix."
        )
    return vectors


def _counted(vectors: Vectors, progress: bool) -> Iterator[np.ndarray]:
    """Yield the vectors in blocks, under a bar that counts them; on no terminal it is off."""
    shown = {"unit": " vectors", "leave": False, "disable": None if progress else True}
    with tqdm(total=vectors.n, **shown) as bar:
        for block in vectors.blocks(max(1, _BLOCK_BYTES // (8 * vectors.d))):
            yield block
            bar.update(len(block))


def _warnings(cloud: Moments, row: dict[str, Any], blocks: int) -> list[str]:
    """Say what is odd about vectors, and what of them is undefined."""
    sentences = {
        f"there are fewer vectors ({cloud.count:,}) than dimensions ({cloud.dim:,}); if the file "
        "is a matrix whose columns are the vectors, use --transpose.": cloud.count < cloud.dim,
        one_line(row["effective_dimensions"]): one_line(row["effective_dimensions"]),
        f"{cloud.n_zero:,} of the {cloud.count:,} vectors are zero and have no direction: the "
        "mean cosine similarity is undefined.": cloud.n_zero,
        f"no intervals are given: they need {LEAST_BLOCKS} vectors or more, and covariances of "
        f"{LEAST_BLOCKS} blocks that fit in {_PARTS_BYTES / 1e6:.0f} MB.": not blocks,
    }
    return [sentence for sentence, holds in sentences.items() if holds]


def residue_isotropy(
    path: str | Path,
    proteins: Proteins | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Return the isotropy of the residues in a file, streamed as a model's are.

    Parameters
    ----------
    path : path-like
        As in `formats.open_vectors`, with one matrix (L, d) per protein.
    proteins : Proteins, optional
        Whose residues are measured; by default all of the file, whose amino acids are not known.
    seed : int
        Of the draw of ten groups of proteins, which the intervals' jackknife leaves out in turn.
    progress : bool
        Show a bar on a terminal's standard error.
    tell : callable
        Takes one line that says what is measured.

    Returns
    -------
    rows : list of dict
        Of `tables.local_rows`: of each amino acid where the sequences are known, and of all
        residues (``residue = "all"``).
    average : dict
        Of `tables.average_dimensions`, over the amino acids that are known.

    Raises
    ------
    InputError
        If the file has no matrix per protein, lacks a protein or has it at another length.
    """
    # They load PyTorch and pandas, which vectors need not wait for.
    from plm_geometry.embedding import files, run
    from plm_geometry.isotropy import tables

    if not open_vectors(path).has_residues:
        raise InputError(f"{path} has no matrices of residues to measure; leave --per residue out.")
    file = files.EmbeddingFile(path)
    every = file.proteins()
    known = proteins or every
    file.places(known.accessions)
    if beyond := len(every) - len(known):
        tell(f"{beyond:,} of the {len(every):,} proteins in {path} are not in {known.source}")
    with TemporaryDirectory() as directory:
        store = run.embed(known, file, Path(directory), seed=seed, tell=tell, progress=progress)
        found = run.load(store, known)
        letters, groups = found.residue_moments, found.residue_groups
        rows = list(tables.local_rows(groups))
        average = tables.average_dimensions(*tables.averages_without_each(letters, groups))
    return rows[-1:] if proteins is None else rows, average
