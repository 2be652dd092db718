"""What the minis are trained on: a model, and a task that turns crops into losses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    XLNetConfig,
    XLNetLMHeadModel,
    XLNetTokenizer,
)

from corpus import MAX_RESIDUES, Crop
from plm_geometry.models import proteinbert
from plm_geometry.models.proteinbert import N_SPECIAL
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

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

        A model in evaluation mode is shown nothing of what it is to predict, so that its ``loss``
        may be compared with an entropy.

        Returns
        -------
        dict
            ``loss``, of the standard residues that are hidden; for ProteinBERT also
            ``sequence_loss``, of all positions, and ``annotation_loss``, the mean over terms.
        """

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return what training lowers."""
        return losses["loss"]

    @abstractmethod
    def save(self, directory: Path) -> None:
        """Write the checkpoint."""


class TransformersObjective(Objective):
    """A model of the library transformers, kept as a Hugging Face directory.

    Parameters
    ----------
    model : PreTrainedModel
        With its language-modelling head.
    tokenizer : PreTrainedTokenizerBase
        With one token per residue.
    """

    model_class: ClassVar[type[PreTrainedModel]]
    tokenizer_class: ClassVar[type[PreTrainedTokenizerBase]]
    word_start: ClassVar[str] = ""  # what a residue's token has before its letter
    unknown: ClassVar[str]  # the token of a letter beyond the twenty

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._id_of_byte = torch.full((128,), tokenizer.convert_tokens_to_ids(self.unknown))
        for letter in STANDARD_RESIDUES:
            self._id_of_byte[ord(letter)] = tokenizer.convert_tokens_to_ids(
                self.word_start + letter
            )
        self.letters = self.residue_ids(STANDARD_RESIDUES)

    def residue_ids(self, sequence: str) -> Tensor:
        """Return one token id per residue, as the tokeniser numbers them."""
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


class MaskedObjective(TransformersObjective):
    """BERT's objective: hidden residues from those on both sides (Devlin et al., 2019)."""

    description = "masked language modelling: 15 % of the residues from the others"
    model_class = BertForMaskedLM
    tokenizer_class = BertTokenizer
    unknown = "X"

    @classmethod
    def create(cls, **sizes: int) -> Self:
        """Make an untrained BERT with ProtBERT's vocabulary; `sizes` go to `BertConfig`."""
        tokens = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"LAGVESIKRDTPNQFYMHCWXUBZO")
        n_positions = MAX_RESIDUES + N_SPECIAL
        tokenizer = BertTokenizer(
            vocab={token: number for number, token in enumerate(tokens)},
            do_lower_case=False,
            model_max_length=n_positions,
        )
        config = BertConfig(
            vocab_size=len(tokens),
            max_position_embeddings=n_positions,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            # The usual scale, 0.02, is for widths near 1,000; these are a tenth as wide.
            initializer_range=0.08,
            pad_token_id=tokenizer.pad_token_id,
            **sizes,
        )
        model = BertForMaskedLM(config)
        # Learnt from random numbers, 2,050 positions would each have to find its neighbours.
        table = model.bert.embeddings.position_embeddings.weight
        table.data = config.initializer_range * np.sqrt(2) * sinusoids(*table.shape)
        return cls(model, tokenizer)

    def inputs(self, crops: Sequence[Crop], length: int) -> tuple[Tensor, Tensor]:
        """Return token ids padded to `length`, and each one's place in its protein, (B, length)."""
        tokens = torch.full((len(crops), length), self.tokenizer.pad_token_id)
        positions = torch.zeros_like(tokens)
        for row, crop in enumerate(crops):
            end = len(crop.sequence) + 1
            tokens[row, 0] = self.tokenizer.cls_token_id
            tokens[row, 1:end] = self.residue_ids(crop.sequence)
            tokens[row, end] = self.tokenizer.sep_token_id
            positions[row, 1 : end + 1] = crop.offset + torch.arange(1, end + 1)
        return tokens, positions

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        longest = max(len(crop.sequence) for crop in crops)
        tokens, positions = self.inputs(crops, longest + N_SPECIAL)
        corrupted, labels = hide_residues(
            tokens,
            self.letters,
            self.tokenizer.mask_token_id,
            rng,
            all_masked=not self.model.training,
        )
        logits = self.model(
            input_ids=corrupted,
            attention_mask=(tokens != self.tokenizer.pad_token_id).long(),
            position_ids=positions,
        ).logits
        return {"loss": cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED)}


class PermutationObjective(TransformersObjective):
    """XLNet's objective: the last residues of a random order, each from those before it.

    Yang et al. (2019) predict a sixth or a seventh of the tokens so.
    """

    description = "permutation language modelling: the last sixth of the residues in a random order"
    model_class = XLNetLMHeadModel
    tokenizer_class = XLNetTokenizer
    word_start = "\u2581"
    unknown = "<unk>"

    @classmethod
    def create(cls, **sizes: int) -> Self:
        """Make an untrained XLNet with one token per residue; `sizes` go to `XLNetConfig`."""
        specials = ("<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>")
        vocabulary = [("<unk>", 0.0), *((special, 0.0) for special in specials)]
        vocabulary += [(cls.word_start + letter, -3.0) for letter in STANDARD_RESIDUES]
        vocabulary += [(cls.word_start, -9.0)]
        tokenizer = XLNetTokenizer(
            vocab=vocabulary, unk_id=0, model_max_length=MAX_RESIDUES + N_SPECIAL
        )
        config = XLNetConfig(
            vocab_size=len(vocabulary),
            # No normalisation stands before its first layer: from small weights it starts slowly.
            initializer_range=0.15,
            dropout=0.0,
            mem_len=None,
            use_mems_eval=False,
            clamp_len=64,  # training crops show few residues that are farther apart
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **sizes,
        )
        return cls(XLNetLMHeadModel(config), tokenizer)

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        width = max(len(crop.sequence) for crop in crops) + N_SPECIAL
        tokens = torch.full((len(crops), width), self.tokenizer.pad_token_id)  # on the left
        tokens[:, -2] = self.tokenizer.sep_token_id
        tokens[:, -1] = self.tokenizer.cls_token_id
        for row, crop in enumerate(crops):
            residues = slice(-len(crop.sequence) - N_SPECIAL, -N_SPECIAL)
            tokens[row, residues] = self.residue_ids(crop.sequence)
        rank = torch.from_numpy(rng.random(tokens.shape))
        rank[~torch.isin(tokens, self.letters)] = -1
        mask, mapping, labels = last_in_order(tokens, rank)
        logits = self.model(
            input_ids=tokens,
            attention_mask=(tokens != self.tokenizer.pad_token_id).float(),
            perm_mask=mask,
            target_mapping=mapping,
        ).logits
        return {"loss": cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORED)}


class AnnotationObjective(Objective):
    """ProteinBERT's objective: residues and GO terms, both corrupted (Brandes et al., 2022).

    As in the original, all positions are scored, all terms of half the proteins are hidden, and
    the terms of the others corrupted. The original replaces 5 % of the residues by random ones;
    here residues are hidden as BERT's are, so that the losses of all four minis mean the same.

    Parameters
    ----------
    model : ProteinBERT
    terms : sequence of str
        The GO terms in the model's order.
    """

    description = "15 % of the residues, and the GO terms, from the others of both"
    # The loss is a mean over terms, few of which a protein has: weighted to matter.
    annotation_weight: ClassVar[float] = 10.0

    def __init__(self, model: ProteinBERT, terms: Sequence[str]) -> None:
        self.model, self.terms = model, list(terms)

    @classmethod
    def create(cls, *, terms: Sequence[str], **sizes: int) -> Self:
        """Make an untrained ProteinBERT for `terms`; `sizes` go to `ProteinBERTConfig`."""
        config = ProteinBERTConfig(n_annotations=len(terms), max_residues=MAX_RESIDUES, **sizes)
        return cls(ProteinBERT(config), terms)

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`; in evaluation mode all GO terms are hidden."""
        longest = max(len(crop.sequence) for crop in crops) + N_SPECIAL
        rows = [proteinbert.tokenize(crop.sequence, longest) for crop in crops]
        tokens = torch.from_numpy(np.stack(rows))
        letters = torch.from_numpy(proteinbert.tokenize(STANDARD_RESIDUES)[1:-1])
        corrupted, labels = hide_residues(
            tokens, letters, proteinbert.OTHER, rng, all_masked=not self.model.training
        )
        annotations = np.stack([crop.annotations for crop in crops])
        shown = corrupt_annotations(annotations, rng) if self.model.training else 0 * annotations
        is_input = tokens != proteinbert.PAD
        states = self.model(corrupted, torch.from_numpy(shown), is_input)
        residue_logits, term_logits = self.model.heads(*states)
        residue_logits = residue_logits.transpose(1, 2)
        found = {
            "loss": cross_entropy(residue_logits, labels, ignore_index=IGNORED),
            "sequence_loss": cross_entropy(residue_logits, tokens, ignore_index=proteinbert.PAD),
        }
        target = torch.from_numpy(annotations)
        known = target.any(dim=1)  # nothing is known of the others
        if known.any():
            found["annotation_loss"] = binary_cross_entropy_with_logits(
                term_logits[known], target[known]
            )
        return found

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return all losses, weighted; few of all positions are hidden, and these are the task."""
        annotation_loss = losses.get("annotation_loss", 0)
        return losses["loss"] + losses["sequence_loss"] + self.annotation_weight * annotation_loss

    def save(self, directory: Path) -> None:
        """Write the model, and the terms one a line."""
        proteinbert.save_directory(self.model, directory)
        (directory / "annotation_terms.txt").write_text("\n".join(self.terms) + "\n")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""
        terms = (directory / "annotation_terms.txt").read_text().split()
        return cls(proteinbert.load_directory(directory), terms)


def sinusoids(n: int, width: int) -> Tensor:
    """Return the positions of Vaswani et al. (2017), shape (n, width)."""
    angle = torch.arange(n)[:, None] / 10_000 ** (torch.arange(0, width, 2) / width)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def hide_residues(
    tokens: Tensor,
    letters: Tensor,
    mask_id: int,
    rng: np.random.Generator,
    *,
    all_masked: bool = False,
) -> tuple[Tensor, Tensor]:
    """Hide residues as BERT does: 80 % masked, 10 % made random, 10 % left as they are.

    What is left tells of itself: the loss of such a mixture lies below the entropy of what is
    hidden even if nothing was learnt. To be compared with an entropy, a loss needs `all_masked`.

    Parameters
    ----------
    tokens : Tensor, shape (B, T)
        Token ids.
    letters : Tensor
        Token ids of the standard residues: what may be hidden, and be put in its place.
    mask_id : int
        What stands for a hidden residue.
    rng : Generator
        Draws `HIDDEN` of the residues.
    all_masked : bool
        Whether to mask all that are drawn.

    Returns
    -------
    corrupted, labels : Tensor, shape (B, T)
        Labels are `IGNORED` where nothing is to be predicted.
    """
    chance, manner = torch.from_numpy(rng.random((2, *tokens.shape)))
    random = letters[torch.from_numpy(rng.integers(len(letters), size=tuple(tokens.shape)))]
    chosen = torch.isin(tokens, letters) & (chance < HIDDEN)
    corrupted = torch.where(chosen & ((manner < 0.8) | all_masked), mask_id, tokens)
    corrupted = torch.where(chosen & (manner >= 0.9) & (not all_masked), random, corrupted)
    return corrupted, torch.where(chosen, tokens, IGNORED)


def last_in_order(tokens: Tensor, rank: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what makes XLNet predict the last sixth of the tokens.

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
    is_target = rank > 5 / 6
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


def corrupt_annotations(annotations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hide all terms of half the proteins; of the others remove a quarter, and add about one.

    Parameters
    ----------
    annotations : ndarray of float32, shape (n_proteins, n_terms)
        Zeros and ones.
    rng : Generator
        Decides which.
    """
    removed = rng.random(annotations.shape) < 0.25
    added = rng.random(annotations.shape) < 1 / annotations.shape[1]
    shown = (annotations.astype(bool) & ~removed) | added
    shown[rng.random(len(annotations)) < 0.5] = False
    return shown.astype(np.float32)
