"""Isotropy of vectors in files, read in blocks so that a file may be larger than memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.file_moments import VectorFile
from plm_geometry.embedding.formats import Vectors, open_vectors
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS
from plm_geometry.isotropy.measures import interval_row, isotropy_row, one_line
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.isotropy.tables import average_dimensions, averages_without_each, local_rows
from plm_geometry.proteins.fasta import Proteins

# Moments of the parts that a jackknife leaves out in turn, with the whole and what is left.
_PARTS_BYTES = 700e6
# The covariance of so many dimensions takes 800 MB.
_MOST_DIMENSIONS = 10_000
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
    warn: Callable[[str], object] = lambda sentence: None,
    progress: bool = True,
) -> FileIsotropy:
    """Return the isotropy of the vectors in a file, read once and in blocks.

    Memory does not grow with the file where `open_vectors` reads its format in blocks, only with
    the square of the number of dimensions.

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
    warn : callable
        Is told each warning at once.
    progress : bool
        Show a bar on a terminal's standard error.

    Raises
    ------
    InputError
        As `open_vectors` and `isotropy.isoscore`, and if there are over 10,000 dimensions.
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
    if vectors.d > _MOST_DIMENSIONS:
        raise InputError(
            f"{path} holds vectors of {vectors.d:,} dimensions, and {_MOST_DIMENSIONS:,} are the "
            "most that can be measured; give vectors of fewer, or --transpose the matrix."
        )
    blocks = _affordable_blocks(vectors, n_blocks)
    parts = file.random_parts(blocks or 1, seed=seed, cluster=cluster, progress=progress)
    cloud = merge_all(parts)
    remainders = map(cloud.without, parts) if blocks else ()
    row = _row(cloud, remainders, note)
    row |= {"blocks": None if row["isoscore_low"] is None else blocks, "seed": seed}
    if not blocks:
        note(f"no intervals are given: {_why_too_few_blocks(vectors)}.")
    return FileIsotropy(cloud, row, found)


def _row(
    cloud: Moments, remainders: Iterable[Moments], note: Callable[[str], None]
) -> dict[str, float | int | None]:
    """Return the measures and their intervals, noting what is undefined."""
    row = isotropy_row(cloud)
    if sentence := one_line(row["effective_dimensions"]):
        note(sentence)
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


def _affordable_blocks(vectors: Vectors, wanted: int) -> int:
    """Return how many blocks can be left out in turn, or 0 if too few for an interval."""
    # The whole and what is left of it are held too, and a matrix between.
    affordable = int(_PARTS_BYTES / (8 * vectors.d**2)) - 3
    blocks = min(wanted, vectors.n, affordable)
    return blocks if blocks >= LEAST_BLOCKS else 0


def _why_too_few_blocks(vectors: Vectors) -> str:
    if vectors.n < LEAST_BLOCKS:
        return f"they need {LEAST_BLOCKS} vectors"
    return (
        f"the covariances of {LEAST_BLOCKS} blocks of vectors of {vectors.d:,} dimensions would "
        f"take more than {_PARTS_BYTES / 1e6:.0f} MB"
    )


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
        As in `vector_formats.open_vectors`, with one matrix (L, d) per protein.
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
        average = average_dimensions(*averages_without_each(letters, groups))
    return LocalIsotropy(rows[-1:] if proteins is None else rows, average)
