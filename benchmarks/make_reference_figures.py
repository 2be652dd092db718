"""Reduce bio_embeddings' reference embeddings to the figures that ``models check`` compares with.

    python benchmarks/make_reference_figures.py DIRECTORY_OF_NPZ_FILES

The directory holds one ``<checkpoint>.npz`` a model, with arrays "test_case 1" (PROTEIN) and
"test_case 2" (SEQWENCE) of shape (residues, width), from the bio_embeddings project (MIT).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from plm_geometry.base import paths
from plm_geometry.models.checking import PROTEINS, REFERENCES, summarise

SOURCE = "bio_embeddings (MIT)"


def main(directory: Path) -> None:
    tables = []
    for checkpoint in REFERENCES.values():
        with np.load(directory / f"{checkpoint}.npz") as arrays:
            for number, protein in enumerate(PROTEINS, start=1):
                places = {
                    "checkpoint": checkpoint,
                    "protein": protein,
                    "position": range(1, len(protein) + 1),
                    "residue": list(protein),
                }
                figures = summarise(arrays[f"test_case {number}"])
                tables.append(pd.DataFrame({**places, **figures, "source": SOURCE}))
    path = paths.PUBLISHED / "reference_embeddings.csv"
    pd.concat(tables).to_csv(path, index=False, float_format="%.7g")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
