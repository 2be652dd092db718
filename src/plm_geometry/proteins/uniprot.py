"""What UniProt publishes and this project reads: Swiss-Prot, and embeddings of all of it."""

from dataclasses import dataclass

_BASE = "https://ftp.uniprot.org/pub/databases/uniprot/current_release/knowledgebase"


@dataclass(frozen=True)
class Download:
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
        f"{_BASE}/complete/uniprot_sprot.fasta.gz",
        "90 MB",
        "all reviewed proteins (CC BY 4.0)",
    ),
    "swissprot-prott5": Download(
        f"{_BASE}/embeddings/uniprot_sprot/per-protein.h5",
        "1.3 GB",
        "UniProt's ProtT5 embedding of each of them (CC BY 4.0)",
    ),
}
