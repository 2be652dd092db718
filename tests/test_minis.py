import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import entropy

from plm_geometry.errors import InputError
from plm_geometry.minis import MINIS, Corpora, held_out_losses, train_mini
from plm_geometry.minis.annotated import AnnotationObjective
from plm_geometry.minis.corpus import MAX_RESIDUES, Corpus, annotation_terms, corpus_of
from plm_geometry.minis.masked import MaskedObjective
from plm_geometry.minis.objectives import IGNORED, hide_residues
from plm_geometry.minis.permutation import PermutationObjective, last_in_order
from plm_geometry.minis.training import Training, save_checkpoint, train
from plm_geometry.models.registry import load
from plm_geometry.paths import DEMO
from plm_geometry.proteins import read_fasta
from plm_geometry.simulate import simulate_biosphere

CHECKPOINTS = DEMO / "checkpoints"
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


def tiny(objective, terms):
    torch.manual_seed(0)
    extra = {"terms": terms} if objective is AnnotationObjective else {}
    return objective.create(**TINY[objective], **extra)


@pytest.fixture(scope="module")
def corpora():
    """What the shipped checkpoints were trained and measured on."""
    return Corpora.from_biosphere(simulate_biosphere())


@pytest.fixture(scope="module")
def small():
    biosphere = simulate_biosphere(seed=1, n_proteins=120, n_families=6)
    terms = annotation_terms(biosphere)
    return corpus_of(biosphere, terms).part(None, 48), terms


@pytest.mark.parametrize("objective", TINY)
def test_a_short_training_lowers_the_loss(objective, small):
    corpus, terms = small
    model = tiny(objective, terms)
    before = held_out_losses(model, corpus)
    result = train(model, corpus, corpus, steps=40, batch=8, seed=1)
    after = held_out_losses(model, corpus)
    assert all(after[name] < 0.95 * before[name] for name in before)
    assert result.record["held_out_loss"] == pytest.approx(after["loss"])
    assert result.curve["step"].iloc[-1] == 40


@pytest.mark.parametrize("objective", TINY)
def test_a_checkpoint_comes_back_as_it_was_saved(objective, small, tmp_path):
    corpus, terms = small
    model = tiny(objective, terms)
    save_checkpoint(model, Training(pd.DataFrame({"step": [1]}), {"steps": 1}), tmp_path / "mini")
    again = objective.load(tmp_path / "mini")
    assert held_out_losses(again, corpus) == pytest.approx(held_out_losses(model, corpus))
    assert json.loads((tmp_path / "mini" / "training.json").read_text()) == {"steps": 1}


def test_a_failed_save_leaves_the_old_checkpoint_and_nothing_else(small, tmp_path):
    model = tiny(MaskedObjective, small[1])
    result = Training(pd.DataFrame({"step": [1]}), {"steps": 1})
    save_checkpoint(model, result, tmp_path / "mini")
    unwritable = Training(result.curve, {"steps": object()})
    with pytest.raises(TypeError):
        save_checkpoint(model, unwritable, tmp_path / "mini")
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]
    assert json.loads((tmp_path / "mini" / "training.json").read_text()) == {"steps": 1}


def test_an_unknown_mini_is_refused(small, tmp_path):
    corpus, terms = small
    with pytest.raises(InputError, match="choose from demo_prot_bert, "):
        train_mini("demo_gpt", Corpora(corpus, corpus, terms), tmp_path)


def test_unigram_entropy_is_that_of_the_residue_counts(small):
    counts = pd.Series(list("".join(small[0].sequences))).value_counts()
    assert small[0].unigram_entropy == pytest.approx(entropy(counts))


def test_crops_are_cut_from_the_protein_and_reach_late_positions_too():
    corpus = Corpus(("ACDEFGHIKL" * 30,), np.zeros((1, 1), dtype=np.float32), crop_residues=64)
    rng = np.random.default_rng(0)
    covered = np.zeros(MAX_RESIDUES, dtype=bool)
    for _ in range(600):
        crop = corpus.crop(0, rng)
        assert len(crop.sequence) == 64
        assert crop.sequence in corpus.sequences[0]
        covered[crop.offset : crop.offset + 64] = True
    assert covered.mean() > 0.97


def test_masking_hides_15_percent_of_the_residues_in_berts_proportions():
    tokens = torch.full((100, 1000), 7)
    is_residue = torch.ones_like(tokens, dtype=torch.bool)
    is_residue[:, 0] = False
    rng = np.random.default_rng(0)
    corrupted, labels = hide_residues(tokens, is_residue, 4, torch.arange(10, 30), rng)
    chosen = labels != IGNORED
    assert not chosen[:, 0].any()
    assert (labels[chosen] == 7).all()
    assert (corrupted[~chosen] == 7).all()
    assert chosen.float().mean() == pytest.approx(0.15, abs=0.005)
    assert (corrupted[chosen] == 4).float().mean() == pytest.approx(0.8, abs=0.02)
    assert (corrupted[chosen] >= 10).float().mean() == pytest.approx(0.1, abs=0.02)


def test_a_permutation_target_sees_neither_itself_nor_what_comes_after_it(small):
    """Exchanging a target's residue moves the predictions of later targets only."""
    model = tiny(PermutationObjective, small[1]).model.eval()
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


@pytest.mark.parametrize("key", MINIS)
def test_a_shipped_checkpoint_has_the_held_out_loss_it_states_below_the_unigram_entropy(
    key, corpora
):
    mini = MINIS[key]
    record = json.loads((CHECKPOINTS / key / "training.json").read_text())
    corpus = corpora.training.part(mini.corpus_proteins, mini.crop_residues)
    objective = mini.objective.load(CHECKPOINTS / key)
    measured = held_out_losses(objective, corpora.held_out.part(None, mini.crop_residues))
    for name, value in measured.items():
        assert record[f"held_out_{name}"] == pytest.approx(value, abs=1e-3)
    assert record["unigram_entropy"] == pytest.approx(corpus.unigram_entropy)
    assert record["corpus_proteins"] == len(corpus)
    assert measured["loss"] < record["unigram_entropy"] - 0.02


def test_the_annotation_loss_of_proteinbert_is_below_that_of_the_terms_frequencies(corpora):
    record = json.loads((CHECKPOINTS / "demo_protein_bert" / "training.json").read_text())
    annotated = corpora.held_out.annotations[corpora.held_out.annotations.any(axis=1)]
    frequency = np.clip(corpora.training.annotations.mean(axis=0), 1e-6, 1 - 1e-6)
    of_frequencies = -np.mean(
        annotated * np.log(frequency) + (1 - annotated) * np.log(1 - frequency)
    )
    assert record["held_out_annotation_loss"] < of_frequencies


@pytest.mark.parametrize("key", MINIS)
def test_a_shipped_checkpoint_keeps_its_curve_and_ends_where_it_states(key):
    record = json.loads((CHECKPOINTS / key / "training.json").read_text())
    curve = pd.read_csv(CHECKPOINTS / key / "training.csv")
    assert curve["step"].is_monotonic_increasing
    assert curve["step"].iloc[-1] == record["steps"] == MINIS[key].steps
    assert curve["held_out_loss"].iloc[-1] == pytest.approx(record["held_out_loss"], abs=1e-4)
    assert curve["held_out_loss"].iloc[-1] < curve["held_out_loss"].iloc[0]


@pytest.mark.parametrize("key", MINIS)
def test_a_shipped_checkpoint_reads_proteins_up_to_its_stated_length(key):
    model = load(key)
    assert model.max_residues == MAX_RESIDUES
    output = model.forward(["M" + "ACDEFGHIKLMNPQRSTVWY" * 10])
    assert int(output.is_residue.sum()) == 201
    assert torch.isfinite(output.hidden[0]).all()


def test_no_demo_protein_is_in_the_corpora(corpora):
    demo = set(read_fasta(DEMO / "proteome.fasta.gz").sequences)
    training, held_out = set(corpora.training.sequences), set(corpora.held_out.sequences)
    assert demo.isdisjoint(training | held_out)
    assert training.isdisjoint(held_out)


def test_the_demo_is_small_and_holds_nothing_but_safe_formats():
    files = [path for path in DEMO.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12e6
    allowed = {".gz", ".tsv", ".md", ".json", ".csv", ".txt", ".safetensors"}
    assert {path.suffix for path in files} <= allowed
