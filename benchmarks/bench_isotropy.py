"""IsoScore beside the PyPI package IsoScore and beside the machine's matrix product.

All ratios of a row come from one run, in which the three take turns; times are the best of the
rounds. Peak memory is that beyond the input, each measured in a process of its own.

    python benchmarks/bench_isotropy.py            # 20,000 x 1,024
    python benchmarks/bench_isotropy.py --large    # and 200,000 x 1,024
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from IsoScore import IsoScore as reference

from plm_geometry.isotropy import isoscore
from plm_geometry.moments import Moments

DIMENSIONS = 1024
MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "ours": isoscore,
    "reference": lambda vectors: float(reference.IsoScore(vectors)),
}
HEADER = f"""\
Seconds; X.T @ X in 10^9 multiply-adds a second (n d^2); moments as a share of that rate;
peak memory beyond the input in MB; d = {DIMENSIONS}
  vectors     type     ours  reference   ratio difference   X.T @ X  moments  ours MB    ref. MB"""


def cloud(n: int, kind: str) -> np.ndarray:
    """Return vectors like embeddings: a falling spectrum and a mean far from zero."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((n, DIMENSIONS), dtype=kind)
    vectors *= np.arange(1, DIMENSIONS + 1, dtype=kind) ** -0.5
    vectors += rng.standard_normal(DIMENSIONS).astype(kind)
    return vectors


def best_seconds(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run the tasks in turn, so that a busy moment of the machine meets all of them."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(rounds):
        for name, task in tasks.items():
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
    vectors = cloud(n, kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    MEASURES[measure](vectors)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def bench(n: int, kind: str, rounds: int) -> str:
    """Return one row of the table."""
    # First, while this process is small: a child's peak begins at its parent's size.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--large", action="store_true", help="measure 200,000 vectors as well")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the best counts")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        measure, n, kind = options.peak
        print_own_peak(measure, int(n), kind)
        return
    print(HEADER)
    for n in [20_000, 200_000] if options.large else [20_000]:
        for kind in ("float32", "float64"):
            print(bench(n, kind, options.rounds), flush=True)


if __name__ == "__main__":
    main()
