"""The verb `models`: what can be loaded, one entry in full, a checkpoint checked."""

import json
from typing import Annotated

from typer import Argument, Context, Exit, Option, Typer, echo

from plm_geometry.cli.options import AsJson
from plm_geometry.cli.terminal import aligned, say

models_app = Typer(help="List the models, or check a checkpoint.", rich_markup_mode=None)
_WIDE = "Show preprocessing, source, revision and citation, too."
_AGAINST = "Key whose reference a checkpoint of yours should equal."


@models_app.callback(invoke_without_command=True)
def models_list(
    context: Context,
    wide: Annotated[bool, Option("--wide", help=_WIDE)] = False,
    as_json: AsJson = False,
) -> None:
    """List the models that can be loaded, show one in full, or check a checkpoint.

    Wherever a key is accepted, so are a checkpoint's directory, a Hugging Face id, untrained:KEY,
    shuffled:KEY and a file of embeddings.
    """
    if context.invoked_subcommand is not None:
        return
    from plm_geometry.models import listing

    if as_json:
        echo(json.dumps(listing.records(), indent=2))
        return
    echo(aligned(listing.table(wide=wide)))
    if not wide:
        say("`plm-geometry models show KEY`, or --wide, says the rest: source, citation, ...")


@models_app.command("show")
def models_show(
    model: Annotated[str, Argument(help="Key, directory, hub id or file of embeddings.")],
) -> None:
    """Show all that is known of one model without loading it.

    Example: plm-geometry models show unirep_256
    """
    from plm_geometry.models import listing

    for name, value in listing.entry(model).items():
        echo(f"{name:16} {value}")


@models_app.command("check")
def models_check(
    model: Annotated[str, Argument(help="Key, directory or hub id.")],
    against: Annotated[str | None, Option(help=_AGAINST)] = None,
) -> None:
    """Compare what a checkpoint computes with reference figures.

    For PROTEIN and SEQWENCE, residue by residue: a minute that shows that download and
    preprocessing are right. Passes at a relative difference of 0.001 at most.

    Example: plm-geometry models check unirep_64
    """
    from plm_geometry.models import check

    result = check(model, against=against)
    echo(aligned(result.residues))
    echo(result.message)
    if result.passed is False:
        raise Exit(1)
