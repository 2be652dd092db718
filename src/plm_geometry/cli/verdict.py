"""The verb `verdict`: a run's numbers against published ones, and runs imported from elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option, echo

from plm_geometry.base.errors import InputError
from plm_geometry.cli.terminal import aligned, say

if TYPE_CHECKING:
    from plm_geometry.paper.summaries import Summary

_Summaries = Annotated[
    list[Path],
    Argument(
        help="With --add: summary.json of one run's chapters, or what `isotropy FILE --json` "
        "printed.",
        show_default=False,
    ),
]
_ADD = "Import a run from another machine, into data/runs."
_NAME = "Of the imported run [default: proteins and model]."
_NOTE = "What to say of the imported run, for a reader."
_MODEL = "Of the imported run, if its file of embeddings does not say."
_SAMPLE = 'What its proteins are, for a reader: "70 human proteins".'


def verdict(
    summaries: _Summaries = [],  # noqa: B006  (typer copies it)
    add: Annotated[bool, Option("--add", help=_ADD)] = False,
    name: Annotated[str, Option(help=_NAME)] = "",
    note: Annotated[str, Option(help=_NOTE)] = "",
    model: Annotated[str, Option(help=_MODEL)] = "",
    sample: Annotated[str, Option(help=_SAMPLE)] = "",
    profile: Annotated[str, Option(help="Whose results are held against the paper.")] = "offline",
) -> None:
    """Hold results against every published number, or import a run from another machine.

    Half the last printed digit is allowed, and what sampling may do: nothing over all of Swiss-Prot
    but what another release changes, the interval of a sample, and for correlations the paper's own
    sampling error as well. What would allow too much is inconclusive. Values of minis, or over
    other proteins than Swiss-Prot, are not comparable.

    Example: plm-geometry verdict --add runs/01_global_isotropy-1a2b3c4d/summary.json
    """
    from plm_geometry.paper import records, verdicts

    if add:
        path = records.add(summaries, name, note, model, sample)
        echo(path)
        imported = [record for record in records.read_records() if record.name == path.stem]
        table = records.record_verdicts(imported)
    elif summaries:
        raise InputError(f"{summaries[0]} is not read without --add; give it, to import the run.")
    else:
        table = verdicts.verdicts(_read_results(profile))
    echo(aligned(verdicts.shown(table)))
    found = [f"{n} {verdict}" for verdict, n in table["verdict"].value_counts().items()]
    echo(f"\n{', '.join(found)}")
    for row in verdicts.reasons(table).itertuples():
        echo(f"{row.verdict} ({row.rows}): {row.why}")


def _read_results(profile: str) -> "list[Summary]":
    """Return the summaries of a profile's chapters."""
    from plm_geometry.book.parameters import profile_names
    from plm_geometry.paper.summaries import read_build

    if profile not in profile_names():
        known = ", ".join(profile_names())
        raise InputError(f"There is no profile {profile!r} with results; there are {known}.")
    runs = read_build(profile)
    if not runs:
        say(f"There are no results of profile {profile} yet; `plm-geometry book` makes them.")
    return runs
