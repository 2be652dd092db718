"""BERT's objective: hidden residues from those on both sides."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from plm_geometry.minis.corpus import MAX_RESIDUES, Crop
from plm_geometry.minis.objectives import (
    IGNORED,
    N_SPECIAL,
    TransformersObjective,
    hide_residues,
)
from plm_geometry.proteins import STANDARD_RESIDUES

PROTBERT_VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"LAGVESIKRDTPNQFYMHCWXUBZO",
)
# The usual scale, 0.02, is for widths near 1,000; these models are a tenth as wide.
INITIAL_SCALE = 0.08


class MaskedObjective(TransformersObjective):
    """Masked language modelling (Devlin et al., 2019)."""

    description = "masked language modelling: 15 % of the residues from the others"
    model_class = BertForMaskedLM
    tokenizer_class = BertTokenizer

    @classmethod
    def create(cls, **sizes: int) -> Self:
        """Make an untrained BERT with ProtBERT's vocabulary; `sizes` go to `BertConfig`."""
        vocabulary = {token: number for number, token in enumerate(PROTBERT_VOCABULARY)}
        n_positions = MAX_RESIDUES + N_SPECIAL
        tokenizer = BertTokenizer(
            vocab=vocabulary, do_lower_case=False, model_max_length=n_positions
        )
        config = BertConfig(
            vocab_size=len(vocabulary),
            max_position_embeddings=n_positions,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            initializer_range=INITIAL_SCALE,
            pad_token_id=tokenizer.pad_token_id,
            **sizes,
        )
        return cls(BertForMaskedLM(config), tokenizer)

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        tokens, positions, is_residue = self._collate(crops)
        letters = self.residue_ids(STANDARD_RESIDUES)
        corrupted, labels = hide_residues(
            tokens, is_residue, self.tokenizer.mask_token_id, letters, rng
        )
        logits = self.model(
            input_ids=corrupted,
            attention_mask=(tokens != self.tokenizer.pad_token_id).long(),
            position_ids=positions,
        ).logits
        return {"loss": cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED)}

    def _collate(self, crops: Sequence[Crop]) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens, their positions in the protein and which are residues, each (B, T)."""
        longest = max(len(crop.sequence) for crop in crops)
        tokens = torch.full((len(crops), longest + N_SPECIAL), self.tokenizer.pad_token_id)
        positions = torch.zeros_like(tokens)
        is_residue = torch.zeros(tokens.shape, dtype=torch.bool)
        for row, crop in enumerate(crops):
            end = len(crop.sequence) + 1
            tokens[row, 0] = self.tokenizer.cls_token_id
            tokens[row, 1:end] = self.residue_ids(crop.sequence)
            tokens[row, end] = self.tokenizer.sep_token_id
            positions[row, 1 : end + 1] = crop.offset + torch.arange(1, end + 1)
            is_residue[row, 1:end] = True
        return tokens, positions, is_residue
