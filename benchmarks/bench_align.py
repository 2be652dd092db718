"""Alignment: pairs a second beside Biopython and beside the bare kernel, and agreement.

All on all cores, over random pairs of the same proteins, in one run.

    python benchmarks/bench_align.py [FASTA] [--pairs N] [--compared N] [--rounds N] [--sizes]
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
import parasail
from Bio.Align import PairwiseAligner, substitution_matrices

from plm_geometry.base.compute import available_cores
from plm_geometry.pairs import AlignmentSettings, align_pairs, draw_pairs, draw_stratified, engines
from plm_geometry.pairs.engines import ParasailEngine
from plm_geometry.proteins.datasets import read_proteins

CORES = available_cores()
# Biopython is so much slower that a share of the pairs measures it.
BIOPYTHON_SHARE = 20
SETTINGS = AlignmentSettings()
# Pieces of the bare loop's calls, more than there are threads.
PARTS = 16 * CORES
Call = tuple[bytes, bytes, int, int, parasail.Matrix]


def biopython_counts(pair: tuple[str, str]) -> tuple[float, int]:
    """Return score and identities as Biopython's first alignment has them."""
    aligner = PairwiseAligner(mode="global", open_gap_score=-11, extend_gap_score=-1)
    aligner.substitution_matrix = substitution_matrices.load("PAM250")
    alignment = next(iter(aligner.align(*pair)))
    return alignment.score, alignment.counts().identities


def timed(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def with_biopython(pairs: list[tuple[str, str]]) -> list[tuple[float, int]]:
    with ProcessPoolExecutor(CORES) as pool:
        return list(pool.map(biopython_counts, pairs, chunksize=8))


def recorded_calls(proteins, first: np.ndarray, second: np.ndarray) -> list[Call]:
    """Return every call of the kernel that aligning these pairs makes, the longest first."""
    calls: list[Call] = []

    class Recording(ParasailEngine):
        def _optima(self, first, second, prepared, which):
            for a, b, k in zip(first, second, which, strict=True):
                weighted, matrix = prepared[k]
                if weighted.reach(len(a) + len(b)) <= self.capacity:
                    calls.append((a, b, weighted.gap_open, weighted.gap_extend, matrix))
            return super()._optima(first, second, prepared, which)

    engines.make_engine.cache_clear()
    with patch.object(engines, "ParasailEngine", Recording):
        align_pairs(proteins, first, second, SETTINGS, workers=1, progress=False)
    engines.make_engine.cache_clear()
    return sorted(calls, key=lambda call: -len(call[0]) * len(call[1]))


def with_bare_kernel(calls: list[Call], cores: int) -> list[int]:
    """Make the calls with nothing around them, in as many threads as ours."""
    parts = [calls[start::PARTS] for start in range(PARTS)]
    with ThreadPoolExecutor(cores) as pool:
        found = pool.map(lambda part: [parasail.nw_scan_32(*call).score for call in part], parts)
        return [value for part in found for value in part]


def report_speed(proteins, n_pairs: int, rounds: int) -> None:
    first, second = draw_pairs(len(proteins), n_pairs, seed=1)
    calls = recorded_calls(proteins, first, second)
    few = [
        (proteins.sequences[i].replace("U", "C"), proteins.sequences[j].replace("U", "C"))
        for i, j in zip(first[::BIOPYTHON_SHARE], second[::BIOPYTHON_SHARE], strict=True)
    ]
    works = {
        ("ours", cores): lambda cores=cores: align_pairs(
            proteins, first, second, SETTINGS, workers=cores, progress=False
        )
        for cores in (CORES, 1)
    }
    works |= {
        ("bare kernel", cores): lambda cores=cores: with_bare_kernel(calls, cores)
        for cores in (CORES, 1)
    }
    works["Biopython", CORES] = lambda: with_biopython(few)
    seconds = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            seconds[name].append(timed(work)[0])
    rates = {name: n_pairs / min(found) for name, found in seconds.items()}
    rates["Biopython", CORES] = len(few) / min(seconds["Biopython", CORES])
    print(f"\nscore and identity, {n_pairs:,} random pairs of {proteins.source}, best of {rounds}")
    for (name, cores), rate in rates.items():
        of_biopython = rate / rates["Biopython", CORES]
        print(
            f"  {name:12} {cores} threads {rate:9,.0f} pairs/s   x {of_biopython:.1f} of Biopython"
        )
    ours, bare = (
        {cores: rates[name, cores] for cores in (CORES, 1)} for name in ("ours", "bare kernel")
    )
    print(f"  the kernel is called {len(calls) / n_pairs:.3f} times a pair")
    print(f"  ours reach {ours[CORES] / bare[CORES]:.0%} of the same calls in a bare loop")
    print(
        f"  {CORES} threads: ours x {ours[CORES] / ours[1]:.2f}, bare x {bare[CORES] / bare[1]:.2f}"
    )


def report_agreement(proteins, n_pairs: int) -> None:
    """Compare every score with Biopython's, of random pairs and of pairs that share 5-mers."""
    drawn = draw_stratified(proteins.sequences, 2 * n_pairs, seed=2)
    similar = drawn.stratum > 0
    chosen = {
        "random pairs": draw_pairs(len(proteins), n_pairs, seed=2),
        "homologous pairs": (drawn.first[similar], drawn.second[similar]),
    }
    print()
    for name, pairs in chosen.items():
        ours, biopythons = (
            align_pairs(proteins, *pairs, AlignmentSettings(engine=engine), progress=False)
            for engine in ("parasail", "biopython")
        )
        equal = int((ours["alignment_score"] == biopythons["alignment_score"]).sum())
        same = int((ours == biopythons).all(axis=1).sum())
        print(
            f"{name}: of {len(ours):,}, scores equal to Biopython's {equal:,}, whole rows {same:,}"
        )


def report_sizes(proteins) -> None:
    print("\npairs a second by the number of pairs")
    for n_pairs in (10_000, 100_000, 1_000_000):
        pairs = draw_pairs(len(proteins), n_pairs, seed=3)
        seconds, _ = timed(lambda pairs=pairs: align_pairs(proteins, *pairs, progress=False))
        print(f"  {n_pairs:9,} pairs: {seconds:7.1f} s, {n_pairs / seconds:8,.0f} pairs/s")


def main() -> None:
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("fasta", nargs="?", default="bacterium")
    parser.add_argument("--pairs", type=int, default=40_000)
    parser.add_argument("--compared", type=int, default=2_000, help="pairs compared, each kind")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", action="store_true", help="also 10^4, 10^5 and 10^6 pairs")
    chosen = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    proteins = read_proteins(chosen.fasta)
    report_speed(proteins, chosen.pairs, chosen.rounds)
    report_agreement(proteins, chosen.compared)
    if chosen.sizes:
        report_sizes(proteins)


if __name__ == "__main__":
    main()
