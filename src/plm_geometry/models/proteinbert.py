"""ProteinBERT: tokens, the official weights and their safe conversion, and the embedder."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from plm_geometry.base.errors import InputError
from plm_geometry.models.base import Embedder, Output, to_device
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig
from plm_geometry.models.tokens import look_up, number_letters
from plm_geometry.models.weights import read_array_pickle, read_config, sha256_of_files

LETTERS = "ACDEFGHIKLMNPQRSTUVWXY"
OTHER, START, END, PAD = range(len(LETTERS), len(LETTERS) + 4)
N_SPECIAL = 2
MODEL_TYPE = "proteinbert"
PaddedLength = int | Literal["power of two"] | None

_TOKEN_OF_BYTE = number_letters(LETTERS, other=OTHER)
# How many arrays the official dump has, and where two of those that tell sizes lie.
_ARRAYS_OUTSIDE_BLOCKS, _ARRAYS_A_BLOCK = 7, 23
_NARROW_CONV, _QUERY = 5, 17


class ProteinBERTEmbedder(Embedder):
    """ProteinBERT as it embeds: all annotations zero.

    Parameters
    ----------
    name : str
    path : str, Path or None
        An official dump, or a directory that `save_directory` wrote; None is for an untrained
        model of the published size.
    seed : int, optional
        Draw the weights at random from it instead, without touching PyTorch's global random state.
    padded_length : int or "power of two", optional
        Show the model PAD up to this many positions, as the official code does (it trained with
        128, 512 and 1,024); its answer depends on how many. By default it sees the protein alone.
    reads_residues : bool
        Let a protein be the mean of its residues (local track), not the model's global vector.
    """

    def __init__(
        self,
        name: str,
        path: str | Path | None,
        *,
        seed: int | None = None,
        padded_length: PaddedLength = None,
        reads_residues: bool = False,
    ) -> None:
        self.module, weights = _make_module(None if path is None else Path(path), seed)
        config = self.module.config
        self.name = self.title = name
        self.residue_width = config.local_width
        self.width = config.local_width if reads_residues else config.global_width
        self._reads_residues = reads_residues
        self.n_layers, self.n_special = config.n_blocks, N_SPECIAL
        track = "local" if reads_residues else "global"
        self.last_norm = f"blocks.{config.n_blocks - 1}.{track}_norm2"
        self.padded_length = padded_length
        self.max_residues = longest_padded(config.max_residues, padded_length)
        self.identity = {
            "architecture": MODEL_TYPE,
            "config": str(config),
            "weights": weights,
            "preprocessing": "upper case, annotations all zero",
            "padded_length": str(padded_length or "unpadded"),
            "protein": "mean of residues" if reads_residues else "global vector",
        }

    @torch.inference_mode()
    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute local and global states after whole blocks; see `Embedder.forward`."""
        indices = self.layer_indices(layers)
        self.check_lengths(sequences)
        n_tokens = np.array([len(sequence) + N_SPECIAL for sequence in sequences])[:, None]
        n_seen = np.array([[self._positions_seen(int(n))] for [n] in n_tokens])
        positions = np.arange(n_seen.max())
        token_ids = np.stack([tokenize(s.upper(), len(positions)) for s in sequences])
        is_residue = (positions > 0) & (positions < n_tokens - 1)
        masks = positions < n_seen, positions < n_tokens, is_residue
        is_seen, is_token, is_residue = to_device(self.module.embedding.weight.device, *masks)
        local, global_ = self.module.hidden_states(token_ids, None, is_seen)
        # Every block leaves two states, of which the second is its output.
        protein = None if self._reads_residues else [global_[2 * index] for index in indices]
        return Output([local[2 * index] for index in indices], is_residue, is_token, protein)

    def _positions_seen(self, n_tokens: int) -> int:
        if self.padded_length == "power of two":
            return 1 << (n_tokens - 1).bit_length()
        return self.padded_length or n_tokens


def longest_padded(max_residues: int | None, padded_length: PaddedLength) -> int | None:
    """Return the longest protein of a ProteinBERT that is shown a fixed number of positions.

    Raises
    ------
    InputError
        If the padded length is none.
    """
    if padded_length in (None, "power of two"):
        return max_residues
    if not isinstance(padded_length, int) or padded_length <= N_SPECIAL:
        raise InputError(
            f"padded_length {padded_length!r} cannot be used: give a number of positions above "
            f'{N_SPECIAL}, "power of two", or nothing.'
        )
    return min(padded_length - N_SPECIAL, max_residues or padded_length)


def tokenize(sequence: str, length: int | None = None) -> np.ndarray:
    """Return the token ids of a protein, as the official implementation numbers them.

    Parameters
    ----------
    sequence : str
        Residues in upper case; a letter outside `LETTERS` becomes OTHER.
    length : int, optional
        Pad to this many positions; unpadded (residues + 2) by default.

    Returns
    -------
    ndarray of int64, shape ``(length,)``
        START, residues, END, PAD...

    Raises
    ------
    InputError
        If the protein with its two special tokens is longer than `length`.
    """
    n_tokens = len(sequence) + N_SPECIAL
    length = n_tokens if length is None else length
    if n_tokens > length:
        raise InputError(
            f"A protein of {len(sequence):,} residues needs {n_tokens:,} positions, "
            f"more than the {length:,} asked for."
        )
    residues = look_up(sequence, _TOKEN_OF_BYTE)
    return np.r_[START, residues, END, np.full(length - n_tokens, PAD)]


def load_official_dump(path: str | Path) -> tuple[ProteinBERT, int]:
    """Read the official pickled weights, without running any code that a pickle may hold.

    Parameters
    ----------
    path : str or Path
        A pickle of (number of annotations, model's arrays, optimiser's arrays).

    Returns
    -------
    module : ProteinBERT
        In evaluation mode.
    n_annotations : int

    Raises
    ------
    InputError
        If the file is damaged, holds anything but arrays, or its arrays are not ProteinBERT's.
    """
    path = Path(path)
    config, arrays = _read_dump(path)
    module = _empty_module(config)
    state = {}
    # The module's parameters are declared in the dump's order.
    for name, array in zip(dict(module.named_parameters()), arrays, strict=True):
        if array.dtype.kind != "f":
            raise InputError(f"{path}: {name} holds no floating-point numbers but {array.dtype}.")
        # Keras puts a layer's inputs before its outputs, PyTorch after them.
        is_kernel = name.endswith(".weight") and array.ndim > 1 and name != "embedding.weight"
        array = np.array(array.T if is_kernel else array, np.float32, order="C")
        state[name] = torch.from_numpy(array)
    return _fill(module, state, path), config.n_annotations


def save_directory(module: ProteinBERT, directory: str | Path) -> None:
    """Write ``config.json`` and ``model.safetensors``, which `load_directory` reads."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    config = {"model_type": MODEL_TYPE, **asdict(module.config)}
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    save_file(state, directory / "model.safetensors")


def load_directory(directory: str | Path) -> ProteinBERT:
    """Read what `save_directory` wrote.

    Raises
    ------
    InputError
        If a file is missing or damaged, or a tensor is missing, extra or of another shape.
    """
    directory = Path(directory)
    path = directory / "model.safetensors"
    module = _empty_module(_directory_config(directory))
    try:
        return _fill(module, load_file(path), path)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a whole safetensors file ({error}): fetch the checkpoint again."
        ) from error


def read_sizes(path: str | Path) -> tuple[str, int, int | None]:
    """Return architecture, width and longest protein of a dump or directory, its model unmade.

    Raises
    ------
    InputError
        As `load_official_dump` and `load_directory`, but for what only the weights would show.
    """
    config = _config_of(Path(path))
    return MODEL_TYPE, config.global_width, config.max_residues


def _make_module(path: Path | None, seed: int | None) -> tuple[ProteinBERT, str]:
    """Return the model of a dump or directory or its untrained copy, and what identifies it."""
    if seed is not None:
        config = ProteinBERTConfig() if path is None else _config_of(path)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return ProteinBERT(config).eval(), f"random, seed {seed}"
    if path.is_dir():
        return load_directory(path), sha256_of_files([path / "model.safetensors"])
    return load_official_dump(path)[0], sha256_of_files([path])


def _config_of(path: Path) -> ProteinBERTConfig:
    return _directory_config(path) if path.is_dir() else _read_dump(path)[0]


def _read_dump(path: Path) -> tuple[ProteinBERTConfig, list[np.ndarray]]:
    content = read_array_pickle(path)
    try:
        n_annotations, of_model, _ = content
        arrays = [np.asarray(array) for array in of_model]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path} is not a ProteinBERT dump: expected the number of annotations, the model's "
            "arrays and the optimiser's arrays."
        ) from error
    config = _config_from_arrays(arrays, path)
    if config.n_annotations != n_annotations:
        raise InputError(
            f"{path} says {n_annotations} annotations, but its arrays are for "
            f"{config.n_annotations:,}: fetch the official file again."
        )
    return config, arrays


def _config_from_arrays(arrays: list[np.ndarray], path: Path) -> ProteinBERTConfig:
    """Read all sizes but the dilation off the shapes of the arrays."""
    n_blocks, rest = divmod(len(arrays) - _ARRAYS_OUTSIDE_BLOCKS, _ARRAYS_A_BLOCK)
    sizes = {"n_blocks": n_blocks}
    try:
        sizes["n_annotations"], sizes["global_width"] = arrays[0].shape
        sizes["vocabulary_size"], sizes["local_width"] = arrays[2].shape
        sizes["kernel_size"], _, _ = arrays[_NARROW_CONV].shape
        sizes["n_heads"], _, sizes["key_width"] = arrays[_QUERY].shape
    except (IndexError, ValueError):
        rest = True
    if rest or n_blocks < 1:
        raise InputError(
            f"{path} holds {len(arrays)} arrays, but not those of a ProteinBERT: "
            "fetch the official file."
        )
    return ProteinBERTConfig(**sizes)


def _directory_config(directory: Path) -> ProteinBERTConfig:
    sizes = read_config(directory)
    sizes.pop("model_type", None)
    try:
        return ProteinBERTConfig(**sizes)
    except TypeError as error:
        raise InputError(
            f"{directory / 'config.json'} is not the configuration of a ProteinBERT: {error}."
        ) from error


def _empty_module(config: ProteinBERTConfig) -> ProteinBERT:
    """Return a module without memory for its weights, which come from a file."""
    with torch.device("meta"):
        return ProteinBERT(config)


def _fill(module: ProteinBERT, state: dict[str, Tensor], path: Path) -> ProteinBERT:
    """Give the module exactly its weights; none missing, none left over, none of another shape."""
    try:
        module.load_state_dict(state, assign=True)
    except RuntimeError as error:
        complaint = textwrap.shorten(str(error).partition("\n")[2], 300, placeholder=" ...")
        raise InputError(f"{path} is not a checkpoint of this ProteinBERT: {complaint}") from error
    return module.eval()
