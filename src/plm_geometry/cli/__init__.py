"""The command ``plm-geometry``: one subcommand per verb; bad input is one sentence and status 2."""

import sys

_STOPPED = 130  # what typer makes of KeyboardInterrupt


def main() -> None:
    """Run the command; a person may stop it from its first moment on."""
    try:
        # What takes its time to import comes where Ctrl-C is already expected.
        from plm_geometry.cli.app import run_app

        run_app()
    except KeyboardInterrupt:
        pass
    except SystemExit as end:
        if end.code != _STOPPED:
            raise
    print("plm-geometry: stopped; the same command goes on from here.", file=sys.stderr)
    sys.exit(_STOPPED)
