"""The training of the minis, and the checkpoints that it left."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import train
from corpus import (
    MAX_RESIDUES,
    Corpus,
    count_residues,
    entropy,
    frequent_terms,
    is_held_out,
    read_corpora,
    read_terms,
)
from objectives import (
    IGNORED,
    AnnotationObjective,
    MaskedObjective,
    PermutationObjective,
    hide_residues,
    last_in_order,
)
from plm_geometry.models.loading import load
from plm_geometry.proteins.fasta import read_fasta

CHECKPOINTS = train.HERE / "checkpoints"
TERMS = ["GO:0000001", "GO:0000002", "GO:0000003"]
TINY = {
    MaskedObjective: {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
    PermutationObjective: {"d_model": 32, "n_layer": 1, "n_head": 2, "d_inner": 64},
    AnnotationObjective: {
        "local_width": 16,
        "global_width": 16,
        "n_heads": 2,
        "key_width": 8,
        "n_blocks": 1,
    },
}


@pytest.fixture(scope="module")
def bacterium():
    return read_fasta(train._bacterium()).sequences


@pytest.fixture(scope="module")
def corpora(bacterium):
    """Sixty proteins, those with many leucines annotated."""
    sequences = bacterium[:60]
    leucines = [sequence.count("L") / len(sequence) for sequence in sequences]
    annotations = np.zeros((60, 3), np.float32)
    annotations[np.array(leucines) > 0.09] = [1, 0, 1]
    corpus = Corpus(sequences, annotations)
    return train.Corpora(corpus, corpus, Corpus(bacterium[60:80], annotations[:20]))


def tiny(objective, **changes):
    extra = {"terms": TERMS} if objective is AnnotationObjective else {}
    mini = train.Mini(objective, lambda _: objective.create(**TINY[objective], **extra), 40)
    return replace(mini, batch=8, crop_residues=48, **changes)


@pytest.mark.parametrize("objective", TINY)
def test_a_short_training_lowers_the_loss(objective, corpora, tmp_path):
    training = train.Training(tiny(objective), corpora, TERMS, 1, tmp_path / "state.pt")
    crops = corpora.training.one_crop_each(48, train.TEST_SEED)
    before = train.measure(training.objective, crops)
    training.run(40, "tiny")
    after = train.measure(training.objective, crops)
    assert sum(after.values()) < 0.95 * sum(before.values())
    assert training.rows[-1]["held_out_loss"] == pytest.approx(after["loss"], abs=1e-4)


@pytest.mark.parametrize("objective", TINY)
def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    objective, corpora, tmp_path, monkeypatch
):
    whole = train.Training(tiny(objective), corpora, TERMS, 1, tmp_path / "none.pt")
    whole.run(8, "whole")
    monkeypatch.setattr(train, "SAVED_EVERY", 0)  # after every step
    kept = []
    real = train.Training._save

    def save_until_the_fifth(training):
        real(training)
        kept.append(training.step)
        if training.step == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(train.Training, "_save", save_until_the_fifth)
    first = train.Training(tiny(objective), corpora, TERMS, 1, tmp_path / "state.pt")
    with pytest.raises(KeyboardInterrupt):
        first.run(8, "first half")
    monkeypatch.setattr(train.Training, "_save", real)
    resumed = train.Training(tiny(objective), corpora, TERMS, 1, tmp_path / "state.pt")
    assert resumed.step == kept[-1] == 5
    resumed.run(8, "second half")
    assert resumed.rows == whole.rows
    for one, other in zip(
        resumed.objective.model.parameters(), whole.objective.model.parameters(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize("objective", TINY)
def test_a_checkpoint_comes_back_as_it_was_saved(objective, corpora, tmp_path):
    result = train.train_mini(tiny(objective), corpora, TERMS, tmp_path / "mini", steps=1)
    crops = corpora.bacterium.one_crop_each(48, train.TEST_SEED)
    measured = train.measure(objective.load(tmp_path / "mini"), crops)
    assert result["bacterium"]["loss"] == pytest.approx(measured["loss"], abs=1e-6)
    assert json.loads((tmp_path / "mini" / "training.json").read_text()) == result
    assert not (tmp_path / "mini" / train.STATE).exists()


def test_the_command_trains_all_four_and_writes_their_table(bacterium, tmp_path):
    fasta, table = tmp_path / "few.fasta", tmp_path / "go.tsv.gz"
    fasta.write_text("".join(f">P{i}\n{seq[:60]}\n" for i, seq in enumerate(bacterium[:80])))
    rows = "".join(f"P{i}\tGO:0000001; GO:0000002\n" for i in range(30))
    table.write_bytes(gzip.compress(b"Entry\tGene Ontology IDs\n" + rows.encode()))
    options = ["--fasta", str(fasta), "--go", str(table), "--test", str(fasta), "--steps", "1"]
    train.main([*options, "--out", str(tmp_path / "out")])
    losses = pd.read_csv(tmp_path / "out" / "losses.csv")
    assert list(losses["Key"].str.strip("`")) == list(train.MINIS)
    assert load(tmp_path / "out" / "mini_protein_bert").max_residues == MAX_RESIDUES


def test_a_table_without_go_terms_ends_the_command_with_a_sentence(tmp_path, capsys):
    table = tmp_path / "go.tsv"
    table.write_text("Entry\tName\nP1\tkinase\n")
    with pytest.raises(SystemExit) as ended:
        train.main(["--fasta", str(table), "--go", str(table)])
    assert ended.value.code == 2
    assert "holds no GO term" in capsys.readouterr().err


def test_go_terms_are_read_from_both_of_uniprots_layouts(tmp_path):
    ids, names = tmp_path / "ids.tsv", tmp_path / "names.tsv"
    ids.write_text("accession\tmf\tbp\nP1\tGO:0000001;GO:0000002\t\nP2\t\t\n")
    names.write_text("Entry\tGene Ontology (GO)\nP3\tATP binding [GO:0005524]; x [GO:0000001]\n")
    found = read_terms([ids, names])
    assert found == {
        "P1": {"GO:0000001", "GO:0000002"},
        "P2": frozenset(),
        "P3": {"GO:0005524", "GO:0000001"},
    }
    assert frequent_terms({str(i): found["P1"] for i in range(20)}) == sorted(found["P1"])
    assert frequent_terms(found) == []


def test_no_files_held_out_protein_is_trained_on(bacterium, tmp_path):
    first, second = tmp_path / "a.fasta", tmp_path / "b.fasta"
    for path, part in ((first, bacterium[:900]), (second, bacterium[600:2000])):
        path.write_text("".join(f">{path.stem}{i}\n{seq}\n" for i, seq in enumerate(part)))
    training, held_out = read_corpora([first, second], {"a0": frozenset(TERMS[:1])}, TERMS)
    of_first = read_corpora([first], {}, TERMS)
    together = set(training.sequences) | set(held_out.sequences)
    assert together == set(bacterium[:2000])
    assert len(training) + len(held_out) == len(together)
    assert set(of_first[0].sequences) <= set(training.sequences)
    assert set(of_first[1].sequences) <= set(held_out.sequences)
    assert len(held_out) / len(together) == pytest.approx(0.05, abs=0.015)
    annotated = held_out if is_held_out(bacterium[0]) else training
    row = annotated.annotations[annotated.sequences.index(bacterium[0])]
    assert row.tolist() == [1, 0, 0]


def test_unigram_entropy_is_that_of_the_residue_counts():
    counts = count_residues(["ACCX", "WWWW"])
    assert entropy(counts) == pytest.approx(stats.entropy([1, 2, 4]))


def test_an_epoch_shows_every_protein_once(bacterium):
    corpus = Corpus(bacterium[:32], np.zeros((32, 1), np.float32))
    for epoch in (0, 1):
        crops = [crop for step in range(4) for crop in corpus.batch(4 * epoch + step, 8, 64, 1)]
        cut = sorted(crop.sequence for crop in crops)
        assert len(set(cut)) == 32
        for crop in crops:
            assert any(
                sequence[crop.offset : crop.offset + 64] == crop.sequence
                for sequence in corpus.sequences
            )


def test_masking_hides_15_percent_of_the_standard_residues_in_berts_proportions():
    tokens = torch.full((100, 1000), 17)
    tokens[:, 0] = 3
    rng = np.random.default_rng(0)
    corrupted, labels = hide_residues(tokens, torch.arange(10, 30), 4, rng)
    chosen = labels != IGNORED
    assert not chosen[:, 0].any()
    assert (labels[chosen] == 17).all()
    assert (corrupted[~chosen] == tokens[~chosen]).all()
    assert chosen.float().mean() == pytest.approx(0.15, abs=0.005)
    assert (corrupted[chosen] == 4).float().mean() == pytest.approx(0.8, abs=0.02)
    assert (corrupted[chosen] == 17).float().mean() == pytest.approx(0.105, abs=0.02)
    corrupted, labels = hide_residues(tokens, torch.arange(10, 30), 4, rng, all_masked=True)
    assert torch.equal(corrupted == 4, labels != IGNORED)


def test_a_permutation_target_sees_neither_itself_nor_what_comes_after_it():
    """Exchanging a target's residue moves the predictions of later targets only."""
    torch.manual_seed(0)
    model = PermutationObjective.create(**TINY[PermutationObjective]).model.eval()
    rng = np.random.default_rng(3)
    tokens = torch.from_numpy(rng.integers(9, 29, size=(1, 30)))
    rank = torch.from_numpy(rng.random((1, 30)))
    mask, mapping, labels = last_in_order(tokens, rank)
    targets = mapping[0].argmax(dim=1)
    in_order = torch.argsort(rank[0, targets])
    assert len(targets) >= 4
    assert torch.equal(labels[0], tokens[0, targets])

    def logits(ids):
        with torch.inference_mode():
            return model(input_ids=ids, perm_mask=mask, target_mapping=mapping).logits[0]

    place = 2
    changed = tokens.clone()
    changed[0, targets[in_order[place]]] = 38 - changed[0, targets[in_order[place]]]
    moved = (logits(tokens) - logits(changed)).abs().amax(dim=1)[in_order]
    assert moved[: place + 1].max() == 0
    assert moved[place + 1 :].min() > 0


def test_a_model_in_evaluation_is_shown_no_go_term(corpora):
    objective = AnnotationObjective.create(terms=TERMS, **TINY[AnnotationObjective])
    crops = corpora.training.one_crop_each(48, 1)
    bare = [replace(crop, annotations=0 * crop.annotations) for crop in crops]
    assert train.measure(objective, crops)["loss"] == train.measure(objective, bare)["loss"]


@pytest.mark.parametrize("key", train.MINIS)
def test_a_shipped_checkpoint_has_the_loss_on_the_bacterium_it_states(key, bacterium):
    mini = train.MINIS[key]
    objective = mini.objective.load(CHECKPOINTS / key)
    curve = pd.read_csv(CHECKPOINTS / key / "training.csv")
    n_terms = len(getattr(objective, "terms", []))
    corpus = Corpus(bacterium, np.zeros((len(bacterium), n_terms), np.float32))
    crops = corpus.one_crop_each(mini.crop_residues, train.TEST_SEED)[: train.MEASURED_PROTEINS]
    measured = train.measure(objective, crops)["loss"]
    assert measured == pytest.approx(curve["bacterium_loss"].iloc[-1], abs=1e-3)


@pytest.mark.parametrize("key", train.MINIS)
def test_a_shipped_checkpoint_knows_more_than_composition(key):
    record = json.loads((CHECKPOINTS / key / "training.json").read_text())
    assert record["steps"] == train.MINIS[key].steps
    assert record["held_out"]["loss"] < record["held_out"]["unigram_entropy"] - 0.02
    assert record["bacterium"]["loss"] < record["bacterium"]["unigram_entropy"]
    assert record["bacterium"]["loss"] < record["bacterium"]["loss_of_training_frequencies"] - 0.02


def test_proteinbert_predicts_go_terms_better_than_their_frequencies_do():
    found = json.loads((CHECKPOINTS / "mini_protein_bert" / "training.json").read_text())
    held_out = found["held_out"]
    assert held_out["annotation_loss"] < held_out["annotation_loss_of_training_frequencies"]


def test_the_pages_table_is_what_the_trainings_recorded(tmp_path):
    for key in train.MINIS:
        (tmp_path / key).mkdir()
        record = (CHECKPOINTS / key / "training.json").read_text()
        (tmp_path / key / "training.json").write_text(record)
    train.write_losses(tmp_path)
    assert (tmp_path / "losses.csv").read_text() == (CHECKPOINTS / "losses.csv").read_text()


@pytest.mark.parametrize("key", train.MINIS)
def test_a_shipped_checkpoint_reads_proteins_up_to_its_stated_length(key):
    model = load(CHECKPOINTS / key)
    assert model.max_residues == MAX_RESIDUES
    output = model.forward(["M" + "ACDEFGHIKLMNPQRSTVWY" * 10])
    assert int(output.is_residue.sum()) == 201
    assert torch.isfinite(output.hidden[0]).all()


def test_the_checkpoints_are_small_and_hold_nothing_but_safe_formats():
    files = [path for path in Path(CHECKPOINTS).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 10e6
    assert {path.suffix for path in files} <= {".json", ".csv", ".txt", ".safetensors"}
