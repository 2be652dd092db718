"""Means of random residues, all poolings of one pass, and models read before their last norm."""

import hashlib

import numpy as np
import pytest
import torch
from torch import nn

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import run
from plm_geometry.embedding.forward import Choices
from plm_geometry.models import load
from plm_geometry.models.pooling import n_sampled, order_of_residues
from small_proteins import embedded, random_proteins, relative

POOLINGS = ("mean", "max", "mean_of_1", "mean_of_5", "mean_of_64")
MINIS = ["mini_prot_bert", "mini_protein_bert", "mini_protein_local"]


def residues(model, sequence):
    output = model.forward([sequence])
    return output.hidden[0][output.is_residue].double().numpy()


def drawn(sequence, n):
    """The same draw, written out: a generator seeded by the 32 bytes of the sequence's sha256."""
    seed = [*hashlib.sha256(sequence.encode()).digest()]
    return np.random.default_rng(seed).permutation(len(sequence))[:n]


@pytest.mark.parametrize("n", [1, 5, 64])
def test_a_mean_of_random_residues_is_numpys_of_their_embeddings(model, tmp_path, n):
    proteins = random_proteins(12)
    found = embedded(proteins, model, tmp_path, pooling=f"mean_of_{n}")
    for sequence, vector in zip(proteins.sequences, found.vectors, strict=True):
        plain = residues(model, sequence)[drawn(sequence, n)].mean(axis=0)
        assert relative(vector, plain) <= 1e-5
    whole = embedded(proteins, model, tmp_path / "mean")
    is_short = proteins.lengths <= n
    assert (relative(found.vectors, whole.vectors)[is_short] <= 1e-5).all()
    assert (relative(found.vectors, whole.vectors)[~is_short] > 1e-4).all()


@pytest.mark.parametrize("name", ["unirep_64", "mini_prot_bert"])
def test_a_sampled_vector_is_the_proteins_alone_or_in_a_batch(name, tmp_path):
    proteins, model = random_proteins(30), load(name)
    how = {"pooling": "mean_of_4"}
    alone = embedded(proteins, model, tmp_path / "alone", residues_per_batch=1, **how)
    some = proteins.select([9, 3, 20])
    batch = embedded(some, model, tmp_path / "batch", residues_per_batch=3000, **how)
    assert relative(batch.vectors, alone.vectors[[9, 3, 20]]).max() <= 1e-5


def test_a_smaller_sample_is_part_of_a_larger_one_and_the_order_is_a_permutation():
    sequence = "MKVLAAGIVGLCTS" * 9
    order = order_of_residues(sequence)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(sequence)))
    assert (order != order_of_residues(sequence[:-1] + "W")).any()
    assert [n_sampled(name) for name in ("mean_of_16", "mean", "mean_of_0", "mean_of_-1")] == [
        16, None, None, None,
    ]  # fmt: skip


def test_a_pooling_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"pooling 'mean_of_0' is unknown; .* or mean_of_16\."):
        Choices(pooling="mean,mean_of_0")


def test_one_pass_gives_the_vectors_of_each_pooling_alone(model, tmp_path):
    proteins = random_proteins(40)
    store = run.embed(proteins, model, tmp_path / "all", pooling=",".join(POOLINGS), progress=False,
                      residues_per_batch=300)  # fmt: skip
    found = run.load(store, proteins, pooling="max")
    assert found.poolings == POOLINGS
    np.testing.assert_array_equal(found.vectors, found.pooled("max"))
    for pooling in POOLINGS:
        alone = embedded(proteins, model, tmp_path / pooling, pooling=pooling)
        assert relative(found.pooled(pooling), alone.vectors).max() <= 1e-5


@pytest.mark.parametrize("name", [*MINIS, "untrained:mini_protein_local", "esm"])
def test_before_the_last_norm_is_what_it_gets(name, tmp_path):
    """By hand: the norm of what is answered without it is what is answered with it."""
    if name == "esm":
        from tiny_checkpoints import WRITERS

        name = str(WRITERS["esm"](tmp_path))
    model, without = load(name), load(name).without_last_norm()
    norm = model.module.get_submodule(model.last_norm)
    assert isinstance(norm, nn.LayerNorm)
    assert norm.normalized_shape == (model.width,)
    with_norm, bare = model.forward(["MKVLAC", "GG"]), without.forward(["MKVLAC", "GG"])
    same = [with_norm.hidden[0][with_norm.is_token], bare.hidden[0][bare.is_token]]
    if with_norm.protein is not None:
        same = [with_norm.protein[0], bare.protein[0]]
    weight, bias = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    x = same[1].double().numpy()
    centred = x - x.mean(axis=1, keepdims=True)
    by_hand = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + norm.eps) * weight + bias
    np.testing.assert_allclose(same[0].numpy(), by_hand, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(*same, atol=1e-3)
    assert without.identity != model.identity


def test_a_model_that_ends_with_no_norm_says_so():
    with pytest.raises(InputError, match="unirep_64 does not end with a LayerNorm"):
        load("unirep_64").without_last_norm()
