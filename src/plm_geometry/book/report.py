"""What a chapter writes: tables, figures, sentences with numbers, and one summary.

Everything is shown in the notebook and kept as a file: tables as CSV, figures as SVG and PNG,
numbers in ``summary.json``, from where the book's pages quote them (MyST's glue).
"""

import io
import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import pandas as pd
from IPython.display import SVG, Markdown, display
from matplotlib.figure import Figure

from plm_geometry import figures
from plm_geometry.base import paths, provenance
from plm_geometry.base.files import as_json, write_json
from plm_geometry.book.markup import ShownTable, interactive_figure, note, picture
from plm_geometry.book.wording import DASH, formatted, listed, plural, typographic
from plm_geometry.paper import published
from plm_geometry.paper.summaries import Measured, Summary, without_places
from plm_geometry.paper.verdicts import of_models, verdicts
from plm_geometry.study import Study

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Interactive

# Set by `notebooks.execute` for the kernel; a notebook opened by hand writes below runs/.
OUT_VARIABLE = "PLM_GEOMETRY_OUT"
_KINDS = {
    "model": "{}.",
    "mini": "The minis ({}) are small networks that this repository trained for minutes: they have "
    "the architectures of the paper's models and have hardly learnt: on unseen proteins they lose "
    "2.836 to 2.856 nats a residue, where composition alone loses 2.895 to 2.900. They neither "
    "confirm nor contradict the paper's numbers.",
    "control": "Controls: {}.",
}


class Report:
    """The written side of one chapter.

    Parameters
    ----------
    chapter : str
        The notebook's name without suffix.
    study : Study, optional
        What the chapter's numbers come from; none for a chapter about other chapters' numbers.
    directory : Path, optional
        Where files go: by default where the command says, else ``runs/<chapter>``.
    """

    def __init__(self, chapter: str, study: Study | None = None, *, directory: Path | None = None):
        self.chapter = chapter
        self.study = study
        self.directory = Path(directory or os.environ.get(OUT_VARIABLE) or paths.RUNS / chapter)
        self._numbers: dict[str, object] = {}
        self._measured: list[Measured] = []
        self._n_tables = 0

    def opening(self) -> None:
        """Show which proteins and models these are, and who was left out."""
        from myst_nb import glue

        models = self.study.models
        said = {text: models.title[models.role == role] for role, text in _KINDS.items()}
        # The book's first page shows it as well.
        glue("build_note", note("The models of this run", said))
        data = self.study.data_set()
        of = data.iloc[0]
        about = f"{of.proteins:,}, of {of['median length']:,.0f} residues in the median"
        self.table(data, "data_set", f"Proteins of this run: {about} and {of.longest:,} at most.")
        self._name_left_out()
        for clause in self.study.lowered.values():
            self.say(f"The parameter {clause}: all of them are taken.")
        n_proteins, roles = len(self.study.proteins), models.role.value_counts()
        counted = [plural(roles[role], role) for role in ("model", "mini") if role in roles]
        self.record("profile", self.study.settings.profile)
        self.record("n_proteins", n_proteins)
        self.record("what", listed([plural(n_proteins, "protein"), *counted]))
        self.record("whose", "models" if "model" in roles else "minis")

    def table(
        self,
        frame: pd.DataFrame,
        name: str,
        caption: str,
        *,
        headings: Mapping[str, str] | None = None,
        decimals: Mapping[str, int] | None = None,
        glued: bool = False,
    ) -> None:
        """Show a table and keep it, unrounded and with all columns, as ``tables/<name>.csv``.

        Tables are numbered within the chapter, as the book's figures are: "Table 3.2".

        Parameters
        ----------
        frame : DataFrame
            The table; its index is not shown.
        name : str
            File name without suffix.
        caption : str
            What the table shows, in words that are true of any run.
        headings : mapping of str to str, optional
            Which columns to show, and their headings; by default all under their names.
        decimals : mapping of str to int, optional
            Decimals by column; other fractions are shown to four digits.
        glued : bool
            Whether other pages show it as well, under its name.
        """
        from myst_nb import glue

        self.keep(frame, name)
        headings, decimals = headings or {column: str(column) for column in frame}, decimals or {}
        shown = {
            heading: [formatted(value, decimals.get(column)) for value in frame[column]]
            for column, heading in headings.items()
        }
        self._n_tables += 1
        in_chapter = re.match(r"0*(\d+)_", self.chapter)
        number = f"{in_chapter[1]}.{self._n_tables}" if in_chapter else self._n_tables
        caption = f"Table {number}. {typographic(caption)}"
        table = ShownTable(pd.DataFrame(shown), caption, f"table-{name}")
        glue(name, table) if glued else display(table)

    def keep(self, frame: pd.DataFrame, name: str) -> None:
        """Keep a table as ``tables/<name>.csv`` without showing it."""
        frame.to_csv(self._file("tables", f"{name}.csv"), index=False)

    def figure(self, figure: Figure, name: str, *, alt: str = "") -> None:
        """Show a figure and keep it as ``figures/<name>.svg`` and ``.png``.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
        name : str
            File name without suffix.
        alt : str, optional
            What who cannot see it is told; with it, other pages can show the figure, as
            ``figure_<name>``.
        """
        drawn = io.BytesIO()
        with matplotlib.rc_context(figures.STYLE):
            # No date: the same figure is the same file.
            figure.savefig(drawn, format="svg", metadata={"Date": None}, dpi=200)
            figure.savefig(self._file("figures", f"{name}.png"), dpi=160)
        self._file("figures", f"{name}.svg").write_bytes(drawn.getvalue())
        display(SVG(drawn.getvalue()))
        if alt:
            from myst_nb import glue

            glue(f"figure_{name}", picture(drawn.getvalue(), alt), display=False)

    def interactive(self, figure: "Interactive", name: str, *, in_place_of: str) -> None:
        """Keep a figure to point at as ``figures/<name>.html``; the book's page shows it itself.

        Parameters
        ----------
        figure : plotly.graph_objects.Figure
        name : str
            File name without suffix.
        in_place_of : str
            The name of the still figure that it replaces on the page, which remains in print and
            where no script runs.
        """
        path = self._file("figures", f"{name}.html")
        # The library is written once, beside the figures.
        figure.write_html(path, include_plotlyjs="directory", include_mathjax=False)
        display(interactive_figure(figure, path.name, in_place_of))

    def say(self, text: str) -> None:
        """Show a paragraph of Markdown whose numbers come from this run."""
        display(Markdown(typographic(text)))

    def record(
        self,
        name: str,
        value: object,
        column: str = "",
        *,
        low: float | None = None,
        high: float | None = None,
        spec: str = "",
    ) -> None:
        """Keep a number for the summary, the book's pages, and verdicts on published numbers.

        Parameters
        ----------
        name : str
            Under which pages quote it. It is held against the published number of that name
            (`published.numbers`), if there is one.
        value : number, str or DataFrame
            One number or short text; or one row per model. Rows that are labelled as `Study.rows`
            does are kept for verdicts, whether such a number was published or not.
        column : str, optional
            Of the rows, by default named as the number. Its interval is in ``<column>_low`` and
            ``<column>_high``, or in ``low`` and ``high``, its number of proteins, residues or
            pairs in ``n``.
        low, high : float, optional
            Ends of a number's 95 % interval, quoted as ``<name>_low`` and ``<name>_high``.
        spec : str, optional
            Quote the rows as texts, in this format, as in ``format(value, spec)``: the range over
            models as ``<name>``, its ends as ``<name>_least`` and ``<name>_most``, each control
            in ``<name>_controls``. What there is none of is a dash, so that the pages can be built
            from any run.
        """
        if isinstance(value, pd.DataFrame):
            if "title" in value:
                self._measure_rows(name, value, column or name)
            if spec:
                self._quote_rows(name, value, column or name, spec)
            return
        self._quote(name, value)
        for end, place in (("low", low), ("high", high)):
            if place is not None:
                self._quote(f"{name}_{end}", place)
        if name in _published():
            found = _plain({"value": value, "low": low, "high": high})
            self._measured.append(Measured(quantity=name, **found))

    def _measure_rows(self, quantity: str, rows: pd.DataFrame, column: str) -> None:
        """Keep one number per model for verdicts."""
        taken = {"value": column, "low": "low", "high": "high"}
        taken |= {end: f"{column}_{end}" for end in ("low", "high") if f"{column}_{end}" in rows}
        taken |= {name: name for name in ("model", "title", "role", "counterpart", "n")}
        for row in rows.to_dict("records"):
            found = _plain({name: row.get(place) for name, place in taken.items()})
            self._measured.append(Measured(quantity=quantity, **found))

    def _quote_rows(self, name: str, rows: pd.DataFrame, column: str, spec: str) -> None:
        """Quote the range of a column over the models, and each control's value."""
        known = rows.dropna(subset=column)
        values = figures.judged(known[known.role != "control"])[column]
        ends = [format(end, spec) for end in (values.min(), values.max())] if len(values) else []
        controls = known[known.role == "control"]
        names = controls.get("title", controls.model)
        each = [
            f"{name} {value:{spec}}" for name, value in zip(names, controls[column], strict=True)
        ]
        self._quote(name, " to ".join(dict.fromkeys(ends)) or DASH)
        self._quote(f"{name}_least", ends[0] if ends else DASH)
        self._quote(f"{name}_most", ends[-1] if ends else DASH)
        self._quote(f"{name}_controls", ", ".join(each) or DASH)

    def _quote(self, name: str, value: object) -> None:
        """Keep a number or a short text for the summary and the book's pages."""
        from myst_nb import glue

        value = value.item() if hasattr(value, "item") else value
        self._numbers[name] = typographic(value) if isinstance(value, str) else value
        glue(name, self._numbers[name], display=False)

    def verdicts(self, quantity: str) -> dict[str, str]:
        """Return the verdict on each model whose published number was recorded here, by model."""
        return of_models(verdicts([Summary.model_validate(self._summary())]), quantity)

    def close(self) -> None:
        """Write ``summary.json``: numbers, settings, proteins, models, versions and machine.

        It names files, and not where on this machine they lie.
        """
        write_json(self._file("summary.json"), without_places(self._summary()))

    def _summary(self) -> dict[str, object]:
        """Return what `close` writes; `summaries.Summary` reads what others rely on."""
        content = {
            "chapter": self.chapter,
            "numbers": self._numbers,
            "measured": [row.model_dump() for row in self._measured],
        }
        if study := self.study:
            models = study.models.reset_index(names="model").to_dict("records")
            content["settings"] = study.settings.model_dump()
            content["proteins"] = study.data_set().iloc[0].to_dict() | {
                "sha256": study.common.sha256
            }
            content["models"] = [row | study.identity(row["model"]) for row in models]
        return _plain(
            content | {"versions": provenance.versions(), "machine": provenance.machine()}
        )

    def _file(self, *parts: str) -> Path:
        path = self.directory.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _name_left_out(self) -> None:
        left_out, cut = self.study.left_out(), self.study.cut()
        if left_out.empty and cut.empty:
            self.say("No protein was left out, and none was truncated.")
        if len(left_out):
            n = left_out.accession.nunique()
            self.table(left_out, "left_out", f"Left out: {n:,} of the proteins asked for.")
        if len(cut):
            proteins = plural(len(cut), "protein")
            self.table(cut, "cut", f"Cut: of {proteins} models read the beginning.")


@cache
def _published() -> set[str]:
    """Return what the paper prints numbers of."""
    return set(published.numbers().quantity)


def _plain(content: dict[str, object]) -> dict[str, object]:
    """Return content as JSON holds it."""
    return json.loads(as_json(content))
