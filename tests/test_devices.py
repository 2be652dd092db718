"""Models onto devices: mistakes are sentences, and batches suit the device."""

import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import run
from plm_geometry.models import load
from small_proteins import random_proteins


def test_precision_is_part_of_what_a_model_is(model):
    assert load(model.name, precision="bf16").identity != model.identity


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"precision": "fp8"}, "precision 'fp8'"), ({"device": "cuda:77"}, "device 'cuda:77'")],
)
def test_unknown_precision_and_device_are_sentences(options, sentence):
    with pytest.raises(InputError, match=sentence):
        load("composition", **options)


def test_batches_suit_the_model_else_the_device_unless_their_size_is_given(model, tmp_path):
    proteins = random_proteins(5)
    plain = run.embed(proteins, model, tmp_path / "plain", progress=False)
    given = run.embed(proteins, model, tmp_path / "given", residues_per_batch=99, progress=False)
    unirep = load("untrained:unirep_64")
    own = run.embed(proteins, unirep, tmp_path / "own", progress=False)
    found = [store.plan().residues_per_batch for store in (plain, given, own)]
    assert found == [2048, 99, unirep.residues_per_batch]
