"""What the command prints: lines on standard error, and tables."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd


def aligned(frame: "pd.DataFrame | Mapping[str, Iterable[object]]") -> str:
    """Return a table, its columns by name, as text flush left, which pandas cannot."""
    columns = [[str(name), *map(_cell, frame[name])] for name in frame]
    padded = [[cell.ljust(max(map(len, column))) for cell in column] for column in columns]
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def number(value: float | None, spec: str = ".4g") -> str:
    """Return a number in a format, and a hyphen for one that is not known."""
    return "-" if value is None or math.isnan(value) else f"{value:{spec}}"


def interval(row: Mapping[str, Any], name: str, spec: str = ".4g") -> str:
    """Return a row's ``<name>_low`` and ``_high`` as "1.2 to 3.4"; a hyphen without either."""
    ends = [number(row[f"{name}_{end}"], spec) for end in ("low", "high")]
    return "-" if "-" in ends else " to ".join(ends)


def say(line: str) -> None:
    """Print a line for the person, apart from the result."""
    typer.echo(line, err=True)


def print_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Show a warning as one line without the place in the code, which tells a user nothing."""
    say(f"warning: {message}")
