import shutil

import pytest
import torch
import transformers

import tiny_checkpoints
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.settings import copies_of
from plm_geometry.models import MODELS, counterpart, describe_model, load
from plm_geometry.models.tokens import Spelling
from plm_geometry.models.transformers_lm import ARCHITECTURES

MINIS = [key for key, spec in MODELS.items() if spec.is_mini]
PAPER = ["prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert"]


CONFIGS = {
    "bert": lambda spec: transformers.BertConfig(
        vocab_size=30,
        hidden_size=spec.width,
        num_hidden_layers=spec.layers,
        intermediate_size=4 * spec.width,
        max_position_embeddings=40_000,
        num_attention_heads=16,
    ),
    "xlnet": lambda spec: transformers.XLNetConfig(
        vocab_size=37, d_model=spec.width, n_layer=spec.layers, n_head=16, d_inner=4 * spec.width
    ),
    "esm": lambda spec: transformers.EsmConfig(
        vocab_size=33,
        hidden_size=spec.width,
        num_hidden_layers=spec.layers,
        num_attention_heads=20,
        intermediate_size=4 * spec.width,
        position_embedding_type="absolute" if spec.max_residues else "rotary",
        pad_token_id=1,
        mask_token_id=32,
    ),
    "t5": lambda spec: transformers.T5Config(
        vocab_size=128,
        d_model=spec.width,
        num_layers=spec.layers,
        d_kv=128,
        num_heads=32,
        d_ff=16 * spec.width,
    ),
}


@pytest.mark.parametrize("key", ["prot_bert", "prot_xlnet", "prot_t5", "esm2_150m", "esm1b"])
def test_parameters_follow_from_layers_and_width(key):
    spec = MODELS[key]
    style = ARCHITECTURES[spec.architecture]
    with torch.device("meta"):
        model = style.build(CONFIGS[spec.architecture](spec))
    assert spec.parameters == pytest.approx(sum(p.numel() for p in model.parameters()), rel=0.005)


def test_every_model_of_the_paper_has_a_mini_which_is_none_of_them():
    assert [*(f"mini_{key}" for key in PAPER), "mini_protein_local"] == MINIS
    assert [counterpart(key) for key in PAPER] == PAPER
    others = ("mini_prot_bert", "esm2_8m", "composition", "own/model", "untrained:prot_bert")
    assert {counterpart(key) for key in others} == {""}


def test_the_table_says_how_proteins_are_written_as_the_loader_writes_them():
    for spec in MODELS.values():
        if spec.architecture in ARCHITECTURES:
            spelling: Spelling = ARCHITECTURES[spec.architecture].spelling
            assert spec.preprocessing == str(spelling)


def test_every_entry_is_complete():
    for key, spec in MODELS.items():
        assert spec.key == key
        assert all((spec.title, spec.source, spec.preprocessing, spec.licence, spec.citation))
        is_here = spec.is_mini or spec.architecture in ("control", "unirep")
        assert (spec.estimated_bytes == 0) == is_here
        assert spec.is_mini == key.startswith("mini_")


@pytest.mark.parametrize("key", MINIS)
def test_a_mini_loads_and_says_that_it_is_one(key):
    model = load(key)
    assert describe_model(key).role == "mini"
    assert model.title.startswith("mini ")
    output = model.forward(["MKTAYIAKQR", "MX"])
    assert output.is_residue.sum() == 12
    assert output.hidden[0].shape[-1] == model.residue_width
    assert (output.protein is None) == (key != "mini_protein_bert")
    assert model.max_residues is not None


@pytest.mark.parametrize("key", MINIS)
def test_an_untrained_copy_of_a_mini_is_a_control(key):
    model = load(f"untrained:{key}")
    assert describe_model(f"untrained:{key}").role == "control"
    assert model.width == load(key).width
    assert model.identity["weights"] == "random, seed 0"


@pytest.mark.parametrize("key", ["mini_prot_bert", "mini_protein_bert", "unirep_64"])
def test_an_untrained_copy_is_its_seeds(key):
    zero, again, three = (load(f"untrained:{key}{seed}") for seed in ("", "@0", "@3"))
    first, second, other = (m.forward(["MKTAYI"]).hidden[0] for m in (zero, again, three))
    assert torch.equal(first, second)
    assert not torch.allclose(first, other)
    assert three.identity["weights"] == "random, seed 3"
    assert three.title == f"{zero.title}, seed 3"


def test_seeds_of_several_copies_are_named_at_once():
    assert copies_of("untrained:unirep_64@9-11") == [
        f"untrained:unirep_64@{n}" for n in (9, 10, 11)
    ]
    assert copies_of("untrained:unirep_64") == ["untrained:unirep_64"]
    with pytest.raises(InputError, match="give the lower one first, as @2-3"):
        copies_of("untrained:unirep_64@3-2")


def test_an_untrained_protein_bert_of_the_published_size_needs_no_file():
    model = load("untrained:protein_bert")
    assert (model.width, model.residue_width, model.n_layers) == (512, 128, 6)


def test_a_checkpoint_of_ones_own_loads_by_its_directory(tmp_path):
    directory = tiny_checkpoints.write_bert(tmp_path / "mine")
    model = load(directory, precision="bf16")
    assert (model.name, model.title) == (str(directory), "mine")
    assert model.forward(["MKV"]).hidden[0].dtype == torch.bfloat16


def test_moving_a_checkpoint_does_not_change_its_identity(tmp_path):
    directory = tiny_checkpoints.write_bert(tmp_path / "here")
    before = load(directory).identity
    assert load(shutil.move(directory, tmp_path / "there")).identity == before


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("protbert", "did you mean prot_bert"),
        ("ProtT5", "did you mean prot_t5"),
        ("/no/such/place", "no file or directory of that name; see `plm-geometry models`"),
        ("vectors.npy", "no file or directory of that name"),
        ("untrained:composition", "no untrained copy"),
        ("untrained:nothing", "There is no model 'nothing'"),
        ("shuffled:nothing", "There is no model 'nothing'"),
        ("untrained:unirep_64@", "There is no model 'unirep_64@'"),
        ("Rostlab/prot_bert", "Rostlab/prot_bert is not on this machine"),
        ("prot_xlnet", "Rostlab/prot_xlnet is not on this machine"),
    ],
)
def test_what_is_not_there_is_refused(name, complaint, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=complaint):
        load(name)


def test_a_missing_mini_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(InputError, match="run `make minis`"):
        load("mini_prot_bert")


def test_a_home_directory_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    tiny_checkpoints.write_bert(tmp_path / "mine")
    assert load("~/mine").title == "mine"


def test_a_file_of_something_else_is_refused_for_what_it_is(tmp_path):
    path = tmp_path / "proteins.fasta"
    path.write_text(">P1\nMKV\n")
    with pytest.raises(InputError, match="nor ProteinBERT's dump"):
        load(path)


def test_a_padded_length_is_for_protein_bert_alone(tmp_path):
    directory = tiny_checkpoints.write_bert(tmp_path)
    with pytest.raises(InputError, match="padded length is ProteinBERT's alone"):
        load(directory, padded_length=512)
    assert load("mini_protein_bert", padded_length=512).max_residues == 510
