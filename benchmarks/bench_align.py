"""Alignment: pairs a second beside Biopython and beside the bare kernel, and agreement.

All on all cores, over random pairs of the same proteins, in one run.

    python benchmarks/bench_align.py [FASTA] [--pairs N] [--rounds N] [--sizes]
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import parasail
from Bio.Align import PairwiseAligner, substitution_matrices

from plm_geometry import paths
from plm_geometry.align import AlignmentSettings, align_pairs
from plm_geometry.align.engines import ParasailEngine
from plm_geometry.align.substitution import Weights, load_scoring
from plm_geometry.compute import available_cores
from plm_geometry.pairs import draw_pairs
from plm_geometry.proteins import read_fasta

CORES = available_cores()
# Biopython is so much slower that a share of the pairs measures it.
BIOPYTHON_SHARE = 20
# Weights of a size as `ties` chooses: they make the kernel count in 32 bits.
TYPICAL_WEIGHTS = Weights(2**17, 2**11, 1)


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


def with_bare_kernel(pairs: list[tuple[bytes, bytes]]) -> list[int]:
    """Call the kernel that `ties` calls, with nothing around it."""
    engine = ParasailEngine(load_scoring("PAM250", 11, 1), "global")
    weighted, matrix = engine._prepared(TYPICAL_WEIGHTS)

    def score(pair: tuple[bytes, bytes]) -> int:
        return parasail.nw_scan_32(*pair, weighted.gap_open, weighted.gap_extend, matrix).score

    parts = np.array_split(np.arange(len(pairs)), 16 * CORES)
    with ThreadPoolExecutor(CORES) as pool:
        found = pool.map(lambda part: [score(pairs[i]) for i in part], parts)
        return [value for part in found for value in part]


def report_speed(proteins, n_pairs: int, rounds: int) -> None:
    first, second = draw_pairs(len(proteins), n_pairs, seed=1)
    # Longest first, as ours does: what comes last must not keep a core waiting.
    order = np.argsort(-proteins.lengths[first] * proteins.lengths[second])
    first, second = first[order], second[order]
    texts = [
        (proteins.sequences[i].replace("U", "C"), proteins.sequences[j].replace("U", "C"))
        for i, j in zip(first, second, strict=True)
    ]
    letters = [(a.encode(), b.encode()) for a, b in texts]
    few = texts[::BIOPYTHON_SHARE]
    seconds = {"ours": [], "bare kernel": [], "Biopython": []}
    for _ in range(rounds):
        seconds["ours"].append(
            timed(lambda: align_pairs(proteins, first, second, progress=False))[0]
        )
        seconds["bare kernel"].append(timed(lambda: with_bare_kernel(letters))[0])
        seconds["Biopython"].append(timed(lambda: with_biopython(few))[0])
    rates = {name: n_pairs / min(found) for name, found in seconds.items()}
    rates["Biopython"] = len(few) / min(seconds["Biopython"])
    print(f"\nscore and identity, {n_pairs:,} random pairs of {proteins.source}, {CORES} cores")
    for name, rate in rates.items():
        print(f"  {name:12} {rate:10,.0f} pairs/s   x {rate / rates['Biopython']:.1f} of Biopython")
    print(f"  ours reach {rates['ours'] / rates['bare kernel']:.0%} of the bare kernel")


def report_agreement(proteins, n_pairs: int) -> None:
    first, second = draw_pairs(len(proteins), n_pairs, seed=2)
    scores = {
        engine: align_pairs(
            proteins, first, second, AlignmentSettings(engine=engine, ties="engine"), progress=False
        )["alignment_score"]
        for engine in ("parasail", "biopython")
    }
    equal = int((scores["parasail"] == scores["biopython"]).sum())
    print(f"\nscores equal to Biopython's on {equal:,} of {n_pairs:,} pairs")


def report_sizes(proteins) -> None:
    print("\npairs a second by the number of pairs")
    for n_pairs in (10_000, 100_000, 1_000_000):
        pairs = draw_pairs(len(proteins), n_pairs, seed=3)
        seconds, _ = timed(lambda pairs=pairs: align_pairs(proteins, *pairs, progress=False))
        print(f"  {n_pairs:9,} pairs: {seconds:7.1f} s, {n_pairs / seconds:8,.0f} pairs/s")


def main() -> None:
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("fasta", nargs="?", type=Path, default=paths.DEMO / "proteome.fasta.gz")
    parser.add_argument("--pairs", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", action="store_true", help="also 10^4, 10^5 and 10^6 pairs")
    chosen = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    proteins = read_fasta(chosen.fasta)
    report_speed(proteins, chosen.pairs, chosen.rounds)
    report_agreement(proteins, 500)
    if chosen.sizes:
        report_sizes(proteins)


if __name__ == "__main__":
    main()
