"""XLNet's objective: the last residues of a random order, each from those before it."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot
from transformers import XLNetConfig, XLNetLMHeadModel, XLNetTokenizer

from plm_geometry.minis.corpus import MAX_RESIDUES, Crop
from plm_geometry.minis.objectives import IGNORED, N_SPECIAL, TransformersObjective
from plm_geometry.proteins import STANDARD_RESIDUES

SPECIALS = ("<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>")
WORD_START = "\u2581"
PREDICTED = 1 / 6  # share of the order's end that is predicted
FARTHEST = 64  # residues farther apart count as that far: training crops show no more
# No normalisation stands before its first layer: from small weights it starts slowly.
INITIAL_SCALE = 0.15


class PermutationObjective(TransformersObjective):
    """Permutation language modelling (Yang et al., 2019)."""

    description = "permutation language modelling: the last sixth of the residues in a random order"
    model_class = XLNetLMHeadModel
    tokenizer_class = XLNetTokenizer
    word_start = WORD_START

    @classmethod
    def create(cls, **sizes: int) -> Self:
        """Make an untrained XLNet with one token a residue; `sizes` go to `XLNetConfig`."""
        vocabulary = [("<unk>", 0.0), *((special, 0.0) for special in SPECIALS)]
        vocabulary += [(WORD_START + letter, -3.0) for letter in STANDARD_RESIDUES]
        vocabulary += [(WORD_START, -9.0)]
        tokenizer = XLNetTokenizer(
            vocab=vocabulary, unk_id=0, model_max_length=MAX_RESIDUES + N_SPECIAL
        )
        config = XLNetConfig(
            vocab_size=len(vocabulary),
            initializer_range=INITIAL_SCALE,
            dropout=0.0,
            mem_len=None,
            use_mems_eval=False,
            clamp_len=FARTHEST,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **sizes,
        )
        return cls(XLNetLMHeadModel(config), tokenizer)

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        tokens, rank = self._collate(crops, rng)
        mask, mapping, labels = last_in_order(tokens, rank)
        logits = self.model(
            input_ids=tokens,
            attention_mask=(tokens != self.tokenizer.pad_token_id).float(),
            perm_mask=mask,
            target_mapping=mapping,
        ).logits
        return {"loss": cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED)}

    def _collate(self, crops: Sequence[Crop], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return tokens, padded on the left, and random ranks; others than residues have -1."""
        width = max(len(crop.sequence) for crop in crops) + N_SPECIAL
        tokens = torch.full((len(crops), width), self.tokenizer.pad_token_id)
        tokens[:, -2] = self.tokenizer.sep_token_id
        tokens[:, -1] = self.tokenizer.cls_token_id
        rank = torch.full((len(crops), width), -1.0, dtype=torch.float64)
        for row, crop in enumerate(crops):
            residues = slice(-len(crop.sequence) - N_SPECIAL, -N_SPECIAL)
            tokens[row, residues] = self.residue_ids(crop.sequence)
            rank[row, residues] = torch.from_numpy(rng.random(len(crop.sequence)))
        return tokens, rank


def last_in_order(tokens: Tensor, rank: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what makes XLNet predict the tokens with a rank above ``1 - PREDICTED``.

    Parameters
    ----------
    tokens, rank : Tensor, shape (B, T)
        Token ids, and their places in the order, between 0 and 1; negative for what is never
        predicted.

    Returns
    -------
    perm_mask : Tensor, shape (B, T, T)
        One where row i may not see column j: j is to be predicted and does not precede i.
    target_mapping : Tensor, shape (B, n_targets, T)
        One-hot; all zero where a protein has fewer targets than another.
    labels : Tensor, shape (B, n_targets)
        Tokens to be predicted, or `IGNORED`.
    """
    is_target = rank > 1 - PREDICTED
    # What is not to be predicted sees all of its kind, but no target.
    order = torch.where(is_target, rank, 0.0)
    mask = (is_target[:, None, :] & (order[:, None, :] >= order[:, :, None])).float()
    n_targets = int(is_target.sum(dim=1).max())
    # Stable sorting brings each row's targets to the front.
    columns = torch.sort(is_target.byte(), dim=1, descending=True, stable=True).indices
    columns = columns[:, :n_targets]
    is_real = is_target.gather(1, columns)
    mapping = one_hot(columns, tokens.shape[1]).float() * is_real[..., None]
    return mask, mapping, torch.where(is_real, tokens.gather(1, columns), IGNORED)
