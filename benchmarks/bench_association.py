"""Association over 6.4 million simulated pairs, beside NumPy's correlation of the same columns.

The tasks take turns in one process; the best of the rounds counts. Memory is the peak of what
was allocated beyond the table of pairs. "Leaving out in a loop" correlates the columns anew
without one protein: a few of them are timed, and multiplied.

    python benchmarks/bench_association.py
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from plm_geometry import association
from plm_geometry.association import COLUMNS

PROTEINS = 3_578  # all pairs of them are 6.4 million
LOOP_PROTEINS = 3


def simulated_pairs(n_proteins: int) -> pd.DataFrame:
    """Return all pairs, whose quantities are in part their proteins'."""
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(n_proteins, 1)
    effects = rng.standard_normal((n_proteins, 4)) @ rng.standard_normal((4, 4))
    lengths = np.exp(rng.normal(5.8, 0.7, n_proteins)).round()
    names = pd.Categorical([f"P{i:05d}" for i in range(n_proteins)])
    columns = {
        name: effects[first, i] + effects[second, i] + rng.standard_normal(len(first))
        for i, name in enumerate(COLUMNS)
    }
    sides = {"accession_a": names[first], "accession_b": names[second]}
    return pd.DataFrame(columns | sides | {"length_a": lengths[first], "length_b": lengths[second]})


def loop_over_proteins(pairs: pd.DataFrame) -> None:
    """Leave out a few proteins, one after another, as one would without sums by protein."""
    for protein in pairs["accession_a"].cat.categories[:LOOP_PROTEINS]:
        kept = (pairs["accession_a"] != protein) & (pairs["accession_b"] != protein)
        np.corrcoef(pairs.loc[kept, list(COLUMNS)].to_numpy().T)


TASKS: dict[str, Callable[[pd.DataFrame], object]] = {
    "numpy.corrcoef": lambda pairs: np.corrcoef(pairs[list(COLUMNS)].to_numpy().T),
    "4 x 4 matrix": association.correlation_matrix,
    "all its intervals": association.correlation_intervals,
    "the same, ranked": lambda pairs: association.correlation_intervals(pairs, "spearman"),
    f"leaving out {LOOP_PROTEINS} in a loop": loop_over_proteins,
    "adjusted for lengths": association.adjusted_for_lengths,
    "spread at three bins": lambda pairs: association.spread_at(
        pairs, "sequence_identity", "cosine_similarity", [-4, -1, 1, 4]
    ),
    "distance correlation": lambda pairs: association.distance_correlation(
        pairs["cosine_similarity"], pairs["sequence_identity"], seed=0
    ),
}


def best_seconds(pairs: pd.DataFrame, rounds: int) -> dict[str, float]:
    """Run the tasks in turn, so that a busy moment of the machine meets all of them."""
    best = dict.fromkeys(TASKS, float("inf"))
    for _ in range(rounds):
        for name, task in TASKS.items():
            start = time.perf_counter()
            task(pairs)
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_megabytes(task: Callable[[pd.DataFrame], object], pairs: pd.DataFrame) -> float:
    tracemalloc.start()
    task(pairs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the best counts")
    options = parser.parse_args()
    pairs = simulated_pairs(PROTEINS)
    seconds = best_seconds(pairs, options.rounds)
    print(f"{len(pairs):,} pairs of {PROTEINS:,} proteins; seconds, times numpy.corrcoef, peak MB")
    for name, task in TASKS.items():
        ratio = seconds[name] / seconds["numpy.corrcoef"]
        peak = peak_megabytes(task, pairs)
        print(f"{name:>24} {seconds[name]:>8.2f} {ratio:>8.1f} {peak:>8.0f}", flush=True)
    loop = seconds[f"leaving out {LOOP_PROTEINS} in a loop"] * PROTEINS / LOOP_PROTEINS
    print(f"All intervals at once: {loop / seconds['all its intervals']:,.0f} x as fast as a loop.")


if __name__ == "__main__":
    main()
