"""The notebooks follow the project's rules, and each pair is one notebook in two formats."""

import ast
from typing import Literal, get_origin

import jupytext
import nbformat
import pytest
import yaml
from pdf import page_names

from plm_geometry.base import paths
from plm_geometry.base.settings import Settings
from plm_geometry.book import parameters
from plm_geometry.book.notebooks import write_html

CHAPTERS = parameters.chapter_names()
MAXIMAL_LINES = 15
# Of chapters that read what other runs have measured, and have no study of their own.
OF_OTHER_RUNS = {"summaries", "records"}


@pytest.fixture(params=CHAPTERS)
def chapter(request):
    return request.param


@pytest.fixture
def notebook(chapter):
    return parameters.read_notebook(chapter)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def test_every_text_has_its_notebook_and_every_notebook_its_text():
    texts = {path.stem for path in paths.NOTEBOOKS.glob("*.md")}
    assert texts == {path.stem for path in paths.NOTEBOOKS.glob("*.ipynb")} == set(CHAPTERS)
    assert len(CHAPTERS) >= 4


def test_the_pair_is_in_sync(chapter, notebook):
    paired = nbformat.read(paths.NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    assert [content(cell) for cell in paired.cells] == [content(cell) for cell in notebook.cells], (
        "run `make pair`"
    )


def content(cell):
    return cell.cell_type, cell.source, dict(cell.metadata)


def test_the_notebook_has_no_outputs(chapter):
    paired = nbformat.read(paths.NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    nbformat.validate(paired)
    assert all(not cell.outputs and cell.execution_count is None for cell in code(paired))


def test_code_cells_are_short(notebook):
    # Of parameters there is one cell, since papermill knows no more.
    cells = [cell for cell in code(notebook) if "parameters" not in tags(cell)]
    assert max(len(cell.source.splitlines()) for cell in cells) <= MAXIMAL_LINES


def test_no_cell_holds_a_function(notebook):
    bodies = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    for cell in code(notebook):
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, bodies)]


def test_parameters_cells_repeat_type_default_and_help_of_the_settings(chapter):
    offline = yaml.safe_load((paths.PROFILES / "offline.yaml").read_text())
    for name, parameter in parameters.read_parameters(chapter).items():
        field = Settings.model_fields[name]
        known = str if get_origin(field.annotation) is Literal else field.annotation
        assert parameter.type_name == (str(known) if known == list[str] else known.__name__)
        assert parameter.default == offline.get(name, field.default)
        # Chapters about other runs say what their one profile is to them.
        assert parameter.help == field.description or (name == "profile" and parameter.help)


@pytest.mark.parametrize("profile", parameters.profile_names())
def test_every_profile_fits_every_chapter(chapter, profile):
    found = parameters.resolve_parameters(chapter, profile)
    assert found["profile"] == profile
    Settings(**found)


def test_own_models_leave_out_the_profiles_minis_and_the_controls_of_other_models():
    def chosen(**overrides):
        found = parameters.resolve_parameters("01_global_isotropy", "offline", overrides)
        return found["minis"], found["controls"]

    minis, controls = chosen()
    assert len(minis) == 4
    assert "shuffled:unirep_256" in controls
    assert chosen(models="esm2_8m") == ([], ["composition"])
    kept = ["composition", "untrained:unirep_256@0-4", "shuffled:unirep_256"]
    assert chosen(models="unirep_256") == ([], kept)
    named = {"models": "esm2_8m", "minis": "mini_prot_bert", "controls": "shuffled:unirep_64"}
    assert chosen(**named) == (["mini_prot_bert"], ["shuffled:unirep_64"])


def test_a_chapter_opens_with_its_question_and_closes_with_a_reading(notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert "In this chapter" in texts[0]
    closing = "\n".join(texts).partition("## Reading it")[2]
    assert "{exercise}" in closing
    assert "{solution" in closing


def test_figures_have_alternative_text_and_a_caption(notebook):
    for cell in [cell for cell in code(notebook) if "report.figure(" in cell.source]:
        shown = cell.metadata["mystnb"]
        assert shown["image"]["alt"].endswith(".")
        assert shown["figure"]["caption"].endswith(".")
        assert "hide-input" in cell.metadata["tags"]


def test_captions_are_words_that_no_run_changes(notebook):
    for cell in code(notebook):
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        assert "{glue" not in figure.get("caption", "")


def test_a_chapter_reports_under_its_own_name(chapter, notebook):
    study = "" if set(parameters.read_parameters(chapter)) & OF_OTHER_RUNS else ", study"
    assert any(f'Report("{chapter}"{study})' in cell.source for cell in code(notebook))
    report = [cell for cell in code(notebook) if "solution" not in tags(cell)]
    assert report[-1].source.endswith("report.close()")


def kept(name, value):
    """Return the output that keeps a number or a text for the book's pages."""
    named = {"scrapbook": {"name": name, "mime_prefix": "application/papermill.record/"}}
    data = {"application/papermill.record/text/plain": repr(value)}
    return nbformat.v4.new_output("display_data", data, metadata=named)


def test_a_runs_page_shows_no_number_that_is_only_kept(tmp_path):
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    drawn = nbformat.v4.new_output("display_data", {"text/markdown": "A figure."})
    cell.outputs = [kept("share", "kept only"), drawn]
    path = tmp_path / "run.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    write_html(path)
    page = path.with_suffix(".html").read_text()
    assert "kept only" not in page
    assert "A figure." in page


def test_the_text_names_its_format_and_its_pair(chapter):
    header = jupytext.read(paths.NOTEBOOKS / f"{chapter}.md").metadata["jupytext"]
    assert header["formats"] == "md:myst,ipynb"


def test_every_chapter_and_every_page_is_in_the_table_of_contents():
    pages = {path.stem for path in paths.BOOK.glob("*.md")}
    assert set(page_names(paths.ROOT / "_toc.yml")) == pages | {
        f"chapters/{name}" for name in CHAPTERS
    }
