"""Named data sets: the bacterium and Swiss-Prot, checked, and what can be fetched from UniProt."""

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import sha256_of
from plm_geometry.proteins.fasta import Proteins, read_fasta

# 2,100 proteins predicted from one genome (NCBI taxon 938293), which pyhmmer's own tests read.
_BACTERIUM = "tests/data/seqs/938293.PRJEB85.HG003687.faa"
_BACTERIUM_SHA256 = "7190c967978a9921f69dadc710db2d826b41ec738894bf51c1d439106d0a4a08"
_UNIPROT = "https://ftp.uniprot.org/pub/databases/uniprot/current_release/knowledgebase"


class Download(NamedTuple):
    """One file that can be fetched.

    Attributes
    ----------
    url : str
        Where it lies. UniProt's ``current_release`` moves every few weeks, so what was
        fetched is recorded beside the file: URL, size, sha256, the server's date.
    size : str
        About how large it is, for a person.
    what : str
        What it holds.
    """

    url: str
    size: str
    what: str


DOWNLOADS = {
    "swissprot": Download(
        f"{_UNIPROT}/complete/uniprot_sprot.fasta.gz", "90 MB", "all reviewed proteins (CC BY 4.0)"
    ),
    "swissprot-prott5": Download(
        f"{_UNIPROT}/embeddings/uniprot_sprot/per-protein.h5",
        "1.3 GB",
        "UniProt's ProtT5 embedding of each of them (CC BY 4.0)",
    ),
}


def read_proteins(name: str) -> Proteins:
    """Read the proteins of "bacterium", "swissprot", or of a FASTA file.

    Raises
    ------
    InputError
        As `fasta.read_fasta`; if Swiss-Prot has not been fetched, or the bacterium's file is
        missing or altered.
    """
    if name == "bacterium":
        return _read_bacterium()
    if name == "swissprot" and not paths.SWISSPROT.exists():
        raise InputError(
            "Swiss-Prot has not been downloaded; run `plm-geometry fetch swissprot` first."
        )
    return read_fasta(paths.SWISSPROT if name == "swissprot" else Path(name).expanduser())


def _read_bacterium() -> Proteins:
    """Read the bacterium; an accession is the contig's and the gene's number: HG003688_1."""
    file = Path(find_spec("pyhmmer").origin).parent / _BACTERIUM
    if not file.exists() or sha256_of(file) != _BACTERIUM_SHA256:
        state = "altered" if file.exists() else "not here"
        raise InputError(
            f"the bacterium's proteins, which come with pyhmmer, are {state}; install them by "
            "`pip install --force-reinstall pyhmmer==0.12.3`."
        )
    found = read_fasta(file)
    short = tuple(re.sub(r".*\.", "", accession) for accession in found.accessions)
    return replace(found, accessions=short, source="bacterium")
