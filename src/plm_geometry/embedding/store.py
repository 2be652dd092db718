"""Embeddings on disk: a store, fingerprinted, atomic, resumable; HDF5 in UniProt's layout."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr
from numpy.lib.npyio import NpzFile

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone, naming, replacing, write_json
from plm_geometry.base.h5 import writing_h5
from plm_geometry.embedding.forward import Block, KeyedMoments
from plm_geometry.embedding.plan import Plan
from plm_geometry.isotropy.moments import Moments, merge_all


class StoredMoments(Mapping[str, Moments]):
    """Moments by residue letter, read, and put together, when they are asked for.

    Parameters
    ----------
    files : sequence of NpzFile
        What a store has written.
    place : str
        Layer and group, "0/7/": what their names begin with.
    """

    def __init__(self, files: Sequence[NpzFile], place: str):
        self._place, self._files = place, {}
        for file in files:
            for name in file.files:
                if name.startswith(place) and name.endswith("/count"):
                    self._files.setdefault(name.split("/")[2], []).append(file)

    def __getitem__(self, letter: str) -> Moments:
        return merge_all([_read(file, self._place + letter) for file in self._files[letter]])

    def __contains__(self, letter: object) -> bool:
        return letter in self._files  # a mapping's own would read the moments

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files))

    def __len__(self) -> int:
        return len(self._files)


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

    Attributes
    ----------
    n_done : int
        Proteins, in the plan's order, that are finished.
    moments : dict of str to Moments
        See `forward.KeyedMoments`; of the groups that are not set aside yet.
    sampled : list of ndarray of float32, shape (n, residue_width)
        Embeddings of the residues drawn.
    left_out : dict of str to str
        Accessions that did not fit into memory, and why.
    poolings : tuple of str
        Whose vectors stand side by side.
    """

    def __init__(self, directory: Path, description: Mapping[str, Any], tell=lambda line: None):
        self.directory = directory
        self._plan, self._progress = directory / "plan.npz", directory / "progress.npz"
        self.poolings = tuple(description.get("pooling", "mean").split(","))
        with self.lock(tell):
            for pattern in (".*.part", "vectors.zarr/**/*.partial"):  # of a killed writer
                for partial in self.directory.glob(pattern):
                    partial.unlink(missing_ok=True)
            self._check_description(dict(description))
        self.n_done, self.moments, self.sampled, self.left_out = 0, {}, [], {}

    def lock(self, tell: Callable[[str], None]) -> AbstractContextManager[None]:
        """Keep other processes from writing; say so before waiting for one that does."""
        return alone(self.directory, tell, lock=self.directory / "lock")

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
        if there != description:
            differing = [k for k in description if there.get(k) != description[k]] or ["kind"]
            raise InputError(
                f"{self.directory} holds a result that differs in {', '.join(differing)}; choose "
                "another output, or remove that directory."
            )

    def plan(self) -> Plan | None:
        """Return the plan that a run before this one has fixed, if any."""
        if not self._plan.exists():
            return None
        with np.load(self._plan) as stored:
            return Plan(**{name: stored[name][()] for name in stored})

    def create(self, plan: Plan, n_layers: int, width: int) -> None:
        """Fix the plan and make room for vectors."""
        # So that one pooling is read without the others.
        chunks = (1, plan.rows_per_block, width // len(self.poolings))
        shape = (n_layers, len(plan.order), width)
        how = {"shape": shape, "chunks": chunks, "dtype": "float32", "fill_value": np.nan}
        with naming(self.directory):
            zarr.create_array(self.directory / "vectors.zarr", **how, overwrite=True)
        _write(self._plan, {}, **vars(plan))

    # Opened once: thousands of blocks would each leave something behind.
    @cached_property
    def _vectors(self) -> zarr.Array:
        return zarr.open_array(self.directory / "vectors.zarr", mode="r+")

    @property
    def n_layers(self) -> int:
        """Number of layers kept."""
        return self._vectors.shape[0]

    def add(self, block: slice, found: Block, accessions: Sequence[str]) -> None:
        """Write the vectors of a block of proteins, its residues' to a file; add it to the sums.

        In the order of blocks, as sums of floats depend on it.
        """
        with naming(self.directory):
            self._vectors[:, block] = found.vectors
        if found.residues:
            path = self.directory / "residues" / f"{block.start:08}-{block.stop:08}.h5"
            names, vectors = zip(*found.residues.items(), strict=True)
            write_uniprot_h5(path, names, vectors)
        self.n_done = max(self.n_done, block.stop)
        for key, moments in found.moments.items():
            sum_so_far = self.moments.get(key)
            self.moments[key] = sum_so_far.merge(moments) if sum_so_far else moments
        self.sampled += found.sampled
        kept = {name: why for name, why in self.left_out.items() if name not in accessions}
        self.left_out = kept | found.left_out

    def gather_residues(self, path: Path, *, model_name: str) -> None:
        """Copy the residue embeddings of all blocks into one HDF5 file at `path`."""
        with writing_h5(path) as file:
            file.attrs["model_name"] = model_name
            for block in sorted((self.directory / "residues").glob("*.h5")):
                with h5py.File(block) as part:
                    for accession in part:
                        part.copy(accession, file)

    def write_progress(self) -> None:
        """Record, in one file and atomically, how far the run is and the sums so far."""
        sample = np.concatenate(self.sampled or [np.empty((0, 0), np.float32)])
        note = {"n_done": self.n_done, "sample": sample, "left_out": json.dumps(self.left_out)}
        _write(self._progress, self.moments, **note)

    def read_progress(self) -> None:
        """Take up what is recorded."""
        if self._progress.exists():
            with np.load(self._progress) as stored:
                keys = dict.fromkeys(name.rpartition("/")[0] for name in stored if "/" in name)
                self.moments = {key: _read(stored, key) for key in keys}
                self.left_out = json.loads(str(stored["left_out"]))
                self.n_done, self.sampled = int(stored["n_done"]), [stored["sample"]]

    def set_aside(self, group: int) -> None:
        """Write the last layer's moments over a finished group, and take them out of the sums."""
        place = f"{self.n_layers - 1}/{group}/"
        keys = [key for key in self.moments if key.startswith(place)]
        done = {key: self.moments.pop(key) for key in keys}
        _write(self.directory / f"group-{group:02}.npz", done, packed=True)

    def group_moments(self, layer: int) -> list[StoredMoments]:
        """Return a layer's moments over each group of proteins; of earlier ones, over all.

        They are read when asked for: of all groups and letters they would fill the memory.
        """
        layer %= self.n_layers
        running = np.load(self._progress)
        if layer < self.n_layers - 1:
            return [StoredMoments([running], f"{layer}/0/")]
        # A protein that there was no memory for at first is added after its group.
        return [
            StoredMoments([np.load(path), running], f"{layer}/{int(path.stem[6:])}/")
            for path in sorted(self.directory.glob("group-*.npz"))
        ]

    def read_vectors(self, layer: int, pooling: str | None = None) -> np.ndarray:
        """Return one layer's vectors ``(n_proteins, width)``, in the order the proteins came in.

        `layer` counts the layers kept, not those of the model. Those of one of the `poolings`, or
        of all side by side.
        """
        columns = slice(None)
        if pooling is not None:
            width = self._vectors.shape[2] // len(self.poolings)
            start = width * self.poolings.index(pooling)
            columns = slice(start, start + width)
        vectors = self._vectors[layer, :, columns]
        restored = np.empty_like(vectors)
        restored[self.plan().order] = vectors
        return restored


def _write(path: Path, moments: KeyedMoments, *, packed: bool = False, **note: Any) -> None:
    """Write moments and a note into one .npz file, atomically."""
    arrays = {
        f"{key}/{name}": array
        for key, some in moments.items()
        for name, array in some.to_arrays(packed=packed).items()
    }
    with replacing(path) as partial, partial.open("wb") as handle:
        np.savez(handle, **note, **arrays)


def _read(file: NpzFile, key: str) -> Moments:
    return Moments.from_arrays({one.name: file[f"{key}/{one.name}"] for one in fields(Moments)})


def write_uniprot_h5(path: Path, accessions: Sequence[str], vectors: Any, **about: str) -> None:
    """Write one dataset an accession, as UniProt publishes embeddings.

    Parameters
    ----------
    path : Path
        The HDF5 file; replaced when there.
    accessions : sequence of str
        Names of the datasets.
    vectors : sequence of ndarray
        One a protein, ``(width,)`` or, for its residues, ``(length, width)``; written in their
        own precision.
    **about
        Root attributes: with ``model_name``, what computed them, ProtSpace reads the file as it
        is; ``fingerprint``, of all they depend on.
    """
    with writing_h5(path) as file:
        file.attrs.update(about)
        for accession, vector in zip(accessions, vectors, strict=True):
            name = accession.replace("/", "_")  # HDF5 reads / as a group
            while name in file:
                name += "_"
            file.create_dataset(name, data=vector).attrs["original_id"] = accession
