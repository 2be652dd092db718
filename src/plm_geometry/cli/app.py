"""All subcommands in one application, and what becomes of its errors."""

import logging
import multiprocessing
import os
import signal
import sys
import warnings
from contextlib import suppress
from typing import Annotated

import typer

from plm_geometry import __version__
from plm_geometry.base import paths
from plm_geometry.base.errors import ComputationError, InputError, sentence
from plm_geometry.cli.align import align
from plm_geometry.cli.chapters import book, pdf, run, student
from plm_geometry.cli.embed import embed
from plm_geometry.cli.isotropy import isotropy
from plm_geometry.cli.models import models_app
from plm_geometry.cli.options import join_overrides
from plm_geometry.cli.proteins import families, fetch
from plm_geometry.cli.remedy import remedy
from plm_geometry.cli.retrieval import retrieval
from plm_geometry.cli.terminal import print_warning, say
from plm_geometry.cli.verdict import verdict

# What says where libraries keep their own caches, which is below the home directory otherwise.
_CACHES = ("IPYTHONDIR", "MPLCONFIGDIR")

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
for verb in (
    run, book, pdf, verdict, student, embed, isotropy, remedy, retrieval, align, families, fetch,
):  # fmt: skip
    app.command()(verb)
app.add_typer(models_app, name="models")


def run_app() -> None:
    """Run the command; turn what was wrong with the input into a sentence and a status."""
    # A chapter or a command must never look for a newer file on a hub by itself.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    warnings.showwarning = print_warning
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _keep_caches_off_home()
        app(join_overrides(sys.argv[1:]), prog_name="plm-geometry")
    except InputError as error:
        say(f"plm-geometry: {error}")
        sys.exit(error.exit_status)
    except ComputationError as error:
        say(str(error))
        sys.exit(1)
    except OSError as error:
        say(f"plm-geometry: {sentence(error)}")
        sys.exit(2)


def _keep_caches_off_home() -> None:
    """Have libraries keep their caches with ours, if the home directory may only be read."""
    home = os.path.expanduser("~")
    if home == "~":
        raise InputError("this user has no home directory; set HOME to one that can be written to.")
    if not os.access(home, os.W_OK):
        with suppress(OSError):  # then the command says what it cannot write itself
            place = paths.CACHE / "libraries"
            place.mkdir(parents=True, exist_ok=True)
            os.environ |= {name: str(place) for name in _CACHES if name not in os.environ}


def _stop(number: int, frame: object) -> None:
    """End the processes that work for this one, which a signal to it alone does not reach."""
    signal.signal(number, signal.SIG_DFL)  # who asks twice does not want to wait
    for child in multiprocessing.active_children():
        child.terminate()
    raise KeyboardInterrupt


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version where asked."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    if version:
        typer.echo(__version__)
        raise typer.Exit
