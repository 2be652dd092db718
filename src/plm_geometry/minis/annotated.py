"""ProteinBERT's objective: residues and annotations, both corrupted, from one another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from plm_geometry.minis.corpus import MAX_RESIDUES, Crop
from plm_geometry.minis.objectives import IGNORED, Objective, hide_residues
from plm_geometry.models import proteinbert
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig
from plm_geometry.proteins import STANDARD_RESIDUES

TERMS_FILE = "annotation_terms.txt"
# As Brandes et al. (2022) corrupt annotations, so that the model learns to do without them.
ALL_HIDDEN = 0.5
REMOVED = 0.25
# The loss is a mean over terms, few of which a protein has: weighted up to matter beside residues.
ANNOTATION_WEIGHT = 10.0


class AnnotationObjective(Objective):
    """Sequence-plus-annotation modelling (Brandes et al., 2022), with BERT's hidden residues.

    The original replaces 5 % of the residues by random ones and scores all positions, most of
    which are to be copied. Residues are hidden and scored here as for BERT, so that the losses of
    all four minis mean the same.

    Parameters
    ----------
    model : ProteinBERT
    terms : sequence of str
        The annotation terms in the model's order.
    """

    description = "15 % of the residues, and the annotations, from the others of both"

    def __init__(self, model: ProteinBERT, terms: Sequence[str]) -> None:
        self.model, self.terms = model, list(terms)

    @classmethod
    def create(cls, *, terms: Sequence[str], **sizes: int) -> Self:
        """Make an untrained ProteinBERT for `terms`; `sizes` go to `ProteinBERTConfig`."""
        config = ProteinBERTConfig(n_annotations=len(terms), max_residues=MAX_RESIDUES, **sizes)
        return cls(ProteinBERT(config), terms)

    def losses(self, crops: Sequence[Crop], rng: np.random.Generator) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        tokens = _collate(crops)
        letters = torch.from_numpy(proteinbert.tokenize(STANDARD_RESIDUES)[1:-1])
        corrupted, labels = hide_residues(
            tokens, tokens < proteinbert.OTHER, proteinbert.OTHER, letters, rng
        )
        annotations = np.stack([crop.annotations for crop in crops])
        shown = torch.from_numpy(corrupt_annotations(annotations, rng))
        states = self.model(corrupted, shown, tokens != proteinbert.PAD)
        residue_logits, term_logits = self.model.heads(*states)
        target = torch.from_numpy(annotations)
        annotated = target.any(dim=1)  # nothing is known of the others
        return {
            "loss": cross_entropy(residue_logits.transpose(1, 2), labels, ignore_index=IGNORED),
            "annotation_loss": binary_cross_entropy_with_logits(
                term_logits[annotated], target[annotated]
            ),
        }

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Return both losses, weighted."""
        return losses["loss"] + ANNOTATION_WEIGHT * losses["annotation_loss"]

    def save(self, directory: Path) -> None:
        """Write the model, and the terms one a line."""
        proteinbert.save_directory(self.model, directory)
        (directory / TERMS_FILE).write_text("\n".join(self.terms) + "\n")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""
        terms = (directory / TERMS_FILE).read_text().split()
        return cls(proteinbert.load_directory(directory), terms)


def _collate(crops: Sequence[Crop]) -> Tensor:
    longest = max(len(crop.sequence) for crop in crops) + proteinbert.N_SPECIAL
    rows = [proteinbert.tokenize(crop.sequence, longest) for crop in crops]
    return torch.from_numpy(np.stack(rows))


def corrupt_annotations(annotations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hide all terms of half the proteins; of the others remove some, and add about one.

    Parameters
    ----------
    annotations : ndarray of float32, shape (n_proteins, n_terms)
        Zeros and ones.
    rng : Generator
        Decides which.
    """
    removed = rng.random(annotations.shape) < REMOVED
    added = rng.random(annotations.shape) < 1 / annotations.shape[1]
    shown = (annotations.astype(bool) & ~removed) | added
    shown[rng.random(len(annotations)) < ALL_HIDDEN] = False
    return shown.astype(np.float32)
