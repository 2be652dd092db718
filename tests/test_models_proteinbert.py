import math
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from plm_geometry.base.errors import InputError
from plm_geometry.models.base import ProteinError
from plm_geometry.models.proteinbert import (
    ProteinBERTEmbedder,
    load_directory,
    load_official_dump,
    save_directory,
    tokenize,
)
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig

SMALL = ProteinBERTConfig(
    n_annotations=7, local_width=6, global_width=8, n_heads=2, key_width=3, n_blocks=2
)
SEQUENCES = ["MKTAYIAKQR", "M", "MKTUXBZOJ"]


def dump_arrays(config: ProteinBERTConfig, seed: int = 0) -> list[np.ndarray]:
    """Random arrays in the shapes and the order of an official dump (variables of the model)."""
    rng = np.random.default_rng(seed)
    annotations, local, global_ = config.n_annotations, config.local_width, config.global_width
    heads, key, value = config.n_heads, config.key_width, config.global_width // config.n_heads
    shapes = [(annotations, global_), (global_,), (26, local)]
    for _ in range(config.n_blocks):
        shapes += [(global_, local), (local,)]
        shapes += [(9, local, local), (local,)] * 2
        shapes += [(local,), (local,), (local, local), (local,), (local,), (local,)]
        shapes += [(global_, global_), (global_,)]
        shapes += [(heads, global_, key), (heads, local, key), (heads, local, value)]
        shapes += [(global_,), (global_,), (global_, global_), (global_,), (global_,), (global_,)]
    shapes += [(local, 26), (26,), (global_, annotations), (annotations,)]
    return [rng.normal(0, 0.3, shape).astype(np.float32) for shape in shapes]


def write_dump(path, arrays, n_annotations):
    optimiser = [np.float32(0.5), *arrays]
    path.write_bytes(pickle.dumps((n_annotations, arrays, optimiser), protocol=4))
    return path


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def layer_norm(x, gamma, beta):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def convolve(s, kernel, bias, dilation):
    """Keras' Conv1D with "same" padding, one position and one tap at a time."""
    answer = np.tile(bias, (len(s), 1))
    for position in range(len(s)):
        for tap in range(9):
            source = position + (tap - 4) * dilation
            if 0 <= source < len(s):
                answer[position] += s[source] @ kernel[tap]
    return answer


def attend(g, s, query, key, value):
    heads = []
    for wq, wk, wv in zip(query, key, value, strict=True):
        scores = np.tanh(s @ wk) @ np.tanh(g @ wq) / np.sqrt(wq.shape[1])
        weights = np.exp(scores - scores.max())
        heads.append(weights / weights.sum() @ gelu(s @ wv))
    return np.concatenate(heads)


def published_equations(arrays, tokens, annotations, n_blocks):
    """The published model for one protein, in float64, from the arrays of a dump."""
    left = iter([array.astype(np.float64) for array in arrays])

    def take(n):
        return [next(left) for _ in range(n)]

    w, b, embedding = take(3)
    s, g = embedding[tokens], gelu(annotations @ w + b)
    for _ in range(n_blocks):
        wb, bb, wn, bn, ww, bw, g1, b1, wd, bd, g2, b2 = take(12)
        narrow, wide = convolve(s, wn, bn, 1), convolve(s, ww, bw, 5)
        s = layer_norm(s + gelu(g @ wb + bb) + gelu(narrow) + gelu(wide), g1, b1)
        s = layer_norm(s + gelu(s @ wd + bd), g2, b2)
        w1, b1, q, k, v, g1, be1, w2, b2, g2, be2 = take(11)
        g = layer_norm(g + gelu(g @ w1 + b1) + attend(g, s, q, k, v), g1, be1)
        g = layer_norm(g + gelu(g @ w2 + b2), g2, be2)
    ws, bs, wa, ba = take(4)
    return s, g, s @ ws + bs, g @ wa + ba


@pytest.fixture
def dump(tmp_path):
    arrays = dump_arrays(SMALL)
    return write_dump(tmp_path / "dump.pkl", arrays, SMALL.n_annotations), arrays


def test_tokens_are_numbered_as_published():
    # The official tokenizer's answer to this sequence.
    assert tokenize("MKTUXBZOJ", 13).tolist() == [23, 10, 8, 16, 17, 20, *[22] * 4, 24, 25, 25]
    assert tokenize("ACDEFGHIKLMNPQRSTUVWXY").tolist() == [23, *range(22), 24]


def test_a_protein_longer_than_the_padded_length_is_refused():
    with pytest.raises(InputError, match=r"3 residues needs 5 positions"):
        tokenize("MKV", 4)


@pytest.mark.parametrize("annotated", [False, True])
def test_module_equals_the_published_equations(dump, annotated):
    path, arrays = dump
    module, n_annotations = load_official_dump(path)
    assert (module.config, n_annotations) == (SMALL, 7)
    annotations = np.random.default_rng(1).integers(0, 2, (3, 7)) * float(annotated)
    tokens = np.stack([tokenize(sequence, 16) for sequence in SEQUENCES])
    with torch.inference_mode():
        local, global_ = module(tokens, annotations)
        sequence_logits, annotation_logits = module.heads(local, global_)
    for i in range(3):
        expected = published_equations(arrays, tokens[i], annotations[i], SMALL.n_blocks)
        computed = (local[i], global_[i], sequence_logits[i], annotation_logits[i])
        for found, right in zip(computed, expected, strict=True):
            np.testing.assert_allclose(found.numpy(), right, atol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_tokens_may_be_integers_of_any_width(dump, dtype):
    module, _ = load_official_dump(dump[0])
    tokens = np.stack([tokenize(sequence, 12) for sequence in SEQUENCES])
    with torch.inference_mode():
        torch.testing.assert_close(module(tokens.astype(dtype)), module(tokens), rtol=0, atol=0)


def test_no_annotations_are_all_zero_annotations(dump):
    module, n_annotations = load_official_dump(dump[0])
    tokens = np.stack([tokenize(sequence, 12) for sequence in SEQUENCES])
    with torch.inference_mode():
        without, zero = module(tokens), module(tokens, np.zeros((3, n_annotations)))
    torch.testing.assert_close(without, zero, rtol=0, atol=1e-6)


def test_layers_and_heads_side_by_side_have_the_official_widths():
    with torch.device("meta"):
        module = ProteinBERT(ProteinBERTConfig())
        local, global_ = module.hidden_states(torch.zeros(1, 5, dtype=torch.long))
        of_tokens, of_annotations = module.heads(local[-1], global_[-1])
    # The official output of all layers leaves out the tokens' embedding.
    assert sum(state.shape[-1] for state in [*local[1:], of_tokens]) == 1562
    assert sum(state.shape[-1] for state in [*global_, of_annotations]) == 15599
    parameters = list(module.parameters())
    assert (len(parameters), sum(p.numel() for p in parameters)) == (145, 15_981_321)


def test_a_safetensors_conversion_computes_the_same(dump, tmp_path):
    module, _ = load_official_dump(dump[0])
    save_directory(module, tmp_path / "converted")
    tokens = tokenize("MKTAYI")[None]
    with torch.inference_mode():
        converted, original = load_directory(tmp_path / "converted")(tokens), module(tokens)
    torch.testing.assert_close(converted, original, rtol=0, atol=1e-6)


class Malicious:
    def __reduce__(self):
        return os.system, ("echo never > executed",)


def test_a_malicious_dump_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "dump.pkl"
    path.write_bytes(pickle.dumps((7, [Malicious()], [])))
    with pytest.raises(InputError, match=r"not a safe pickle of arrays \(refers to \w+\.system\)"):
        load_official_dump(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("keep", [0, 10, 400, -1])
def test_a_truncated_dump_is_refused(dump, keep):
    path, _ = dump
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="not a safe pickle of arrays"):
        load_official_dump(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (["nothing"], "is not a ProteinBERT dump"),
        ((7, [np.zeros(3)], None), "not those of a ProteinBERT"),
        ((8, dump_arrays(SMALL), None), "says 8 annotations"),
        ((7, dump_arrays(SMALL)[:-1], None), "holds 52 arrays"),
        ((7, [a.astype(int) for a in dump_arrays(SMALL)], None), "no floating-point numbers"),
        ((7, [a[..., :-1] for a in dump_arrays(SMALL)], None), "size mismatch"),
    ],
)
def test_a_dump_of_something_else_is_refused(tmp_path, content, complaint):
    path = tmp_path / "dump.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=complaint):
        load_official_dump(path)


def test_a_missing_dump_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_official_dump(tmp_path / "dump.pkl")


def test_a_directory_with_wrong_tensors_is_refused_by_name(dump, tmp_path):
    module, _ = load_official_dump(dump[0])
    save_directory(module, tmp_path)
    path = tmp_path / "model.safetensors"
    state = load_file(path)
    save_file({k: v for k, v in state.items() if k != "embedding.weight"}, path)
    with pytest.raises(InputError, match=r"Missing key.*embedding\.weight"):
        load_directory(tmp_path)
    save_file(state | {"more": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"Unexpected key.*more"):
        load_directory(tmp_path)
    save_file(state | {"global_input.bias": torch.zeros(9)}, path)
    with pytest.raises(InputError, match=r"size mismatch for global_input\.bias"):
        load_directory(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_directory(tmp_path)


def test_an_unknown_setting_in_the_configuration_is_refused(dump, tmp_path):
    module, _ = load_official_dump(dump[0])
    save_directory(module, tmp_path)
    (tmp_path / "config.json").write_text('{"depth": 6}')
    with pytest.raises(InputError, match="not the configuration of a ProteinBERT"):
        load_directory(tmp_path)


# The embedder

BATCH = ["MKTAYIAKQRQISFVKSHFSRQ", "M", "MKTUXBZOJ", "ACDEFGHIKLMNPQRSTVWY" * 4]


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
    together = model.forward(BATCH, (0, 1, -1))
    for i, sequence in enumerate(BATCH):
        alone = model.forward([sequence], (0, 1, -1))
        for layer in range(3):
            residues = together.hidden[layer][i][together.is_residue[i]]
            assert len(residues) == len(sequence)
            expected = alone.hidden[layer][0][alone.is_residue[0]]
            assert relative_difference(residues, expected) <= 1e-5
            assert relative_difference(together.protein[layer][i], alone.protein[layer][0]) <= 1e-5


def test_unpadded_is_the_official_model_at_the_proteins_own_length(directory):
    model = ProteinBERTEmbedder("x", directory)
    output = model.forward(BATCH)
    for i, sequence in enumerate(BATCH):
        with torch.inference_mode():
            local, global_ = model.module(tokenize(sequence)[None])
        assert relative_difference(output.protein[0][i], global_[0]) <= 1e-5
        assert (
            relative_difference(output.hidden[0][i][output.is_residue[i]], local[0, 1:-1]) <= 1e-5
        )


@pytest.mark.parametrize(("padded_length", "positions"), [(128, 128), ("power of two", 32)])
def test_padded_is_the_official_model_at_that_length(directory, padded_length, positions):
    model = ProteinBERTEmbedder("x", directory, padded_length=padded_length)
    found = model.forward(BATCH).protein[0][0]
    with torch.inference_mode():
        expected = model.module(tokenize(BATCH[0], positions)[None])[1][0]
        unpadded = model.module(tokenize(BATCH[0])[None])[1][0]
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
    first = ProteinBERTEmbedder("x", directory, seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(6)
    second = ProteinBERTEmbedder("x", directory, seed=0)
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
    exact = model.forward(BATCH).protein[0]
    rounded = model.to("cpu", torch.bfloat16).forward(BATCH).protein[0]
    assert rounded.dtype == torch.bfloat16
    assert np.linalg.norm(rounded.float() - exact) / np.linalg.norm(exact) < 0.05
