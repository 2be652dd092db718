"""Files of vectors: moments of their parts, also by a cluster."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from plm_geometry.base.compute import run_blocks
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.formats import Vectors, open_vectors
from plm_geometry.isotropy.moments import Moments, random_parts

# Read at a time, counted as float64: enough that each part of it makes a fast matrix product.
_BLOCK_BYTES = 2**27
# Blocks that make one task of a cluster: what comes back of a task are as many covariances as
# there are parts, which should weigh less than what it reads.
_BLOCKS_PER_TASK = 16
Item = TypeVar("Item")


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
        """Open it, as `open_vectors`; one with a matrix per protein is refused."""
        vectors = open_vectors(self.path, key=self.key, transpose=self.transpose)
        if vectors.residues is not None:
            raise InputError(
                f"{self.path} has one matrix per protein, a row for each residue; measure it with "
                "--per residue, or choose one matrix with --key."
            )
        return vectors

    def random_parts(
        self, n_parts: int, *, seed: int, cluster: str | None = None, progress: bool = True
    ) -> list[Moments]:
        """Return the moments of random parts of the vectors, read once and in blocks.

        Parameters
        ----------
        n_parts : int
            Parts of nearly equal size; the same whether a cluster computes them or not.
        seed : int
            Of the draw.
        cluster : str, optional
            As in `compute.run_blocks`: its workers read the file, each a piece of it.
        progress : bool
            Show a bar on a terminal's standard error.

        Raises
        ------
        InputError
            As `open_vectors`, `moments.random_parts` and `compute.run_blocks`.
        """
        vectors = self.open()
        task = _Task(self, vectors.n, vectors.d, n_parts, seed)
        if cluster is None:
            blocks = vectors.blocks(task.rows)
            with shown(blocks, vectors.n, "vectors", progress) as blocks:
                return task.parts(blocks, vectors.accessions)
        found = (parts for _, parts in run_blocks(task, task.starts(), cluster=cluster))
        with shown(found, vectors.n, "vectors", progress, size=_count) as found:
            return reduce(_merged, found)


@dataclass(frozen=True)
class _Task:
    """What a worker does with a piece of a file of `n` vectors of `d` dimensions."""

    file: VectorFile
    n: int
    d: int
    n_parts: int
    seed: int
    # Kept here, so that they are the same on every machine.
    block_bytes: int = field(default_factory=lambda: _BLOCK_BYTES)
    n_blocks: int = field(default_factory=lambda: _BLOCKS_PER_TASK)

    def __call__(self, first: int) -> list[Moments]:
        vectors = self.file.open()
        if (vectors.n, vectors.d) != (self.n, self.d):
            raise InputError(
                f"{self.file.path} is not the same file on all machines of the cluster; put it "
                "where all of them see it."
            )
        blocks = vectors.blocks(self.rows, first, first + self.n_blocks)
        return self.parts(blocks, vectors.accessions, first)

    @property
    def rows(self) -> int:
        """Vectors a block."""
        return max(1, self.block_bytes // (8 * self.d))

    def starts(self) -> range:
        """Return the first block of every piece."""
        return range(0, -(-self.n // self.rows), self.n_blocks)

    def parts(
        self, blocks: Iterable[np.ndarray], names: Sequence[str] | None, first: int = 0
    ) -> list[Moments]:
        """Return the parts of consecutive blocks, of which `first` is the first one's number."""
        start = first * self.rows
        return random_parts(
            blocks, self.n_parts, seed=self.seed, names=names, first=first, start=start
        )


@contextmanager
def shown(
    items: Iterable[Item],
    total: int,
    unit: str,
    progress: bool,
    *,
    size: Callable[[Item], int] = len,
) -> Iterator[Iterator[Item]]:
    """Give `items` to go through, while a bar shows how far they have come.

    Parameters
    ----------
    items : iterable
        Each counts when it has been used.
    total : int
        What their sizes add up to.
    unit : str
        What is counted: "vectors".
    progress : bool
        Whether to show the bar, on a terminal's standard error. It is gone at the end.
    size : callable
        How much an item counts.
    """

    def counted() -> Iterator[Item]:
        for item in items:
            yield item
            bar.update(size(item))

    # disable=None: no bar where standard error is no terminal.
    off = None if progress else True
    with tqdm(total=total, unit=f" {unit}", leave=False, disable=off) as bar:
        yield counted()


def _count(parts: list[Moments]) -> int:
    return sum(part.count for part in parts)


def _merged(parts: list[Moments], others: list[Moments]) -> list[Moments]:
    return [part.merge(other) for part, other in zip(parts, others, strict=True)]
