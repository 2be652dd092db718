"""`plm-geometry student`: chapters to hand out, without the solutions."""

from pathlib import Path
from typing import Annotated

import typer


def student(
    chapters: Annotated[
        list[str] | None,
        typer.Argument(help="Chapters, e.g. 04_scatter [default: all].", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="Directory of the notebooks.")] = Path("student"),
) -> None:
    """Write the student edition of chapters: notebooks with empty answers for solutions.

    Nothing is executed. A notebook of that name is replaced only if it is a student edition that
    nobody has written in.

    Example: plm-geometry student 01_global_isotropy --out handout
    """
    from plm_geometry.book.student import write_editions

    for path in write_editions(out, chapters or None):
        typer.echo(path)
