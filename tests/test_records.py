"""Runs from other machines: imported whole, identified, without a path of their machine."""

import json
import re

import numpy as np
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.paper import published, records
from run_summaries import content, row, write
from test_repository import tracked

GOOD = [row("isoscore", 0.5, low=0.4, high=0.6, n=70)]


@pytest.fixture(autouse=True)
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RECORDS", tmp_path / "runs")
    return tmp_path


@pytest.fixture
def given_file(house):
    """Write a summary after a change to what it holds; return its path."""

    def write_one(change=lambda found: None, name="summary.json", **more):
        found = content(GOOD, **{"proteins": "human70.fasta", "n": 70} | more)
        change(found)
        (house / name).write_text(json.dumps(found))
        return house / name

    return write_one


def test_a_run_is_taken_in_with_what_identifies_it(given_file):
    path = records.add([given_file()], note="Seventy of them.")
    assert path == paths.RECORDS / "human70_prot_bert.json"
    [record] = records.read_records()
    assert (record.name, record.note) == ("human70_prot_bert", "Seventy of them.")
    assert record.sample == "70 proteins of human70.fasta"
    run = record.runs[0]
    assert run.models[0].weights == "ab" * 32
    assert run.proteins.sha256 == "cd" * 32
    assert run.machine == "Linux, 2 cores"
    assert run.measured[0].low == 0.4
    assert json.loads(path.read_text())["runs"][0].keys() >= {"settings", "models", "machine"}


def test_chapters_of_one_run_are_one_record_and_adding_again_replaces_it(given_file):
    first = given_file(name="a.json")
    second = given_file(name="b.json", chapter="03_toy")
    records.add([first, second], "mine")
    assert [run.chapter for run in records.read_records()[0].runs] == ["01_toy", "03_toy"]
    records.add([second], "mine")
    assert [run.chapter for run in records.read_records()[0].runs] == ["03_toy"]


def second_model(found):
    found["models"].append(found["models"][0] | {"model": "/elsewhere/prot_bert"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda found: found["models"][0].update(weights=""), "neither a revision nor the sha256"),
        (lambda found: found["proteins"].update(sha256=""), "proteins.sha256"),
        (lambda found: found.pop("machine"), "machine"),
        (lambda found: found.pop("measured"), "measured"),
    ],
)
def test_a_run_that_does_not_say_what_it_is_of_is_refused(given_file, change, sentence):
    with pytest.raises(InputError, match=sentence):
        records.add([given_file(change)])
    assert not paths.RECORDS.exists()


def test_chapters_of_different_runs_are_refused(given_file):
    first = given_file(name="a.json")
    same = given_file(name="b.json")
    other = given_file(lambda found: found["proteins"].update(sha256="ee" * 32), "c.json",
                       chapter="03_toy")  # fmt: skip
    with pytest.raises(InputError, match="two files are of 01_toy"):
        records.add([first, same])
    with pytest.raises(InputError, match=r"c\.json is over other proteins than"):
        records.add([first, other])
    with pytest.raises(InputError, match="nothing was given"):
        records.add([])


@pytest.mark.parametrize("name", ["../mine", "Mine", "a b", ".mine"])
def test_a_name_that_is_no_file_name_is_refused(given_file, name):
    with pytest.raises(InputError, match="no name for a record"):
        records.add([given_file()], name)
    assert not paths.RECORDS.exists()


def test_a_damaged_record_is_a_sentence(house):
    paths.RECORDS.mkdir()
    (paths.RECORDS / "x.json").write_text('{"name": "x", "sample": "few", "runs": []}')
    with pytest.raises(InputError, match=r"x\.json is no record of a run \(runs"):
        records.read_records()


def test_a_run_is_called_what_its_embeddings_are_of(given_file):
    def unnamed(found):
        for labelled in (found["models"][0], found["measured"][0]):
            labelled |= {"title": "vectors", "counterpart": ""}

    for model, title, counterpart in [
        ("prot_bert", "ProtBERT", "prot_bert"),
        ("Pooler output", "Pooler output", ""),
    ]:
        records.add([given_file(unnamed)], "mine", model=model, sample="70 human proteins")
        [record] = records.read_records()
        [row] = records.measured([record]).to_dict("records")
        assert record.runs[0].models[0].title == row["title"] == title
        assert (row["role"], row["counterpart"]) == ("model", counterpart)
        assert (row["record"], row["sample"]) == ("mine", "70 human proteins")


def test_several_models_do_not_get_one_name(given_file):
    with pytest.raises(InputError, match="but it has 2"):
        records.add([given_file(second_model)], "mine", model="prot_bert")


def test_records_are_judged_and_measured_and_their_sources_listed(given_file):
    records.add([given_file()], "mine")
    found = records.read_records()
    table = records.record_verdicts(found)
    assert table["verdict"].tolist() == ["not comparable"]
    assert table["why"].tolist() == [
        "It is over 70 proteins of human70.fasta, not over Swiss-Prot."
    ]
    assert records.measured(found)["record"].tolist() == ["mine"]
    [source] = records.sources(found).to_dict("records")
    assert (source["record"], source["weights"], source["data"]) == ("mine", "ab" * 6, "cd" * 6)


def test_without_records_tables_are_empty():
    assert records.read_records() == []
    assert records.record_verdicts([]).empty
    assert records.measured([]).empty
    assert records.sources([]).empty


def test_a_run_on_swissprot_made_elsewhere_can_agree(given_file):
    def as_printed(found):
        found["measured"][0] |= {"value": 0.001658, "low": None, "high": None}

    records.add([given_file(as_printed, proteins="swissprot", n=570_000)], "whole")
    assert records.record_verdicts(records.read_records())["verdict"].tolist() == ["agrees"]


# What lies in data/runs

TRACKED = sorted((paths.ROOT / "data" / "runs").glob("*.json"))


REAL = {  # name: (k, IsoScore, mean cosine), to as many digits as were measured independently
    "human70_prot_bert": (4.869, 0.003782, 0.8235),
    "human354_esm2_650m": (4.776, 0.002952, 0.8597),
    "kinases558_esm2_650m": (2.975, 0.001544, 0.8274),
    "gfp1000_prot_t5": (8.93, 0.007755, 0.9453),
    "pooler137_prot_bert": (1.0000014, 1.4e-9, 0.99999993),
}


def test_every_record_that_lies_there_is_tracked():
    assert {path.stem for path in TRACKED} == {*REAL, "residues5_esm2_8m"}
    assert set(TRACKED) <= set(tracked())


@pytest.mark.parametrize("path", TRACKED, ids=lambda path: path.stem)
def test_what_is_tracked_is_whole_and_names_no_place(path, monkeypatch):
    monkeypatch.setattr(paths, "RECORDS", path.parent)
    assert path.stem in [record.name for record in records.read_records()]
    assert not re.search(r'"[^"]*(?:(?<![\w:/.])/|~/|[A-Za-z]:\\)\w', path.read_text())


def tracked_values():
    found = records.measured(records.read_records(paths.ROOT / "data" / "runs"))
    models = found[found["role"] == "model"]
    return models.set_index(["record", "quantity"])["value"]


@pytest.mark.parametrize("name", REAL)
def test_isotropy_of_real_checkpoints_is_what_was_measured_independently(name):
    value, (k, isoscore, cosine) = tracked_values()[name], REAL[name]
    assert value["effective_dimensions"] == pytest.approx(k, abs=0.0055 if k > 1.01 else 5e-8)
    assert value["isoscore"] == pytest.approx(isoscore, abs=5e-7 if k > 1.01 else 5e-11)
    assert value["mean_cosine_similarity"] == pytest.approx(cosine, abs=5e-5 if k > 1.01 else 1e-8)


def test_residues_of_a_real_checkpoint_are_what_was_measured_independently():
    value = tracked_values()["residues5_esm2_8m"]
    assert value["local_dimensions"] == pytest.approx(15.3, abs=0.05)


def test_correlations_of_real_prot_bert_are_what_was_measured_independently():
    value = tracked_values()
    known = published.table("measured_real").set_index("model").loc["prot_bert"]
    entry = "correlation:{}:{}".format
    expected = {
        entry("cosine_similarity", "squared_euclidean"): known.cosine_squared_euclidean,
        entry("cosine_similarity", "alignment_score"): known.cosine_score,
        entry("squared_euclidean", "alignment_score"): known.squared_euclidean_score,
    }
    for quantity, measured in expected.items():
        assert value["human70_prot_bert", quantity] == pytest.approx(measured, abs=5e-4)
    # These were measured with the alignments that Biopython itself chose among the best ones,
    # and not with those of most identities.
    by_identity = {
        entry("cosine_similarity", "sequence_identity"): known.cosine_identity,
        entry("squared_euclidean", "sequence_identity"): known.squared_euclidean_identity,
        entry("alignment_score", "sequence_identity"): known.score_identity,
    }
    for quantity, measured in by_identity.items():
        assert value["human70_prot_bert", quantity] == pytest.approx(measured, abs=0.005)
    assert (
        np.sign(value["human70_prot_bert", entry("cosine_similarity", "squared_euclidean")]) == -1
    )


def test_a_record_can_be_read_from_another_directory(given_file, tmp_path):
    records.add([given_file()], "mine")
    paths.RECORDS.rename(tmp_path / "moved")
    assert [record.name for record in records.read_records(tmp_path / "moved")] == ["mine"]


def test_a_summary_as_a_chapter_writes_it_is_taken_in(house):
    write(house / "out" / "summary.json", GOOD, proteins="mine.fasta")
    assert records.add([house / "out" / "summary.json"]).exists()
