"""Measure, on real proteins and published embeddings, what chapter 07 shows beside the build.

    python benchmarks/measure_published.py DIRECTORY

The directory holds Swiss-Prot's yeast proteins (``swissprot_yeast.fasta.gz``) and those of the
DeepLoc data set (``swissprot_deeploc.fasta.gz``), and published embeddings beside their proteins:
``human70_protbert.h5`` with ``human70.fasta``, ``human354_esm2_650m.h5`` with ``human354.fasta``.
"""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from plm_geometry.association import correlation_interval
from plm_geometry.base import paths
from plm_geometry.isotropy.signs import sign_of
from plm_geometry.pairs import AlignmentSettings, align_pairs, draw_pairs
from plm_geometry.proteins.fasta import read_fasta
from plm_geometry.study import Study
from plm_geometry.study.correlation import GAPS, identities

PROTEINS = {
    "yeast": ("swissprot_yeast.fasta.gz", "Swiss-Prot's yeast proteins"),
    "DeepLoc": ("swissprot_deeploc.fasta.gz", "the DeepLoc proteins"),
}
EMBEDDINGS = {
    "ProtBERT": ("human70.fasta", "human70_protbert.h5", "70 human drug targets"),
    "ESM-2 650M": ("human354.fasta", "human354_esm2_650m.h5", "354 human drug targets"),
}
# Pairs of proteins up to so many residues; 0 is all.
LONGEST = (0, 2_000, 1_000)
N_PAIRS = 20_000
N_FOR_SIGNS = 200
SEED = 1


def score_identity(directory: Path) -> pd.DataFrame:
    """Correlate score and identity over random pairs, by gap costs, denominator and length."""
    rows = []
    for name, (file, words) in PROTEINS.items():
        proteins = read_fasta(directory / file)
        first, second = draw_pairs(len(proteins), N_PAIRS, seed=SEED)
        lengths = {"length_a": proteins.lengths[first], "length_b": proteins.lengths[second]}
        source = f"measured by this project on {N_PAIRS:,} random pairs of {words}; global, PAM-250"
        for gap_open, gap_extend in GAPS:
            costs = {"gap_open": gap_open, "gap_extend": gap_extend}
            settings = AlignmentSettings(denominator="aligned_columns", **costs)
            table = align_pairs(proteins, first, second, settings).assign(**lengths)
            for row in by_denominator_and_length(table):
                rows.append({"proteins": name, **costs, **row, "source": source})
    return pd.DataFrame(rows).drop(columns="standard_error")


def by_denominator_and_length(table: pd.DataFrame) -> Iterator[dict[str, object]]:
    longer = table[["length_a", "length_b"]].max(axis=1)
    for (denominator, identity), longest in product(identities(table).items(), LONGEST):
        kept = (longer <= longest) | (longest == 0)
        columns = [table["alignment_score"], identity, table["accession_a"], table["accession_b"]]
        found = correlation_interval(*(column[kept] for column in columns))
        counted = {"longest": longest, "pairs": int(kept.sum())}
        yield {"denominator": denominator, **counted, **found._asdict()}


def signs(directory: Path) -> pd.DataFrame:
    """Return the sign of published embeddings: of all pairs of at most `N_FOR_SIGNS` proteins."""
    rows = []
    for title, (fasta, vectors, sample) in EMBEDDINGS.items():
        study = Study(proteins=str(directory / fasta), models=[str(directory / vectors)])
        n = len(study.common)
        drawn = np.random.default_rng(SEED).choice(n, min(n, N_FOR_SIGNS), replace=False)
        found = sign_of(study.vectors(str(directory / vectors))[np.sort(drawn)])
        source = f"measured by this project on published embeddings; at most {N_FOR_SIGNS} proteins"
        rows.append({"title": title, "sample": sample, **found._asdict(), "source": source})
    return pd.DataFrame(rows)


def main(directory: Path) -> None:
    tables = {"score_identity_real": score_identity(directory), "signs_real": signs(directory)}
    for name, table in tables.items():
        table.to_csv(paths.PUBLISHED / f"{name}.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
