"""Atomic writes of HDF5 files, also when the disk is full."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

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
