"""`plm-geometry verdict` as a person meets it: the table, imported runs, and bad input."""

import json

import h5py
import numpy as np
import pytest

from plm_geometry.base import paths
from plm_geometry.isotropy.measures import isoscore
from plm_geometry.paper import records
from run_summaries import as_printed, content, row, write

GOOD = [row("isoscore", 0.5, low=0.4, high=0.6, n=70)]


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RECORDS", tmp_path / "runs")
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    return tmp_path


def test_the_table_lists_every_number_and_counts_the_verdicts(command, house):
    write(house / "results" / "offline" / "01_toy" / "summary.json", as_printed("mini"),
          proteins="bacterium", n=1000)  # fmt: skip
    status, out, _ = command("verdict")
    assert status == 0
    assert "IsoScore, ProtBERT " in out
    assert "IsoScore of word tokens, GPT-2, layer 12 " in out
    # Of a mini nothing is compared; three numbers have no model in them.
    assert "\n67 not run, 3 not comparable in this profile\n" in out
    assert " agrees" not in out


def test_without_results_it_says_how_to_make_them(command):
    status, out, err = command("verdict")
    assert status == 0
    assert "plm-geometry book" in err
    assert "70 not run" in out


def test_a_run_is_taken_in_and_shown(command, house):
    path = write(house / "summary.json", GOOD, proteins="human70.fasta", n=70)
    status, out, _ = command("verdict", "--add", path, "--name", "mine", "--note", "Seventy.")
    assert status == 0
    assert out.startswith(f"{house / 'runs' / 'mine.json'}\n")
    assert "It is over 70 proteins of human70.fasta" in out
    assert records.read_records()[0].note == "Seventy."


def test_several_chapters_are_taken_in_at_once(command, house):
    files = [write(house / name / "summary.json", GOOD, chapter=name) for name in ("01_a", "03_b")]
    assert command("verdict", "--add", *files)[0] == 0
    assert len(records.read_records()[0].runs) == 2


def test_what_isotropy_prints_is_taken_in(command, house, tmp_path):
    vectors = np.random.default_rng(1).normal(size=(40, 5)).astype("f4")
    with h5py.File(tmp_path / "gfp.h5", "w") as file:
        file.attrs["model_name"] = "Rostlab/prot_bert"
        for number, vector in enumerate(vectors):
            file[f"P{number}"] = vector
    _, out, _ = command("isotropy", tmp_path / "gfp.h5", "--json")
    (tmp_path / "gfp.json").write_text(out)
    status, out, err = command("verdict", "--add", tmp_path / "gfp.json", "--name", "gfp")
    assert status == 0, err
    found = records.measured(records.read_records()).set_index("quantity")
    assert found.loc["isoscore", "value"] == pytest.approx(isoscore(vectors))
    assert found.loc["isoscore", "low"] < found.loc["isoscore", "high"]
    assert found.loc["isoscore", ["title", "role", "counterpart"]].tolist() == [
        "Rostlab/prot_bert", "model", "prot_bert"
    ]  # fmt: skip
    run = records.read_records()[0].runs[0]
    assert (run.proteins.source, run.proteins.proteins) == ("gfp.h5", 40)
    assert len(run.models[0].weights) == 64
    assert str(tmp_path) not in (paths.RECORDS / "gfp.json").read_text()
    assert "IsoScore, ProtBERT" in out


def test_vectors_without_a_model_take_the_one_that_is_named(command, tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(1).normal(size=(40, 5)))
    _, out, _ = command("isotropy", tmp_path / "v.npy", "--json")
    (tmp_path / "v.json").write_text(out)
    said = ["--model", "prot_t5", "--sample", "40 points"]
    for named, title, sample in (([], "v.npy", "40 proteins of v.npy"), (said, "ProtT5", said[3])):
        assert command("verdict", "--add", tmp_path / "v.json", "--name", "v", *named)[0] == 0
        [record] = records.read_records()
        assert (record.runs[0].models[0].title, record.sample) == (title, sample)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "no JSON"),
        ("[]", "no named values"),
        ("{}", "no summary of a run (chapter"),
        (json.dumps(content(GOOD) | {"measured": []}), "measured"),
        (json.dumps(content(GOOD) | {"machine": 3}), "machine"),
        (json.dumps({"isoscore": 0.5, "d": 3}), "no summary of a run"),
        (json.dumps({"isoscore": "x", "d": {}, "model_name": 3}), "no summary of a run"),
    ],
)
def test_malformed_files_are_one_sentence_and_leave_nothing(refused, house, text, sentence):
    (house / "bad.json").write_text(text)
    assert sentence in refused("verdict", "--add", house / "bad.json")
    assert not (house / "runs").exists()


def test_wrong_uses_are_one_sentence(refused, house):
    path = write(house / "summary.json", GOOD)
    assert "without --add" in refused("verdict", path)
    assert "nothing was given" in refused("verdict", "--add")
    assert "no profile 'offlien'" in refused("verdict", "--profile", "offlien")
    assert "No such file" in refused("verdict", "--add", house / "missing.json")
    assert "no name for a record" in refused("verdict", "--add", path, "--name", "../x")
