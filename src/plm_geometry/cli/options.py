"""Options that several verbs share, and what is read from them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from plm_geometry.base.errors import InputError
from plm_geometry.cli.terminal import say

if TYPE_CHECKING:
    from plm_geometry.embedding.files import EmbeddingFile
    from plm_geometry.proteins.fasta import Proteins

Fasta = Annotated[Path, Argument(help="FASTA file, plain or compressed; or bacterium, swissprot.")]
Cluster = Annotated[
    str | None,
    Option(help="Dask scheduler, tcp://HOST:PORT, or local to start one here [default: none]."),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON for machines.")]
Overrides = Annotated[
    list[str],
    Option(
        "-p",
        "--parameter",
        metavar="NAME VALUE",
        help="Override a parameter of the chapter; may be repeated. Lists: a,b,c.",
        show_default=False,
    ),
]


def read_proteins(fasta: Path) -> "Proteins":
    """Read proteins, saying what was normalised."""
    from plm_geometry.proteins import datasets

    proteins = datasets.read_proteins(str(fasta))
    for what, count in proteins.notes.items():
        say(f"note: {fasta.name}: {what}, {count:,} times")
    return proteins


def open_vectors(path: Path) -> "EmbeddingFile":
    """Open a file of embeddings, refusing one of residues."""
    from plm_geometry.embedding.files import EmbeddingFile

    found = EmbeddingFile(path)
    if found.has_residues:
        raise InputError(
            f"{path} has one matrix per protein, of residues; give a file of one vector each."
        )
    return found


def is_made(out: Path, mark: str) -> bool:
    """Tell whether an HDF5 file of that fingerprint is there; refuse to replace another."""
    from plm_geometry.base.provenance import said_by

    if out.exists() and said_by(out, "fingerprint") != mark:
        raise InputError(f"{out} holds something else; choose another output, or remove that file.")
    return out.exists()


def join_overrides(arguments: list[str]) -> list[str]:
    """Turn papermill's ``-p NAME VALUE`` into the ``-p NAME=VALUE`` that typer can repeat."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument in ("-p", "--parameter"):
            name = next(rest, None)
            if name is not None and "=" not in name:
                value = next(rest, None)
                name = name if value is None else f"{name}={value}"
            joined += [name] if name is not None else []
    return joined


def read_overrides(parameters: list[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` pairs."""
    for parameter in parameters:
        if "=" not in parameter:
            raise InputError(f"parameter {parameter!r} has no value; write -p {parameter} VALUE.")
    return dict(parameter.split("=", 1) for parameter in parameters)
