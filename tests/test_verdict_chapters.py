"""The chapter about other runs, executed: on results, on none, and on records of one's own."""

import numpy as np
import pandas as pd
import pytest

from chapter_cells import run_cells
from plm_geometry.base import paths
from run_summaries import as_printed, row, write

TRACKED = str(paths.ROOT / "data" / "runs")
SIGN = "correlation:cosine_similarity:squared_euclidean"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the chapter in this process, into a directory of its own."""
    monkeypatch.setattr(paths, "RECORDS", tmp_path / "none")
    build = tmp_path / "build"
    build.mkdir()
    given = {"summaries": str(build), "records": str(tmp_path / "none")}
    return lambda **more: run_cells("07_published_and_reproduced", tmp_path / "out", **given | more)


def states(ran):
    return ran.table("claims_evidence").set_index("claim")["state"]


def test_a_build_with_the_papers_numbers_holds_and_one_turned_sign_does_not(run, tmp_path):
    given = [one for one in as_printed() if one["quantity"] != SIGN]
    given.append(row(SIGN, -0.8, low=-0.801, high=-0.799))
    write(tmp_path / "build" / "01_toy" / "summary.json", given)
    ran = run()
    found = states(ran)
    assert (found == "holds").sum() == 10
    assert found.filter(like="squared Euclidean distance (ProtBERT)").iloc[0].endswith("in sign")
    assert ran.numbers["claims_holds"] == "10"
    assert len(found) == 11


def test_with_nothing_run_every_claim_is_there_with_its_command(run):
    ran = run()
    assert set(states(ran)) == {"not tested here"}
    assert "No chapter of the profile offline has been run yet" in ran.shown
    assert ran.table("claims_evidence")["command"].str.startswith("plm-geometry run").all()
    assert len(ran.table("verdicts")) == 70
    assert {"signs", "choices"} == set(ran.figures)


def test_tracked_runs_contradict_one_sign(run):
    ran = run(records=TRACKED)
    assert states(ran).value_counts().to_dict() == {
        "undecided": 6, "not tested here": 4, "holds in size but not in sign": 1
    }  # fmt: skip
    for said in ("ESM-2 650M", "70 human proteins", "1,000 variants", "cosine *distance*"):
        assert said in ran.shown
    assert len(ran.table("sources")) > 6


def test_tables_of_other_chapters_stand_in_the_figures(run, tmp_path):
    tables = {chapter: tmp_path / "build" / chapter / "tables" for chapter in
              ("03_correlation", "06_pooling_or_multimodality")}  # fmt: skip
    for place in tables.values():
        place.mkdir(parents=True)
    labels = {"model": "unirep_64", "title": "UniRep-64", "role": "model"}
    signs = pd.DataFrame([labels | {"cosine_similarity": -0.9, "norm_variation": 0.1}])
    signs.to_csv(tables["03_correlation"] / "signs.csv")
    ladder = pd.DataFrame(
        labels | {"readout": readout, "effective_dimensions": k,
                  "effective_dimensions_low": k - 1, "effective_dimensions_high": k + 1}
        for readout, k in (("mean", 5.0), ("mean_of_16", 6.0), ("final", 15.0))
    )  # fmt: skip
    ladder.to_csv(tables["06_pooling_or_multimodality"] / "ladder.csv")
    ran = run()
    assert ran.table("signs").query("title == 'UniRep-64'")["r"].tolist() == [-0.9]
    pooled = ran.table("choices").query("label == 'UniRep-64'")
    assert pooled["value"].tolist() == [5, 15]
    assert np.isnan(pooled["printed"]).all()
    assert "by a factor of 3.0" in ran.shown
