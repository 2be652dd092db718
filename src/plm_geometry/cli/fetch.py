"""`plm-geometry fetch`: downloads, resumed and verified."""

from pathlib import Path
from typing import Annotated

import typer

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.cli.terminal import say


def fetch(
    what: Annotated[str, typer.Argument(help="swissprot, swissprot-prott5, or a URL.")],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write [default: below data/cache].", show_default=False),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Refuse a file with another checksum.", show_default=False)
    ] = None,
) -> None:
    """Download Swiss-Prot or its published embeddings.

    A download that was cut goes on where it broke; size, date and sha256 are recorded beside it.
    """
    from plm_geometry.base import download
    from plm_geometry.proteins import uniprot

    known = uniprot.DOWNLOADS.get(what)
    if known is None and "://" not in what:
        raise InputError(
            f"nothing to fetch is called {what!r}; give a URL or one of "
            f"{', '.join(uniprot.DOWNLOADS)}."
        )
    url = known.url if known else what
    path = out or paths.CACHE / "uniprot" / url.rsplit("/", 1)[-1]
    if out is None and path.name == paths.SWISSPROT.name:
        path = paths.SWISSPROT
    if known:
        say(f"{known.what}, about {known.size}, from {url}")
    record = download.fetch(url, path, sha256=sha256)
    typer.echo(f"{path}  sha256 {record['sha256']}")
