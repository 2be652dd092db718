"""Memory running out: halves, then one by one, and whoever is left out is named."""

from dataclasses import replace

import pytest
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import forward
from small_proteins import embedded, random_proteins, relative


class Hungry:
    """A model that runs out of memory above a number of residues, as a small GPU does."""

    def __init__(self, model, most):
        self.model, self.most = model, most

    def __getattr__(self, name):
        return getattr(self.model, name)

    def read(self, proteins, layers):
        if proteins.lengths.sum() > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return self.model.read(proteins, layers)


def test_out_of_memory_halves_the_batch_and_names_who_does_not_fit_alone(model, tmp_path):
    proteins = random_proteins(30)
    found = embedded(proteins, Hungry(model, 90), tmp_path / "hungry", residues_per_batch=2000)
    whole = embedded(proteins, model, tmp_path / "whole")
    too_long = {a for a, n in zip(proteins.accessions, proteins.lengths, strict=True) if n > 90}
    assert set(found.left_out) == too_long
    assert too_long
    kept = [proteins.accessions.index(a) for a in found.accessions]
    assert relative(found.vectors, whole.vectors[kept]).max() <= 1e-5


def test_other_errors_are_not_taken_for_memory_trouble(model, tmp_path):
    class Broken(Hungry):
        def read(self, proteins, layers):
            raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        embedded(random_proteins(2), Broken(model, 0), tmp_path)


def test_a_model_that_computes_no_numbers_is_refused_with_the_protein(model, tmp_path):
    class Overflowing(Hungry):
        def read(self, proteins, layers):
            output = self.model.read(proteins, layers)
            return replace(output, hidden=[torch.full_like(h, torch.inf) for h in output.hidden])

    with pytest.raises(InputError, match=r"for protein P0.*try precision fp32"):
        embedded(random_proteins(1), Overflowing(model, 0), tmp_path)


def test_memory_that_runs_out_while_pooling_halves_the_batch_too(model, tmp_path, monkeypatch):
    pool = forward.pool

    def hungry(output, pooling):
        if len(output.is_token) > 2:
            raise MemoryError
        return pool(output, pooling)

    proteins = random_proteins(20)
    whole = embedded(proteins, model, tmp_path / "whole")
    monkeypatch.setattr(forward, "pool", hungry)
    found = embedded(proteins, model, tmp_path / "hungry", residues_per_batch=2000)
    assert not found.left_out
    assert relative(found.vectors, whole.vectors).max() <= 1e-5
