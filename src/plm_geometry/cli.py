"""The command ``plm-geometry``: a subcommand a verb; bad input is one sentence and status 2."""

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plm_geometry import __version__, paths
from plm_geometry.errors import ComputationError, InputError
from plm_geometry.terminal import aligned, join_overrides, print_warning, read_overrides, say

if TYPE_CHECKING:
    from plm_geometry.proteins import Proteins

app = typer.Typer(
    name="plm-geometry",
    help="Isotropy and geometry of pretrained protein language models: a report you can run.\n\n"
    "Start with `plm-geometry run 01_global_isotropy`, or `plm-geometry models` for what can be "
    "loaded. Bad input ends with one sentence and exit status 2; a run in which no protein is "
    "left, or some could not be embedded, ends with 1.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="List, show or check the models.", rich_markup_mode=None)
app.add_typer(models_app, name="models")

Fasta = Annotated[Path, typer.Argument(help="FASTA file, plain or .gz.", show_default=False)]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Dask scheduler, tcp://HOST:PORT, or local to start one here [default: none].",
        show_default=False,
    ),
]


def main() -> None:
    """Run the command; turn what was wrong with the input into a sentence and a status."""
    # A chapter or a command must never look for a newer file on a hub by itself.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    warnings.showwarning = print_warning
    try:
        app(join_overrides(sys.argv[1:]), prog_name="plm-geometry")
    except InputError as error:
        say(f"plm-geometry: {error}")
        sys.exit(error.exit_status)
    except ComputationError as error:
        say(str(error))
        sys.exit(1)
    except OSError as error:
        # Disk full, permission denied: what was finished is kept, the store resumes it.
        say(f"plm-geometry: {error.filename or 'the system'}: {error.strerror or error}.")
        sys.exit(2)
    except KeyboardInterrupt:
        say("plm-geometry: stopped; the same command goes on from here.")
        sys.exit(130)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version where asked."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    chapter: Annotated[str, typer.Argument(help="Chapter, e.g. 03_correlation.")],
    profile: Annotated[
        str, typer.Option(help="demo, laptop, paper, or a YAML file of parameters.")
    ] = "demo",
    parameter: Annotated[
        list[str],
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME VALUE",
            help="Override a parameter of the chapter; may be repeated. Lists: a,b,c.",
            show_default=False,
        ),
    ] = [],  # noqa: B006  (typer copies it)
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where a run with overrides goes [default: runs/CHAPTER-HASH].",
            show_default=False,
        ),
    ] = None,
    parameters: Annotated[
        bool, typer.Option("--parameters", help="List the chapter's parameters and stop.")
    ] = False,
) -> None:
    """Execute one chapter, on a profile or on your proteins.

    Without overrides the result goes where the book takes it from. With -p or --out it goes to a
    directory of its own: executed notebook, HTML, tables (CSV), figures (SVG, PNG), summary.json.

    Example: plm-geometry run 03_correlation -p proteins my.fasta.gz -p n_proteins 300
    """
    from plm_geometry.chapters import read_parameters, run_chapter

    if parameters:
        for name, declared in read_parameters(chapter).items():
            typer.echo(f"{name}: {declared.type_name} = {declared.default!r}  # {declared.help}")
        return
    where = run_chapter(chapter, profile, read_overrides(parameter), out=out, tell=say)
    typer.echo(where)


@app.command()
def book(
    profile: Annotated[str, typer.Option(help="Profile whose chapters the book shows.")] = "demo",
) -> None:
    """Execute what has changed and build the HTML book."""
    from plm_geometry import chapters

    typer.echo(chapters.build_book(profile, tell=say))


@app.command()
def embed(
    model: Annotated[str, typer.Argument(help="Key (see `models`), directory or hub id.")],
    proteins: Fasta,
    out: Annotated[
        Path, typer.Option(help="FILE.h5 (UniProt's layout), or a directory for a store.")
    ],
    layers: Annotated[str, typer.Option(help="last, all, or numbers such as 0,6,-1.")] = "last",
    residues: Annotated[
        Path | None,
        typer.Option(help="Also write every residue's vector, to this .h5.", show_default=False),
    ] = None,
    max_residues: Annotated[
        int | None,
        typer.Option(min=1, help="Cut longer proteins there; off by default.", show_default=False),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto (every GPU, else cpu), cpu, cuda:0,cuda:1, ...")
    ] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, bf16 or fp16.")] = "fp32",
    pooling: Annotated[
        str, typer.Option(help="mean, mean_with_special, first or max over a protein's residues.")
    ] = "mean",
    residues_per_batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Padded residues that run together [default: what is fastest here].",
            show_default=False,
        ),
    ] = None,
    padded_length: Annotated[
        str,
        typer.Option(
            help="Of ProteinBERT: none, power of two, or the number of positions (512, 1024)."
        ),
    ] = "none",
    cluster: Cluster = None,
) -> None:
    """Embed proteins with a model, into HDF5 or a store.

    One vector a protein, and the moments of all residues.
    Proteins longer than the model takes are counted, named and left out. A run that was stopped
    goes on where it was when the same command is given again.
    """
    from plm_geometry.jobs import EmbedJob

    job = EmbedJob(model, out, layers, residues, max_residues, device, precision, pooling,
                   residues_per_batch, padded_length, cluster)  # fmt: skip
    job.run(_read(proteins), tell=say)
    for word, named in (("cut", job.cut), ("left out", job.left_out)):
        if named:
            say(f"{word}: {len(named):,} proteins")
        for accession, why in named.items():
            say(f"{word}: {accession} ({why})")
    typer.echo(out)
    if job.ran_out_of_memory:
        raise typer.Exit(1)


@app.command()
def isotropy(
    file: Annotated[Path, typer.Argument(help=".npy, .h5 or .parquet, one vector a protein.")],
    transpose: Annotated[
        bool, typer.Option("--transpose", help="The file holds (dimensions, vectors).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Measure the isotropy of a file of vectors.

    IsoScore, effective dimensions (the participation ratio) and the exact mean cosine similarity,
    over all vectors of a .npy, .h5 (UniProt's or bio_embeddings' layout) or Parquet file.
    """
    from plm_geometry.vectors import file_isotropy

    row = file_isotropy(file, transpose=transpose)
    for warning in row["warnings"]:
        say(f"warning: {warning}")
    if as_json:
        typer.echo(json.dumps(row))
        return
    for name, value in row.items():
        if name != "warnings":
            typer.echo(f"{name:24} {'-' if value is None else format(value, '.6g')}")


@app.command()
def align(
    proteins: Fasta,
    out: Annotated[Path, typer.Option(help="Parquet file for the pairs.")],
    n_pairs: Annotated[
        int, typer.Option("--pairs", min=1, help="Pairs to draw at random, without replacement.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="What the draw depends on.")] = 1,
    matrix: Annotated[str, typer.Option(help="Amino-acid matrix of Biopython.")] = "PAM250",
    gap_open: Annotated[float, typer.Option(help="Cost of a gap's first residue.")] = 11,
    gap_extend: Annotated[float, typer.Option(help="Cost of each further residue.")] = 1,
) -> None:
    """Align random pairs of proteins, into Parquet.

    Global alignment: score, identities, alignment length, sequence identity.
    """
    from plm_geometry import jobs

    jobs.align_file(
        _read(proteins),
        out,
        n_pairs=n_pairs,
        seed=seed,
        matrix=matrix,
        gap_open=gap_open,
        gap_extend=gap_extend,
    )
    typer.echo(out)


@app.command()
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
    from plm_geometry import download, uniprot

    known = uniprot.DOWNLOADS.get(what)
    if known is None and "://" not in what:
        raise InputError(
            f"nothing to fetch is called {what!r}; give a URL or one of "
            f"{', '.join(uniprot.DOWNLOADS)}."
        )
    url = known.url if known else what
    path = out or paths.SWISSPROT.with_name(url.rsplit("/", 1)[-1])
    if known:
        say(f"{known.what}, about {known.size}, from {url}")
    record = download.fetch(url, path, sha256=sha256)
    typer.echo(f"{path}  sha256 {record['sha256']}")


@models_app.callback(invoke_without_command=True)
def models_list(
    context: typer.Context,
    wide: Annotated[
        bool, typer.Option("--wide", help="Show preprocessing, source, revision and citation, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the models that can be loaded, show one in full, or check a checkpoint.

    Wherever a key is accepted, so are a checkpoint's directory, a Hugging Face id, untrained:KEY,
    and a file of embeddings.
    """
    if context.invoked_subcommand is not None:
        return
    from plm_geometry.models import listing

    if as_json:
        typer.echo(json.dumps(listing.records(), indent=2))
        return
    typer.echo(aligned(listing.table(wide=wide)))
    if not wide:
        say("`plm-geometry models show KEY`, or --wide, says the rest: source, citation, ...")


@models_app.command("show")
def models_show(
    model: Annotated[str, typer.Argument(help="Key, directory, hub id or file of embeddings.")],
) -> None:
    """Show all that is known of one model without loading it."""
    from plm_geometry.models import listing

    for name, value in listing.entry(model).items():
        typer.echo(f"{name:16} {value}")


def _read(fasta: Path) -> "Proteins":
    """Read proteins, saying what was normalised."""
    from plm_geometry.proteins import read_fasta

    proteins = read_fasta(fasta)
    for what, count in proteins.notes.items():
        say(f"note: {fasta.name}: {what}, {count:,} times")
    return proteins


@models_app.command("check")
def models_check(
    model: Annotated[str, typer.Argument(help="Key, directory or hub id.")],
    against: Annotated[
        str | None,
        typer.Option(help="Key whose reference a checkpoint of yours should equal."),
    ] = None,
) -> None:
    """Compare what a checkpoint computes with reference figures.

    For PROTEIN and SEQWENCE, residue by residue: a minute that shows that download and
    preprocessing are right. Passes at a relative difference of 0.001 at most.
    """
    from plm_geometry.models import check

    result = check(model, against=against)
    typer.echo(aligned(result.residues))
    typer.echo(result.message)
    if result.passed is False:
        raise typer.Exit(1)
