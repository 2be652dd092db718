"""What the ablation reads: proteins divided by families, and what an arm is told of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from corpus import TERM_PROTEINS
from plm_geometry.base.errors import InputError
from plm_geometry.proteins.families import DIRECT_E_VALUE, find_families
from plm_geometry.proteins.fasta import Proteins, read_fasta
from plm_geometry.proteins.phmmer import search_all

SPLIT_SEED = 5
FAMILY_PROTEINS = 2  # a family with fewer proteins in training is no label


@dataclass(frozen=True)
class Division:
    """Proteins to train on and to test with, of which no family has both.

    Attributes
    ----------
    proteins : Proteins
    family : ndarray of int, shape (n_proteins,)
    training, test : ndarray of int
        Numbers of proteins.
    left_out : int
        Proteins of neither, since a search joins them with a test protein.
    """

    proteins: Proteins
    family: np.ndarray
    training: np.ndarray
    test: np.ndarray
    left_out: int

    def sequences(self, which: np.ndarray) -> tuple[str, ...]:
        """Return the sequences of some proteins."""
        return self.proteins.select(which).sequences

    @property
    def counts(self) -> dict[str, int]:
        """How many proteins, residues and families either side has."""
        found = {"left_out": self.left_out}
        for side in ("training", "test"):
            chosen = getattr(self, side)
            found[f"{side}_proteins"] = len(chosen)
            found[f"{side}_residues"] = int(self.proteins.lengths[chosen].sum())
            found[f"{side}_families"] = len(np.unique(self.family[chosen]))
        return found


def read_unique(fastas: Sequence[Path], longest: int) -> Proteins:
    """Read proteins of at most `longest` residues; an accession or a sequence counts once."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for path in fastas:
        proteins = read_fasta(path)
        for accession, sequence in zip(proteins.accessions, proteins.sequences, strict=True):
            if len(sequence) <= longest and accession not in found and sequence not in seen:
                found[accession] = sequence
                seen.add(sequence)
    if not found:
        raise InputError(f"no protein has {longest} residues or fewer.")
    return Proteins(tuple(found), tuple(found.values()), " and ".join(p.name for p in fastas))


def divide(
    proteins: Proteins,
    n_test: int,
    n_families: int,
    *,
    tell: Callable[[str], None] = lambda line: None,
) -> Division:
    """Draw whole families for the test until it has enough proteins and families.

    Parameters
    ----------
    proteins : Proteins
    n_test, n_families : int
        Proteins and families that the test has at least.
    tell : callable
        Takes the line that says how long the search for families will take.

    Raises
    ------
    InputError
        If that leaves fewer proteins to train on than to test with.
    """
    hits = search_all(proteins, tell=tell)
    family = find_families(len(proteins), hits)
    in_test = np.isin(family, _drawn(family, n_test, n_families))
    alike = _joined(in_test, hits)
    found = Division(
        proteins,
        family,
        np.flatnonzero(~in_test & ~alike),
        np.flatnonzero(in_test),
        int(alike.sum()),
    )
    if len(found.training) < len(found.test):
        raise InputError(
            f"{n_test:,} test proteins of {n_families:,} families leave "
            f"{len(found.training):,} to train on: give more proteins."
        )
    return found


def _drawn(family: np.ndarray, n_test: int, n_families: int) -> np.ndarray:
    """Return families in random order until both numbers are reached."""
    names, sizes = np.unique(family, return_counts=True)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(names))
    enough = int(np.searchsorted(sizes[order].cumsum(), n_test)) + 1
    return names[order][: max(enough, n_families)]


def _joined(in_test: np.ndarray, hits: pd.DataFrame) -> np.ndarray:
    """Return which other proteins a hit joins with a test protein, over however little of both."""
    hits = hits[hits["e_value"] <= DIRECT_E_VALUE]
    query, target = hits["query"].to_numpy(), hits["target"].to_numpy()
    joined = np.zeros_like(in_test)
    joined[target[in_test[query]]] = True
    joined[query[in_test[target]]] = True
    return joined & ~in_test


def go_labels(
    accessions: Sequence[str], terms: Mapping[str, frozenset[str]]
) -> tuple[np.ndarray, list[str]]:
    """Return which GO terms each training protein has.

    Returns
    -------
    labels : ndarray of float32, shape (n_proteins, n_terms)
        All zero for a protein of which nothing is known.
    columns : list of str
        The terms that at least `corpus.TERM_PROTEINS` of these proteins have.

    Raises
    ------
    InputError
        If there is no such term.
    """
    rows = [dict.fromkeys(terms.get(name, ()), 1.0) for name in accessions]
    table = pd.DataFrame(rows).fillna(0.0)
    table = table.loc[:, table.sum() >= TERM_PROTEINS].sort_index(axis=1)
    if table.shape[1] == 0:
        raise InputError(f"no GO term has {TERM_PROTEINS} of the training proteins.")
    return table.to_numpy(np.float32), list(table)


def family_labels(family: np.ndarray) -> np.ndarray:
    """Return which family each training protein is of, shape (n_proteins, n_families).

    All zero for a protein of a family with fewer than `FAMILY_PROTEINS` here.
    """
    names, sizes = np.unique(family, return_counts=True)
    return (family[:, None] == names[sizes >= FAMILY_PROTEINS]).astype(np.float32)


def shuffled(labels: np.ndarray, seed: int) -> np.ndarray:
    """Give each labelled protein the labels of another at random; others stay without."""
    known = np.flatnonzero(labels.any(axis=1))
    moved = labels.copy()
    moved[known] = labels[np.random.default_rng(seed).permutation(known)]
    return moved
