"""HDF5 files of vectors in UniProt's layout, written whole or not at all."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from plm_geometry.base.files import replacing


@contextmanager
def writing_h5(path: Path) -> Iterator[h5py.File]:
    """Give an HDF5 file to write to, which takes its place at `path` when it is whole.

    Raises
    ------
    OSError
        If it cannot be written, the disk being full for instance.
    """
    with replacing(path) as partial, _Disk(partial, "w+b") as disk:
        with h5py.File(disk, "w") as file:
            yield file
        if disk.error:
            raise OSError(disk.error.errno, disk.error.strerror, str(path))


class _Disk(io.FileIO):
    """A file that keeps its first failure to itself.

    HDF5 cannot go on after a failed write: it ends the process while it frees its objects. It is
    told that all is well, and `writing_h5` raises the failure once HDF5 has closed the file.
    """

    error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            super().write(data)
        except OSError as error:
            self.error = self.error or error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            super().truncate(size)
        except OSError as error:
            self.error = self.error or error
        return size


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
    with writing_h5(path) as file:
        file.attrs.update({"model_name": model_name, "fingerprint": fingerprint})
        for accession, vector in zip(accessions, vectors, strict=True):
            name = accession.replace("/", "_")  # HDF5 reads / as a group
            while name in file:
                name += "_"
            file.create_dataset(name, data=vector).attrs["original_id"] = accession


def read_fingerprint(path: Path) -> str:
    """Return the fingerprint in an HDF5 file that `write_uniprot_h5` wrote, else nothing."""
    try:
        with h5py.File(path) as file:
            return str(file.attrs.get("fingerprint", ""))
    except OSError:
        return ""
