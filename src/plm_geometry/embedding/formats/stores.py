"""A store of this project as a file of vectors."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.formats.base import FORMATS, Vectors, explained, refuse_transpose, spans


def read_store(path: Path, key: str | None, transpose: bool) -> Vectors:
    """Describe one layer of a store of embeddings, in the order it was computed in."""
    import zarr

    if transpose:
        refuse_transpose(str(path))
    if not (path / "vectors.zarr").is_dir():
        raise InputError(f"{path} is a directory, but no store of embeddings; give {FORMATS}.")
    with explained(path, "a store of embeddings"):
        array = zarr.open_array(path / "vectors.zarr", mode="r")
        layer = _layer(path, key, array.shape[0])
        n_left_out = _count_left_out(path)

    def blocks(*block: int) -> Iterator[np.ndarray]:
        for span in spans(array.shape[1], *block):
            block = array[layer, span]
            yield block[~np.isnan(block).all(axis=1)] if n_left_out else block

    return Vectors(array.shape[1] - n_left_out, array.shape[2], None, blocks)


def _layer(path: Path, key: str | None, n_layers: int) -> int:
    """Return the place in a store of the layer that `key` numbers as the embedding command did."""
    kept = json.loads((path / "description.json").read_text())["layers"]
    if key is None and n_layers == 1:
        return 0
    if key not in map(str, kept):
        raise InputError(f"{path} holds layers {kept}; choose one of them with --layer.")
    return list(map(str, kept)).index(key)


def _count_left_out(path: Path) -> int:
    """Return how many proteins of a finished store have no vector; refuse an unfinished one."""
    plan = json.loads((path / "plan.json").read_text())
    n_blocks = sum(-(-size // plan["rows_per_block"]) for size in plan["wave_sizes"])
    with np.load(path / "progress.npz") as progress:
        if int(progress["blocks_done"]) < n_blocks:
            raise InputError(f"{path} is an unfinished store; resume its embedding first.")
        return len(json.loads(str(progress["left_out"])))
