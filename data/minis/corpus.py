"""What the minis read: proteins, their GO terms, and crops of them."""

import argparse
import csv
import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import xlogy

from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, read_fasta

MAX_RESIDUES = 5000  # that a mini reads
CROPPED = 2048  # residues of a protein that crops are cut from
HELD_OUT_SHARE = 20  # one protein in so many
TERM_PROTEINS = 20  # a term that fewer proteins have is left out
_GO_TERM = re.compile(r"GO:\d{7}")


def input_parser(about: str, fasta: str) -> argparse.ArgumentParser:
    """Return a parser of the files that a training reads; `fasta` says of what use those are."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    again = {"type": Path, "action": "append", "required": True}
    parser.add_argument("--fasta", help=f"{fasta}; may be given again", **again)
    terms = "UniProt's table of GO terms, tab-separated, accessions first; may be given again"
    parser.add_argument("--go", help=terms, **again)
    return parser


@dataclass(frozen=True)
class Crop:
    """A stretch of a protein.

    Attributes
    ----------
    sequence : str
        Its residues.
    offset : int
        Residues that stand before it.
    annotations : ndarray of float32, shape (n_terms,)
        One where the protein has the term.
    """

    sequence: str
    offset: int
    annotations: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """Proteins to train on or to measure with.

    Attributes
    ----------
    sequences : tuple of str
    annotations : ndarray, shape (n_proteins, n_terms)
        Zeros and ones.
    """

    sequences: tuple[str, ...]
    annotations: np.ndarray

    def __len__(self) -> int:
        return len(self.sequences)

    def crop(self, index: int, residues: int, rng: np.random.Generator) -> Crop:
        """Cut `residues` out of the beginning of a protein; take it whole if shorter."""
        sequence = self.sequences[index][:CROPPED]
        start = int(rng.integers(max(len(sequence) - residues, 0) + 1))
        return Crop(sequence[start : start + residues], start, self.annotations[index])

    def one_crop_each(self, residues: int, seed: int) -> list[Crop]:
        """Return a crop of every protein."""
        rng = np.random.default_rng(seed)
        return [self.crop(index, residues, rng) for index in range(len(self))]

    def batch(self, step: int, size: int, residues: int, seed: int) -> list[Crop]:
        """Return a step's crops; each protein comes once an epoch.

        A function of step and seed alone, so that a resumed training sees what it would have seen.
        """
        places = np.arange(step * size, (step + 1) * size)
        rng = np.random.default_rng([seed, step])
        crops = []
        for epoch, place in zip(*np.divmod(places, len(self)), strict=True):
            order = np.random.default_rng([seed, epoch, len(self)]).permutation(len(self))
            crops.append(self.crop(order[place], residues, rng))
        return crops


def count_residues(sequences: Iterable[str]) -> np.ndarray:
    """Return how often each standard residue occurs, shape (20,)."""
    found = Counter("".join(sequences))
    return np.array([found[letter] for letter in STANDARD_RESIDUES])


def read_terms(paths: Sequence[Path]) -> dict[str, frozenset[str]]:
    """Read GO terms by accession from tables of UniProt.

    Parameters
    ----------
    paths : sequence of Path
        Tab-separated with a header, plain or gzip-compressed; the first column holds accessions,
        GO terms are found wherever they stand in the others.

    Raises
    ------
    InputError
        If a table has no GO term.
    """
    terms: dict[str, frozenset[str]] = {}
    for path in paths:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            rows = list(csv.reader(file, delimiter="\t"))[1:]
        found = {row[0]: frozenset(_GO_TERM.findall("\t".join(row[1:]))) for row in rows if row}
        if not any(found.values()):
            raise InputError(f"{path} holds no GO term: give UniProt's table with its GO columns.")
        terms |= found
    return terms


def frequent_terms(terms: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the terms of at least `TERM_PROTEINS` proteins, sorted."""
    count = Counter(term for found in terms.values() for term in found)
    return sorted(term for term, n in count.items() if n >= TERM_PROTEINS)


def read_corpora(
    fastas: Sequence[Path], terms: Mapping[str, frozenset[str]], columns: Sequence[str]
) -> tuple[Corpus, Corpus]:
    """Read FASTA files, and divide their proteins into a training and a held-out corpus.

    A sequence counts once. Which side it falls on depends on it alone, so that no file's
    held-out protein is another's training protein; relatives of it may well be.
    """
    found: dict[str, str] = {}
    for path in fastas:
        proteins = read_fasta(path)
        for accession, sequence in zip(proteins.accessions, proteins.sequences, strict=True):
            found.setdefault(sequence, accession)
    held_out = [is_held_out(sequence) for sequence in found]
    parts = []
    for side in (False, True):
        chosen = [seq for seq, is_out in zip(found, held_out, strict=True) if is_out == side]
        rows = [[term in terms.get(found[seq], ()) for term in columns] for seq in chosen]
        parts.append(Corpus(tuple(chosen), np.array(rows, np.float32).reshape(len(rows), -1)))
    return parts[0], parts[1]


def is_held_out(sequence: str) -> bool:
    """Whether a sequence is kept from training: one in `HELD_OUT_SHARE`, by its digest."""
    digest = hashlib.sha256(sequence.encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0


def entropy(counts: np.ndarray, frequencies_of: np.ndarray | None = None) -> float:
    """Return the nats a residue costs whoever knows composition only.

    Parameters
    ----------
    counts : ndarray
        Of the residues that are predicted.
    frequencies_of : ndarray, optional
        Counts that the composition is taken from; the same by default.
    """
    known = counts if frequencies_of is None else frequencies_of
    return float(-xlogy(counts / counts.sum(), known / known.sum()).sum())


def loss_of_frequencies(annotations: np.ndarray, known: np.ndarray) -> float:
    """Return the nats a GO term costs, mean over terms, whoever knows their frequencies only.

    Parameters
    ----------
    annotations, known : ndarray, shape (n_proteins, n_terms)
        What is predicted, and what the frequencies are taken from; proteins without a term count
        in neither.
    """
    annotated = annotations[annotations.any(axis=1)]
    frequency = np.clip(known[known.any(axis=1)].mean(axis=0), 1e-6, 1 - 1e-6)
    return float(-np.mean(annotated * np.log(frequency) + (1 - annotated) * np.log(1 - frequency)))
