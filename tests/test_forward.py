"""From residues to vectors and moments, against plain loops; memory running out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import forward
from plm_geometry.embedding.forward import ResidueSums, residue_vectors
from plm_geometry.isotropy.moments import Moments
from plm_geometry.models import Output
from plm_geometry.models.pooling import POOLINGS, pool, possible_poolings
from small_proteins import embedded, random_proteins, relative

SEQUENCES = ["MKV", "AAKLM", "G"]


@pytest.fixture(params=["right", "left"])
def output(request):
    """A batch padded on one side, one special token before and one after; padding is garbage."""
    torch.manual_seed(0)
    width = max(map(len, SEQUENCES)) + 2
    residue = torch.zeros(len(SEQUENCES), width, dtype=torch.bool)
    token = torch.zeros_like(residue)
    for row, sequence in enumerate(SEQUENCES):
        size = len(sequence) + 2
        start = width - size if request.param == "left" else 0
        token[row, start : start + size] = True
        residue[row, start + 1 : start + size - 1] = True
    hidden = torch.randn(len(SEQUENCES), width, 4).masked_fill(~token[..., None], torch.inf)
    cls_position = "last" if request.param == "left" else "first"
    return Output([hidden, hidden * 2], residue, token, None, cls_position)


PLAIN = {
    "mean": lambda h, residue, token, cls: h[residue].mean(0),
    "mean_with_special": lambda h, residue, token, cls: h[token].mean(0),
    "first": lambda h, residue, token, cls: h[token][{"first": 0, "last": -1}[cls]],
    "max": lambda h, residue, token, cls: h[residue].max(0).values,
    "final": lambda h, residue, token, cls: h[residue][-1],
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_equals_a_plain_loop_whatever_lies_under_the_padding(output, pooling):
    found = pool(output, (pooling,))
    assert found.dtype == np.float32
    for layer, hidden in enumerate(output.hidden):
        for row in range(len(SEQUENCES)):
            masks = output.is_residue[row], output.is_token[row]
            plain = PLAIN[pooling](hidden[row], *masks, output.cls_position)
            np.testing.assert_allclose(found[layer, row], plain, rtol=1e-6)


@pytest.mark.parametrize("pooling", [name for name in POOLINGS if name != "first"])
def test_without_padding_pooling_is_the_same(output, pooling):
    rows, _ = output.is_token.nonzero(as_tuple=True)
    packed = Output(
        [hidden[output.is_token] for hidden in output.hidden],
        output.is_residue[output.is_token],
        output.is_token[output.is_token],
        protein_of=rows,
    )
    np.testing.assert_array_equal(pool(packed, (pooling,)), pool(output, (pooling,)))


def test_uniReps_own_mean_is_that_with_special_tokens(output):
    expected = pool(output, ("mean_with_special",))
    np.testing.assert_array_equal(pool(output, ("mean_with_start",)), expected)


def test_a_model_without_a_classification_token_cannot_pool_by_it(output):
    output.cls_position = None
    with pytest.raises(InputError, match="no classification token"):
        pool(output, ("first",))


def test_an_embedding_the_model_makes_itself_is_taken_as_it_is(output):
    output.protein = [torch.ones(3, 7), torch.zeros(3, 7)]
    assert pool(output, ("mean",)).shape == (2, 3, 7)
    assert pool(output, ("max",))[0].min() == 1


class Fixed:
    """A model that always computes the same batch."""

    def __init__(self, output, n_special=2, is_recurrent=True):
        self.is_recurrent = is_recurrent
        self.output, self.n_special = output, n_special
        self.cls_position = output.cls_position

    def forward(self, sequences):
        return self.output


def test_several_poolings_stand_side_by_side(output):
    found = np.split(pool(output, POOLINGS), len(POOLINGS), axis=2)
    for pooling, part in zip(POOLINGS, found, strict=True):
        np.testing.assert_array_equal(part, pool(output, (pooling,)))


def test_a_pooling_that_a_model_cannot_do_or_that_repeats_another_is_not_possible(output):
    assert possible_poolings(Fixed(output)) == POOLINGS
    assert possible_poolings(Fixed(output, n_special=0)) == ("mean", "first", "max", "final")
    output.cls_position = None
    padded = possible_poolings(Fixed(output, is_recurrent=False))
    assert padded == ("mean", "mean_with_special", "max")
    output.protein = [torch.ones(3, 4), torch.zeros(3, 4)]
    assert not possible_poolings(Fixed(output))


def test_residue_moments_equal_those_of_each_letters_vectors(output, monkeypatch):
    monkeypatch.setattr("plm_geometry.embedding.forward._BUFFER_ROWS", 4)  # more than one flush
    sums = ResidueSums()
    for row, sequence in enumerate(SEQUENCES):
        one = slice(row, row + 1)
        hidden = [h[one] for h in output.hidden]
        batch = Output(hidden, output.is_residue[one], output.is_token[one], None)
        sums.add(residue_vectors(batch), [sequence], np.array([row]))
    found = sums.finish()
    letters = np.array(list("".join(SEQUENCES)))
    group = np.repeat(range(len(SEQUENCES)), [len(sequence) for sequence in SEQUENCES])
    last = len(output.hidden) - 1
    assert set(found) == {
        *(f"{layer}/0/{letter}" for layer in range(last) for letter in letters),
        *(f"{last}/{number}/{letter}" for number, letter in zip(group, letters, strict=True)),
    }
    for key, moments in found.items():
        layer, number, letter = (int(part) if part.isdigit() else part for part in key.split("/"))
        vectors = output.hidden[layer][output.is_residue].numpy()
        some = (letters == letter) & ((group == number) if layer == last else True)
        plain = Moments.from_vectors(vectors[some].astype(float))
        assert moments.count == plain.count
        np.testing.assert_allclose(moments.mean, plain.mean, rtol=1e-6)
        np.testing.assert_allclose(moments.scatter, plain.scatter, atol=1e-5)


# Memory running out


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

    def hungry(output, *how):
        if len(output.is_token) > 2:
            raise MemoryError
        return pool(output, *how)

    proteins = random_proteins(20)
    whole = embedded(proteins, model, tmp_path / "whole")
    monkeypatch.setattr(forward, "pool", hungry)
    found = embedded(proteins, model, tmp_path / "hungry", residues_per_batch=2000)
    assert not found.left_out
    assert relative(found.vectors, whole.vectors).max() <= 1e-5
