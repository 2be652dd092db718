"""What a chapter writes: tables, figures, sentences with numbers, and one summary.

Everything is shown in the notebook and kept as a file: tables as CSV, figures as SVG and PNG,
numbers in ``summary.json``, from where the book's pages quote them (MyST's glue).
"""

import io
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import pandas as pd
from IPython.display import SVG, Markdown, display
from matplotlib.figure import Figure

from plm_geometry import figures

from plm_geometry.base import paths, provenance
from plm_geometry.base.files import write_json
from plm_geometry.book.markup import ShownTable, interactive_figure, note
from plm_geometry.study import Study
from plm_geometry.paper.summaries import Measured, Summary, without_places
from plm_geometry.paper.verdicts import of_models, verdicts
from plm_geometry.book.wording import DASH, control_name, formatted, listed, plural, typographic

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Interactive

# Set by `chapters.run_chapter` for the kernel; a notebook opened by hand writes below runs/.
OUT_VARIABLE = "PLM_GEOMETRY_OUT"
_MODELS = "{}."
_MINIS = (
    "The minis ({}) are small networks that this repository trained for minutes: they have the "
    "architectures of the paper's models and little of their knowledge, and neither confirm nor "
    "contradict the paper's numbers."
)


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
        default = os.environ.get(OUT_VARIABLE) or paths.RUNS / chapter
        self.directory = Path(directory or default)
        self._numbers: dict[str, object] = {}
        self._n_tables = 0
        self._measured: list[Measured] = []

    def opening(self) -> None:
        """Show which proteins these are, who was left out, and what stands in for what."""
        self._say_which_models()
        data = self.study.data_set()
        self.table(data, "data_set", _about_proteins(data.iloc[0]))
        self._name_left_out()
        for clause in self.study.lowered.values():
            self.say(f"The parameter {clause}: all of them are taken.")
        self.number("profile", self.study.settings.profile)
        self.number("n_proteins", len(self.study.proteins))
        self.number("what", self._what())
        only_minis = "model" not in set(self.study.models.role)
        self.number("whose", "minis" if only_minis else "models")

    def table(
        self,
        frame: pd.DataFrame,
        name: str,
        caption: str,
        *,
        headings: Mapping[str, str] | None = None,
        decimals: Mapping[str, int] | None = None,
        rows: int | None = None,
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
        rows : int, optional
            Show the first so many rows; the file has all of them.
        """
        self.keep(frame, name)
        headings = headings or {column: str(column) for column in frame}
        decimals = decimals or {}
        shown = pd.DataFrame(
            {
                heading: [formatted(value, decimals.get(column)) for value in frame[column][:rows]]
                for column, heading in headings.items()
            }
        )
        caption = f"{self._next_table()}. {typographic(caption)}"
        display(ShownTable(shown, caption, f"table-{name}"))

    def keep(self, frame: pd.DataFrame, name: str) -> None:
        """Keep a table as ``tables/<name>.csv`` without showing it."""
        frame.to_csv(self._file("tables", f"{name}.csv"), index=False)

    def figure(self, figure: Figure, name: str) -> None:
        """Show a figure and keep it as ``figures/<name>.svg`` and ``.png``.

        Parameters
        ----------
        figure : Figure
            The figure.
        name : str
            File name without suffix.
        """
        drawn = io.BytesIO()
        with matplotlib.rc_context(figures.STYLE):
            # No date: the same figure is the same file.
            figure.savefig(drawn, format="svg", metadata={"Date": None}, dpi=200)
            figure.savefig(self._file("figures", f"{name}.png"), dpi=160)
        self._file("figures", f"{name}.svg").write_bytes(drawn.getvalue())
        display(SVG(drawn.getvalue()))

    def interactive(self, figure: "Interactive", name: str, *, in_place_of: str) -> None:
        """Keep a figure to point at as ``figures/<name>.html``; the book's page shows it itself.

        Parameters
        ----------
        figure : plotly.graph_objects.Figure
            The figure.
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

    def number(self, name: str, value: object) -> None:
        """Keep a number (or a short text) under a name, for the summary and the book's pages."""
        from myst_nb import glue

        value = value.item() if hasattr(value, "item") else value
        value = typographic(value) if isinstance(value, str) else value
        self._numbers[name] = value
        glue(name, value, display=False)

    def answer(self, name: str, frame: pd.DataFrame, column: str, spec: str) -> None:
        """Keep a column's range over the models, and each control's value, as short texts.

        The book's pages quote them as ``<name>``, its ends ``<name>_least`` and ``<name>_most``,
        and ``<name>_controls``; what there is none of is a dash, so that the pages can be built
        from any run.

        Parameters
        ----------
        name : str
            Name of the answer.
        frame : DataFrame
            One row a model or control, with ``model``, ``role`` and `column`.
        column : str
            What to quote.
        spec : str
            Its format, as in ``format(value, spec)``.
        """
        known = frame.dropna(subset=column)
        controls = known[known.role == "control"]
        values = figures.judged(known[known.role != "control"])[column]
        ends = [format(end, spec) for end in (values.min(), values.max())] if len(values) else []
        each = [
            f"{control_name(name)} {value:{spec}}"
            for name, value in controls[["model", column]].values
        ]
        self._quote(name, " to ".join(dict.fromkeys(ends)))
        self._quote(f"{name}_least", *ends[:1])
        self._quote(f"{name}_most", *ends[1:])
        self._quote(f"{name}_controls", ", ".join(each))

    def measured(
        self,
        quantity: str,
        values: pd.DataFrame | float,
        column: str = "",
        *,
        n: int | None = None,
    ) -> None:
        """Keep what can be held against published numbers, for the summary and its verdicts.

        Parameters
        ----------
        quantity : str
            Its name in `published.numbers`; what has not been published is kept as well.
        values : DataFrame or float
            One row a model, labelled as `Study.rows` does; or a number without a model.
        column : str, optional
            Of the values, by default named as the quantity. Its interval is in ``<column>_low``
            and ``<column>_high``, or in ``low`` and ``high``.
        n : int, optional
            Over how many proteins, residues or pairs; by default what column ``n`` says.
        """
        if not isinstance(values, pd.DataFrame):
            self._measured.append(Measured(quantity=quantity, value=_plain(values), n=n))
            return
        column = column or quantity
        low, high = (
            f"{column}_{end}" if f"{column}_{end}" in values else end for end in ("low", "high")
        )
        for row in values.to_dict("records"):
            labels = {name: row[name] for name in ("model", "title", "role", "counterpart")}
            found = {"value": row[column], "low": row.get(low), "high": row.get(high)}
            counted = {"n": row.get("n") if n is None else n}
            self._measured.append(Measured(quantity=quantity, **labels, **_plain(found | counted)))

    def verdicts(self, quantity: str) -> dict[str, str]:
        """Return the verdict on each model whose published number was measured here, by model."""
        return of_models(verdicts([Summary.model_validate(_plain(self._summary()))]), quantity)

    def _quote(self, name: str, text: str = "") -> None:
        """Keep a short text for the book's pages."""
        self.number(name, text or DASH)

    def close(self) -> None:
        """Write ``summary.json``: numbers, settings, proteins, models, versions and machine.

        It names files, and not where on this machine they lie.
        """
        write_json(self._file("summary.json"), without_places(_plain(self._summary())))

    def _summary(self) -> dict[str, object]:
        """Return what `close` writes; `summaries.Summary` reads what others rely on."""
        return {
            "chapter": self.chapter,
            "numbers": self._numbers,
            "measured": [row.model_dump() for row in self._measured],
            **(self._of_study() if self.study else {}),
            "versions": provenance.versions(),
            "machine": provenance.machine(),
        }

    def _of_study(self) -> dict[str, object]:
        """Return settings, proteins and models, each with what identifies it."""
        study = self.study
        models = study.models.reset_index(names="model").to_dict("records")
        return {
            "settings": study.settings.model_dump(),
            "proteins": study.data_set().iloc[0].to_dict() | {"sha256": study.common.sha256},
            "models": [row | study.identity(row["model"]) for row in models],
        }

    def _next_table(self) -> str:
        """Return "Table 3.2" for the second table of a chapter whose name begins with 03."""
        self._n_tables += 1
        chapter = re.match(r"\d+", self.chapter)
        numbers = [int(chapter.group())] if chapter else []
        return "Table " + ".".join(map(str, [*numbers, self._n_tables]))

    def _file(self, *parts: str) -> Path:
        path = self.directory.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _say_which_models(self) -> None:
        """Show the note on the models, which the book's first page shows as well."""
        from myst_nb import glue

        models = self.study.models
        kinds = {"model": _MODELS, "mini": _MINIS, "control": "Controls: {}."}
        said = {text: models.title[models.role == role] for role, text in kinds.items()}
        glue("build_note", note("The models of this run", said))

    def _what(self) -> str:
        """Say in a few words what this run is of: so many proteins, so many models."""
        counted = {"model": "model", "mini": "mini"}
        roles = self.study.models.role.value_counts()
        models = [plural(roles[role], noun) for role, noun in counted.items() if role in roles]
        return listed([plural(len(self.study.proteins), "protein"), *models])

    def _name_left_out(self) -> None:
        left_out, cut = self.study.left_out(), self.study.cut()
        if left_out.empty and cut.empty:
            self.say("No protein was left out, and none was truncated.")
        if len(left_out):
            n = left_out.accession.nunique()
            self.table(left_out, "left_out", f"Left out: {n:,} of the proteins asked for.")
        if len(cut):
            self.table(
                cut, "cut", f"Cut: of {plural(len(cut), 'protein')} models read the beginning."
            )


def _about_proteins(data: pd.Series) -> str:
    """Say how many proteins there are and how long they are."""
    return (
        f"Proteins of this run: {data['proteins']:,}, of {data['median length']:,.0f} residues in "
        f"the median and {data['longest']:,} at most."
    )


def _plain(value: object) -> object:
    """Return `value` with everything JSON has no word for as null."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    missing = value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
    return None if missing else value
