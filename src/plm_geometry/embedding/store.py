"""Embeddings on disk: fingerprinted, atomic, resumable."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone, naming, write_json
from plm_geometry.embedding.h5 import write_uniprot_h5, writing_h5
from plm_geometry.embedding.moment_files import StoredMoments, read_moments, write_moments
from plm_geometry.embedding.pooling import LayerMoments
from plm_geometry.isotropy.moments import Moments

# Rows of sampled residues in one chunk: a block writes a few.
_SAMPLE_CHUNK = 64


class EmbeddingStore:
    """The vectors and residue moments of one model on one set of proteins, in one directory.

    Work is done in blocks of proteins in the plan's order, and one process writes. Moments are a
    running sum over the finished blocks; the file that holds it says how many, and what is beyond
    is computed again. The sum is stored in float64, so a resumed run ends on the same bits. Of
    the last layer, the sum is set aside and begun anew after each group of proteins.

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
            (self.directory / "plan.json").unlink(missing_ok=True)
            write_json(path, description)
            return
        there = json.loads(path.read_text())
        differing = [k for k in description if there.get(k) != description[k]]
        if differing or there.keys() - description.keys():
            raise InputError(
                f"{self.directory} holds a result that differs in {', '.join(differing) or 'kind'};"
                " choose another output, or remove that directory."
            )

    def plan(self) -> dict[str, Any] | None:
        """Return the batch plan that a run before this one has fixed, if any."""
        path = self.directory / "plan.json"
        return json.loads(path.read_text()) if path.exists() else None

    def create(
        self,
        plan: Mapping[str, Any],
        shape: Sequence[int],
        sample_shape: Sequence[int],
        rows_per_block: int,
    ) -> None:
        """Fix the plan and make room for vectors and sampled residues.

        Parameters
        ----------
        plan : mapping
            In plain types.
        shape : (n_layers, n_proteins, width)
        sample_shape : (n_sampled, residue_width)
        rows_per_block : int
            Proteins that are written together.
        """
        with naming(self.directory):
            self._make_array("vectors", shape, (1, rows_per_block, shape[2]))
            self._make_array("sample", sample_shape, (_SAMPLE_CHUNK, sample_shape[1]))
        write_json(self.directory / "plan.json", plan)

    def _make_array(self, name: str, shape: Sequence[int], chunks: Sequence[int]) -> None:
        zarr.create_array(
            store=self.directory / f"{name}.zarr",
            shape=tuple(shape),
            chunks=tuple(chunks),
            dtype="float32",
            fill_value=np.nan,
            overwrite=True,
        )

    def write_block(
        self, block: slice, vectors: np.ndarray, sampled_rows: slice, sampled: np.ndarray
    ) -> None:
        """Write one block's vectors ``(n_layers, rows, width)`` and sampled residues."""
        with naming(self.directory):
            self._vectors[:, block] = vectors
            self._sample[sampled_rows] = sampled

    # Opened once: thousands of blocks would each leave something behind.
    @cached_property
    def _vectors(self) -> zarr.Array:
        return zarr.open_array(self.directory / "vectors.zarr", mode="r+")

    @cached_property
    def _sample(self) -> zarr.Array:
        return zarr.open_array(self.directory / "sample.zarr", mode="r+")

    @property
    def n_layers(self) -> int:
        """Number of layers kept."""
        return self._vectors.shape[0]

    def read_sample(self) -> np.ndarray:
        """Return the sampled residues' embeddings ``(n_sampled, residue_width)``."""
        sample = self._sample[:]
        return sample[~np.isnan(sample).any(axis=1)]  # of proteins that were left out

    def write_residues(self, block: slice, residues: Mapping[str, np.ndarray]) -> None:
        """Write the residue embeddings of one block, a file of its own."""
        path = self.directory / "residues" / f"{block.start:08}-{block.stop:08}.h5"
        write_uniprot_h5(path, list(residues), list(residues.values()), model_name="")

    def gather_residues(self, path: Path, *, model_name: str) -> None:
        """Copy the residue embeddings of all blocks into one HDF5 file at `path`."""
        with writing_h5(path) as file:
            file.attrs["model_name"] = model_name
            for block in sorted((self.directory / "residues").glob("*.h5")):
                with h5py.File(block) as part:
                    for accession in part:
                        part.copy(accession, file)

    def write_progress(
        self, blocks_done: int, moments: LayerMoments, left_out: Mapping[str, str]
    ) -> None:
        """Record, in one file and atomically, how far the run is and the moments so far."""
        note = {"blocks_done": blocks_done, "left_out": json.dumps(left_out)}
        write_moments(self._progress, moments, note)

    def read_progress(self) -> tuple[int, LayerMoments, dict[str, str]]:
        """Return the number of finished blocks, their moments, and the proteins left out."""
        if not self._progress.exists():
            return 0, {}, {}
        moments, note = read_moments(self._progress)
        return int(note["blocks_done"]), moments, json.loads(str(note["left_out"]))

    @property
    def _progress(self) -> Path:
        return self.directory / "progress.npz"

    def write_group(self, group: int, layer: int, letters: Mapping[str, Moments]) -> None:
        """Set aside the moments of one layer over one finished group of proteins."""
        write_moments(self.directory / f"group-{group:02}.npz", {layer: letters}, {}, packed=True)

    def group_moments(self, layer: int) -> list[StoredMoments]:
        """Return the moments of one layer by group, those of proteins that came late at the end.

        They are read when asked for: of all groups and letters they would fill the memory.
        """
        groups = sorted(self.directory.glob("group-*.npz"))
        late = [StoredMoments(self._progress, layer + group) for group in range(len(groups))]
        return [StoredMoments(file, layer) for file in groups] + [some for some in late if some]

    def read_vectors(self, layer: int) -> np.ndarray:
        """Return one layer's vectors ``(n_proteins, width)``, in the order the proteins came in.

        `layer` counts the layers kept, not those of the model.
        """
        order = np.array(self.plan()["order"])
        vectors = self._vectors[layer]
        restored = np.empty_like(vectors)
        restored[order] = vectors
        return restored
