"""ProteinBERT behind the `Embedder` contract: a protein alone, or padded as it was trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.models.base import Embedder, Output, to_device
from plm_geometry.models.configs import N_SPECIAL, longest_padded
from plm_geometry.models.proteinbert import (
    MODEL_TYPE,
    load_directory,
    load_official_dump,
    tokenize,
)
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig
from plm_geometry.models.weights import move_weights, sha256_of_files


class ProteinBERTEmbedder(Embedder):
    """ProteinBERT as it embeds: all annotations zero.

    Parameters
    ----------
    name : str
    path : str, Path or None
        An official dump, or a directory that `proteinbert.save_directory` wrote; None is for an
        untrained model of the published size.
    untrained : bool
        Draw the weights at random instead, without touching PyTorch's global random state.
    seed : int
        Of that draw.
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
        untrained: bool = False,
        seed: int = 0,
        padded_length: int | Literal["power of two"] | None = None,
        reads_residues: bool = False,
    ) -> None:
        has_room = isinstance(padded_length, int) and padded_length > N_SPECIAL
        if not (has_room or padded_length in (None, "power of two")):
            raise InputError(
                f"padded_length {padded_length!r} cannot be used: give a number of positions above "
                f'{N_SPECIAL}, "power of two", or nothing.'
            )
        trained = None if path is None else _trained_module(Path(path))
        config = ProteinBERTConfig() if trained is None else trained.config
        self.module = _untrained_module(config, seed) if untrained else trained
        self.name = self.title = name
        self.residue_width = config.local_width
        self.width = config.local_width if reads_residues else config.global_width
        self._reads_residues = reads_residues
        self.n_layers, self.n_special = config.n_blocks, N_SPECIAL
        self.padded_length = padded_length
        self.max_residues = longest_padded(config.max_residues, padded_length)
        self.identity = {
            "architecture": MODEL_TYPE,
            "config": str(config),
            "weights": f"random, seed {seed}" if untrained else _digest(Path(path)),
            "preprocessing": "upper case, annotations all zero",
            "padded_length": str(padded_length or "unpadded"),
            "protein": "mean of residues" if reads_residues else "global vector",
        }

    def to(self, device: str | torch.device, dtype: torch.dtype) -> Self:
        """Move the weights to a device and a floating-point type."""
        move_weights(self.module, device, dtype)
        return self

    @torch.inference_mode()
    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute local and global states after whole blocks; see `Embedder.forward`."""
        indices = self.layer_indices(layers)
        self.check_lengths(sequences)
        sequences = [sequence.upper() for sequence in sequences]
        n_tokens = np.array([len(sequence) + N_SPECIAL for sequence in sequences])[:, None]
        n_seen = np.vectorize(self._positions_seen)(n_tokens)
        positions = np.arange(n_seen.max())
        token_ids = np.stack([tokenize(sequence, len(positions)) for sequence in sequences])
        device = self.module.embedding.weight.device
        is_seen, is_token, is_residue = (
            to_device(mask, device)
            for mask in (
                positions < n_seen,
                positions < n_tokens,
                (positions > 0) & (positions < n_tokens - 1),
            )
        )
        local, global_ = self.module.hidden_states(token_ids, None, is_seen)
        # Every block leaves two states, of which the second is its output.
        return Output(
            hidden=[local[2 * index] for index in indices],
            is_residue=is_residue,
            is_token=is_token,
            protein=None if self._reads_residues else [global_[2 * i] for i in indices],
        )

    def _positions_seen(self, n_tokens: int) -> int:
        match self.padded_length:
            case None:
                return n_tokens
            case int() as length:
                return length
            case _:
                return 1 << (int(n_tokens) - 1).bit_length()


def _trained_module(path: Path) -> ProteinBERT:
    return load_directory(path) if path.is_dir() else load_official_dump(path)[0]


def _untrained_module(config: ProteinBERTConfig, seed: int) -> ProteinBERT:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ProteinBERT(config).eval()


def _digest(path: Path) -> str:
    return sha256_of_files([path / "model.safetensors" if path.is_dir() else path])
