"""Retrieval among published embeddings of kinase domains: how `retrieval_kinases.csv` is made.

python data/published/kinases.py VECTORS.h5 PROTEINS.fasta

Each header of the FASTA file is an accession, a gene's name, and ``group_family_subfamily``.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from plm_geometry.association import averaged, pair_auc, retrieve
from plm_geometry.isotropy import remedies
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.study import Study

TABLE = Path(__file__).with_name("retrieval_kinases.csv")
REMEDIES = {
    "as published": None,
    "without the largest coordinate": remedies.WithoutRogues(1),
    "centred": remedies.Centring(),
    "all but the top 1": remedies.AllButTheTop(1),
    "all but the top 10": remedies.AllButTheTop(10),
}


def labels(fasta: Path) -> pd.DataFrame:
    """Return each protein's ``accession``, ``family`` (all three names) and ``group`` (two)."""
    heads = [line[1:].split() for line in fasta.read_text().splitlines() if line.startswith(">")]
    families = [head[2] for head in heads]
    groups = ["_".join(family.split("_")[:2]) for family in families]
    accessions = [head[0] for head in heads]
    return pd.DataFrame({"accession": accessions, "family": families, "group": groups})


def study_of(vectors: Path, fasta: Path) -> Study:
    """Return the study of the published vectors beside what needs no training."""
    with tempfile.TemporaryDirectory() as directory:
        table = Path(directory, "families.tsv")
        labels(fasta).to_csv(table, sep="\t", index=False)
        study = Study(proteins=str(fasta), families=str(table), models=[str(vectors)],
                      controls=["composition"], distance_controls=["kmers"])  # fmt: skip
        _ = study.families
    return study


def measured(x: np.ndarray, known: pd.DataFrame) -> dict[str, float]:
    """Return retrieval, and the areas under the curve over pairs, with intervals by family."""
    family, group, row = list(known["family"]), list(known["group"]), {}
    found = retrieve(x, family)
    intervals = {
        "top_1": averaged(found),
        "average_precision": averaged(found, "average_precision"),
        "auc": pair_auc(x, family),
        "auc_within_groups": pair_auc(x, family, within=group),
        "auc_groups": pair_auc(x, group),
    }
    for name, interval in intervals.items():
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row | {"queries": len(found), "families": found["family"].nunique()}


def held_out(remedy: object, x: np.ndarray, families: np.ndarray) -> dict[str, float]:
    """Return retrieval within each half of the families, by what the other half was fitted to."""
    folds = remedies.cross_fitted(remedy, x, families)
    found = averaged(pd.concat(retrieve(y, families[judged]) for judged, _, y in folds))
    return {
        f"halves_top_1{end}": value
        for end, value in zip(("", "_low", "_high"), found[:3], strict=True)
    }


def rows(study: Study, known: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Yield a row for each remedy, and for each control as it is."""
    for name in study.names:
        x = study.vectors(name).astype(np.float64)
        is_model = study.models.role[name] == "model"
        for remedy, transformer in REMEDIES.items() if is_model else [("", None)]:
            title = "ESM-2 650M" if is_model else study.models.title[name]
            y = transformer.fit_transform(x) if transformer else x
            row = {
                "title": title,
                "vectors": remedy,
                "effective_dimensions": effective_dimensions(y),
            }
            yield row | measured(y, known) | held_out(transformer, x, known["family"].to_numpy())


if __name__ == "__main__":
    study = study_of(*map(Path, sys.argv[1:]))
    table = pd.DataFrame(rows(study, labels(Path(sys.argv[2]))))
    source = f"published embeddings, measured by this project: data/published/{Path(__file__).name}"
    table = table.assign(proteins=len(study.common), source=source)
    table.round(4).to_csv(TABLE, index=False)
