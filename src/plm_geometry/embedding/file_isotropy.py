"""Isotropy of vectors in files, read in blocks so that a file may be larger than memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from plm_geometry.base.compute import run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.formats import open_vectors
from plm_geometry.embedding.vectors import Vectors
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS
from plm_geometry.isotropy.measures import interval_row, isotropy_row, one_line
from plm_geometry.isotropy.moments import Moments, merge_all, random_parts
from plm_geometry.isotropy.tables import average_dimensions, local_rows
from plm_geometry.proteins.fasta import Proteins

# Moments of the parts that a jackknife leaves out in turn, with the whole and what is left.
_PARTS_BYTES = 700e6
# The covariance of so many dimensions takes 800 MB.
_MOST_DIMENSIONS = 10_000
# Read at a time, counted as float64: enough that each part of it makes a fast matrix product.
_BLOCK_BYTES = 2**27
# Blocks that make one task of a cluster: what comes back of a task are as many covariances as
# there are parts, which should weigh less than what it reads.
_BLOCKS_PER_TASK = 16
# Residues in a batch of a file that has them all.
_RESIDUES_PER_BATCH = 8192


@dataclass(frozen=True)
class FileIsotropy:
    """Isotropy of the vectors in a file.

    Attributes
    ----------
    cloud : Moments
        Of all its vectors.
    row : dict
        The entries of `isotropy.isotropy_row` and `isotropy.interval_row`; ``blocks``, the number
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
    cluster: str | None = None,
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
    cluster : str, optional
        As in `compute.run_blocks`: the cluster's workers read the file and compute its moments.
    progress : bool
        Show a bar on a terminal's standard error.

    Raises
    ------
    InputError
        As `open_vectors` and `isotropy.isoscore`, and if there are over 10,000 dimensions.
    """
    # Absolute, as workers may have started in another directory.
    file = VectorFile(Path(path) if cluster is None else Path(path).absolute(), key, transpose)
    vectors = file.open()
    # The whole and what is left of it are held too, and a matrix between.
    affordable = int(_PARTS_BYTES / (8 * vectors.d**2)) - 3
    blocks = min(n_blocks, vectors.n, affordable)
    blocks = blocks if blocks >= LEAST_BLOCKS else 0
    parts = file.random_parts(blocks or 1, seed=seed, cluster=cluster, progress=progress)
    cloud = merge_all(parts)
    row = isotropy_row(cloud)
    warnings = _warnings(vectors, cloud, row, blocks)
    try:
        row |= interval_row(cloud, map(cloud.without, parts) if blocks else ())
    except InputError:
        warnings.append("no intervals are given: without one of the blocks all vectors are the "
                        "same.")  # fmt: skip
        row |= interval_row(cloud, ())
    row |= {"blocks": None if row["isoscore_low"] is None else blocks, "seed": seed}
    return FileIsotropy(cloud, row, warnings)


def _warnings(vectors: Vectors, cloud: Moments, row: dict[str, Any], blocks: int) -> list[str]:
    """Say what is odd about vectors, and what of them is undefined."""
    d, lacking = vectors.d, f"they need {LEAST_BLOCKS} vectors"
    if vectors.n >= LEAST_BLOCKS:
        lacking = (
            f"the covariances of {LEAST_BLOCKS} blocks of vectors of {d:,} dimensions would "
            f"take more than {_PARTS_BYTES / 1e6:.0f} MB"
        )
    found = {
        f"there are fewer vectors ({vectors.n:,}) than dimensions ({d:,}); if the file is a "
        "matrix whose columns are the vectors, use --transpose.": vectors.n < d,
        one_line(row["effective_dimensions"]): one_line(row["effective_dimensions"]),
        f"{cloud.n_zero:,} of the {cloud.count:,} vectors are zero and have no direction: the "
        "mean cosine similarity is undefined.": cloud.n_zero,
        f"no intervals are given: {lacking}.": not blocks,
    }
    return [sentence for sentence, holds in found.items() if holds]


@dataclass(frozen=True)
class VectorFile:
    """A file of vectors, and how to open it: what a worker needs to know of it.

    Attributes
    ----------
    path : Path
        As in `open_vectors`; all workers must find the same file there.
    key, transpose
        As in `open_vectors`.
    """

    path: Path
    key: str | None = None
    transpose: bool = False

    def open(self) -> Vectors:
        """Open it, refusing a matrix per protein, and too many dimensions."""
        vectors = open_vectors(self.path, key=self.key, transpose=self.transpose)
        if vectors.residues is not None:
            raise InputError(
                f"{self.path} has one matrix per protein, a row for each residue; measure it with "
                "--per residue, or choose one matrix with --key."
            )
        if vectors.d > _MOST_DIMENSIONS:
            raise InputError(
                f"{self.path} holds vectors of {vectors.d:,} dimensions, and {_MOST_DIMENSIONS:,} "
                "are the most that can be measured; give vectors of fewer, or --transpose the "
                "matrix."
            )
        return vectors

    def random_parts(
        self, n_parts: int, *, seed: int, cluster: str | None = None, progress: bool = True
    ) -> list[Moments]:
        """Return the moments of random parts of the vectors, read once and in blocks.

        They are the same whether the workers of a `cluster`, as in `compute.run_blocks`, read
        pieces of the file or this process reads it all.
        """
        vectors = self.open()
        rows = max(1, _BLOCK_BYTES // (8 * vectors.d))
        # disable=None: no bar where standard error is no terminal.
        off = None if progress else True
        with tqdm(total=vectors.n, unit=" vectors", leave=False, disable=off) as bar:
            if cluster is None:
                blocks = _counted(vectors.blocks(rows), bar)
                return random_parts(blocks, n_parts, seed=seed, names=vectors.accessions)
            task = _Task(self, vectors.n, vectors.d, n_parts, seed, rows, _BLOCKS_PER_TASK)
            pieces = range(0, -(-vectors.n // rows), _BLOCKS_PER_TASK)
            total = [Moments.empty(vectors.d)] * n_parts
            for _, parts in run_blocks(task, pieces, cluster=cluster):
                total = [one.merge(part) for one, part in zip(total, parts, strict=True)]
                bar.update(sum(part.count for part in parts))
            return total


@dataclass(frozen=True)
class _Task:
    """What a worker does with a piece of a file of `n` vectors of `d` dimensions."""

    file: VectorFile
    n: int
    d: int
    n_parts: int
    seed: int
    rows: int
    n_blocks: int

    def __call__(self, first: int) -> list[Moments]:
        vectors = self.file.open()
        if (vectors.n, vectors.d) != (self.n, self.d):
            raise InputError(
                f"{self.file.path} is not the same file on all machines of the cluster; put it "
                "where all of them see it."
            )
        blocks = vectors.blocks(self.rows, first, first + self.n_blocks)
        place = {"first": first, "start": first * self.rows}
        names = vectors.accessions
        return random_parts(blocks, self.n_parts, seed=self.seed, names=names, **place)


def _counted(blocks: Iterable[np.ndarray], bar: tqdm) -> Iterable[np.ndarray]:
    for block in blocks:
        yield block
        bar.update(len(block))


@dataclass(frozen=True)
class LocalIsotropy:
    """Isotropy of the residues in a file with one matrix per protein.

    Attributes
    ----------
    rows : list of dict
        Of `isotropy_tables.local_rows`: of each amino acid where the sequences are known, and of
        all residues (``residue = "all"``).
    average : dict
        Of `isotropy_tables.average_dimensions`, over the amino acids that are known.
    """

    rows: list[dict[str, Any]]
    average: dict[str, float]


def residue_isotropy(
    path: str | Path,
    proteins: Proteins | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
    tell: Callable[[str], None] = lambda line: None,
) -> LocalIsotropy:
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

    Raises
    ------
    InputError
        If the file has no matrix per protein, lacks a protein or has it at another length.
    """
    from plm_geometry.embedding import run as embed
    from plm_geometry.embedding.files import ResidueFile

    vectors = open_vectors(path)
    if vectors.residues is None:
        raise InputError(
            f"{path} does not have one matrix per protein, so it has no residues to measure; "
            "leave --per residue out."
        )
    file = ResidueFile(path, vectors)
    known = file.proteins() if proteins is None else proteins
    file.places(known.accessions)
    if beyond := vectors.n - len(known):
        tell(f"{beyond:,} of the {vectors.n:,} proteins in {path} are not in {known.source}")
    with TemporaryDirectory() as directory:
        store = embed.embed(known, file, Path(directory) / "store", seed=seed, tell=tell,
                            residues_per_batch=_RESIDUES_PER_BATCH, progress=progress)  # fmt: skip
        found = embed.load(store, known)
        letters, groups = found.residue_moments, found.residue_groups
        rows = list(local_rows(letters, groups))
        average = average_dimensions(letters, groups)
    return LocalIsotropy(rows[-1:] if proteins is None else rows, average)
