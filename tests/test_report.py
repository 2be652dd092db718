"""What a chapter shows is kept: tables unrounded, figures as files, numbers in one summary."""

import json

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure

from plm_geometry.base import paths
from plm_geometry.book.report import OUT_VARIABLE, Report
from plm_geometry.paper.summaries import read_summary
from plm_geometry.proteins.fasta import Proteins
from plm_geometry.study import Study
from small_proteins import write_fasta


@pytest.fixture(autouse=True)
def shell(tmp_path, monkeypatch):
    """An IPython shell as in a kernel, whose history is left nowhere."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture
def shown(monkeypatch):
    """Everything displayed, as bundles of MIME type to content."""
    bundles = []
    publisher = InteractiveShell.instance().display_pub
    monkeypatch.setattr(publisher, "publish", lambda data, *_, **__: bundles.append(data))
    return bundles


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    fasta = tmp_path / "three.fasta"
    write_fasta(Proteins(("P1", "P2", "P3"), ("MKV", "ACDE", "WWYF"), "three"), fasta)
    return Study(proteins=str(fasta), models=["composition"])


@pytest.fixture
def report(study, tmp_path):
    return Report("01_toy", study, directory=tmp_path / "out")


def test_the_command_says_where_files_go(study, tmp_path, monkeypatch):
    monkeypatch.setenv(OUT_VARIABLE, str(tmp_path / "there"))
    assert Report("01_toy", study).directory == tmp_path / "there"


def test_a_notebook_opened_by_hand_writes_below_runs(study, monkeypatch):
    monkeypatch.delenv(OUT_VARIABLE, raising=False)
    assert Report("01_toy", study).directory == paths.RUNS / "01_toy"


def test_the_opening_says_which_proteins_and_models_these_are(report, shown):
    report.opening()
    pages = "".join(bundle.get("text/html", "") for bundle in shown)
    assert "three.fasta" in pages
    assert "composition" in pages
    assert "Proteins of this run: 3, of 4 residues in the median and 4 at most." in pages
    assert "Minis" not in pages
    assert any("No protein was left out" in bundle.get("text/markdown", "") for bundle in shown)


def test_the_opening_names_the_proteins_that_are_cut(study, tmp_path, shown):
    cut = Study(**study.settings.model_dump() | {"max_residues": 3})
    Report("01_toy", cut, directory=tmp_path / "cut").opening()
    pages = "".join(bundle.get("text/html", "") for bundle in shown)
    assert "Cut: of 2 proteins models read the beginning." in pages
    assert "cut from 4 to 3 residues" in pages
    assert not any("none was truncated" in str(bundle) for bundle in shown)


def test_the_opening_names_models_minis_and_controls_apart(study, report, shown):
    titles = {"model": "UniRep-64", "mini": "mini ProtBERT", "control": "3-mers"}
    copies = [study.models.assign(role=role, title=titles[role]) for role in titles]
    study.models = pd.concat(copies)
    report.opening()
    said = shown[0]["text/html"]
    assert "<p>UniRep-64. The minis (mini ProtBERT) are" in said
    assert "Controls: 3-mers." in said


def test_the_summary_says_of_what_the_run_is(study, report):
    copies = [study.models.assign(role=role) for role in ("mini", "mini", "control")]
    study.models = pd.concat(copies)
    report.opening()
    report.close()
    numbers = json.loads((report.directory / "summary.json").read_text())["numbers"]
    assert numbers["what"] == "3 proteins and 2 minis"
    assert numbers["whose"] == "minis"


def test_rows_are_quoted_as_the_models_range_and_each_controls_value(report):
    frame = pd.DataFrame(
        {
            "model": ["one", "two", "small", "lost", "untrained:one", "composition"],
            "role": ["model", "model", "mini", "model", "control", "control"],
            "r": [0.25, -0.5, 0.9, np.nan, 0.75, np.nan],
        }
    )
    report.record("some", frame, "r", spec=".2f")
    report.record("none", frame[:0], "r", spec=".2f")
    report.close()
    summary = json.loads((report.directory / "summary.json").read_text())
    assert summary["measured"] == []  # rows without labels are only quoted
    assert summary["numbers"] == {
        "some": "−0.50 to 0.25", "some_least": "−0.50", "some_most": "0.25",
        "some_controls": "untrained:one 0.75",
        "none": "–", "none_least": "–", "none_most": "–", "none_controls": "–",
    }  # fmt: skip


def test_a_sentence_has_minus_signs_and_keeps_its_hyphens(report, shown):
    report.say("r is -0.5 (-1 to 2) in a 1,024-d mini, -p gap_open 0")
    assert shown[0]["text/markdown"] == "r is −0.5 (−1 to 2) in a 1,024-d mini, -p gap_open 0"


def test_a_table_is_shown_rounded_and_kept_unrounded(report, shown):
    frame = pd.DataFrame({"name": ["a", "b"], "value": [1 / 3, np.nan], "n": [12345, 6]})
    report.table(frame, "some", "A <caption>.", headings={"value": "share", "n": "count"},
                 decimals={"value": 2})  # fmt: skip
    page = shown[0]["text/html"]
    assert "0.33" in page
    assert "12,345" in page
    assert "–" in page
    assert "&lt;caption&gt;" in page
    assert ">name<" not in page
    kept = pd.read_csv(report.directory / "tables" / "some.csv")
    pd.testing.assert_frame_equal(kept, frame)


def test_tables_are_numbered_within_their_chapter_and_can_be_linked_to(study, tmp_path, shown):
    frame = pd.DataFrame({"value": [1]})
    third, unnumbered = (Report(name, study, directory=tmp_path) for name in ("03_toy", "mine"))
    for report, name in ((third, "one"), (third, "two"), (unnumbered, "three")):
        report.table(frame, name, "Values.")
    pages = [bundle["text/html"] for bundle in shown]
    captions = [page.partition("<caption>")[2].partition("</caption>")[0] for page in pages]
    assert captions == ["Table 3.1. Values.", "Table 3.2. Values.", "Table 1. Values."]
    assert 'id="table-two"' in pages[1]


def test_a_figure_is_shown_as_vectors_and_kept_as_svg_and_png(report, shown):
    figure = Figure()
    figure.subplots().plot([1, 2])
    report.figure(figure, "line")
    kept = report.directory / "figures"
    assert (kept / "line.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in shown[0]["image/svg+xml"]
    assert (kept / "line.svg").read_text().startswith("<?xml")


def test_a_figure_with_words_for_who_cannot_see_it_can_be_shown_on_other_pages(report, shown):
    report.figure(Figure(), "plain")
    assert len(shown) == 1
    report.figure(Figure(), "line", alt="A line.")
    [glued] = [bundle for bundle in shown if "application/papermill.record/text/html" in bundle]
    assert 'alt="A line."' in glued["application/papermill.record/text/html"]


def test_a_figure_to_point_at_is_data_for_the_page_and_a_file_that_works_alone(report, shown):
    import plotly.graph_objects as go

    drawn = go.Figure(go.Scatter(x=[1], y=[2], customdata=["</script><b>P1</b>"]))
    report.interactive(drawn, "points", in_place_of="fig-points")
    page = shown[0]["text/html"]
    assert 'data-in-place-of="fig-points"' in page
    data = page.partition('<script type="application/json">')[2].partition("</script>")[0]
    assert json.loads(data)["data"][0]["customdata"] == ["</script><b>P1</b>"]
    kept = report.directory / "figures"
    assert 'src="plotly.min.js"' in (kept / "points.html").read_text()
    assert (kept / "plotly.min.js").stat().st_size > 1e6
    assert "cdn" not in (kept / "points.html").read_text().partition("plotly.min.js")[0]


def test_the_summary_holds_numbers_settings_models_and_versions(report):
    report.record("share", np.float64(0.25))
    report.record("undefined", float("nan"))
    report.record("profile", "offline")
    report.close()
    summary = json.loads((report.directory / "summary.json").read_text())
    assert summary["numbers"] == {"share": 0.25, "undefined": None, "profile": "offline"}
    assert summary["settings"]["models"] == ["composition"]
    assert summary["models"][0]["role"] == "control"
    assert summary["proteins"]["proteins"] == 3
    assert summary["versions"].keys() >= {"torch", "plm-geometry"}


def test_numbers_reach_the_books_pages_without_being_shown(report, shown):
    report.record("share", 0.25)
    assert shown == [{"application/papermill.record/text/plain": "0.25"}]


def labelled(**columns):
    labels = {
        "model": "prot_bert",
        "title": "ProtBERT",
        "role": "model",
        "counterpart": "prot_bert",
    }
    return pd.DataFrame([labels | columns])


def test_what_was_recorded_is_kept_for_verdicts_with_its_interval_and_number(report):
    report.record("isoscore", labelled(isoscore=0.5, isoscore_low=np.nan, n=3, other="x"))
    report.record("score", labelled(estimate=-0.5, low=-1, high=0.0), "estimate", spec=".1f")
    report.record("pairs", np.int64(7))
    report.record("pairs_of_mine", 0.5, low=0.25, high=1.0)
    report.close()
    summary = json.loads((report.directory / "summary.json").read_text())
    model = {"model": "prot_bert", "title": "ProtBERT", "role": "model", "counterpart": "prot_bert"}
    no_model = {"model": "", "title": "", "role": "data", "counterpart": ""}
    assert summary["measured"] == [
        {"quantity": "isoscore", **model, "value": 0.5, "low": None, "high": None, "n": 3},
        {"quantity": "score", **model, "value": -0.5, "low": -1, "high": 0.0, "n": None},
        {"quantity": "pairs", **no_model, "value": 7, "low": None, "high": None, "n": None},
    ]
    assert summary["numbers"] == {
        "score": "−0.5", "score_least": "−0.5", "score_most": "−0.5", "score_controls": "–",
        "pairs": 7, "pairs_of_mine": 0.5, "pairs_of_mine_low": 0.25, "pairs_of_mine_high": 1.0,
    }  # fmt: skip


def test_a_chapter_can_show_the_verdicts_on_what_it_has_measured(study, report):
    assert len(study.common) == 3  # read before they are said to be others
    study.models = study.models.set_axis(["prot_bert"]).assign(role="model")
    study.settings = study.settings.model_copy(update={"proteins": "swissprot"})
    report.record("isoscore", labelled(isoscore=0.001658))
    assert report.verdicts("isoscore") == {"prot_bert": "agrees"}


def test_the_summary_identifies_proteins_models_and_machine(tmp_path, study):
    study = Study(proteins=study.settings.proteins, models=["mini_prot_bert"])
    report = Report("01_toy", study, directory=tmp_path / "out")
    report.record("isoscore", study.isotropy.table())
    report.close()
    found = read_summary(tmp_path / "out" / "summary.json")
    assert found.proteins.sha256 == study.common.sha256
    assert found.models[0].revision == "local"
    assert len(found.models[0].weights) == 64
    assert "Python" in found.machine


def test_a_chapter_about_other_chapters_needs_no_study(tmp_path):
    report = Report("07_toy", directory=tmp_path / "out")
    report.record("rows", 3)
    report.close()
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["numbers"] == {"rows": 3}
    assert not summary.keys() & {"settings", "proteins", "models"}
