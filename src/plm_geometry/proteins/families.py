"""Families of proteins: from a table, or by phmmer of all against all; remote homologues."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing, write_json
from plm_geometry.proteins.fasta import Proteins
from plm_geometry.proteins.phmmer import search_all

# The families that come with the data sets of these names.
SHIPPED = {"bacterium": paths.BACTERIUM / "families.tsv"}
SHIPPED_REMOTE = {"bacterium": paths.BACTERIUM / "remote_pairs.tsv"}
# A link within a family. In n searches among n proteins, n * 1e-5 hits are expected by chance:
# none, usually. The coverage keeps proteins apart that share one of their domains only.
LINK_E_VALUE = 1e-5
LINK_COVERAGE = 0.7
# Beyond HMMER's own threshold of inclusion, a hit is no evidence of kinship.
DIRECT_E_VALUE = 0.01


def read_families(
    name: str, proteins: Proteins, *, tell: Callable[[str], None] = lambda line: None
) -> dict[str, str]:
    """Return the family of each protein, by accession.

    Parameters
    ----------
    name : str
        A tab-separated file (or, ``.csv``, comma-separated) whose first line names the
        columns ``accession`` and ``family``; others are ignored. A key of `SHIPPED`: that data
        set's. "phmmer": found by searching with each protein among all (`find_families`).
    proteins : Proteins
        Each must be in the table.
    tell : callable
        Takes a line that says how long a search will take.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or lacks a protein, which is named.
    """
    if name == "phmmer":
        family = find_families(len(proteins), search_all(proteins, tell=tell))
        return {a: proteins.accessions[i] for a, i in zip(proteins.accessions, family, strict=True)}
    file = SHIPPED.get(name, Path(name).expanduser())
    table = _table(file, ["accession", "family"], "families")
    family = dict(zip(table["accession"], table["family"], strict=True))
    without = [a for a in proteins.accessions if pd.isna(family.get(a, pd.NA))]
    if without:
        raise InputError(_without_family(file.name, without, proteins))
    return {accession: family[accession] for accession in proteins.accessions}


def read_remote(name: str, accessions: Sequence[str]) -> np.ndarray:
    """Return which pairs of proteins are remote relatives.

    Parameters
    ----------
    name : str
        A table like that of the families, with columns ``accession_a`` and ``accession_b``, as
        `write_families` makes it; pairs of other proteins are ignored. A key of `SHIPPED_REMOTE`:
        that data set's.
    accessions : sequence of str, length n_proteins

    Returns
    -------
    ndarray of bool, shape (n_proteins, n_proteins)
        Symmetric.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    columns = ["accession_a", "accession_b"]
    table = _table(SHIPPED_REMOTE.get(name, Path(name).expanduser()), columns, "remote pairs")
    number = {accession: i for i, accession in enumerate(accessions)}
    first, second = table[columns].map(number.get).dropna().astype(int).to_numpy().T
    found = np.zeros((len(accessions), len(accessions)), dtype=bool)
    found[first, second] = found[second, first] = True
    return found


def find_families(n_proteins: int, hits: pd.DataFrame) -> np.ndarray:
    """Return the families that links make (single linkage), shape ``(n_proteins,)``.

    Two proteins are linked where a search with either finds the other with an E-value up to
    `LINK_E_VALUE` and an alignment that spans `LINK_COVERAGE` of both.

    Parameters
    ----------
    n_proteins : int
    hits : DataFrame
        As of `phmmer.search_all`.

    Returns
    -------
    ndarray of int
        A family is called by the number of its first protein.
    """
    _, label = connected_components(_links(n_proteins, hits), directed=False)
    _, first, label = np.unique(label, return_index=True, return_inverse=True)
    return first[label]


def remote_pairs(n_proteins: int, hits: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of one family of which neither finds the other by itself.

    That a chain of links joins them, each along most of both proteins, says that they are
    related; no hit up to `DIRECT_E_VALUE` says that their sequences hardly show it.

    Returns
    -------
    DataFrame
        ``first``, ``second`` (numbers of proteins, the lower first), ``links`` (of the shortest
        chain: 2 where one protein lies between them) and ``family``.
    """
    links = _links(n_proteins, hits)
    direct = _matrix(n_proteins, hits[hits["e_value"] <= DIRECT_E_VALUE])
    family = pd.Series(find_families(n_proteins, hits))
    found = [np.empty((4, 0), int)]
    for first, members in family.groupby(family).groups.items():
        steps = shortest_path(links[members][:, members], directed=False, unweighted=True)
        remote = np.triu(steps > 1) & ~direct[members][:, members].toarray()
        a, b = np.nonzero(remote)
        chain = steps[a, b].astype(int)
        found.append(np.stack([members[a], members[b], chain, np.full(len(a), first)]))
    columns = ("first", "second", "links", "family")
    return pd.DataFrame(dict(zip(columns, np.concatenate(found, axis=1), strict=True)))


def write_families(
    proteins: Proteins, directory: Path, *, tell: Callable[[str], None] = lambda line: None
) -> dict[str, object]:
    """Search with each protein among all; write families, remote homologues, and what they are.

    Parameters
    ----------
    proteins : Proteins
    directory : Path
        Gets ``families.tsv`` (``accession``, ``family``: the accession of its first protein),
        ``remote_pairs.tsv`` (``accession_a``, ``accession_b``, ``links``, ``family``) and
        ``families.json``.
    tell : callable
        As of `read_families`.

    Returns
    -------
    dict
        What ``families.json`` holds: thresholds, versions and counts.
    """
    hits = search_all(proteins, tell=tell)
    family = find_families(len(proteins), hits)
    remote = remote_pairs(len(proteins), hits)
    name = np.array(proteins.accessions)
    ends = {"accession_a": name[remote["first"]], "accession_b": name[remote["second"]]}
    tables = {
        "families": {"accession": name, "family": name[family]},
        "remote_pairs": {**ends, "links": remote["links"], "family": name[remote["family"]]},
    }
    for stem, table in tables.items():
        with replacing(directory / f"{stem}.tsv") as partial:
            pd.DataFrame(table).to_csv(partial, sep="\t", index=False)
    sizes = np.unique(family, return_counts=True)[1]
    about = {
        "source": proteins.source,
        "sha256": proteins.sha256,
        "search": f"phmmer --nobias, pyhmmer {version('pyhmmer')}",
        "link_e_value": LINK_E_VALUE,
        "link_coverage": LINK_COVERAGE,
        "direct_e_value": DIRECT_E_VALUE,
        "proteins": len(proteins),
        "links": _links(len(proteins), hits).nnz // 2,
        "families": len(sizes),
        "families_of_two_or_more": int((sizes > 1).sum()),
        "proteins_in_those": int(sizes[sizes > 1].sum()),
        "largest": np.sort(sizes)[::-1][:10].tolist(),
        "remote_pairs": len(remote),
        "families_with_remote_pairs": int(remote["family"].nunique()),
    }
    write_json(directory / "families.json", about)
    return about


def _links(n_proteins: int, hits: pd.DataFrame) -> csr_array:
    coverage = hits[["query_coverage", "target_coverage"]].min(axis=1)
    return _matrix(
        n_proteins, hits[(hits["e_value"] <= LINK_E_VALUE) & (coverage >= LINK_COVERAGE)]
    )


def _matrix(n_proteins: int, hits: pd.DataFrame) -> csr_array:
    """Return which pairs hit in either direction, shape ``(n_proteins, n_proteins)``."""
    ends = hits["query"].to_numpy(), hits["target"].to_numpy()
    one_way = csr_array((np.ones(len(hits), bool), ends), shape=(n_proteins, n_proteins))
    return one_way + one_way.T


def _table(file: Path, columns: list[str], what: str) -> pd.DataFrame:
    """Read a table that must have these columns."""
    try:
        table = pd.read_csv(file, sep="," if file.suffix == ".csv" else "\t", dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(f"{what} cannot be read from {file}: {error}.") from error
    if missing := [name for name in columns if name not in table]:
        raise InputError(f"{file.name} has no column {missing[0]!r}; its first line names columns.")
    return table


def _without_family(table: str, without: list[str], proteins: Proteins) -> str:
    if len(without) == len(proteins):
        return (
            f"{table} is of other proteins: none of the {len(proteins):,} of "
            f"{proteins.source} is in it; give theirs, or the word phmmer to have them found."
        )
    more = f" and {len(without) - 1:,} more" if len(without) > 1 else ""
    return (
        f"{table} names no family of {without[0]}{more}; give one to each protein, or a name "
        "of its own to one that has no relatives."
    )
