"""Embeddings on disk: fingerprinted, atomic, resumable."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone, naming, replacing, write_json
from plm_geometry.embedding.forward import Block, Key
from plm_geometry.embedding.h5 import write_uniprot_h5, writing_h5
from plm_geometry.isotropy.moments import Moments, merge_all


@dataclass
class Progress:
    """How far a run is, and its sums so far.

    Attributes
    ----------
    sample : ndarray of float32, shape (n_sampled, residue_width)
        Embeddings of the residues drawn; NaN where they have not been computed.
    n_done : int
        Proteins, in the plan's order, that are finished.
    moments : dict of (int, int, str) to Moments
        See `forward.Key`; of the groups that are not set aside yet.
    left_out : dict of str to str
        Accessions that did not fit into memory, and why.
    """

    sample: np.ndarray
    n_done: int = 0
    moments: dict[Key, Moments] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, block: Block) -> None:
        """Add what a block gave; in the order of blocks, as sums of floats depend on it."""
        for key, moments in block.moments.items():
            there = self.moments.get(key)
            self.moments[key] = there.merge(moments) if there else moments
        for start, vectors in block.sampled.items():
            self.sample[start : start + len(vectors)] = vectors
        self.left_out |= block.left_out


class StoredMoments(Mapping[str, Moments]):
    """One layer's moments by residue letter, read and put together when they are asked for.

    Parameters
    ----------
    files : sequence of NpzFile
        What a store has written of them.
    layer : int
        Its number among those kept.
    group : int, optional
        The group of proteins. By default all, whose sums are then kept in memory.
    """

    def __init__(self, files: Sequence[np.lib.npyio.NpzFile], layer: int, group: int | None = None):
        self._places: dict[str, list[tuple[np.lib.npyio.NpzFile, str]]] = {}
        self._sums: dict[str, Moments] | None = {} if group is None else None
        for file in files:
            for (of_layer, of_group, letter), name in _moments_in(file):
                if of_layer == layer and group in (None, of_group):
                    self._places.setdefault(letter, []).append((file, name))

    def __getitem__(self, letter: str) -> Moments:
        if self._sums is not None and letter in self._sums:
            return self._sums[letter]
        found = merge_all([_read_moments(*place) for place in self._places[letter]])
        if self._sums is not None:
            self._sums[letter] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._places))

    def __len__(self) -> int:
        return len(self._places)


class EmbeddingStore:
    """The vectors and residue moments of one model on one set of proteins, in one directory.

    Work is done in blocks of proteins in the plan's order, and one process writes. Moments are a
    running sum over the finished blocks; the file that holds it says how many proteins these are,
    and what is beyond is computed again. The sum is stored in float64, so a resumed run ends on
    the same bits. Of the last layer, each finished group's sum is set aside in its own file.

    Parameters
    ----------
    directory : Path
        Made if it is not there.
    description : mapping
        All that the result depends on: proteins, model, precision, code. A directory that was
        made from another description is refused.
    tell : callable
        Takes the line that says that another process is writing, and is waited for.
    """

    def __init__(
        self,
        directory: Path,
        description: Mapping[str, Any],
        tell: Callable[[str], None] = lambda line: None,
    ):
        self.directory = directory
        with self.lock(tell):
            self._sweep()
            self._check_description(dict(description))

    def lock(self, tell: Callable[[str], None]) -> AbstractContextManager[None]:
        """Keep other processes from writing; say so before waiting for one that does."""
        return alone(self.directory, tell, lock=self.directory / "lock")

    def _sweep(self) -> None:
        """Remove what a killed writer left half-written."""
        for pattern in (".*.part", "vectors.zarr/**/*.partial"):
            for partial in self.directory.glob(pattern):
                partial.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the store, when what it holds has been written elsewhere."""
        shutil.rmtree(self.directory)

    def _check_description(self, description: dict[str, Any]) -> None:
        path = self.directory / "description.json"
        if not self._progress.exists():  # nothing is lost
            self._plan.unlink(missing_ok=True)
            write_json(path, description)
            return
        there = json.loads(path.read_text())
        differing = [k for k in description if there.get(k) != description[k]]
        if differing or there.keys() - description.keys():
            raise InputError(
                f"{self.directory} holds a result that differs in {', '.join(differing) or 'kind'};"
                " choose another output, or remove that directory."
            )

    @property
    def _plan(self) -> Path:
        return self.directory / "plan.json"

    @property
    def _progress(self) -> Path:
        return self.directory / "progress.npz"

    def plan(self) -> dict[str, Any] | None:
        """Return the batch plan that a run before this one has fixed, if any."""
        return json.loads(self._plan.read_text()) if self._plan.exists() else None

    def create(self, plan: Mapping[str, Any], shape: tuple[int, ...], rows_per_block: int) -> None:
        """Fix the plan, in plain types, and make room for vectors.

        `shape` is ``(n_layers, n_proteins, width)``; `rows_per_block` are written together.
        """
        with naming(self.directory):
            zarr.create_array(
                store=self.directory / "vectors.zarr",
                shape=shape,
                chunks=(1, rows_per_block, shape[2]),
                dtype="float32",
                fill_value=np.nan,
                overwrite=True,
            )
        write_json(self._plan, plan)

    # Opened once: thousands of blocks would each leave something behind.
    @cached_property
    def _vectors(self) -> zarr.Array:
        return zarr.open_array(self.directory / "vectors.zarr", mode="r+")

    @property
    def n_layers(self) -> int:
        """Number of layers kept."""
        return self._vectors.shape[0]

    def write_block(self, block: slice, found: Block) -> None:
        """Write one block's vectors, and its residues' to a file of its own."""
        with naming(self.directory):
            self._vectors[:, block] = found.vectors
        if found.residues:
            path = self.directory / "residues" / f"{block.start:08}-{block.stop:08}.h5"
            write_uniprot_h5(
                path, list(found.residues), list(found.residues.values()), model_name=""
            )

    def gather_residues(self, path: Path, *, model_name: str) -> None:
        """Copy the residue embeddings of all blocks into one HDF5 file at `path`."""
        with writing_h5(path) as file:
            file.attrs["model_name"] = model_name
            for block in sorted((self.directory / "residues").glob("*.h5")):
                with h5py.File(block) as part:
                    for accession in part:
                        part.copy(accession, file)

    def write_progress(self, progress: Progress) -> None:
        """Record, in one file and atomically, how far the run is and the moments so far."""
        _write(
            self._progress,
            progress.moments,
            n_done=progress.n_done,
            left_out=json.dumps(progress.left_out),
            sample=progress.sample,
        )

    def read_progress(self, sample_shape: tuple[int, int] = (0, 0)) -> Progress:
        """Return how far the run is; at its beginning, with room for a sample of that shape."""
        if not self._progress.exists():
            return Progress(np.full(sample_shape, np.nan, np.float32))
        with np.load(self._progress) as stored:
            moments = {key: _read_moments(stored, name) for key, name in _moments_in(stored)}
            left_out = json.loads(str(stored["left_out"]))
            return Progress(stored["sample"], int(stored["n_done"]), moments, left_out)

    def set_aside(self, group: int, progress: Progress) -> None:
        """Write the last layer's moments over a finished group, and take them out of the sums."""
        place = (self.n_layers - 1, group)
        keys = [key for key in progress.moments if key[:2] == place]
        done = {key: progress.moments.pop(key) for key in keys}
        _write(self.directory / f"group-{group:02}.npz", done, packed=True)

    def moments(self, layer: int) -> StoredMoments:
        """Return a layer's moments by residue letter, over all proteins."""
        return StoredMoments(list(self._files.values()), layer % self.n_layers)

    def group_moments(self) -> list[StoredMoments]:
        """Return the last layer's moments over each group of proteins.

        They are read when asked for: of all groups and letters they would fill the memory.
        """
        late = self._files[self._progress.stem]  # proteins that there was no memory for at first
        groups = [stem for stem in self._files if stem.startswith("group")]
        return [
            StoredMoments([self._files[stem], late], self.n_layers - 1, int(stem[6:]))
            for stem in groups
        ]

    @property
    def _files(self) -> dict[str, np.lib.npyio.NpzFile]:
        paths = [*sorted(self.directory.glob("group-*.npz")), self._progress]
        return {path.stem: np.load(path) for path in paths}

    def read_vectors(self, layer: int) -> np.ndarray:
        """Return one layer's vectors ``(n_proteins, width)``, in the order the proteins came in.

        `layer` counts the layers kept, not those of the model.
        """
        vectors = self._vectors[layer]
        restored = np.empty_like(vectors)
        restored[self.plan()["order"]] = vectors
        return restored


def _write(path: Path, moments: Mapping[Key, Moments], *, packed: bool = False, **note) -> None:
    """Write moments and a note into one .npz file, atomically."""
    arrays = {
        f"{layer}/{group}/{letter}/{name}": array
        for (layer, group, letter), some in moments.items()
        for name, array in some.to_arrays(packed=packed).items()
    }
    with replacing(path) as partial, partial.open("wb") as handle:
        np.savez(handle, **note, **arrays)


def _moments_in(file: np.lib.npyio.NpzFile) -> Iterator[tuple[Key, str]]:
    """Yield of what there are moments in a file, and what its arrays' names begin with."""
    for name in file.files:
        if name.endswith("/count"):
            layer, group, letter, _ = name.split("/")
            yield (int(layer), int(group), letter), name.removesuffix("count")


def _read_moments(file: np.lib.npyio.NpzFile, name: str) -> Moments:
    return Moments.from_arrays({one.name: file[name + one.name] for one in fields(Moments)})
