"""From residues to vectors and moments, against plain loops."""

import numpy as np
import pytest
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.pooling import (
    OWN,
    POOLINGS,
    EveryPooling,
    ResidueBuffer,
    pool,
    residue_vectors,
)
from plm_geometry.isotropy.moments import Moments
from plm_geometry.models import Output

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
    found = pool(output, pooling)
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
    np.testing.assert_array_equal(pool(packed, pooling), pool(output, pooling))


def test_uniReps_own_mean_is_that_with_special_tokens(output):
    expected = pool(output, "mean_with_special")
    np.testing.assert_array_equal(pool(output, "mean_with_start"), expected)


def test_a_model_without_a_classification_token_cannot_pool_by_it(output):
    output.cls_position = None
    with pytest.raises(InputError, match="no classification token"):
        pool(output, "first")


def test_an_embedding_the_model_makes_itself_is_taken_as_it_is(output):
    output.protein = [torch.ones(3, 7), torch.zeros(3, 7)]
    assert pool(output, "mean").shape == (2, 3, 7)
    assert pool(output, "max")[0].min() == 1


class Fixed:
    """A model that always computes the same batch."""

    width, identity, title = 4, {"weights": "none"}, "fixed"

    def __init__(self, output, n_special=2, is_recurrent=True):
        self.is_recurrent = is_recurrent
        self.output, self.n_special = output, n_special
        self.cls_position = output.cls_position

    def forward(self, sequences, layers=(-1,)):
        return self.output

    read = forward


def test_every_pooling_side_by_side_is_each_of_them_apart(output):
    every = EveryPooling(Fixed(output))
    assert every.poolings == POOLINGS
    assert every.width == 4 * len(POOLINGS)
    assert every.title == "fixed"
    assert every.identity["weights"] == "none"
    assert every.identity != Fixed.identity
    found = pool(every.read(SEQUENCES), "mean")
    for layer in range(2):
        apart = every.apart(found[layer])
        for pooling in POOLINGS:
            np.testing.assert_array_equal(apart[pooling], pool(output, pooling)[layer])


def test_a_pooling_that_a_model_cannot_do_or_that_repeats_another_is_left_out(output):
    output.cls_position = None
    padded = EveryPooling(Fixed(output, is_recurrent=False))
    assert padded.poolings == ("mean", "mean_with_special", "max")
    assert EveryPooling(Fixed(output, n_special=0)).poolings == ("mean", "max", "final")


def test_a_model_with_a_global_embedding_of_its_own_knows_no_pooling(output):
    output.protein = [torch.ones(3, 4), torch.zeros(3, 4)]
    every = EveryPooling(Fixed(output))
    assert every.poolings == (OWN,)
    assert every.read(SEQUENCES) is output
    assert list(every.apart(np.ones((3, 4)))) == [OWN]


def test_residue_moments_equal_those_of_each_letters_vectors(output, monkeypatch):
    monkeypatch.setattr("plm_geometry.embedding.pooling._BUFFER_ROWS", 4)  # more than one flush
    buffer = ResidueBuffer()
    for row, sequence in enumerate(SEQUENCES):
        one = slice(row, row + 1)
        hidden = [h[one] for h in output.hidden]
        batch = Output(hidden, output.is_residue[one], output.is_token[one], None)
        buffer.add(residue_vectors(batch), [sequence], np.array([row]))
    found = buffer.finish()
    letters = np.array(list("".join(SEQUENCES)))
    group = np.repeat(range(len(SEQUENCES)), [len(sequence) for sequence in SEQUENCES])
    last = len(output.hidden) - 1
    assert set(found) == {*range(last), *(last + g for g in group)}
    for slot, by_letter in found.items():
        vectors = output.hidden[min(slot, last)][output.is_residue].numpy()
        some = group == slot - last if slot >= last else np.full(len(letters), True)
        assert set(by_letter) == set(letters[some])
        for letter, moments in by_letter.items():
            plain = Moments.from_vectors(vectors[some & (letters == letter)].astype(float))
            assert moments.count == plain.count
            np.testing.assert_allclose(moments.mean, plain.mean, rtol=1e-6)
            np.testing.assert_allclose(moments.scatter, plain.scatter, atol=1e-5)
