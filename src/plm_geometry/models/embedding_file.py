"""A file of existing embeddings in a model's place: HDF5 as published, or NumPy with names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from plm_geometry.errors import InputError
from plm_geometry.models.names import HDF5_SUFFIXES
from plm_geometry.models.weights import sha256_of_files
from plm_geometry.proteins import accession_of
from plm_geometry.provenance import attribute


class EmbeddingFile:
    """Global embeddings that someone has computed, read by accession.

    Parameters
    ----------
    path : str or Path
        HDF5 with one dataset a protein of shape ``(width,)`` or ``(1, width)``, named by accession
        (as UniProt publishes) or by anything with the header in the attribute ``original_id`` (as
        bio_embeddings writes); or ``NAME.npy`` of shape ``(n, width)`` beside ``NAME.txt`` with
        one accession a line.

    Attributes
    ----------
    name, title : str
        The file's name, and the model's where the file says.
    width : int
        Dimensions of an embedding.
    identity : dict of str to str
        Digest of the file.

    Raises
    ------
    InputError
        If the file is not in one of these layouts.
    """

    is_mini = False
    is_control = False
    max_residues = None

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = str(path)
        layout = _Hdf5Layout if self.path.suffix in HDF5_SUFFIXES else _NumpyLayout
        with _explained(self.path):
            self._layout = layout(self.path)
        self.width, self.title = self._layout.width, self._layout.title

    @cached_property
    def identity(self) -> dict[str, str]:
        """Read the whole file, and only then say what it is."""
        digest = sha256_of_files(self._layout.files)
        return {"architecture": "file of embeddings", "weights": digest}

    def to(self, device: Any, dtype: Any) -> Self:
        """Return the file itself: it computes nothing."""
        return self

    def vectors(self, accessions: Sequence[str]) -> np.ndarray:
        """Return the embeddings of proteins.

        Parameters
        ----------
        accessions : sequence of str

        Returns
        -------
        ndarray of float32, shape ``(n_accessions, width)``

        Raises
        ------
        InputError
            If a protein is missing or there twice, or its embedding is of another width or not
            finite.
        """
        with _explained(self.path):
            places = self._layout.places
        if missing := [a for a in accessions if a not in places]:
            raise InputError(
                f"{self.path} lacks {len(missing):,} of {len(accessions):,} proteins, first "
                f"{missing[0]}: leave them out or compute them."
            )
        with _explained(self.path):
            vectors = self._layout.read(accessions)
        if (wrong := np.flatnonzero(~np.isfinite(vectors).all(axis=1))).size:
            raise InputError(
                f"{self.path}: the embedding of {accessions[wrong[0]]} is not finite (NaN or "
                "infinite values): compute it again."
            )
        return vectors


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what a library says of a damaged file into a sentence."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as a file of embeddings: {error}.") from error


def _places(names: Iterable[str], places: Iterable[Any], path: Path) -> dict[str, Any]:
    """Return the place of each protein by its accession, refusing one that has two."""
    found: dict[str, Any] = {}
    for name, place in zip(map(accession_of, names), places, strict=True):
        if found.setdefault(name, place) != place:
            raise InputError(f"{path} holds two embeddings of {name}: give a file with one.")
    return found


class _Hdf5Layout:
    """One dataset a protein."""

    def __init__(self, path: Path) -> None:
        self.path, self.files = path, [path]
        with h5py.File(path) as file:
            first = next(iter(file), None)
            if first is None:
                raise InputError(f"{path} holds no embeddings.")
            self.title = attribute(file, "model_name", path.stem)
            self.width = self._vector(file, first, first).size

    @cached_property
    def places(self) -> Mapping[str, str]:
        """The dataset of each accession."""
        with h5py.File(self.path) as file:
            names = keys = list(file)
            # Opening every dataset takes minutes at Swiss-Prot's size: only where it must be.
            if "original_id" in file[keys[0]].attrs:
                names = [attribute(file[key], "original_id", key) for key in keys]
            return _places(names, keys, self.path)

    def read(self, accessions: Sequence[str]) -> np.ndarray:
        vectors = np.empty((len(accessions), self.width), dtype=np.float32)
        with h5py.File(self.path) as file:
            for row, accession in enumerate(accessions):
                vector = self._vector(file, self.places[accession], accession)
                if vector.size != self.width:
                    raise InputError(
                        f"{self.path}: the embedding of {accession} has {vector.size:,} "
                        f"dimensions, the file's first {self.width:,}: give a file of one model."
                    )
                vectors[row] = vector
        return vectors

    def _vector(self, file: h5py.File, key: str, accession: str) -> np.ndarray:
        dataset = file[key]
        shape = getattr(dataset, "shape", None)
        is_vector = shape is not None and (len(shape) == 1 or (len(shape) == 2 and shape[0] == 1))
        if not is_vector or dataset.dtype.kind != "f":
            found = "a group" if shape is None else f"{dataset.dtype} of shape {shape}"
            raise InputError(
                f"{self.path}: {accession} is not one vector but {found}; a file with one "
                "embedding a protein is needed."
            )
        return dataset[()].reshape(-1)


class _NumpyLayout:
    """One row a protein, and a text file that names the rows."""

    def __init__(self, path: Path) -> None:
        names_path = path.with_suffix(".txt")
        self.title, self.files = path.stem, [path, names_path]
        self._array = np.load(path, mmap_mode="r", allow_pickle=False)
        if self._array.ndim != 2 or self._array.dtype.kind != "f":
            raise InputError(
                f"{path} holds {self._array.dtype} of shape {self._array.shape}; floating-point "
                "numbers of shape (proteins, dimensions) are needed."
            )
        if not names_path.exists():
            raise InputError(
                f"{names_path} is missing: it must hold the accessions of the rows of "
                f"{path.name}, one a line."
            )
        n_rows, self.width = self._array.shape
        names = [line for line in names_path.read_text().splitlines() if line.strip()]
        if len(names) != n_rows:
            hint = ", so it may be transposed" if len(names) == self.width else ""
            raise InputError(
                f"{path} has {n_rows:,} rows, but {names_path.name} names {len(names):,} "
                f"proteins{hint}."
            )
        self.places = _places(names, range(n_rows), names_path)

    def read(self, accessions: Sequence[str]) -> np.ndarray:
        rows = [self.places[accession] for accession in accessions]
        return np.asarray(self._array[rows], dtype=np.float32)
