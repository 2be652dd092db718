"""BERT, XLNet, ESM and T5 encoders from Hugging Face directories, as `Embedder`s."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import BoolTensor, Tensor

from plm_geometry.base.provenance import sha256_of
from plm_geometry.models import hf_directory
from plm_geometry.models.base import Embedder, Output, to_device
from plm_geometry.models.tokens import TokenTable, pad
from plm_geometry.models.weights import (
    move_weights,
    sha256_of_files,
    weight_files,
)
from plm_geometry.models.xlnet_attention import xlnet_hidden_states


class TransformersEmbedder(Embedder):
    """A checkpoint of a supported architecture, or the same architecture with random weights.

    Parameters
    ----------
    name : str
    directory : str or Path
        ``config.json``, tokenizer files and, unless `untrained`, weights.
    untrained : bool
        Draw the weights at random instead of reading them, without touching PyTorch's global
        random state.
    seed : int
        Of that draw.

    Raises
    ------
    InputError
        If the directory is incomplete or damaged, its architecture unsupported, or a tensor
        missing, extra or of another shape than ``config.json`` says.
    """

    def __init__(
        self, name: str, directory: str | Path, *, untrained: bool = False, seed: int = 0
    ) -> None:
        directory = Path(directory)
        self.name = self.title = name
        self.architecture, self._style = hf_directory.architecture_of(directory)
        self.model = (
            hf_directory.untrained_model(directory, seed)
            if untrained
            else hf_directory.trained_model(directory)
        ).eval()
        tokenizer = hf_directory.load_tokenizer(directory)
        self._tokens = TokenTable(tokenizer, self._style.spelling, name)
        config = self.model.config
        self.width = self.residue_width = config.hidden_size
        self.n_layers = config.num_hidden_layers
        self.n_special = self._tokens.n_special
        self.cls_position = self._tokens.cls_position
        self.max_residues = hf_directory.max_residues(config, tokenizer, self.n_special)
        weights = f"random, seed {seed}" if untrained else sha256_of_files(weight_files(directory))
        self.identity = {
            "architecture": self.architecture,
            "config": sha256_of(directory / "config.json"),
            "weights": weights,
            "preprocessing": str(self._style.spelling),
            "tokens": self._tokens.digest,
        }

    def to(self, device: str | torch.device, dtype: torch.dtype) -> Self:
        """Move the weights to a device and a floating-point type."""
        move_weights(self.model, device, dtype)
        return self

    @torch.inference_mode()
    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute the hidden states of a batch of proteins; see `Embedder.forward`."""
        indices = self.layer_indices(layers)
        self.check_lengths(sequences)
        residues = [self._tokens.residue_tokens(s, i) for i, s in enumerate(sequences)]
        rows = [self._tokens.with_specials(tokens) for tokens in residues]
        token_ids, is_token = pad(rows, value=self._tokens.pad, left=self._style.pads_left)
        is_residue = self._find_residues(is_token)
        is_padded = not is_token.all()
        token_ids, is_token, is_residue = (
            to_device(array, self.model.device) for array in (token_ids, is_token, is_residue)
        )
        # Without a mask attention need not hold one of (positions)^2.
        hidden = self._hidden(token_ids, is_token if is_padded else None, indices)
        return Output(hidden, is_residue, is_token, cls_position=self.cls_position)

    def _find_residues(self, is_token: np.ndarray) -> np.ndarray:
        """Return which tokens are neither before a protein's first nor after its last residue."""
        from_start = np.cumsum(is_token, axis=1)
        from_end = np.cumsum(is_token[:, ::-1], axis=1)[:, ::-1]
        n_before, n_after = len(self._tokens.before), len(self._tokens.after)
        return is_token & (from_start > n_before) & (from_end > n_after)

    def _hidden(
        self, token_ids: Tensor, is_token: BoolTensor | None, indices: list[int]
    ) -> list[Tensor]:
        if self.architecture == "xlnet":
            wanted = {
                index: state
                for index, state in enumerate(xlnet_hidden_states(self.model, token_ids, is_token))
                if index in indices
            }
            return [wanted[index] for index in indices]
        only_last = set(indices) == {self.n_layers}
        answer = self.model(
            input_ids=token_ids,
            attention_mask=None if is_token is None else is_token.long(),
            output_hidden_states=not only_last,
        )
        if only_last:
            return [answer.last_hidden_state] * len(indices)
        return [answer.hidden_states[index] for index in indices]
