"""Proteins: reading FASTA files, normalising and counting what was normalised, sampling."""

import bz2
import gzip
import hashlib
import io
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from Bio.SeqIO.FastaIO import SimpleFastaParser

from plm_geometry.base.errors import InputError, NothingLeftError

STANDARD_RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
# The IUPAC letters beyond the twenty: ambiguity codes, selenocysteine, pyrrolysine.
OTHER_RESIDUES = "BJOUXZ"
_ILLEGAL = re.compile(f"[^{STANDARD_RESIDUES}{OTHER_RESIDUES}]")
# How alignments write that a residue is missing.
_GAPS = "-."
_UNIPROT_HEADER = re.compile(r"(?:sp|tr)\|([^|\s]+)\|")


@dataclass(frozen=True)
class Proteins:
    """An ordered set of proteins, each named by its accession.

    Attributes
    ----------
    accessions, sequences : tuple of str
        One entry per protein; sequences are upper case, IUPAC letters only.
    source : str
        Where they come from, as a person would name it.
    notes : mapping of str to int
        What reading them normalised, and how often.
    """

    accessions: tuple[str, ...]
    sequences: tuple[str, ...]
    source: str
    notes: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.accessions)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Residues of each protein, shape ``(n_proteins,)``."""
        return np.fromiter(map(len, self.sequences), dtype=np.int64, count=len(self))

    @cached_property
    def composition(self) -> np.ndarray:
        """Share of each of the 20 standard residues in each protein, ``(n_proteins, 20)``."""
        counts = [
            [sequence.count(letter) for letter in STANDARD_RESIDUES] for sequence in self.sequences
        ]
        return np.array(counts, dtype=np.float64).reshape(-1, 20) / self.lengths[:, None]

    @cached_property
    def sha256(self) -> str:
        """Digest of accessions and sequences in order, whatever file they came from."""
        digest = hashlib.sha256()
        for accession, sequence in zip(self.accessions, self.sequences, strict=True):
            digest.update(f">{accession}\n{sequence}\n".encode())
        return digest.hexdigest()

    def select(self, indices: Sequence[int] | np.ndarray) -> "Proteins":
        """Return the proteins at `indices`, in that order."""
        accessions = tuple(self.accessions[i] for i in indices)
        sequences = tuple(self.sequences[i] for i in indices)
        return replace(self, accessions=accessions, sequences=sequences)


def read_fasta(path: str | Path) -> Proteins:
    """Read a FASTA file, plain or compressed by gzip (bgzip too), bzip2, xz or zstd.

    UniProt headers (``sp|ACCESSION|NAME``) name a protein by its accession, others by their
    first word. Lower case, Windows line ends, comment lines (``;``), one trailing ``*`` and
    repeated identical records are normalised and counted in `Proteins.notes`.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Proteins
        In the order of the file.

    Raises
    ------
    InputError
        If the file is missing, empty, no FASTA or a broken archive, if a sequence is empty or has
        a letter that is no residue, or if one accession has two sequences.
    """
    path = Path(path)
    notes: Counter[str] = Counter()
    found: dict[str, str] = {}
    for accession, raw in _records(path, notes):
        sequence = _normalise(raw, accession, path, notes)
        if found.setdefault(accession, sequence) != sequence:
            raise InputError(
                f"{path}: accession {accession} stands for two different sequences; "
                "rename or remove one of them."
            )
        notes["records"] += 1
    if not found:
        raise InputError(f"{path} holds no protein; give a FASTA file with at least one record.")
    notes["repeated records"] = notes.pop("records") - len(found)
    return Proteins(tuple(found), tuple(found.values()), path.name, dict(+notes))


def accession_of(header: str) -> str:
    """Return the accession of a UniProt header (``sp|ACCESSION|NAME``), else its first word."""
    match = _UNIPROT_HEADER.match(header)
    return match.group(1) if match else (header.split() or [""])[0]


def sample(
    proteins: Proteins, n: int, *, seed: int, families: Sequence[str] | None = None
) -> Proteins:
    """Draw `n` proteins without replacement, kept in their order.

    Parameters
    ----------
    proteins : Proteins
    n, seed : int
    families : sequence of str, optional
        The family of each: whole families are then drawn, so that a drawn protein's relatives are
        there, too. All proteins are equally likely all the same; the last family drawn may be cut.

    Raises
    ------
    InputError
        If there are fewer than `n`.
    """
    if n > len(proteins):
        raise InputError(
            f"{n} proteins were asked for, but {proteins.source} holds {len(proteins)}; "
            "ask for fewer, or for 0 to take them all."
        )
    rng = np.random.default_rng(seed)
    if families is None:
        return proteins.select(np.sort(rng.choice(len(proteins), size=n, replace=False)))
    names, family = np.unique(families, return_inverse=True)
    shuffled = rng.permutation(len(proteins))
    by_family = shuffled[np.argsort(rng.permutation(len(names))[family[shuffled]], kind="stable")]
    return proteins.select(np.sort(by_family[:n]))


def within_limit(proteins: Proteins, max_residues: int | None) -> tuple[Proteins, dict[str, str]]:
    """Leave out the proteins that are longer than `max_residues`, and say so of each.

    Returns
    -------
    proteins : Proteins
        Those that are left, in order.
    left_out : dict of str to str
        Accession to reason.

    Raises
    ------
    NothingLeftError
        If none is left.
    """
    fits = proteins.lengths <= (np.inf if max_residues is None else max_residues)
    if not fits.any():
        raise NothingLeftError(
            f"all {len(proteins)} proteins of {proteins.source} are longer than the "
            f"{max_residues} residues this model takes; choose a model without that limit."
        )
    left_out = {
        proteins.accessions[i]: f"{proteins.lengths[i]} residues, the model takes {max_residues}"
        for i in np.flatnonzero(~fits)
    }
    return proteins.select(np.flatnonzero(fits)) if left_out else proteins, left_out


def cut_to(proteins: Proteins, max_residues: int) -> tuple[Proteins, dict[str, str]]:
    """Cut proteins after `max_residues` residues; return all, and what was done by accession."""
    cut = {
        proteins.accessions[i]: f"cut from {proteins.lengths[i]} to {max_residues} residues"
        for i in np.flatnonzero(proteins.lengths > max_residues)
    }
    sequences = tuple(sequence[:max_residues] for sequence in proteins.sequences)
    return replace(proteins, sequences=sequences), cut


def _records(path: Path, notes: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield (accession, raw sequence), turning every reading error into a sentence."""
    try:
        content = io.BytesIO(_unpacked(path.read_bytes(), path))
        # newline="": Windows line ends stay visible and are counted.
        lines = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        for header, sequence in SimpleFastaParser(_checked_lines(lines, path, notes)):
            if not (accession := accession_of(header)):
                raise InputError(f"{path}: a record has no name; put an accession after its '>'.")
            yield accession, sequence
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file; give a FASTA file.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _unpack_zstd(content: bytes) -> bytes:
    import pyarrow as pa  # Python itself reads it from 3.14 on

    return pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()


_PACKED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
    b"\x28\xb5\x2f\xfd": ("zstd", _unpack_zstd),
}


def _unpacked(content: bytes, path: Path) -> bytes:
    """Return a file's content; what packed it is known by the first bytes, not by the name."""
    for magic, (name, unpack) in _PACKED.items():
        if content.startswith(magic):
            try:
                return unpack(content)
            except Exception as error:  # each library has errors of its own for it
                raise InputError(
                    f"{path} is a broken {name} file ({error}); copy or download it again."
                ) from error
    return content


def _checked_lines(lines: Iterable[str], path: Path, notes: Counter[str]) -> Iterator[str]:
    """Yield the lines, refusing text before the first header, which the parser would skip."""
    seen_header = False
    for line in lines:
        if line.startswith(";"):
            notes["comment lines"] += 1
            continue
        if line.endswith("\r\n"):  # the parser drops them without a word
            notes["Windows line ends"] += 1
        seen_header = seen_header or line.startswith(">")
        if line.strip() and not seen_header:
            raise InputError(f"{path} does not begin with a '>' header; give a FASTA file.")
        yield line


def _normalise(raw: str, accession: str, path: Path, notes: Counter[str]) -> str:
    """Return the sequence in upper case letters, counting what had to be changed."""
    sequence = raw.removesuffix("*")
    notes["trailing *"] += sequence != raw
    notes["lower case"] += any(map(str.islower, sequence)) if not sequence.isupper() else 0
    sequence = sequence.upper()
    _check_letters(sequence, accession, path)
    return sequence


def _check_letters(sequence: str, accession: str, path: Path) -> None:
    if not sequence:
        raise InputError(f"{path}: protein {accession} has no residues; remove the record.")
    if match := _ILLEGAL.search(sequence):
        where = f"{path}: protein {accession} has {match.group()!r} at position {match.start() + 1}"
        if match.group() in _GAPS:
            raise InputError(f"{where}: these are aligned; give the sequences without gaps.")
        raise InputError(f"{where}, which is no residue; use the IUPAC amino-acid letters.")
