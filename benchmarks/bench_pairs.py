"""Pairs: drawing them, finding similar ones, distances between their embeddings.

Distances beside the usual loop over blocks of pairs, which take turns in one process; the best
of the rounds counts. Memory is the peak of what was allocated beyond the input.

    python benchmarks/bench_pairs.py [FASTA]
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from plm_geometry.pairs import count_pairs, draw_pairs, draw_stratified, pair_distances
from plm_geometry.pairs.stratified import similar_pairs
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

DIMENSIONS = 1024
PAIRS = 6_400_000
# The loop is too slow for all pairs, and its time is proportional to them.
LOOP_PAIRS = 100_000
LOOP_BLOCK = 4096


def usual_distances(
    vectors: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines and squared distances, float32 vectors summed in float64, block by block."""
    dot, squared = np.empty(len(first)), np.empty(len(first))
    for start in range(0, len(first), LOOP_BLOCK):
        block = slice(start, start + LOOP_BLOCK)
        a, b = vectors[first[block]], vectors[second[block]]
        dot[block] = np.einsum("ij,ij->i", a, b, dtype=np.float64)
        squared[block] = np.einsum("ij,ij->i", a - b, a - b, dtype=np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    return dot / (lengths[first] * lengths[second]), squared


def timed(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def peak_megabytes(task: Callable[[], object]) -> float:
    tracemalloc.start()
    task()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def cloud(n: int) -> np.ndarray:
    """Return vectors whose mean cosine is 0.5."""
    return np.random.default_rng(0).standard_normal((n, DIMENSIONS), dtype=np.float32) + 1


def bench_distances(n: int, rounds: int) -> str:
    """Return one row: rates in 1,000 pairs a second, and the largest differences."""
    vectors = cloud(n)
    first, second = draw_pairs(n, min(PAIRS, count_pairs(n)), seed=1)
    some = first[:LOOP_PAIRS], second[:LOOP_PAIRS]
    seconds = np.array(
        [
            (timed(lambda: pair_distances(vectors, first, second)),
             timed(lambda: usual_distances(vectors, *some)))
            for _ in range(rounds)
        ]
    ).min(axis=0)  # fmt: skip
    ours, usual = np.array([len(first), LOOP_PAIRS]) / seconds / 1000
    peak = peak_megabytes(lambda: pair_distances(vectors, first, second))
    found = pair_distances(vectors, *some)
    cosine, squared = usual_distances(vectors.astype(np.float64), *some)
    return (
        f"{n:>9,} {len(first):>10,} {seconds[0]:>8.2f} {ours:>8,.0f} {usual:>8,.0f} "
        f"{ours / usual:>6.1f} {np.abs(found.cosine_similarity - cosine).max():>8.0e} "
        f"{np.abs(found.squared_euclidean / squared - 1).max():>8.0e} {peak:>6.0f}"
    )


def sequences_of(fasta: str, n: int) -> list[str]:
    """Return `n` proteins: those of a file at random, and then copies of them with changes."""
    rng = np.random.default_rng(0)
    known = read_proteins(fasta).sequences
    found = [known[i] for i in rng.permutation(len(known))[:n]]
    residues = np.frombuffer(STANDARD_RESIDUES.encode(), dtype=np.uint8)
    while len(found) < n:
        letters = np.frombuffer(known[rng.integers(len(known))].encode(), dtype=np.uint8)
        changed = rng.random(len(letters)) < rng.uniform(0.02, 0.6)
        copy = np.where(changed, rng.choice(residues, len(letters)), letters)
        found.append(copy.tobytes().decode())
    return found


def bench_similar(fasta: str, n: int) -> str:
    """Return one row: what a look at all pairs costs and finds."""
    sequences = sequences_of(fasta, n)
    seconds = timed(lambda: similar_pairs(sequences))
    draw = timed(lambda: draw_stratified(sequences, 100_000, seed=1))
    peak = peak_megabytes(lambda: similar_pairs(sequences))
    found = similar_pairs(sequences)
    return (
        f"{n:>9,} {sum(map(len, sequences)):>12,} {seconds:>8.2f} {draw:>10.2f} "
        f"{len(found.numbers):>10,} {found.n_compared:>9,} {peak:>6.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fasta", nargs="?", default="bacterium")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the best counts")
    options = parser.parse_args()
    print(f"Distances, {DIMENSIONS} dimensions; 1,000 pairs a second; peak beyond the input in MB")
    print(" proteins      pairs  seconds     ours     loop  ratio   cosine  squared     MB")
    for n in (3_578, 6_721, 20_000):
        print(bench_distances(n, options.rounds), flush=True)
    seconds = timed(lambda: draw_pairs(6_721, PAIRS, seed=1))
    print(f"\n{PAIRS:,} of the pairs of 6,721 proteins drawn in {seconds:.2f} s")
    print("\nSimilar pairs: a look at all; drawing 100,000 pairs by strata; peak beyond the input")
    print(" proteins     residues  seconds  s to draw     listed  compared     MB")
    for n in (1_000, 3_000, 6_721, 20_000, 60_000):
        print(bench_similar(options.fasta, n), flush=True)


if __name__ == "__main__":
    main()
