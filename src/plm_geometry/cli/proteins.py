"""Verbs for proteins: `fetch` downloads them, `families` finds their homologues."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.cli.options import Fasta, read_proteins
from plm_geometry.cli.terminal import say


def families(
    proteins: Fasta, out: Annotated[Path, Option(help="Directory for the tables.")]
) -> None:
    """Find families and remote homologues, by phmmer of all against all.

    Writes families.tsv (which chapters take by -p families FILE), remote_pairs.tsv and
    families.json, with thresholds and counts. The same command resumes a run that was stopped.

    Example: plm-geometry families my.fasta.gz --out found
    """
    from plm_geometry.proteins.families import write_families

    for name, value in write_families(read_proteins(proteins), out, tell=say).items():
        say(f"{name.replace('_', ' ')}: {value}")
    echo(out / "families.tsv")


def fetch(
    what: Annotated[str, Argument(help="swissprot, swissprot-prott5, or a URL.")],
    out: Annotated[Path | None, Option(help="File to write [default: below data/cache].")] = None,
    sha256: Annotated[str | None, Option(help="Refuse a file with another checksum.")] = None,
) -> None:
    """Download Swiss-Prot or its published embeddings.

    The same command resumes a download that was cut; size, date and sha256 are recorded beside
    the file.

    Example: plm-geometry fetch swissprot
    """
    from plm_geometry.base import download
    from plm_geometry.proteins import uniprot

    known = uniprot.DOWNLOADS.get(what)
    if known is None and "://" not in what:
        names = ", ".join(uniprot.DOWNLOADS)
        raise InputError(f"nothing to fetch is called {what!r}; give a URL or one of {names}.")
    url = known.url if known else what
    path = out or paths.CACHE / "uniprot" / url.rsplit("/", 1)[-1]
    if out is None and path.name == paths.SWISSPROT.name:
        path = paths.SWISSPROT
    if known:
        say(f"{known.what}, about {known.size}, from {url}")
    record = download.fetch(url, path, sha256=sha256)
    echo(f"{path}  sha256 {record['sha256']}")
