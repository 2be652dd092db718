"""Is it multi-modality? Train the arms of the ablation, and write what they lose and what k is.

``python data/minis/ablation.py --fasta a.fasta.gz --go go_terms.tsv.gz --scale gate --budget 1``;
what was stopped, even by a kill, goes on when it is called again. ``--forecast`` says what a scale
costs, and trains nothing.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import cost
from arms import ARMS, ArmObjective
from corpus import input_parser
from design import SCALES, Scale, Task, prepare
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import as_json, replacing, write_json
from plm_geometry.base.provenance import fingerprint
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.paper import ablation as rule
from train import STATE

RECORD = "run.json"


def run(task: Task, name: str, seed: int, directory: Path, until: float) -> dict:
    """Train one arm with one seed until it is done or the time is up, and record it.

    Parameters
    ----------
    task : Task
    name : str
        Of the arm.
    seed : int
    directory : Path
        Of this run, which keeps its state.
    until : float
        As of `time.monotonic`.

    Returns
    -------
    dict
        ``rows`` (of `Training.rows`), ``cpu_seconds``, and ``k``, once it is done: the effective
        dimensions of the test proteins by readout, trained and untrained.
    """
    directory.mkdir(parents=True, exist_ok=True)
    training = task.training(name, seed, directory / STATE)
    steps = training.mini.steps
    training.run(steps, f"{name}, seed {seed}", is_due=lambda: time.monotonic() > until)
    found = {"arm": name, "seed": seed, "rows": training.rows, "k": []}
    found["cpu_seconds"] = round(training.seconds, 1)
    if training.step == steps:
        found["k"] = _k(task, training.objective, "trained")
        torch.manual_seed(seed)
        found["k"] += _k(task, task.objective(name), "untrained")
        training.objective.save(directory)
    with replacing(directory / RECORD) as partial:
        partial.write_text(as_json(found))
    if training.step == steps:
        (directory / STATE).unlink(missing_ok=True)
    return found


def _k(task: Task, objective: ArmObjective, state: str) -> list[dict]:
    read = objective.read(task.test.sequences, task.scale.longest)
    return [
        {"state": state, "readout": readout, "k": effective_dimensions(vectors)}
        for readout, vectors in read.items()
    ]


def run_all(task: Task, work: Path, hours: float) -> list[dict]:
    """Make all runs of a scale that are not done, each with its share of the time that is left."""
    runs = {of: work / f"{of[0]}-{of[1]}" for of in task.scale.runs}
    found = {of: json.loads((place / RECORD).read_text()) for of, place in runs.items()
             if (place / RECORD).exists()}  # fmt: skip
    due = [of for of in runs if not found.get(of, {}).get("k")]
    end = time.monotonic() + 3600 * hours
    for number, of in enumerate(due):
        now = time.monotonic()
        if now < end:
            until = now + (end - now) / (len(due) - number)
            found[of] = run(task, *of, runs[of], until)
    return list(found.values())


def tables(task: Task, records: Sequence[dict]) -> dict[str, pd.DataFrame]:
    """Return what the ablation's CSV files hold: losses, k, and contrasts of log k."""
    unigram, per_step = round(task.unigram_entropy, 5), task.residues_per_step
    losses, k = [], []
    for found in records:
        of = {"architecture": ARMS[found["arm"]].architecture}
        of |= {"arm": found["arm"], "seed": found["seed"]}
        for row in found["rows"]:
            seen = {"step": row["step"], "residues_seen": round(per_step * row["step"])}
            loss = {"training_loss": row["loss"], "held_out_loss": row["held_out_loss"]}
            losses.append(of | seen | loss | {"unigram_entropy": unigram})
        k += [of | row | {"log_k": float(np.log(row["k"]))} for row in found["k"]]
    log_k = pd.DataFrame(k, columns=rule.LOG_K)
    return {
        "losses": pd.DataFrame(losses, columns=rule.LOSSES),
        "log_k": log_k,
        "contrasts": rule.contrasts(log_k),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the files named on the command line, say what it costs, and train."""
    parser = input_parser(__doc__, "proteins")
    parser.add_argument("--scale", choices=SCALES, default="gate", help="default: gate")
    parser.add_argument("--steps", type=int, help="updates of each run, instead of the scale's")
    parser.add_argument("--budget", type=float, default=1.0, help="hours of training (default: 1)")
    parser.add_argument("--forecast", action="store_true", help="say what it costs, train nothing")
    parser.add_argument("--device", default="cpu", help="of PyTorch (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch on the CPU (default: 1)")
    parser.add_argument("--out", type=Path, default=paths.ABLATION, help="where tables go")
    parser.add_argument(
        "--work", type=Path, default=paths.CACHE / "ablation", help="where states are kept"
    )
    options = parser.parse_args(arguments)
    try:
        _ablate(options)
    except InputError as error:
        parser.exit(2, f"{error}\n")


def _ablate(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    scale = SCALES[options.scale]
    if options.steps:
        scale = replace(scale, steps=dict.fromkeys(scale.steps, options.steps))
    task = prepare(options.fasta, options.go, scale, device=options.device)
    costs = cost.forecast(task)
    print(cost.in_words(costs))
    options.out.mkdir(parents=True, exist_ok=True)
    costs.to_csv(options.out / f"cost_{options.scale}.csv", index=False)
    about = {"proteins": task.division.proteins.source, "sha256": task.division.proteins.sha256}
    write_json(options.out / "division.json", about | task.division.counts)
    if options.forecast:
        return
    records = run_all(task, options.work / _name(task, scale), options.budget)
    for name, table in tables(task, records).items():
        table.to_csv(options.out / f"{name}.csv", index=False)
    print(rule.verdict(rule.read("losses", options.out), rule.read("log_k", options.out)).sentence)


def _name(task: Task, scale: Scale) -> str:
    """Return what tells these runs' states from those of other proteins, labels or sizes.

    The number of steps does not: a training can be made longer, or shorter before its decay.
    """
    sizes = asdict(scale) | {"steps": None, "arms": None, "seeds": None}
    digests = {name: fingerprint({"labels": labels.tobytes().hex()})
               for name, labels in task.labels.items()}  # fmt: skip
    return fingerprint({"sizes": sizes, "proteins": task.division.proteins.sha256, **digests})[:16]


if __name__ == "__main__":
    main()
