"""What a checkpoint's configuration says, read without PyTorch and without weights."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.models.spec import ModelSpec

# How each architecture's configuration calls its layers and its width.
_SIZES_IN_CONFIG = {
    "bert": ("num_hidden_layers", "hidden_size"),
    "xlnet": ("n_layer", "d_model"),
    "proteinbert": ("n_blocks", "global_width"),
}
# Special tokens of a protein in every architecture that limits its length.
N_SPECIAL = 2


class Sizes(NamedTuple):
    """Layers, width of a global embedding, and longest protein (None: no limit)."""

    layers: int | None
    width: int | None
    max_residues: int | None


def read_config(directory: Path) -> dict[str, Any]:
    """Return a checkpoint's ``config.json``.

    Raises
    ------
    InputError
        If it is not there, or holds no JSON object.
    """
    path = directory / "config.json"
    if not path.exists():
        raise InputError(f"{directory} is not a checkpoint: it holds no config.json.")
    return _read_object(path)


def directory_of(spec: ModelSpec) -> Path:
    """Return where a checkpoint that comes with the repository lies."""
    return paths.ROOT / spec.source


def mini_directory(spec: ModelSpec) -> Path:
    """Return where a mini's checkpoint lies.

    Raises
    ------
    InputError
        If it has yet to be made.
    """
    directory = directory_of(spec)
    if not directory.exists():
        raise InputError(f"The checkpoint of {spec.key} is not at {directory}: run `make minis`.")
    return directory


def sizes_of(spec: ModelSpec) -> Sizes:
    """Return a model's sizes: the table's, or for a mini those of its checkpoint.

    Raises
    ------
    InputError
        If a mini's checkpoint is not there.
    """
    if not spec.is_mini:
        return Sizes(spec.layers, spec.width, spec.max_residues)
    directory = mini_directory(spec)
    config = read_config(directory)
    layers, width = (config[name] for name in _SIZES_IN_CONFIG[spec.architecture])
    if "max_residues" in config:
        return Sizes(layers, width, config["max_residues"])
    positions = _read_object(directory / "tokenizer_config.json")["model_max_length"]
    return Sizes(layers, width, positions - N_SPECIAL)


def longest_padded(max_residues: int | None, padded_length: int | str | None) -> int | None:
    """Return the longest protein of a ProteinBERT that is shown a fixed number of positions."""
    if not isinstance(padded_length, int):
        return max_residues
    room = padded_length - N_SPECIAL
    return room if max_residues is None else min(room, max_residues)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a configuration: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} cannot be read as a configuration: it holds no JSON object.")
    return content
