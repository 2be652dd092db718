"""The minis: four small checkpoints in the paper's architectures, trained on simulated proteins."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from plm_geometry.errors import InputError
from plm_geometry.minis.annotated import AnnotationObjective
from plm_geometry.minis.corpus import Corpus, annotation_terms, corpus_of
from plm_geometry.minis.masked import MaskedObjective
from plm_geometry.minis.objectives import Objective
from plm_geometry.minis.permutation import PermutationObjective
from plm_geometry.minis.training import Training, held_out_losses, save_checkpoint, train
from plm_geometry.simulate import Biosphere, split_biosphere

__all__ = ["MINIS", "Corpora", "Mini", "Training", "held_out_losses", "train_mini"]

SMALL_CORPUS = 2_000  # proteins; the others are trained on all there are, some 14,000

_BERT_SIZES = {
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 384,
}
# Smaller, and trained on shorter crops: its two streams of eager attention are slow.
_XLNET_SIZES = {"d_model": 64, "n_layer": 3, "n_head": 4, "d_inner": 256}
_PROTEINBERT_SIZES = {
    "local_width": 32,
    "global_width": 64,
    "n_heads": 4,
    "key_width": 16,
    "n_blocks": 6,
}


@dataclass(frozen=True)
class Corpora:
    """What the minis are trained and measured on; no demo protein is among it."""

    training: Corpus
    held_out: Corpus
    terms: list[str]

    @classmethod
    def from_biosphere(cls, biosphere: Biosphere) -> "Corpora":
        """Divide a biosphere as `split_biosphere` does."""
        split, terms = split_biosphere(biosphere), annotation_terms(biosphere)
        return cls(corpus_of(split.training, terms), corpus_of(split.held_out, terms), terms)


@dataclass(frozen=True)
class Mini:
    """One small checkpoint: how it is made, and how long it is trained.

    Attributes
    ----------
    objective : type of Objective
        Reads its checkpoint again.
    create : callable
        From the annotation terms to an untrained objective.
    steps, batch : int
        Updates, and crops in each.
    crop_residues : int
        Residues of each crop.
    corpus_proteins : int or None
        Proteins it is trained on; all by default.
    """

    objective: type[Objective]
    create: Callable[[list[str]], Objective]
    steps: int
    batch: int = 16
    crop_residues: int = 128
    corpus_proteins: int | None = None


def _bert(terms: list[str]) -> Objective:
    return MaskedObjective.create(**_BERT_SIZES)


def _xlnet(terms: list[str]) -> Objective:
    return PermutationObjective.create(**_XLNET_SIZES)


def _protein_bert(terms: list[str]) -> Objective:
    return AnnotationObjective.create(terms=terms, **_PROTEINBERT_SIZES)


MINIS = {
    "demo_prot_bert": Mini(MaskedObjective, _bert, 2_500, batch=8, corpus_proteins=SMALL_CORPUS),
    "demo_prot_bert_bfd": Mini(MaskedObjective, _bert, 2_500, batch=8),
    "demo_prot_xlnet": Mini(PermutationObjective, _xlnet, 3_000, crop_residues=64),
    "demo_protein_bert": Mini(AnnotationObjective, _protein_bert, 2_500),
}


def train_mini(
    key: str, corpora: Corpora, out: Path, *, steps: int | None = None, seed: int = 1
) -> Training:
    """Train one mini and put its checkpoint into ``out / key``.

    Parameters
    ----------
    key : str
        One of `MINIS`.
    corpora : Corpora
        See `Corpora.from_biosphere`.
    out : Path
        The folder of the checkpoints.
    steps : int, optional
        Instead of the mini's own.
    seed : int
        Of the first weights, and of the training.

    Raises
    ------
    InputError
        If there is no mini of that name.
    """
    if key not in MINIS:
        raise InputError(f"There is no mini {key!r}; choose from {', '.join(MINIS)}.")
    mini = MINIS[key]
    torch.manual_seed(seed)
    objective = mini.create(corpora.terms)
    result = train(
        objective,
        corpora.training.part(mini.corpus_proteins, mini.crop_residues),
        corpora.held_out.part(None, mini.crop_residues),
        steps=steps or mini.steps,
        batch=mini.batch,
        seed=seed,
        title=key,
    )
    save_checkpoint(objective, result, out / key)
    return result
