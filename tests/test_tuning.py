"""Batch sizes that suit the device, and forecasts that come true."""

import numpy as np
import pytest

from plm_geometry.embedding import run as embed
from plm_geometry.embedding import tuning
from plm_geometry.embedding.devices import load_model
from plm_geometry.embedding.plan import Plan
from plm_geometry.embedding.tuning import choose_budget, forecast
from small_proteins import random_proteins
from tiny_checkpoints import WRITERS


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(str(WRITERS["bert"](tmp_path_factory.mktemp("bert"))), device="cpu")


def test_short_work_is_not_timed(model, monkeypatch):
    monkeypatch.setattr(tuning, "_seconds", None)
    assert choose_budget(random_proteins(20), model) == 2048


def test_long_work_takes_the_batch_size_with_the_most_residues_a_second(model, monkeypatch):
    proteins = random_proteins(300)
    monkeypatch.setattr(tuning, "_SMALLEST_SHARE", 0)
    # A device on which a batch costs a fixed time, until it no longer fits its cache.
    costs = {512: 1.0, 1024: 1.1, 2048: 1.3, 4096: 9.0, 8192: 20.0}

    def seconds(model, proteins):
        return costs[min(costs, key=lambda budget: abs(budget - proteins.lengths.sum()))]

    monkeypatch.setattr(tuning, "_seconds", seconds)
    assert choose_budget(proteins, model) == 2048


def test_timing_runs_the_model_itself(model, monkeypatch):
    monkeypatch.setattr(tuning, "_SMALLEST_SHARE", 0)
    assert choose_budget(random_proteins(200), model) in tuning._CANDIDATES["cpu"]


def test_the_forecast_counts_what_the_run_then_computes(model, tmp_path, monkeypatch):
    proteins = random_proteins(100)
    padded = []
    forward = model.forward

    def counting(sequences, layers):
        padded.append(len(sequences) * max(map(len, sequences)))
        return forward(sequences, layers)

    monkeypatch.setattr(model, "forward", counting)
    store = embed.embed(proteins, model, tmp_path, residues_per_batch=700, progress=False)
    said = forecast(proteins, model, Plan.from_json(store.plan()))
    assert said.padded_share == pytest.approx(1 - proteins.lengths.sum() / sum(padded))
    on_disk = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert on_disk <= said.disk_bytes
    assert np.isfinite(said.padded_share)
    assert str(said).startswith("100 proteins, ")
