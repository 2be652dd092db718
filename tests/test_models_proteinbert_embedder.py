import numpy as np
import pytest
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.models.base import ProteinError
from plm_geometry.models.proteinbert import save_directory, tokenize
from plm_geometry.models.proteinbert_embedder import ProteinBERTEmbedder
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig

SEQUENCES = ["MKTAYIAKQRQISFVKSHFSRQ", "M", "MKTUXBZOJ", "ACDEFGHIKLMNPQRSTVWY" * 4]


@pytest.fixture
def directory(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = ProteinBERTConfig(
            n_annotations=7,
            local_width=12,
            global_width=16,
            key_width=5,
            n_blocks=3,
            max_residues=100,
        )
        module = ProteinBERT(config)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    save_directory(module, tmp_path)
    return tmp_path


def relative_difference(a, b):
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("padded_length", [None, 128, "power of two"])
def test_a_protein_embeds_the_same_alone_and_in_a_batch(directory, padded_length):
    model = ProteinBERTEmbedder("x", directory, padded_length=padded_length)
    together = model.forward(SEQUENCES, (0, 1, -1))
    for i, sequence in enumerate(SEQUENCES):
        alone = model.forward([sequence], (0, 1, -1))
        for layer in range(3):
            residues = together.hidden[layer][i][together.is_residue[i]]
            assert len(residues) == len(sequence)
            expected = alone.hidden[layer][0][alone.is_residue[0]]
            assert relative_difference(residues, expected) <= 1e-5
            assert relative_difference(together.protein[layer][i], alone.protein[layer][0]) <= 1e-5


def test_unpadded_is_the_official_model_at_the_proteins_own_length(directory):
    model = ProteinBERTEmbedder("x", directory)
    output = model.forward(SEQUENCES)
    for i, sequence in enumerate(SEQUENCES):
        with torch.inference_mode():
            local, global_ = model.module(tokenize(sequence)[None])
        assert relative_difference(output.protein[0][i], global_[0]) <= 1e-5
        assert (
            relative_difference(output.hidden[0][i][output.is_residue[i]], local[0, 1:-1]) <= 1e-5
        )


@pytest.mark.parametrize(("padded_length", "positions"), [(128, 128), ("power of two", 32)])
def test_padded_is_the_official_model_at_that_length(directory, padded_length, positions):
    model = ProteinBERTEmbedder("x", directory, padded_length=padded_length)
    found = model.forward(SEQUENCES).protein[0][0]
    with torch.inference_mode():
        expected = model.module(tokenize(SEQUENCES[0], positions)[None])[1][0]
        unpadded = model.module(tokenize(SEQUENCES[0])[None])[1][0]
    assert relative_difference(found, expected) <= 1e-5
    # That the length matters is why it has to be stated.
    assert relative_difference(found, unpadded) > 1e-3


def test_a_power_of_two_is_padded_no_further(directory):
    model = ProteinBERTEmbedder("x", directory, padded_length="power of two")
    assert model.forward(["M" * 30]).hidden[0].shape[1] == 32
    assert model.forward(["M" * 31]).hidden[0].shape[1] == 64


def test_special_tokens_are_tokens_but_not_residues(directory):
    output = ProteinBERTEmbedder("x", directory, padded_length=16).forward(["MKV", "M"])
    assert output.is_residue.sum(1).tolist() == [3, 1]
    assert output.is_token.sum(1).tolist() == [5, 3]


def test_layers_are_whole_blocks(directory):
    model = ProteinBERTEmbedder("x", directory)
    output = model.forward(["MKV"], (0, 1, 3, -1))
    local, global_ = model.module.hidden_states(tokenize("MKV")[None])
    for found, state in zip(output.hidden, (0, 2, 6, 6), strict=True):
        torch.testing.assert_close(found, local[state], rtol=0, atol=1e-6)
    for found, state in zip(output.protein, (0, 2, 6, 6), strict=True):
        torch.testing.assert_close(found, global_[state], rtol=0, atol=1e-6)


def test_lower_case_is_read_as_upper_case(directory):
    model = ProteinBERTEmbedder("x", directory)
    assert torch.equal(model.forward(["mkv"]).protein[0], model.forward(["MKV"]).protein[0])


def test_the_longest_protein_is_the_checkpoints_or_the_padded_lengths(directory):
    assert ProteinBERTEmbedder("x", directory).max_residues == 100
    model = ProteinBERTEmbedder("x", directory, padded_length=64)
    assert model.max_residues == 62
    with pytest.raises(ProteinError, match="has 63 residues, but x reads at most 62") as caught:
        model.forward(["MKV", "M" * 63])
    assert caught.value.index == 1
    assert str(caught.value.named("P12345")).startswith("Protein P12345 has 63 residues")


def test_untrained_weights_are_the_same_every_time_and_leave_the_global_state_alone(directory):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = ProteinBERTEmbedder("x", directory, untrained=True)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    second = ProteinBERTEmbedder("x", directory, untrained=True)
    trained = ProteinBERTEmbedder("x", directory)
    vectors = [model.forward(["MKV"]).protein[0] for model in (first, second, trained)]
    assert torch.equal(vectors[0], vectors[1])
    assert not torch.allclose(vectors[0], vectors[2])
    assert first.identity["weights"] == "random, seed 0"


def test_identity_tells_weights_and_padded_lengths_apart(directory):
    before = ProteinBERTEmbedder("x", directory).identity
    assert before != ProteinBERTEmbedder("x", directory, padded_length=128).identity
    module = ProteinBERTEmbedder("x", directory).module
    with torch.no_grad():
        module.global_input.bias[0] += 1
    save_directory(module, directory)
    assert before != ProteinBERTEmbedder("x", directory).identity


@pytest.mark.parametrize("padded_length", ["longest", 2, 0, -5])
def test_a_padded_length_without_meaning_is_refused(directory, padded_length):
    with pytest.raises(InputError, match=f"padded_length {padded_length!r} cannot be used"):
        ProteinBERTEmbedder("x", directory, padded_length=padded_length)


def test_half_precision_is_close(directory):
    model = ProteinBERTEmbedder("x", directory)
    exact = model.forward(SEQUENCES).protein[0]
    rounded = model.to("cpu", torch.bfloat16).forward(SEQUENCES).protein[0]
    assert rounded.dtype == torch.bfloat16
    assert np.linalg.norm(rounded.float() - exact) / np.linalg.norm(exact) < 0.05
