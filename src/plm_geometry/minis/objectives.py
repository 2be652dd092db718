"""What the minis can be trained on: a model, and a task that turns crops into losses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from plm_geometry.minis.corpus import Crop
from plm_geometry.proteins import STANDARD_RESIDUES

N_SPECIAL = 2
HIDDEN = 0.15  # share of residues to be predicted (Devlin et al., 2019)
IGNORED = -100  # the label that cross_entropy skips


class Objective(ABC):
    """A model and the task it is trained on.

    Attributes
    ----------
    description : str
        What is predicted from what.
    model : Module
        With the heads that the task needs.
    """

    description: ClassVar[str]
    model: nn.Module

    @abstractmethod
    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """Corrupt a batch and return its mean losses in nats.

        Returns
        -------
        dict
            ``loss``, of the residues to be predicted; for ProteinBERT also ``annotation_loss``,
            the mean over annotation terms.
        """

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return what training lowers."""
        return losses["loss"]

    @abstractmethod
    def save(self, directory: Path) -> None:
        """Write the checkpoint."""

    @classmethod
    @abstractmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""


class TransformersObjective(Objective):
    """A model of the library transformers, kept as a Hugging Face directory.

    Parameters
    ----------
    model : PreTrainedModel
        With its language-modelling head.
    tokenizer : PreTrainedTokenizerBase
        With one token a residue.
    """

    model_class: ClassVar[type[PreTrainedModel]]
    tokenizer_class: ClassVar[type[PreTrainedTokenizerBase]]
    word_start: ClassVar[str] = ""  # what a residue's token has before its letter

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._id_of_byte = torch.full((128,), tokenizer.unk_token_id)
        for letter in STANDARD_RESIDUES:
            self._id_of_byte[ord(letter)] = tokenizer.convert_tokens_to_ids(
                self.word_start + letter
            )

    def residue_ids(self, sequence: str) -> Tensor:
        """Return one token id a residue, as the tokeniser numbers them."""
        letters = torch.frombuffer(bytearray(sequence, "ascii"), dtype=torch.uint8)
        return self._id_of_byte[letters.long()]

    def save(self, directory: Path) -> None:
        """Write a Hugging Face directory."""
        self.model.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a Hugging Face directory."""
        return cls(
            cls.model_class.from_pretrained(directory),
            cls.tokenizer_class.from_pretrained(directory),
        )


def hide_residues(
    tokens: Tensor, is_residue: Tensor, mask_id: int, letters: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Hide residues as BERT does: 80 % masked, 10 % made random, 10 % left as they are.

    Parameters
    ----------
    tokens, is_residue : Tensor, shape (B, T)
        Token ids, and which of them may be hidden.
    mask_id : int
        What stands for a hidden residue.
    letters : Tensor
        Token ids that a random residue is drawn from.
    rng : Generator
        Draws `HIDDEN` of the residues.

    Returns
    -------
    corrupted, labels : Tensor, shape (B, T)
        Labels are `IGNORED` where nothing is to be predicted.
    """
    chance = torch.from_numpy(rng.random(tokens.shape))
    manner = torch.from_numpy(rng.random(tokens.shape))
    random = letters[torch.from_numpy(rng.integers(len(letters), size=tuple(tokens.shape)))]
    chosen = is_residue & (chance < HIDDEN)
    corrupted = torch.where(chosen & (manner < 0.8), mask_id, tokens)
    corrupted = torch.where(chosen & (manner >= 0.9), random, corrupted)
    return corrupted, torch.where(chosen, tokens, IGNORED)
