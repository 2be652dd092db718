"""The arms of the ablation: which architecture is told what, and what is read from it."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, layer_norm

from corpus import MAX_RESIDUES, Crop
from objectives import IGNORED, MaskedObjective, Objective, hide_residues
from plm_geometry.models import proteinbert
from plm_geometry.models.proteinbert import N_SPECIAL
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

READOUTS = ("global", "mean", "global, normalised", "mean, normalised")


@dataclass(frozen=True)
class Arm:
    """One cell of the design.

    Attributes
    ----------
    architecture : {"proteinbert", "bert"}
    labels : {"", "go", "shuffled_go", "family"}
        What is predicted of a protein beside its hidden residues; never an input.
    final_norm : bool
        Whether the last block ends with its LayerNorm.
    """

    architecture: Literal["proteinbert", "bert"]
    labels: Literal["", "go", "shuffled_go", "family"] = ""
    final_norm: bool = True


ARMS = {
    "proteinbert_lm": Arm("proteinbert"),
    "proteinbert_lm_go": Arm("proteinbert", "go"),
    "proteinbert_lm_no_norm": Arm("proteinbert", final_norm=False),
    "proteinbert_lm_go_no_norm": Arm("proteinbert", "go", final_norm=False),
    "proteinbert_lm_shuffled_go": Arm("proteinbert", "shuffled_go"),
    "proteinbert_lm_family": Arm("proteinbert", "family"),
    "bert_lm": Arm("bert"),
    "bert_lm_go": Arm("bert", "go"),
    "bert_lm_shuffled_go": Arm("bert", "shuffled_go"),
}


class ArmObjective(Objective):
    """Hidden residues and, in some arms, labels of the whole protein, from residues alone.

    The head for labels is made last, so that a seed gives all arms of an architecture the same
    first weights in all else; it gives them the same crops, in the same order, masked alike.

    Parameters
    ----------
    trunk : Module
        The architecture, with its head for residues.
    width : int
        Of the state that stands for the whole protein.
    n_labels : int
        Labels of a protein; 0 for an arm without, which leaves its head untrained.
    device : str
        Of PyTorch.
    """

    description = "15 % of the residues and, in some arms, labels of the protein, from the others"
    annotation_weight: ClassVar[float] = 10.0  # as of `AnnotationObjective`
    letters: Tensor
    mask_id: int

    def __init__(self, trunk: nn.Module, width: int, n_labels: int, device: str) -> None:
        self.n_labels, self.device = n_labels, device
        head = nn.Linear(width, max(1, n_labels))
        self.model = nn.ModuleDict({"trunk": trunk, "head": head}).to(device)

    @abstractmethod
    def tokens(self, crops: Sequence[Crop], length: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return token ids padded to `length` positions, places in the protein, what is no PAD."""

    @abstractmethod
    def states(self, tokens: Tensor, places: Tensor, is_token: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last states of the positions and of the whole, (B, T, d) and (B, d)."""

    @abstractmethod
    def residue_logits(self, local: Tensor) -> Tensor:
        """Return what is predicted of each position, (B, T, vocabulary)."""

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        longest = max(len(crop.sequence) for crop in crops) + N_SPECIAL
        tokens, places, is_token = self.tokens(crops, longest)
        corrupted, hidden = hide_residues(
            tokens, self.letters, self.mask_id, rng, all_masked=not self.model.training
        )
        local, whole = self.states(*(x.to(self.device) for x in (corrupted, places, is_token)))
        logits = self.residue_logits(local).transpose(1, 2)
        found = {"loss": cross_entropy(logits, hidden.to(self.device), ignore_index=IGNORED)}
        if self.n_labels and self.model.training:
            found |= self._label_loss(whole, np.stack([crop.annotations for crop in crops]))
        return found

    def _label_loss(self, whole: Tensor, labels: np.ndarray) -> dict[str, Tensor]:
        known = labels.any(axis=1)  # nothing is known of the others
        if not known.any():
            return {}
        logits = self.model["head"](whole)[torch.from_numpy(known).to(self.device)]
        target = torch.from_numpy(labels[known]).to(self.device)
        return {"annotation_loss": binary_cross_entropy_with_logits(logits, target)}

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return both losses, weighted."""
        return losses["loss"] + self.annotation_weight * losses.get("annotation_loss", 0)

    def save(self, directory: Path) -> None:
        """Write the weights."""
        save_model(self.model, str(directory / "model.safetensors"))

    @torch.inference_mode()
    def read(self, sequences: Sequence[str], length: int, batch: int = 32) -> dict[str, np.ndarray]:
        """Return each protein's vector by readout, all proteins padded to one length.

        Parameters
        ----------
        sequences : sequence of str
        length : int
            Residues that every protein is padded to; no state sees the padding.
        batch : int
            Proteins at a time.

        Returns
        -------
        dict of str to ndarray, shape (n_proteins, d)
            `READOUTS`: the state of the whole (ProteinBERT's global track, BERT's [CLS]), the
            mean over residues, and both of states that a LayerNorm without weights ends.
        """
        self.model.eval()
        found: dict[str, list[np.ndarray]] = {name: [] for name in READOUTS}
        for first in range(0, len(sequences), batch):
            crops = [Crop(s, 0, np.empty(0)) for s in sequences[first : first + batch]]
            inputs = [x.to(self.device) for x in self.tokens(crops, length + N_SPECIAL)]
            local, whole = self.states(*inputs)
            ends = inputs[2].sum(dim=1, keepdim=True) - 1
            place = torch.arange(local.shape[1], device=self.device)
            is_residue = ((place > 0) & (place < ends))[..., None]
            normal = [layer_norm(x, x.shape[-1:]) for x in (whole, local)]
            for name, x in zip(READOUTS, (whole, local, *normal), strict=True):
                if x.ndim == 3:
                    x = (x * is_residue).sum(dim=1) / is_residue.sum(dim=1)
                found[name].append(x.cpu().numpy())
        self.model.train()
        return {name: np.concatenate(vectors) for name, vectors in found.items()}


class ProteinBERTArm(ArmObjective):
    """ProteinBERT with both tracks alike wide, whose input of annotations is always zero."""

    letters = torch.from_numpy(proteinbert.tokenize(STANDARD_RESIDUES)[1:-1])
    mask_id = proteinbert.OTHER

    def __init__(
        self, n_labels: int, device: str, *, width: int, final_norm: bool, **sizes: int
    ) -> None:
        trunk = ProteinBERT(
            ProteinBERTConfig(
                n_annotations=1,
                max_residues=MAX_RESIDUES,
                local_width=width,
                global_width=width,
                **sizes,
            )
        )
        if not final_norm:
            trunk.blocks[-1].local_norm2 = trunk.blocks[-1].global_norm2 = nn.Identity()
        super().__init__(trunk, width, n_labels, device)

    def tokens(self, crops: Sequence[Crop], length: int) -> tuple[Tensor, Tensor, Tensor]:
        """See `ArmObjective.tokens`."""
        rows = [proteinbert.tokenize(crop.sequence, length) for crop in crops]
        tokens = torch.from_numpy(np.stack(rows))
        return tokens, torch.zeros_like(tokens), tokens != proteinbert.PAD

    def states(self, tokens: Tensor, places: Tensor, is_token: Tensor) -> tuple[Tensor, Tensor]:
        """See `ArmObjective.states`."""
        return self.model["trunk"](tokens, None, is_token)

    def residue_logits(self, local: Tensor) -> Tensor:
        """See `ArmObjective.residue_logits`."""
        return self.model["trunk"].sequence_head(local)


class BERTArm(ArmObjective):
    """BERT whose state of [CLS] predicts the labels."""

    def __init__(
        self, n_labels: int, device: str, *, width: int, final_norm: bool = True, **sizes: int
    ) -> None:
        self.base = MaskedObjective.create(hidden_size=width, **sizes)
        self.letters, self.mask_id = self.base.letters, self.base.tokenizer.mask_token_id
        super().__init__(self.base.model, width, n_labels, device)

    def tokens(self, crops: Sequence[Crop], length: int) -> tuple[Tensor, Tensor, Tensor]:
        """See `ArmObjective.tokens`."""
        tokens, places = self.base.inputs(crops, length)
        return tokens, places, tokens != self.base.tokenizer.pad_token_id

    def states(self, tokens: Tensor, places: Tensor, is_token: Tensor) -> tuple[Tensor, Tensor]:
        """See `ArmObjective.states`."""
        local = self.model["trunk"].bert(
            input_ids=tokens, attention_mask=is_token.long(), position_ids=places
        )
        return local.last_hidden_state, local.last_hidden_state[:, 0]

    def residue_logits(self, local: Tensor) -> Tensor:
        """See `ArmObjective.residue_logits`."""
        return self.model["trunk"].cls(local)


ARCHITECTURES = {"proteinbert": ProteinBERTArm, "bert": BERTArm}
