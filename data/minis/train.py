"""Train the minis: four small networks in the paper's architectures, on real proteins.

``python data/minis/train.py --fasta swissprot.fasta.gz --go go_terms.tsv``; a training that was
stopped resumes.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from corpus import (
    Corpus,
    Crop,
    count_residues,
    entropy,
    frequent_terms,
    input_parser,
    loss_of_frequencies,
    read_corpora,
    read_terms,
)
from objectives import AnnotationObjective, MaskedObjective, Objective, PermutationObjective
from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import read_fasta

HERE = Path(__file__).parent
BACTERIUM = "tests/data/seqs/938293.PRJEB85.HG003687.faa"  # in pyhmmer
STATE = "unfinished.pt"
SAVED_EVERY = 60  # seconds
WARM_UP = 100  # steps
MEASUREMENTS = 10
MEASURED_PROTEINS = 300  # of each test corpus as it goes; all of them at the end
TEST_SEED = 7

_BERT = {
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 384,
}
_XLNET = {"d_model": 64, "n_layer": 3, "n_head": 2, "d_inner": 256}
_PROTEIN_BERT = {
    "local_width": 32,
    "global_width": 64,
    "n_heads": 4,
    "key_width": 16,
    "n_blocks": 6,
}


@dataclass(frozen=True)
class Mini:
    """One small network: how it is made, and how long it is trained.

    Attributes
    ----------
    objective : type of Objective
        Reads its checkpoint again.
    create : callable
        From the GO terms to an untrained objective.
    steps, batch, crop_residues : int
        Updates, crops in each, and residues of each crop.
    first_file_only : bool
        Trained on the first FASTA file rather than on all.
    learning_rate, decay : float
        The highest rate, and the share of the steps, the last ones, over which it falls.
    measured : int
        Proteins of each test corpus that are measured with as it goes.
    """

    objective: type[Objective]
    create: Callable[[Sequence[str]], Objective]
    steps: int
    batch: int = 16
    crop_residues: int = 128
    first_file_only: bool = False
    learning_rate: float = 2e-3
    decay: float = 0.4
    measured: int = MEASURED_PROTEINS


def _bert(terms: Sequence[str]) -> Objective:
    return MaskedObjective.create(**_BERT)


def _xlnet(terms: Sequence[str]) -> Objective:
    return PermutationObjective.create(**_XLNET)


def _protein_bert(terms: Sequence[str]) -> Objective:
    return AnnotationObjective.create(terms=terms, **_PROTEIN_BERT)


MINIS = {
    "mini_prot_bert": Mini(MaskedObjective, _bert, 2_150, first_file_only=True),
    "mini_prot_bert_bfd": Mini(MaskedObjective, _bert, 2_150),
    "mini_prot_xlnet": Mini(PermutationObjective, _xlnet, 3_300, decay=0.25),
    "mini_protein_bert": Mini(AnnotationObjective, _protein_bert, 6_000),
}


@dataclass(frozen=True)
class Corpora:
    """What one mini is trained and measured on."""

    training: Corpus
    held_out: Corpus
    bacterium: Corpus

    @property
    def tests(self) -> dict[str, Corpus]:
        """The corpora that it is not trained on, by name."""
        return {"held_out": self.held_out, "bacterium": self.bacterium}


def measure(objective: Objective, crops: Sequence[Crop], batch: int = 20) -> dict[str, float]:
    """Measure the losses; the same residues are hidden every time.

    Parameters
    ----------
    objective : Objective
        The model and its task.
    crops : sequence of Crop
        Of proteins that the model was not trained on.
    batch : int
        Crops at a time.

    Returns
    -------
    dict of str to float
        See `Objective.losses`; means over batches.
    """
    rng = np.random.default_rng(TEST_SEED)
    found = defaultdict(list)
    objective.model.eval()
    with torch.inference_mode():
        for first in range(0, len(crops), batch):
            for name, value in objective.losses(crops[first : first + batch], rng).items():
                found[name].append(value.item())
    objective.model.train()
    return {name: float(np.mean(values)) for name, values in found.items()}


def pace(step: int, steps: int, decay: float) -> float:
    """Return the share of the learning rate: a linear rise, a plateau, a linear fall to zero.

    Up to the fall it does not depend on `steps`: a training can be made longer when resumed.
    """
    return min(1.0, (step + 1) / WARM_UP, max(0.0, (steps - step) / (decay * steps)))


class Training:
    """A training that can be stopped and resumed.

    Parameters
    ----------
    mini : Mini
    corpora : Corpora
    terms : sequence of str
        The GO terms.
    seed : int
        Of the first weights, and of crops, order and masks.
    state : Path
        Where it is kept while unfinished.
    """

    def __init__(
        self, mini: Mini, corpora: Corpora, terms: Sequence[str], seed: int, state: Path
    ) -> None:
        torch.manual_seed(seed)
        self.mini, self.corpora, self.seed, self.state = mini, corpora, seed, state
        self.objective = mini.create(terms)
        self.optimizer = torch.optim.AdamW(self.objective.model.parameters(), weight_decay=0.01)
        self.step, self.seconds = 0, 0.0
        self.rows: list[dict] = []
        self.recent: dict[str, list[float]] = defaultdict(list)
        if state.exists():
            self._resume()

    def run(self, steps: int, title: str, *, is_due: Callable[[], bool] = lambda: False) -> None:
        """Train up to `steps`, measuring on the test corpora as it goes.

        Parameters
        ----------
        steps : int
        title : str
            Of the progress bar.
        is_due : callable
            Asked before each step; once it is true, the state is saved and the run ends.
        """
        interval = max(1, steps // MEASUREMENTS)
        saved, since = time.monotonic(), time.process_time()
        bar = tqdm(range(self.step, steps), initial=self.step, total=steps, desc=title, unit="step")
        for step in bar:
            if is_due():
                break
            self._update(step, steps)
            if self.step % interval == 0 or self.step == steps:
                self._measure(self.mini.measured)
                bar.set_postfix({k: v for k, v in self.rows[-1].items() if k.endswith("_loss")})
            if time.monotonic() - saved > SAVED_EVERY:
                self.seconds += time.process_time() - since
                saved, since = time.monotonic(), time.process_time()
                self._save()
        self.seconds += time.process_time() - since
        if self.step < steps:
            self._save()

    def _update(self, step: int, steps: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.mini.learning_rate * pace(step, steps, self.mini.decay)
        crops = self.corpora.training.batch(
            step, self.mini.batch, self.mini.crop_residues, self.seed
        )
        losses = self.objective.losses(crops, np.random.default_rng([self.seed, step, 1]))
        self.optimizer.zero_grad()
        self.objective.total(losses).backward()
        nn.utils.clip_grad_norm_(self.objective.model.parameters(), 1.0)
        self.optimizer.step()
        for name, value in losses.items():
            self.recent[name].append(value.item())
        self.step = step + 1

    def _measure(self, n_proteins: int) -> None:
        row = {"step": self.step}
        row |= {name: float(np.mean(values)) for name, values in self.recent.items()}
        for where, corpus in self.corpora.tests.items():
            crops = corpus.one_crop_each(self.mini.crop_residues, TEST_SEED)[:n_proteins]
            found = measure(self.objective, crops)
            row |= {f"{where}_{name}": value for name, value in found.items()}
        self.rows.append({name: round(value, 5) for name, value in row.items()})
        self.recent.clear()

    def _save(self) -> None:
        kept = {name: getattr(self, name) for name in ("step", "seconds", "rows")}
        kept |= {"recent": dict(self.recent), "model": self.objective.model.state_dict()}
        torch.save(
            kept | {"optimizer": self.optimizer.state_dict()}, self.state.with_suffix(".new")
        )
        os.replace(self.state.with_suffix(".new"), self.state)

    def _resume(self) -> None:
        kept = torch.load(self.state, weights_only=True)
        self.objective.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.step, self.seconds, self.rows = kept["step"], kept["seconds"], kept["rows"]
        self.recent.update(kept["recent"])


def record(training: Training) -> dict:
    """Return what ``training.json`` holds of a finished training."""
    mini, corpora, objective = training.mini, training.corpora, training.objective
    found: dict = {"objective": objective.description}
    known = count_residues(corpora.training.sequences)
    for where, corpus in corpora.tests.items():
        crops = corpus.one_crop_each(mini.crop_residues, TEST_SEED)
        counts = count_residues(crop.sequence for crop in crops)
        found[where] = {
            "proteins": len(crops),
            "residues": int(counts.sum()),
            "unigram_entropy": entropy(counts),
            "loss_of_training_frequencies": entropy(counts, known),
            **measure(objective, crops),
        }
    if "annotation_loss" in found["held_out"]:
        found["held_out"]["annotation_loss_of_training_frequencies"] = loss_of_frequencies(
            corpora.held_out.annotations, corpora.training.annotations
        )
    return found | {
        "training": {
            "proteins": len(corpora.training),
            "residues": int(known.sum()),
            "unigram_entropy": entropy(known),
        },
        "parameters": sum(weight.numel() for weight in objective.model.parameters()),
        "steps": training.step,
        "batch": mini.batch,
        "crop_residues": mini.crop_residues,
        "learning_rate": mini.learning_rate,
        "seed": training.seed,
        "cpu_seconds": round(training.seconds),
    }


def train_mini(
    mini: Mini,
    corpora: Corpora,
    terms: Sequence[str],
    directory: Path,
    *,
    steps: int | None = None,
    seed: int = 1,
) -> dict:
    """Train one mini, and write its checkpoint, ``training.csv`` and ``training.json``.

    Parameters
    ----------
    mini : Mini
        One of `MINIS`.
    corpora : Corpora
        What it is trained and measured on.
    terms : sequence of str
        The GO terms.
    directory : Path
        Of the checkpoint; an unfinished training found there goes on.
    steps : int, optional
        Instead of the mini's own.
    seed : int
        Of the first weights, and of the training.

    Returns
    -------
    dict
        What ``training.json`` holds.
    """
    directory.mkdir(parents=True, exist_ok=True)
    state = directory / STATE
    training = Training(mini, corpora, terms, seed, state)
    training.run(steps or mini.steps, directory.name)
    training.objective.save(directory)
    pd.DataFrame(training.rows).to_csv(directory / "training.csv", index=False)
    result = record(training)
    (directory / "training.json").write_text(json.dumps(result, indent=2) + "\n")
    state.unlink(missing_ok=True)
    return result


def write_losses(directory: Path) -> None:
    """Write ``losses.csv``, the table of the book's page, from what the trainings recorded."""
    rows = []
    for key in MINIS:
        if not (path := directory / key / "training.json").exists():
            continue
        found = json.loads(path.read_text())
        row = {"Key": f"`{key}`", "Proteins": f"{found['training']['proteins']:,}"}
        row |= {"Steps": f"{found['steps']:,}"}
        for title, where in (("Held-out", "held_out"), ("Bacterium", "bacterium")):
            row[f"{title}: loss"] = f"{found[where]['loss']:.3f}"
            row[f"{title}: unigram entropy"] = f"{found[where]['unigram_entropy']:.3f}"
        rows.append(row)
    pd.DataFrame(rows).to_csv(directory / "losses.csv", index=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the files named on the command line, and train."""
    fasta = "proteins to train on (mini_prot_bert reads the first file only)"
    parser = input_parser(__doc__, fasta)
    parser.add_argument(
        "--test", type=Path, help="proteins to measure with (default: the bacterium in pyhmmer)"
    )
    parser.add_argument("--only", choices=MINIS, action="append", help="train this one")
    parser.add_argument("--steps", type=int, help="updates of each, instead of their own numbers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=HERE / "checkpoints")
    options = parser.parse_args(arguments)
    try:
        _train_all(options)
    except InputError as error:
        parser.exit(2, f"{error}\n")


def _train_all(options: argparse.Namespace) -> None:
    found = read_terms(options.go)
    terms = frequent_terms(found)
    tested = read_fasta(options.test or _bacterium()).sequences
    bacterium = Corpus(tested, np.zeros((len(tested), len(terms)), np.float32))
    for key in options.only or MINIS:
        mini = MINIS[key]
        fastas = options.fasta[:1] if mini.first_file_only else options.fasta
        corpora = Corpora(*read_corpora(fastas, found, terms), bacterium)
        train_mini(mini, corpora, terms, options.out / key, steps=options.steps, seed=options.seed)
        write_losses(options.out)


def _bacterium() -> Path:
    try:
        return files("pyhmmer") / BACTERIUM
    except ModuleNotFoundError as error:
        raise InputError(
            "pyhmmer, which holds the bacterium, is not installed: name --test."
        ) from error


if __name__ == "__main__":
    main()
