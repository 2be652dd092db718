"""A run's summary is read as its chapter wrote it, and a damaged one is a sentence."""

import json

import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.paper.summaries import (
    measured_rows,
    read_build,
    read_summary,
    summary_files,
    without_places,
)
from run_summaries import content, row, summary, write

GOOD = [row("isoscore", 0.5, low=0.4, high=0.6, n=70)]


def test_a_summary_is_read_as_it_was_written(tmp_path):
    found = read_summary(write(tmp_path / "summary.json", GOOD, n=70, matrix="PAM30"))
    assert found.measured[0].value == 0.5
    assert found.settings.matrix == "PAM30"
    assert found.models[0].weights == "ab" * 32
    assert found.proteins.proteins == 70


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ({"measured": []}, "measured"),
        ({"measured": [GOOD[0] | {"value": "high"}]}, r"measured\.0\.value"),
        ({"measured": [GOOD[0] | {"low": 0.7}]}, "ends before it begins"),
        ({"measured": [GOOD[0] | {"role": "author"}]}, r"measured\.0\.role"),
        ({"measured": [GOOD[0] | {"quantity": "Iso Score"}]}, r"measured\.0\.quantity"),
        ({"measured": [GOOD[0] | {"model": "another"}]}, "not among its models"),
        ({"measured": [GOOD[0] | {"also": 1}]}, r"measured\.0\.also"),
        ({"models": []}, "models"),
        ({"proteins": {"source": "x", "proteins": 0, "sha256": ""}}, r"proteins\.proteins"),
        ({"settings": {"matrx": "PAM30"}}, r"settings\.matrx"),
        ({"machine": ""}, "machine"),
        ({"chapter": None}, "chapter"),
    ],
)
def test_what_is_wrong_with_a_summary_is_said_with_its_place(tmp_path, spoil, sentence):
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(content(GOOD) | spoil))
    with pytest.raises(InputError, match=rf"summary\.json is no summary.*{sentence}.*; give"):
        read_summary(path)


def test_infinity_is_no_value(tmp_path):
    path = write(tmp_path / "summary.json", [GOOD[0] | {"value": float("inf")}])
    with pytest.raises(InputError, match="finite"):
        read_summary(path)


@pytest.mark.parametrize(("text", "sentence"), [("{", "no JSON"), ("[1]", "no named values"),
                                                ("", "no JSON")])  # fmt: skip
def test_what_is_no_summary_at_all_is_refused(tmp_path, text, sentence):
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_summary(tmp_path / "summary.json")
    (tmp_path / "summary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no JSON"):
        read_summary(tmp_path / "summary.json")
    with pytest.raises(InputError, match="No such file"):
        read_summary(tmp_path / "missing.json")


def test_a_build_is_what_its_chapters_have_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    assert read_build("offline") == []
    write(tmp_path / "offline" / "01_toy" / "summary.json", GOOD)
    write(tmp_path / "offline" / "02_toy" / "summary.json", GOOD, chapter="02_toy")
    # A chapter that has measured nothing may have no study either.
    nothing = tmp_path / "offline" / "07_toy" / "summary.json"
    nothing.parent.mkdir()
    nothing.write_text(json.dumps({"chapter": "07_toy", "measured": []}))
    assert [run.chapter for run in read_build("offline")] == ["01_toy", "02_toy"]
    assert len(summary_files("offline")) == 2
    assert [run.chapter for run in read_build("paper", tmp_path / "offline")] == [
        "01_toy",
        "02_toy",
    ]
    with pytest.raises(InputError, match="no directory"):
        read_build("offline", tmp_path / "elsewhere")


def test_measured_rows_say_whose_they_are():
    runs = [summary(GOOD), summary([row("proteins", 70)], chapter="02_toy")]
    table = measured_rows(runs)
    assert table["run"].tolist() == [0, 1]
    assert table["chapter"].tolist() == ["01_toy", "02_toy"]
    assert table["high"].tolist()[0] == 0.6
    assert measured_rows([]).empty


PLACES = ("proteins", "families", "pairs_file", "models", "controls")


def test_a_summary_names_files_and_not_where_they_lie(tmp_path):
    for name in (
        "mine.fasta",
        "f.csv",
        "p.parquet",
        "a/x.h5",
        "b/x.h5",
        'Ünïque "own"/config.json',
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    given = [f"{tmp_path}/a/x.h5", f"{tmp_path}/b/x.h5", "Rostlab/prot_bert", "unirep_64"]
    own = f'{tmp_path}/Ünïque "own"'
    found = content([row("isoscore", 0.5) | {"model": name, "title": name} for name in given])
    found["settings"] |= {
        "minis": [], "distance_controls": [],
        "proteins": f"{tmp_path}/mine.fasta", "families": f"{tmp_path}/f.csv",
        "pairs_file": f"{tmp_path}/p.parquet", "controls": [f"untrained:{own}@0-2", "composition"],
        "cluster": "tcp://my-host:8786",
    }  # fmt: skip
    kept = without_places(found)
    assert str(tmp_path) not in json.dumps(kept)
    assert "my-host" not in json.dumps(kept)
    short = ["a/x.h5", "b/x.h5", "Rostlab/prot_bert", "unirep_64"]
    assert [used["model"] for used in kept["models"]] == short
    assert [used["title"] for used in kept["measured"]] == short
    assert [kept["settings"][name] for name in PLACES] == [
        "mine.fasta", "f.csv", "p.parquet", short, ['untrained:Ünïque "own"@0-2', "composition"]
    ]  # fmt: skip
