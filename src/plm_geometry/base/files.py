"""Atomic writes: files appear complete or not at all, made by one process at a time."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic_core import to_json


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary neighbour of `path` to write to; it takes the name only when whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with naming(path):
            yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Make a failure to write that names no file name `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def alone(
    path: Path, tell: Callable[[str], None] = lambda line: None, *, lock: Path | None = None
) -> Iterator[None]:
    """Make `path` in one process at a time: others say that they wait, and then find it made.

    Parameters
    ----------
    path : Path
        A file or directory.
    tell : callable
        Takes the line that says so.
    lock : Path, optional
        The file to lock: one that stays. By default a hidden neighbour, removed in the end.
    """
    stays, lock = lock is not None, lock or path.with_name(f".{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        tell(f"{path} is being made by another run; waiting for it")
        held.acquire()
    try:
        yield
    finally:
        if not stays:
            lock.unlink(missing_ok=True)
        held.release()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` to `path` as indented JSON, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def as_json(content: Mapping[str, Any]) -> str:
    """Return `content` as JSON, numpy's numbers included; NaN and what is missing are null."""
    written = to_json(content, inf_nan_mode="null", fallback=_plain)
    return written.decode()


def _plain(value: Any) -> Any:
    """Return a numpy scalar as Python's number, and a missing value of pandas as None."""
    return value.item() if hasattr(value, "item") else None
