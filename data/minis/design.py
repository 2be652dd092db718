"""The ablation's design: how large, of which arms, and what all of its trainings share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import split
from arms import ARCHITECTURES, ARMS, ArmObjective
from corpus import Corpus, count_residues, entropy, read_terms
from plm_geometry.paper import ablation as rule
from train import TEST_SEED, Mini, Training


@dataclass(frozen=True)
class Scale:
    """How large a run of the design is.

    Attributes
    ----------
    arms : tuple of str
        Of `arms.ARMS`.
    seeds : int
        Trainings of each arm, with seeds from 1.
    steps, sizes : dict
        Updates, and what the trunk is made with, by architecture.
    batch, crop_residues, learning_rate
        As of `train.Mini`.
    longest : int
        Proteins with more residues are left out, and all are padded to so many when read.
    n_test, n_families : int
        Proteins and families that the test has at least.
    """

    arms: tuple[str, ...]
    seeds: int
    steps: dict[str, int]
    sizes: dict[str, dict[str, int]]
    batch: int = 16
    crop_residues: int = 128
    learning_rate: float = 2e-3
    longest: int = 512
    n_test: int = 2000
    n_families: int = 200

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Each arm with each seed, seed by seed."""
        return [(arm, seed) for seed in range(1, self.seeds + 1) for arm in self.arms]


def _sizes(width: int, layers: int, heads: int) -> dict[str, dict[str, int]]:
    bert = {"num_hidden_layers": layers, "num_attention_heads": heads}
    return {
        "bert": {"width": width, "intermediate_size": 4 * width, **bert},
        "proteinbert": {"width": width, "n_blocks": layers, "n_heads": heads, "key_width": 16},
    }


def _both(steps: int) -> dict[str, int]:
    return dict.fromkeys(ARCHITECTURES, steps)


SCALES = {
    # The design. Which size and how many steps pass the gate is not known.
    "full": Scale(
        tuple(ARMS),
        rule.SEEDS,
        _both(100_000),
        _sizes(256, 6, 8),
        batch=128,
        crop_residues=256,
        learning_rate=1e-3,
    ),
    # Whether small networks pass the gate at all: the arms without labels, one seed.
    "gate": Scale(("proteinbert_lm", "bert_lm"), 1, _both(6_000), _sizes(64, 4, 4)),
    # All arms in seconds: what a test runs.
    "small": Scale(
        tuple(ARMS),
        2,
        _both(3),
        _sizes(16, 1, 2),
        batch=4,
        crop_residues=32,
        longest=100,
        n_test=24,
        n_families=12,
    ),
}


@dataclass(frozen=True)
class Task:
    """What all runs of a scale share.

    Attributes
    ----------
    scale : Scale
    division : split.Division
    labels : dict of str to ndarray, shape (n_training, n_labels)
        By the name that `arms.Arm` has for them.
    test : Corpus
    device : str
    """

    scale: Scale
    division: split.Division
    labels: dict[str, np.ndarray]
    test: Corpus
    device: str = "cpu"

    @property
    def residues_per_step(self) -> float:
        """Residues that an update sees, on average."""
        lengths = self.division.proteins.lengths[self.division.training]
        return float(self.scale.batch * np.minimum(lengths, self.scale.crop_residues).mean())

    @property
    def unigram_entropy(self) -> float:
        """Of the crops of test proteins that the loss is measured on, in nats per residue."""
        crops = self.test.one_crop_each(self.scale.crop_residues, TEST_SEED)
        return entropy(count_residues(crop.sequence for crop in crops))

    def objective(self, name: str) -> ArmObjective:
        """Make an arm's untrained network from PyTorch's global random state."""
        arm = ARMS[name]
        n_labels = self._labels(name).shape[1] if arm.labels else 0
        sizes = self.scale.sizes[arm.architecture]
        return ARCHITECTURES[arm.architecture](
            n_labels, self.device, final_norm=arm.final_norm, **sizes
        )

    def mini(self, name: str) -> Mini:
        """Return how an arm is trained."""
        scale = self.scale
        return Mini(
            ArmObjective,
            lambda _: self.objective(name),
            scale.steps[ARMS[name].architecture],
            scale.batch,
            scale.crop_residues,
            learning_rate=scale.learning_rate,
            measured=len(self.test),
        )

    def training(self, name: str, seed: int, state: Path) -> Training:
        """Return an arm's training, taken up from `state` if that is there."""
        labels = self._labels(name)
        if ARMS[name].labels == "shuffled_go":
            labels = split.shuffled(labels, seed)
        corpus = Corpus(self.division.sequences(self.division.training), labels)
        return Training(self.mini(name), _Corpora(corpus, {"held_out": self.test}), [], seed, state)

    def _labels(self, name: str) -> np.ndarray:
        return self.labels[ARMS[name].labels.removeprefix("shuffled_") or "go"]


@dataclass(frozen=True)
class _Corpora:
    training: Corpus
    tests: dict[str, Corpus]


def prepare(
    fastas: Sequence[Path],
    tables: Sequence[Path],
    scale: Scale,
    *,
    device: str = "cpu",
    tell: Callable[[str], None] = print,
) -> Task:
    """Read proteins and GO terms, find families, and divide.

    Raises
    ------
    InputError
        As `split.divide`, `split.go_labels`, `corpus.read_terms` and `fasta.read_fasta`.
    """
    terms = read_terms(tables)
    proteins = split.read_unique(fastas, scale.longest)
    division = split.divide(proteins, scale.n_test, scale.n_families, tell=tell)
    tell(", ".join(f"{name} {n:,}" for name, n in division.counts.items()))
    trained = proteins.select(division.training)
    go, _ = split.go_labels(trained.accessions, terms)
    labels = {"go": go, "family": split.family_labels(division.family[division.training])}
    tested = division.sequences(division.test)
    return Task(scale, division, labels, Corpus(tested, np.zeros((len(tested), 0))), device)
