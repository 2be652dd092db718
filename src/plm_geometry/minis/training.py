"""Training a mini: the loop, the held-out loss, and a checkpoint that is whole or not there."""

import json
import math
import shutil
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from plm_geometry.minis.corpus import Corpus
from plm_geometry.minis.objectives import Objective

LEARNING_RATE = 2e-3
WARM_UP = 0.05  # share of the steps
WEIGHT_DECAY = 0.01
GRADIENT_NORM = 1.0
MEASUREMENTS = 12  # of the held-out loss, evenly over the steps
HELD_OUT_SEED = 7


@dataclass(frozen=True)
class Training:
    """What a training leaves.

    Attributes
    ----------
    curve : DataFrame
        One row a measurement: ``step``, ``loss`` (mean since the last one) and ``held_out_loss``
        in nats a residue; with annotations also ``annotation_loss`` and
        ``held_out_annotation_loss`` in nats a term.
    record : dict
        The last row, and what was trained on what for how long.
    """

    curve: pd.DataFrame
    record: dict[str, str | int | float]


def held_out_losses(objective: Objective, corpus: Corpus, *, batch: int = 25) -> dict[str, float]:
    """Measure the losses on one crop of each protein; the same crops and masks every time.

    Parameters
    ----------
    objective : Objective
        The model and its task.
    corpus : Corpus
        Proteins that the model was not trained on.
    batch : int
        Crops at a time.

    Returns
    -------
    dict of str to float
        See `Objective.losses`; means over batches.
    """
    rng = np.random.default_rng(HELD_OUT_SEED)
    found = defaultdict(list)
    objective.model.eval()
    with torch.inference_mode():
        for first in range(0, len(corpus), batch):
            indices = range(first, min(first + batch, len(corpus)))
            crops = [corpus.crop(index, rng) for index in indices]
            for name, value in objective.losses(crops, rng).items():
                found[name].append(value.item())
    objective.model.train()
    return {name: float(np.mean(values)) for name, values in found.items()}


def train(
    objective: Objective,
    training: Corpus,
    held_out: Corpus,
    *,
    steps: int,
    batch: int,
    seed: int,
    title: str = "training",
) -> Training:
    """Train a model, measuring it on held-out proteins as it goes.

    Parameters
    ----------
    objective : Objective
        Trained in place.
    training, held_out : Corpus
        What it sees, and what it is measured on.
    steps, batch : int
        Updates, and crops in each.
    seed : int
        Of crops, order and masks.
    title : str
        On the progress bar.
    """
    started = time.monotonic()
    batches = training.batches(batch, rng := np.random.default_rng(seed))
    optimizer, schedule = _optimizer(objective.model, steps)
    interval = math.ceil(steps / MEASUREMENTS)
    rows, recent = [], defaultdict(list)
    for step in (progress := tqdm(range(1, steps + 1), desc=title, unit="step")):
        losses = objective.losses(next(batches), rng)
        optimizer.zero_grad()
        objective.total(losses).backward()
        nn.utils.clip_grad_norm_(objective.model.parameters(), GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        for name, value in losses.items():
            recent[name].append(value.item())
        if step % interval == 0 or step == steps:
            rows.append(_measure(step, recent, held_out_losses(objective, held_out)))
            progress.set_postfix(held_out=f"{rows[-1]['held_out_loss']:.3f}")
            recent.clear()
    record = {
        "objective": objective.description,
        **{name: value for name, value in rows[-1].items() if name != "step"},
        **_described(objective.model, training, held_out),
        "steps": steps,
        "batch": batch,
        "seed": seed,
        "seconds": round(time.monotonic() - started, 1),
    }
    return Training(pd.DataFrame(rows), record)


def _optimizer(
    model: nn.Module, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, steps))


def _described(model: nn.Module, training: Corpus, held_out: Corpus) -> dict[str, int | float]:
    """Return the sizes of what was trained, and on what."""
    return {
        "unigram_entropy": training.unigram_entropy,
        "corpus_proteins": len(training),
        "corpus_residues": training.n_residues,
        "crop_residues": training.crop_residues,
        "held_out_proteins": len(held_out),
        "parameters": sum(weight.numel() for weight in model.parameters()),
    }


def _pace(step: int, steps: int) -> float:
    """Return the share of the learning rate: a linear rise, then half a cosine down to zero."""
    rise = max(1, round(WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2


def _measure(
    step: int, recent: dict[str, list[float]], held_out: dict[str, float]
) -> dict[str, float]:
    row = {"step": step}
    for name, values in recent.items():
        row[name] = float(np.mean(values))
        row[f"held_out_{name}"] = held_out[name]
    return row


def save_checkpoint(objective: Objective, result: Training, directory: Path) -> None:
    """Write the checkpoint with ``training.csv`` and ``training.json`` beside it.

    Everything is written elsewhere first: `directory` holds the old checkpoint or the new one
    whole, never half of one.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".mini-") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        objective.save(new)
        result.curve.round(5).to_csv(new / "training.csv", index=False)
        (new / "training.json").write_text(json.dumps(result.record, indent=2) + "\n")
        if directory.exists():
            shutil.move(directory, Path(scratch) / "old")
        new.rename(directory)
