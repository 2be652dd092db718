"""Results on disk: fingerprinted, atomic, resumable; HDF5 in UniProt's layout going out."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import zarr
from filelock import FileLock

from plm_geometry.errors import InputError
from plm_geometry.files import replacing, write_json
from plm_geometry.moments import Moments
from plm_geometry.pooling import LayerMoments


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Return the sha256 of `parts` written as canonical JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def source_digest(*modules: ModuleType) -> str:
    """Return the sha256 of the source of `modules` (of packages: of every file in them).

    A cache that is blind to a change of the code that filled it serves stale numbers.
    """
    digest = hashlib.sha256()
    for module in modules:
        file = Path(module.__file__)
        for path in sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]:
            digest.update(path.read_bytes())
    return digest.hexdigest()


class EmbeddingStore:
    """The vectors and residue moments of one model on one set of proteins, in one directory.

    Work is done in blocks of `rows_per_block` proteins in the plan's order. A block is one chunk
    of the Zarr array, so that no two writers meet in a chunk. The moments are a running sum
    over the finished blocks; the file that holds it says how many, and what is beyond
    is computed again. The sum is stored in float64, so a resumed run ends on the same bits.

    Parameters
    ----------
    directory : Path
        Made if it is not there.
    description : mapping
        All that the result depends on: proteins, model, precision, code. A directory that was
        made from another description is refused.
    """

    def __init__(self, directory: Path, description: Mapping[str, Any]):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(str(directory / "lock"))
        with self.lock:
            self._sweep()
            self._check_description(dict(description))

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
        if not path.exists():
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

    def create(self, plan: Mapping[str, Any], shape: Sequence[int], rows_per_block: int) -> None:
        """Fix the plan and make the array ``(n_layers, n_proteins, width)`` for the vectors."""
        zarr.create_array(
            store=self.directory / "vectors.zarr",
            shape=tuple(shape),
            chunks=(1, rows_per_block, shape[2]),
            dtype="float32",
            fill_value=np.nan,
            overwrite=True,
        )
        write_json(self.directory / "plan.json", plan)

    def write_block(self, block: slice, vectors: np.ndarray) -> None:
        """Write the vectors ``(n_layers, rows, width)`` of one block, in the plan's order."""
        self._vectors[:, block] = vectors

    @cached_property
    def _vectors(self) -> zarr.Array:
        # Opened once: thousands of blocks would each leave something behind.
        return zarr.open_array(self.directory / "vectors.zarr", mode="r+")

    def write_residues(self, block: int, residues: Mapping[str, np.ndarray]) -> None:
        """Write the residue embeddings of one block, a file of its own."""
        path = self.directory / "residues" / f"{block:06}.h5"
        write_uniprot_h5(path, list(residues), list(residues.values()), model_name="")

    def gather_residues(self, path: Path, *, model_name: str) -> None:
        """Copy the residue embeddings of all blocks into one HDF5 file at `path`."""
        with replacing(path) as partial, h5py.File(partial, "w") as file:
            file.attrs["model_name"] = model_name
            for block in sorted((self.directory / "residues").glob("*.h5")):
                with h5py.File(block) as part:
                    for accession in part:
                        part.copy(accession, file)

    def write_progress(
        self, blocks_done: int, moments: LayerMoments, left_out: Mapping[str, str]
    ) -> None:
        """Record, in one file and atomically, how far the run is and the moments so far."""
        arrays = {
            f"{layer}/{letter}/{name}": array
            for layer, letters in moments.items()
            for letter, moment in letters.items()
            for name, array in moment.to_arrays().items()
        }
        with replacing(self.directory / "progress.npz") as partial, partial.open("wb") as handle:
            np.savez(handle, blocks_done=blocks_done, left_out=json.dumps(left_out), **arrays)

    def read_progress(self) -> tuple[int, LayerMoments, dict[str, str]]:
        """Return the number of finished blocks, their moments, and the proteins left out."""
        path = self.directory / "progress.npz"
        if not path.exists():
            return 0, {}, {}
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        blocks_done = int(arrays.pop("blocks_done"))
        left_out = json.loads(str(arrays.pop("left_out")))
        return blocks_done, _nested_moments(arrays), left_out

    def read_vectors(self, layer: int) -> np.ndarray:
        """Return one layer's vectors ``(n_proteins, width)``, in the order the proteins came in.

        `layer` counts the layers kept, not those of the model.
        """
        order = np.array(self.plan()["order"])
        vectors = zarr.open_array(self.directory / "vectors.zarr", mode="r")[layer]
        restored = np.empty_like(vectors)
        restored[order] = vectors
        return restored


def _nested_moments(arrays: Mapping[str, np.ndarray]) -> LayerMoments:
    """Turn ``{"layer/letter/name": array}`` back into moments by layer and letter."""
    grouped: dict[tuple[int, str], dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        layer, letter, name = key.split("/")
        grouped.setdefault((int(layer), letter), {})[name] = array
    moments: LayerMoments = {}
    for (layer, letter), parts in grouped.items():
        moments.setdefault(layer, {})[letter] = Moments.from_arrays(parts)
    return moments


def write_uniprot_h5(
    path: Path,
    accessions: Sequence[str],
    vectors: Sequence[np.ndarray],
    *,
    model_name: str,
    fingerprint: str = "",
) -> None:
    """Write one dataset an accession, as UniProt publishes embeddings.

    The root attribute ``model_name`` lets ProtSpace read the file as it is.

    Parameters
    ----------
    path : Path
        The HDF5 file; replaced when there.
    accessions : sequence of str
        Names of the datasets.
    vectors : sequence of ndarray
        One a protein, ``(width,)`` or, for its residues, ``(length, width)``; written in their
        own precision.
    model_name : str
        What computed them.
    fingerprint : str
        Of all they depend on, kept as the root attribute ``fingerprint``.
    """
    with replacing(path) as partial, h5py.File(partial, "w") as file:
        file.attrs.update({"model_name": model_name, "fingerprint": fingerprint})
        for accession, vector in zip(accessions, vectors, strict=True):
            name = _dataset_name(accession, file)
            file.create_dataset(name, data=vector).attrs["original_id"] = accession


def read_fingerprint(path: Path) -> str:
    """Return the fingerprint in an HDF5 file that `write_uniprot_h5` wrote, else nothing."""
    try:
        with h5py.File(path) as file:
            return str(file.attrs.get("fingerprint", ""))
    except OSError:
        return ""


def _dataset_name(accession: str, file: h5py.File) -> str:
    """Return a flat name that is not taken: HDF5 reads ``/`` as a group."""
    name = accession.replace("/", "_")
    while name in file:
        name += "_"
    return name
