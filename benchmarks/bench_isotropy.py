"""IsoScore beside the PyPI package IsoScore and beside the machine's matrix product.

All ratios of a row come from one run, in which the tasks take turns; times are the best of the
rounds. Peak memory is that beyond the input, each measured in a process of its own.

    python benchmarks/bench_isotropy.py                    # 20,000 and 200,000 x 1,024
    python benchmarks/bench_isotropy.py --quick            # 20,000 x 1,024 only
    python benchmarks/bench_isotropy.py --large-file 20    # the command on a file of 20 GB
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from IsoScore import IsoScore as reference

from plm_geometry.isotropy.measures import isoscore
from plm_geometry.isotropy.moments import Moments

DIMENSIONS = 1024
MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "ours": isoscore,
    "reference": lambda vectors: float(reference.IsoScore(vectors)),
}
HEADER = f"""\
Seconds; X.T @ X in 10^9 multiply-adds a second (n d^2); moments as a share of that rate;
peak memory beyond the input in MB; d = {DIMENSIONS:,}
  vectors     type     ours  reference   ratio difference   X.T @ X  moments  ours MB    ref. MB"""
# BLAS libraries keep their threads spinning for a tenth of a second after a product, and would
# take the next task's cores.
SECONDS_TO_REST = 0.25
# Runs the command and prints its peak memory.
COMMAND = """
import sys
from bench_isotropy import memory_kilobytes
from plm_geometry.cli import main
try:
    main()
finally:
    print(memory_kilobytes("VmHWM"), file=sys.stderr)
"""


def cloud(n: int, kind: str, *, distance: float = 1) -> np.ndarray:
    """Return vectors like embeddings: a falling spectrum, a mean `distance` deviations off."""
    rng = np.random.default_rng(0)
    deviations = np.arange(1, DIMENSIONS + 1, dtype=kind) ** -0.5
    vectors = rng.standard_normal((n, DIMENSIONS), dtype=kind)
    vectors *= deviations
    vectors += distance * deviations * rng.choice(np.array([-1, 1], kind), DIMENSIONS)
    return vectors


def best_seconds(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run the tasks in turn, so that a busy moment of the machine meets all of them."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(rounds):
        for name, task in tasks.items():
            time.sleep(SECONDS_TO_REST)
            start = time.perf_counter()
            task()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_megabytes(measure: str, n: int, kind: str) -> float:
    """Return what a measure needs beyond its input, from a fresh process."""
    command = [sys.executable, __file__, "--peak", measure, str(n), kind]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(answer)


def print_own_peak(measure: str, n: int, kind: str) -> None:
    """Print the growth of this process's peak while it measures one cloud."""
    MEASURES[measure](cloud(10, kind))  # what is imported on first use is no part of it
    vectors = cloud(n, kind)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory_kilobytes("VmRSS")
    MEASURES[measure](vectors)
    print((memory_kilobytes("VmHWM") - before) / 1024)


def memory_kilobytes(what: str) -> int:
    """Return VmRSS, the memory of this process, or VmHWM, its peak."""
    return int(re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


def bench(n: int, kind: str, rounds: int) -> str:
    """Return one row of the table."""
    ours, theirs = (peak_megabytes(measure, n, kind) for measure in MEASURES)
    vectors = cloud(n, kind)
    seconds = best_seconds(
        {
            "product": lambda: vectors.T @ vectors,
            "moments": lambda: Moments.from_vectors(vectors),
            "ours": lambda: MEASURES["ours"](vectors),
            "reference": lambda: MEASURES["reference"](vectors),
        },
        rounds,
    )
    difference = abs(MEASURES["ours"](vectors) - MEASURES["reference"](vectors))
    return (
        f"{n:>9,} {kind:>8} {seconds['ours']:>8.2f} {seconds['reference']:>10.2f} "
        f"{seconds['reference'] / seconds['ours']:>7.1f} {difference:>10.0e} "
        f"{n * DIMENSIONS**2 / seconds['product'] / 1e9:>9.0f} "
        f"{seconds['product'] / seconds['moments']:>8.0%} {ours:>8.0f} {theirs:>10.0f}"
    )


def digits_far_from_zero(n: int, distance: float) -> str:
    """Return how far the score is from that of two passes in float64."""
    vectors = cloud(n, "float32", distance=distance)
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    scatter = centred.T @ centred
    two_pass = (np.trace(scatter) ** 2 / np.sum(scatter**2) - 1) / (DIMENSIONS - 1)
    error = abs(isoscore(vectors) / two_pass - 1)
    return (
        f"Mean {distance:,.0f} deviations from zero, {n:,} float32 vectors: IsoScore differs from "
        f"two passes in float64 by {error:.0e} of itself"
    )


def write_large(path: Path, gigabytes: float) -> int:
    """Write a .npy of this size without holding it; return the number of vectors."""
    tile = cloud(16_384, "float32")
    tiles = max(1, round(gigabytes * 1e9 / tile.nbytes))
    shape = (tiles * len(tile), DIMENSIONS)
    with path.open("wb") as handle:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(handle, header)
        for number in range(tiles):
            (tile * np.float32(1 + number / tiles)).tofile(handle)
    return shape[0]


def bench_file(gigabytes: float, directory: Path) -> str:
    """Return how long the command takes on a large file, and its peak memory."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        path = Path(folder) / "large.npy"
        n = write_large(path, gigabytes)
        command = [sys.executable, "-c", COMMAND, "isotropy", str(path), "--json"]
        start = time.perf_counter()
        here = Path(__file__).parent
        answer = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        size = path.stat().st_size / 1e9
    return (
        f"plm-geometry isotropy on {size:.1f} GB, {n:,} x {DIMENSIONS:,} float32: {seconds:.0f} s, "
        f"peak memory {int(answer.stderr.split()[-1]) / 1e3:.0f} MB\n{answer.stdout.strip()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="leave 200,000 vectors out")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the best counts")
    parser.add_argument("--large-file", type=float, metavar="GB", help="measure the command")
    parser.add_argument("--directory", type=Path, help="where the large file goes")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        measure, n, kind = options.peak
        print_own_peak(measure, int(n), kind)
        return
    if options.large_file:
        print(bench_file(options.large_file, options.directory))
        return
    print(HEADER)
    for n in [20_000] if options.quick else [20_000, 200_000]:
        for kind in ("float32", "float64"):
            print(bench(n, kind, options.rounds), flush=True)
    print(digits_far_from_zero(20_000, 1000))


if __name__ == "__main__":
    main()
