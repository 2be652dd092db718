"""What the ablation costs: time and arithmetic of a step, and of all runs of a scale."""

import time
from pathlib import Path

import pandas as pd
from torch.utils.flop_counter import FlopCounterMode

from arms import ARMS
from design import Task

# What one GPU is taken to do for a network of this size: assumed, not measured here.
GPU_FLOPS = 2e13
_TIMED = 3  # steps, after one that is not


def forecast(task: Task) -> pd.DataFrame:
    """Time some steps of each architecture's costliest arm, and multiply by those of all runs.

    Returns
    -------
    DataFrame
        One row an architecture: ``architecture``, ``parameters``, ``runs``, ``steps`` (of each
        run), ``residues_per_step``, ``cpu_seconds_per_step`` (processor time of this process,
        which other work on the machine hardly changes), ``flop_per_step``, ``cpu_hours`` and
        ``gpu_hours`` of all runs, the latter at `GPU_FLOPS`.
    """
    rows = []
    for architecture, steps in task.scale.steps.items():
        arms = [name for name in task.scale.arms if ARMS[name].architecture == architecture]
        training = task.training(max(arms, key=lambda n: len(ARMS[n].labels)), 1, Path("none"))
        with FlopCounterMode(display=False) as counted:
            training._update(0, steps)
        start = time.process_time()
        for step in range(1, 1 + _TIMED):
            training._update(step, steps)
        seconds = (time.process_time() - start) / _TIMED
        n_runs = len(arms) * task.scale.seeds
        flop = counted.get_total_flops()
        rows.append(
            {
                "architecture": architecture,
                "parameters": sum(w.numel() for w in training.objective.model.parameters()),
                "runs": n_runs,
                "steps": steps,
                "residues_per_step": round(task.residues_per_step),
                "cpu_seconds_per_step": float(f"{seconds:.3g}"),
                "flop_per_step": float(f"{flop:.3g}"),
                "cpu_hours": float(f"{n_runs * steps * seconds / 3600:.3g}"),
                "gpu_hours": float(f"{n_runs * steps * flop / GPU_FLOPS / 3600:.3g}"),
            }
        )
    return pd.DataFrame(rows)


def in_words(costs: pd.DataFrame) -> str:
    """Return the forecast as a person reads it."""
    lines = [
        f"{row.architecture}: {row.runs} runs of {row.steps:,} steps, "
        f"{row.residues_per_step / row.cpu_seconds_per_step:,.0f} residues a second here, "
        f"{row.cpu_hours:,.1f} CPU hours"
        for row in costs.itertuples()
    ]
    return "\n".join(
        [
            *lines,
            f"in all {costs.cpu_hours.sum():,.1f} CPU hours (measured), or "
            f"{costs.gpu_hours.sum():,.2g} hours of a GPU that sustains "
            f"{GPU_FLOPS / 1e12:.0f} TFLOP/s (assumed)",
        ]
    )
