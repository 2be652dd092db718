"""Models onto devices: mistakes are sentences, and batches suit the device."""

import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import devices
from plm_geometry.embedding.devices import choose_budget, load_model
from small_proteins import random_proteins


def test_precision_is_part_of_what_a_model_is(model):
    other = load_model(model.name, device="cpu", precision="bf16")
    assert other.identity != model.identity


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"precision": "fp8"}, "precision 'fp8'"), ({"device": "cuda:77"}, "device 'cuda:77'")],
)
def test_unknown_precision_and_device_are_sentences(options, sentence):
    with pytest.raises(InputError, match=sentence):
        load_model("composition", **options)


def test_short_work_is_not_timed(model, monkeypatch):
    monkeypatch.setattr(devices, "_seconds_per_residue", None)
    assert choose_budget(random_proteins(20), model) == 2048


def test_long_work_takes_the_batch_size_with_the_most_residues_a_second(model, monkeypatch):
    proteins = random_proteins(300)
    monkeypatch.setattr(devices, "_SMALLEST_SHARE", 0)
    # A device on which a batch costs a fixed time, until it no longer fits its cache.
    costs = {512: 1.0, 1024: 1.1, 2048: 1.3, 4096: 9.0, 8192: 20.0}

    def seconds(proteins, model, budget):
        return costs[budget] / budget

    monkeypatch.setattr(devices, "_seconds_per_residue", seconds)
    assert choose_budget(proteins, model) == 2048


def test_timing_runs_the_model_itself(model, monkeypatch):
    monkeypatch.setattr(devices, "_SMALLEST_SHARE", 0)
    assert choose_budget(random_proteins(200), model) in devices._CANDIDATES["cpu"]
