"""Families of proteins, where they are known: a table with columns accession and family."""

from pathlib import Path

import pandas as pd

from plm_geometry import paths
from plm_geometry.errors import InputError
from plm_geometry.proteins import Proteins


def read_families(path: str, proteins: Proteins) -> dict[str, str]:
    """Return the family of each protein, by accession.

    Parameters
    ----------
    path : str
        A file of values parted by tabs (or, ``.csv``, by commas) whose first line names the
        columns ``accession`` and ``family``; others are ignored. "demo" is the demo proteome's.
    proteins : Proteins
        Each must be in the table.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or lacks a protein, which is named.
    """
    file = paths.DEMO / "truth.tsv" if path == "demo" else Path(path).expanduser()
    table = _read_table(file)
    if missing := [name for name in ("accession", "family") if name not in table]:
        raise InputError(f"{file.name} has no column {missing[0]!r}; its first line names columns.")
    family = dict(zip(table["accession"], table["family"], strict=True))
    for accession in proteins.accessions:
        if pd.isna(family.get(accession, pd.NA)):
            raise InputError(
                f"{file.name} names no family of {accession}; give one to each protein, or a name "
                "of its own to one that has no relatives."
            )
    return {accession: family[accession] for accession in proteins.accessions}


def _read_table(file: Path) -> pd.DataFrame:
    separator = "," if file.suffix == ".csv" else "\t"
    try:
        return pd.read_csv(file, sep=separator, dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(f"families cannot be read from {file}: {error}.") from error
