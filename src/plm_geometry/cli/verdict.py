"""`plm-geometry verdict`: published numbers and a run's, and runs made elsewhere taken in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plm_geometry.base.errors import InputError
from plm_geometry.cli.terminal import aligned, say

if TYPE_CHECKING:
    import pandas as pd


def verdict(
    summaries: Annotated[
        list[Path],
        typer.Argument(
            help="With --add: summary.json of one run's chapters, or what `isotropy FILE --json` "
            "printed.",
            show_default=False,
        ),
    ] = [],  # noqa: B006  (typer copies it)
    add: Annotated[
        bool, typer.Option("--add", help="Take in a run made elsewhere, into data/runs.")
    ] = False,
    name: Annotated[
        str, typer.Option(help="Of the run taken in [default: proteins and model].")
    ] = "",
    note: Annotated[str, typer.Option(help="What to say of the run taken in, for a reader.")] = "",
    model: Annotated[
        str, typer.Option(help="Of the run taken in, if its file of embeddings does not say.")
    ] = "",
    sample: Annotated[
        str, typer.Option(help='What its proteins are, for a reader: "70 human proteins".')
    ] = "",
    profile: Annotated[
        str, typer.Option(help="Whose results are held against the paper.")
    ] = "offline",
) -> None:
    """Hold results against every published number, or take in a run made elsewhere.

    A value agrees if it differs from the printed number by at most half its last digit, or half the
    value's 95 % interval where that is larger. Values of minis, or over other proteins than
    Swiss-Prot, are not comparable.

    Example: plm-geometry verdict --add runs/01_global_isotropy-1a2b3c4d/summary.json
    """
    if add:
        _add(summaries, name, note, model, sample)
        return
    if summaries:
        raise InputError(f"{summaries[0]} is not read without --add; give it, to take the run in.")
    _print_table(profile)


def _add(summaries: list[Path], name: str, note: str, model: str, sample: str) -> None:
    from plm_geometry.paper import records

    path = records.add(summaries, name, note, model, sample)
    taken_in = [record for record in records.read_records() if record.name == path.stem]
    typer.echo(path)
    _echo(records.record_verdicts(taken_in))


def _print_table(profile: str) -> None:
    from plm_geometry.book.parameters import profile_names
    from plm_geometry.paper.summaries import read_build
    from plm_geometry.paper.verdicts import verdicts

    if profile not in profile_names():
        known = ", ".join(profile_names())
        raise InputError(f"There is no profile {profile!r} with results; there are {known}.")
    runs = read_build(profile)
    if not runs:
        say(f"There are no results of profile {profile} yet; `plm-geometry book` makes them.")
    _echo(verdicts(runs))


def _echo(table: "pd.DataFrame") -> None:
    """Print verdicts, how many there are of each, and the reasons for those that are none."""
    from plm_geometry.paper.verdicts import reasons, shown

    typer.echo(aligned(shown(table)))
    found = [f"{n} {verdict}" for verdict, n in table["verdict"].value_counts().items()]
    typer.echo(f"\n{', '.join(found)}")
    for row in reasons(table).itertuples():
        typer.echo(f"{row.verdict} ({row.rows}): {row.why}")
