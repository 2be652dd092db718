"""The chapters about other runs, executed: on results, on none, and on records of one's own."""

import re

import pytest

from chapter_cells import run_cells
from plm_geometry.base import paths
from run_summaries import as_printed, row, write

PUBLISHED, REAL = "07_published_and_reproduced", "08_real_checkpoints"
TRACKED = str(paths.ROOT / "data" / "runs")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a chapter in this process, into a directory of its own."""
    monkeypatch.setattr(paths, "RECORDS", tmp_path / "none")
    return lambda chapter, **given: run_cells(chapter, tmp_path / "out", **given)


def test_published_and_reproduced_judges_what_a_build_has_measured(run, tmp_path):
    build = tmp_path / "build"
    write(build / "01_toy" / "summary.json", as_printed()[:-3], chapter="01_toy")
    wrong = [row("correlation:cosine_similarity:squared_euclidean", -0.84, low=-0.85, high=-0.83)]
    write(build / "03_toy" / "summary.json", wrong, chapter="03_toy")
    (build / "01_toy" / "summary.json").write_text(
        (build / "01_toy" / "summary.json").read_text().replace('"value": 0.791', '"value": null')
    )
    where = run(PUBLISHED, summaries=str(build), records=str(tmp_path / "none"))
    found = where.numbers
    assert found["compared"] == "27"
    assert int(found["agrees"]) == 19
    assert int(found["differs"]) == 2
    assert found["language_numbers"] == "44"
    page = where.shown
    assert "IsoScore, ProtBERT-BFD" in page
    assert re.search(r"0\.1169.*differs", page)
    assert "None has been imported" in page


def test_no_mini_agrees_even_with_the_papers_very_numbers(run, tmp_path):
    write(tmp_path / "build" / "01_toy" / "summary.json", as_printed("mini"), proteins="bacterium")
    where = run(PUBLISHED, summaries=str(tmp_path / "build"))
    assert where.numbers["agrees"] == where.numbers["differs"] == "0"


def test_published_and_reproduced_runs_alone_and_says_that_nothing_was_run(run, tmp_path):
    (tmp_path / "empty").mkdir()
    where = run(PUBLISHED, summaries=str(tmp_path / "empty"), records=TRACKED)
    assert where.numbers["not_run"] == where.numbers["compared"] == "26"
    page = where.shown
    assert "No chapter of the profile offline has been run yet" in page
    # Runs made elsewhere stand there all the same.
    assert "70 human proteins" in page
    assert "not over Swiss-Prot" in page


def test_real_checkpoints_shows_what_is_tracked(run):
    where = run(REAL, records=TRACKED)
    found = where.numbers
    assert found["dimensions_human70_prot_bert"] == pytest.approx(4.869, abs=5e-4)
    assert found["sign_human70_prot_bert"] == pytest.approx(-0.835, abs=5e-4)
    page = where.shown
    for said in ("ESM-2 650M, 354 human proteins", "ProtT5, 1,000 variants", "the other sign"):
        assert said in page
    # A k of 1.00 is explained, and once only.
    assert page.count("usually BERT's pooler output") == 1
    assert len(where.figures) == 1


def test_real_checkpoints_without_records_says_so(run, tmp_path):
    where = run(REAL, records=str(tmp_path / "none"))
    assert "No run from another machine has been imported" in where.shown
