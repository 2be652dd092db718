"""What the command says and reads: lines on standard error, tables, ``-p NAME VALUE``."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import typer

from plm_geometry.base.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def aligned(frame: "pd.DataFrame | Mapping[str, Iterable[object]]") -> str:
    """Return a table, its columns by name, as text flush left, which pandas cannot."""
    columns = [[str(name), *map(_cell, frame[name])] for name in frame]
    padded = [[cell.ljust(max(map(len, column))) for cell in column] for column in columns]
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


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


def say(line: str) -> None:
    """Print a line for the person, apart from the result."""
    typer.echo(line, err=True)


def print_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Show a warning as one line without the place in the code, which tells a user nothing."""
    say(f"warning: {message}")
