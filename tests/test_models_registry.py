import shutil
import subprocess
import sys

import pytest
import torch

import tiny_checkpoints
from plm_geometry import paths
from plm_geometry.errors import InputError
from plm_geometry.models import MODELS, counterpart, load, registry
from plm_geometry.models.tokens import Spelling
from plm_geometry.models.transformers_lm import ARCHITECTURES

DEMO = [key for key, spec in MODELS.items() if spec.is_stand_in]
PAPER = ["prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert"]


def test_every_model_of_the_paper_has_a_stand_in():
    assert [counterpart(key) for key in DEMO] == PAPER
    assert [counterpart(key) for key in PAPER] == PAPER
    assert counterpart("esm2_8m") == counterpart("composition") == counterpart("own/model") == ""


def test_the_table_says_how_proteins_are_written_as_the_loader_writes_them():
    for spec in MODELS.values():
        if spec.architecture in ARCHITECTURES:
            spelling: Spelling = ARCHITECTURES[spec.architecture].spelling
            assert spec.preprocessing == str(spelling)


def test_every_entry_is_complete():
    for key, spec in MODELS.items():
        assert spec.key == key
        assert all((spec.title, spec.source, spec.preprocessing, spec.licence, spec.citation))
        assert spec.is_stand_in == (spec.counterpart != "") == key.startswith("demo_")


def test_the_printed_table_has_a_row_a_model():
    table = registry.table()
    assert list(table["key"]) == list(MODELS)
    assert not table.isna().any(axis=None)


@pytest.mark.parametrize("key", DEMO)
def test_a_stand_in_loads_and_says_that_it_is_one(key):
    model = load(key)
    assert model.is_stand_in
    assert not model.is_control
    assert model.title.endswith("(stand-in)")
    output = model.forward(["MKTAYIAKQR", "MX"])
    assert output.is_residue.sum() == 12
    assert output.hidden[0].shape[-1] == model.residue_width
    assert (output.protein is None) == (key != "demo_protein_bert")
    assert model.max_residues is not None


@pytest.mark.parametrize("key", DEMO)
def test_an_untrained_copy_of_a_stand_in_is_a_control(key):
    model = load(f"untrained:{key}")
    assert model.is_control
    assert not model.is_stand_in
    assert model.width == load(key).width
    assert model.identity["weights"] == "random, seed 0"


def test_an_untrained_protein_bert_of_the_published_size_needs_no_file():
    model = load("untrained:protein_bert")
    assert (model.width, model.residue_width, model.n_layers) == (512, 128, 6)


def test_a_checkpoint_of_ones_own_loads_by_its_directory(tmp_path):
    directory = tiny_checkpoints.write_bert(tmp_path / "mine")
    model = load(directory, dtype=torch.bfloat16)
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
        ("/no/such/place", "known are demo_prot_bert"),
        ("untrained:composition", "no untrained copy"),
        ("untrained:nothing", "There is no model 'nothing'"),
        ("Rostlab/prot_bert", "Rostlab/prot_bert is not on this machine"),
        ("prot_xlnet", "Rostlab/prot_xlnet is not on this machine"),
    ],
)
def test_what_is_not_there_is_refused(name, complaint, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=complaint):
        load(name)


def test_a_missing_stand_in_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(InputError, match="run `make minis`"):
        load("demo_prot_bert")


def test_a_padded_length_is_for_protein_bert_alone(tmp_path):
    directory = tiny_checkpoints.write_bert(tmp_path)
    with pytest.raises(InputError, match="padded length is ProteinBERT's alone"):
        load(directory, padded_length=512)
    assert load("demo_protein_bert", padded_length=512).max_residues == 510


def test_listing_models_does_not_import_torch():
    code = "import sys, plm_geometry.models as m; m.registry.table(); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
