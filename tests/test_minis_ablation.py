"""The ablation's trainings: what the arms share, what they differ in, and a whole small run."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import layer_norm

import ablation
import arms
import cost
import design
import split
from corpus import Corpus
from plm_geometry.base import paths
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.paper import ablation as rule
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

SMALL = design.SCALES["small"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Thirty families of three proteins that share four residues in five, and GO terms of them."""
    directory, rng = tmp_path_factory.mktemp("ablation"), np.random.default_rng(0)
    records, rows = [], ["accession\tterms"]
    for family in range(30):
        ancestor = rng.choice(list(STANDARD_RESIDUES), 40 + family)
        for member in range(3):
            residues = ancestor.copy()
            mutated = rng.random(len(residues)) < 0.2
            residues[mutated] = rng.choice(list(STANDARD_RESIDUES), mutated.sum())
            records.append(f">f{family}m{member}\n{''.join(residues)}\n")
            if member:  # of a third of the proteins nothing is known
                rows.append(f"f{family}m{member}\tGO:000000{family % 2}; GO:0000009")
    fasta, go = directory / "few.fasta", directory / "go.tsv"
    fasta.write_text("".join(records))
    go.write_text("\n".join(rows))
    return fasta, go


@pytest.fixture(scope="module")
def task(files, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", tmp_path_factory.mktemp("cache"))
        patch.setattr(split, "TERM_PROTEINS", 10)
        return design.prepare([files[0]], [files[1]], SMALL, tell=lambda line: None)


def made(task, name, seed=1):
    torch.manual_seed(seed)
    return task.objective(name)


def test_the_arms_are_those_of_the_rule():
    assert list(arms.ARMS) == list(rule.ARMS)
    assert {place[0] for pair in (rule.PRIMARY | rule.SECONDARY).values() for place in pair} == set(
        arms.ARMS
    )


def test_no_family_is_in_training_and_test(task):
    division = task.division
    names = np.array(division.proteins.accessions)
    family_of = {name: name.partition("m")[0] for name in names}
    trained = {family_of[name] for name in names[division.training]}
    tested = {family_of[name] for name in names[division.test]}
    assert trained
    assert not trained & tested
    assert len(tested) >= SMALL.n_families
    assert len(division.test) >= SMALL.n_test
    assert len(division.training) + len(division.test) + division.left_out == len(names)


def test_what_a_hit_joins_with_a_test_protein_is_not_trained_on():
    hits = pd.DataFrame({"query": [0, 3, 4], "target": [1, 0, 5], "e_value": [0.005, 0.005, 0.005]})
    in_test = np.array([True, False, False, False, False, False])
    assert split._joined(in_test, hits).tolist() == [False, True, False, True, False, False]
    assert not split._joined(in_test, hits.assign(e_value=0.02)).any()


def test_shuffled_labels_are_those_of_other_annotated_proteins(task):
    labels = task.labels["go"]
    moved = split.shuffled(labels, 3)
    assert (moved.any(axis=1) == labels.any(axis=1)).all()
    assert Counter(map(bytes, moved)) == Counter(map(bytes, labels))
    assert (moved != labels).any()
    assert (moved != split.shuffled(labels, 4)).any()


def test_family_labels_name_the_families_of_two_or_more():
    labels = split.family_labels(np.array([4, 7, 4, 9, 7]))
    assert labels.tolist() == [[1, 0], [0, 1], [1, 0], [0, 0], [0, 1]]


@pytest.mark.parametrize("architecture", ["proteinbert", "bert"])
def test_a_seed_gives_all_arms_of_an_architecture_the_same_start(task, architecture, tmp_path):
    names = [name for name, arm in arms.ARMS.items() if arm.architecture == architecture]
    trunks = [made(task, name).model["trunk"].state_dict() for name in names]
    for trunk in trunks[1:]:
        shared = trunk.keys() & trunks[0].keys()
        assert len(shared) >= len(trunks[0]) - 4  # the last block's two norms
        assert all(torch.equal(trunk[key], trunks[0][key]) for key in shared)
    losses = {}
    for name in names:
        if arms.ARMS[name].final_norm:
            training = task.training(name, 1, tmp_path / "none")
            training._update(0, 3)
            losses[name] = training.recent["loss"][0]
    assert len(set(losses.values())) == 1  # of the same crops, masked alike


@pytest.mark.parametrize("name", ["proteinbert_lm_go", "bert_lm_go"])
def test_labels_are_predicted_and_never_shown(task, name):
    objective, rng = made(task, name), np.random.default_rng
    crops = task.training(name, 1, Path("none")).corpora.training.one_crop_each(32, 1)[:6]
    bare = [replace(crop, annotations=0 * crop.annotations) for crop in crops]
    shown, hidden = objective.losses(crops, rng(0)), objective.losses(bare, rng(0))
    assert torch.equal(shown["loss"], hidden["loss"])
    assert "annotation_loss" in shown
    assert "annotation_loss" not in hidden  # nothing is known of them
    objective.total(shown).backward()
    assert objective.model["head"].weight.grad.abs().sum() > 0


def test_arms_without_labels_train_no_head_for_them(task):
    for name in ("proteinbert_lm", "bert_lm"):
        objective = made(task, name)
        crops = task.test.one_crop_each(32, 1)[:4]
        objective.total(objective.losses(crops, np.random.default_rng(0))).backward()
        assert objective.model["head"].weight.grad is None


@pytest.mark.parametrize("name", ["proteinbert_lm", "proteinbert_lm_no_norm", "bert_lm"])
def test_readouts_are_those_of_a_protein_alone(task, name):
    """Of a batch padded far beyond each protein; each computed again alone, unpadded."""
    objective, sequences = made(task, name), task.test.sequences[:5]
    found = objective.read(sequences, 300, batch=3)
    objective.model.eval()
    for row, sequence in enumerate(sequences):
        crop = Corpus((sequence,), np.zeros((1, 0))).one_crop_each(1000, 0)
        with torch.inference_mode():
            local, whole = objective.states(*objective.tokens(crop, len(sequence) + 2))
        residues = local[0, 1:-1]
        alone = [whole[0], residues.mean(0), layer_norm(whole[0], whole.shape[-1:]),
                 torch.stack([layer_norm(x, x.shape) for x in residues]).mean(0)]  # fmt: skip
        for readout, vector in zip(arms.READOUTS, alone, strict=True):
            np.testing.assert_allclose(found[readout][row], vector, atol=2e-5)


def test_without_its_last_layernorm_a_network_ends_unnormalised(task):
    for readout, name in (("global", "proteinbert_lm"), ("global", "proteinbert_lm_no_norm")):
        vectors = made(task, name).read(task.test.sequences[:4], 100)[readout]
        is_normal = np.allclose(vectors.std(axis=1), 1, atol=0.05)
        assert is_normal == arms.ARMS[name].final_norm


def test_residues_seen_are_those_of_the_crops(task):
    lengths = [len(s) for s in task.division.sequences(task.division.training)]
    epoch = Corpus(task.division.sequences(task.division.training), np.zeros((len(lengths), 0)))
    crops = epoch.one_crop_each(SMALL.crop_residues, 0)
    seen = sum(len(crop.sequence) for crop in crops) / len(crops)
    assert task.residues_per_step == pytest.approx(SMALL.batch * seen)


def test_all_nine_arms_run_with_two_seeds_and_are_written(files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(split, "TERM_PROTEINS", 10)
    places = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    call = ["--fasta", str(files[0]), "--go", str(files[1]), "--scale", "small", *places]
    ablation.main([*call, "--forecast"])
    assert not (tmp_path / "out" / "losses.csv").exists()
    assert "CPU hours (measured)" in capsys.readouterr().out
    ablation.main(call)
    losses, log_k = (rule.read(name, tmp_path / "out") for name in ("losses", "log_k"))
    assert len(losses[losses.step == 3]) == 18
    assert len(log_k) == 9 * 2 * 2 * 4  # arms, seeds, trained or not, readouts
    assert (log_k.groupby("arm").seed.nunique() == 2).all()
    found = rule.read("contrasts", tmp_path / "out")
    assert list(found.contrast) == [*rule.PRIMARY, *rule.SECONDARY]
    assert "Inconclusive: the gate is not passed" in capsys.readouterr().out
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("run.json")}
    ablation.main(call)  # nothing is left to do
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_run_that_was_stopped_ends_as_one_that_was_not(task, tmp_path, monkeypatch):
    whole = ablation.run(task, "proteinbert_lm_go", 1, tmp_path / "whole", np.inf)
    clock = iter([0, 2, *[9] * 9])
    monkeypatch.setattr("ablation.time.monotonic", lambda: next(clock))
    part = ablation.run(task, "proteinbert_lm_go", 1, tmp_path / "part", 5)
    monkeypatch.undo()
    assert part["k"] == []
    assert (tmp_path / "part" / ablation.STATE).exists()
    resumed = ablation.run(task, "proteinbert_lm_go", 1, tmp_path / "part", np.inf)
    assert resumed["rows"] == whole["rows"]
    assert resumed["k"] == whole["k"]
    assert json.loads((tmp_path / "part" / "run.json").read_text()) == resumed


def test_k_is_that_of_the_test_proteins(task, tmp_path):
    found = ablation.run(task, "bert_lm", 2, tmp_path, np.inf)
    untrained = made(task, "bert_lm", 2).read(task.test.sequences, 100)
    for row in found["k"]:
        if row["state"] == "untrained":
            assert row["k"] == pytest.approx(effective_dimensions(untrained[row["readout"]]))


def test_the_forecast_multiplies_a_step_by_all_runs(task):
    costs = cost.forecast(task).set_index("architecture")
    assert costs.runs.to_dict() == {"proteinbert": 12, "bert": 6}
    hours = costs.runs * costs.steps * costs.cpu_seconds_per_step / 3600
    assert costs.cpu_hours.to_list() == pytest.approx(hours.to_list(), rel=0.02)
