import random
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import tiny_checkpoints
from plm_geometry.base.errors import InputError
from plm_geometry.models.base import ProteinError
from plm_geometry.models.transformers_lm import TransformersEmbedder

ARCHITECTURES = sorted(tiny_checkpoints.WRITERS)


def some_sequences():
    chosen = random.Random(0)
    sequences = ["".join(chosen.choices("ACDEFGHIKLMNPQRSTVWY", k=n)) for n in (7, 60, 1, 33)]
    return [*sequences, "MUZOBXXJX"]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    return {name: write(root / name) for name, write in tiny_checkpoints.WRITERS.items()}


@pytest.fixture
def copy(originals, tmp_path):
    """Return a function that copies a checkpoint, to be damaged."""
    return lambda name: shutil.copytree(originals[name], tmp_path / name)


def relative_differences(a, b):
    return (a - b).norm(dim=-1) / b.norm(dim=-1)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_protein_embeds_the_same_alone_and_in_a_batch(originals, name):
    model, sequences = TransformersEmbedder(name, originals[name]), some_sequences()
    together = model.forward(sequences, (0, 1, -1))
    for i, sequence in enumerate(sequences):
        alone = model.forward([sequence], (0, 1, -1))
        for layer in range(3):
            found = together.hidden[layer][i][together.is_residue[i]]
            expected = alone.hidden[layer][alone.is_residue]
            assert found.shape == (len(sequence), model.residue_width)
            assert relative_differences(found, expected).max() <= 1e-5


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_residues_of_a_batch_are_its_proteins_one_after_another(originals, name):
    model, sequences = TransformersEmbedder(name, originals[name]), some_sequences()
    output = model.forward(sequences)
    alone = [model.forward([s]) for s in sequences]
    one_by_one = torch.cat([o.hidden[0][o.is_residue] for o in alone])
    together = output.hidden[0][output.is_residue]
    assert relative_differences(together, one_by_one).max() <= 1e-5
    assert (output.is_token.sum(1) - output.is_residue.sum(1)).tolist() == [model.n_special] * 5


@pytest.mark.parametrize(
    ("name", "text", "residues"),
    [
        ("bert", "M A X X X L X", slice(1, 8)),
        ("xlnet", "M A <unk> <unk> <unk> L <unk>", slice(0, 7)),
        ("esm", "MAUZXLB", slice(1, 8)),
        ("t5", "M A X X X L X", slice(0, 7)),
    ],
)
def test_hidden_states_equal_the_librarys_for_the_documented_spelling(
    originals, name, text, residues
):
    tokenizer = transformers.AutoTokenizer.from_pretrained(originals[name])
    model = TransformersEmbedder(name, originals[name])
    encoded = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    assert encoded["input_ids"].shape == (1, 7 + model.n_special)
    with torch.inference_mode():
        states = model.module(**encoded, output_hidden_states=True).hidden_states
    output = model.forward(["MAUZXLB"], range(model.n_layers + 1))
    for found, expected in zip(output.hidden, states, strict=True):
        found = found[output.is_residue]
        assert relative_differences(found, expected[0, residues]).max() <= 1e-5


@pytest.mark.parametrize("name", ["bert", "esm", "xlnet"])
def test_the_classification_token_stands_where_the_output_says(originals, name):
    model, sequences = TransformersEmbedder(name, originals[name]), some_sequences()
    output = model.forward(sequences)
    assert output.cls_position == model.cls_position == ("last" if name == "xlnet" else "first")
    place = -1 if output.cls_position == "last" else 0
    for i, sequence in enumerate(sequences):
        ids = model._tokens.with_specials(model._tokens.residue_tokens(sequence))
        assert (
            ids[place] == transformers.AutoTokenizer.from_pretrained(originals[name]).cls_token_id
        )
        alone = model.forward([sequence]).hidden[0][0, place]
        found = output.hidden[0][i][output.is_token[i]][place]
        assert relative_differences(found, alone) <= 1e-5


def test_a_checkpoint_without_classification_token_says_so(originals):
    model = TransformersEmbedder("t5", originals["t5"])
    assert model.cls_position is model.forward(["MKV"]).cls_position is None


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_last_layer_alone_and_among_others_is_the_same(originals, name):
    model = TransformersEmbedder(name, originals[name])
    last, every = model.forward(["MKVL"]), model.forward(["MKVL"], range(3))
    torch.testing.assert_close(last.hidden[0], every.hidden[-1])


def test_a_layer_that_is_not_there_is_refused(originals):
    with pytest.raises(InputError, match=r"bert has no layer 3: choose from 0 .* to 2"):
        TransformersEmbedder("bert", originals["bert"]).forward(["MKV"], (3,))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_directory_with_pytorch_bin_alone_loads(originals, copy, name):
    directory = tiny_checkpoints.as_pytorch_bin(copy(name))
    found = TransformersEmbedder(name, directory).forward(["MKVL"]).hidden[0]
    expected = TransformersEmbedder(name, originals[name]).forward(["MKVL"]).hidden[0]
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_missing_tensor_is_refused_by_name_and_never_random(copy, name):
    directory = copy(name)
    state = load_file(directory / "model.safetensors")
    lost = next(
        key for key in state if "layer_norm" in key.lower().replace("layernorm", "layer_norm")
    )
    save_file({k: v for k, v in state.items() if k != lost}, directory / "model.safetensors")
    with pytest.raises(InputError, match=r"lacks tensor .*weight|lacks tensor .*bias") as caught:
        TransformersEmbedder(name, directory)
    assert lost in str(caught.value)


def test_an_extra_tensor_is_refused_by_name(copy):
    directory = copy("bert")
    state = load_file(directory / "model.safetensors")
    save_file(state | {"adapter.weight": torch.zeros(2)}, directory / "model.safetensors")
    with pytest.raises(InputError, match=r"has the unknown tensor adapter\.weight"):
        TransformersEmbedder("bert", directory)


def test_a_misshapen_tensor_is_refused_by_name(copy):
    directory = copy("bert")
    state = load_file(directory / "model.safetensors")
    state["embeddings.word_embeddings.weight"] = torch.zeros(29, 32)
    save_file(state, directory / "model.safetensors")
    with pytest.raises(InputError, match=r"misshapen tensor embeddings\.word_embeddings\.weight"):
        TransformersEmbedder("bert", directory)


# What the pages of real checkpoints publish beside the encoder, and under which prefix.
AS_PUBLISHED = {
    "bert": (
        "bert.",
        {
            "cls.predictions.bias": (30,),
            "bert.pooler.dense.weight": (32, 32),
            "bert.embeddings.position_ids": (1, 130),
        },
    ),
    "esm": (
        "esm.",
        {
            "lm_head.dense.weight": (32, 32),
            "esm.contact_head.regression.weight": (1, 8),
            "esm.embeddings.position_embeddings.weight": (130, 32),
            "esm.embeddings.position_ids": (1, 130),
        },
    ),
    "xlnet": ("transformer.", {"lm_loss.bias": (30,), "lm_loss.weight": (30, 32)}),
    "t5": (
        "",
        {
            "lm_head.weight": (28, 32),
            "decoder.embed_tokens.weight": (28, 32),
            "decoder.block.0.layer.0.SelfAttention.q.weight": (32, 32),
        },
    ),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_checkpoint_as_its_page_publishes_it_loads(copy, originals, name):
    directory, (prefix, beside) = copy(name), AS_PUBLISHED[name]
    state = load_file(directory / "model.safetensors")
    state = {f"{prefix}{key}": tensor for key, tensor in state.items()}
    state |= {key: torch.zeros(shape) for key, shape in beside.items()}
    (directory / "model.safetensors").unlink()
    torch.save(state, directory / "pytorch_model.bin")
    found = TransformersEmbedder(name, directory).forward(["MKV"]).hidden[0]
    expected = TransformersEmbedder(name, originals[name]).forward(["MKV"]).hidden[0]
    assert torch.equal(found, expected)


def test_rotary_frequencies_come_from_the_checkpoint(copy, originals):
    directory = copy("esm")
    state = load_file(directory / "model.safetensors")
    stored = next(key for key in state if key.endswith("inv_freq"))
    frequencies = torch.tensor([1.0, 0.0123, 0.1, 0.01])
    state = {key: value for key, value in state.items() if key != stored}
    for layer in range(2):
        key = f"encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
        state[key] = frequencies.clone()
    save_file(state, directory / "model.safetensors")
    model = TransformersEmbedder("esm", directory)
    assert torch.equal(model.module.rotary_embeddings.inv_freq, frequencies)
    model.to("cpu", torch.bfloat16)
    assert torch.equal(model.module.rotary_embeddings.inv_freq, frequencies)


@pytest.mark.parametrize("older", [False, True])
def test_truncated_weights_are_refused(copy, older):
    directory = copy("bert")
    if older:
        tiny_checkpoints.as_pytorch_bin(directory)
    path = directory / ("pytorch_model.bin" if older else "model.safetensors")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="the weights cannot be read"):
        TransformersEmbedder("bert", directory)


class Malicious:
    def __reduce__(self):
        return exec, ("open('executed', 'w')",)


def test_a_malicious_pickle_is_refused_and_not_run(copy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    directory = copy("bert")
    (directory / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Malicious()}, directory / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"\(a pickle that refers to \w*\.?exec\)") as caught:
        TransformersEmbedder("bert", directory)
    # The library's own message advises to load it all the same.
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("lost", "complaint"),
    [
        ("config.json", "holds no config.json"),
        ("model.safetensors", "holds no weights"),
        ("vocab.txt", "has no vocabulary"),
    ],
)
def test_an_incomplete_directory_is_refused(copy, lost, complaint):
    directory = copy("bert")
    (directory / lost).unlink()
    with pytest.raises(InputError, match=complaint):
        TransformersEmbedder("bert", directory)


def test_weights_that_are_no_pickle_are_refused(copy):
    directory = copy("bert")
    (directory / "model.safetensors").unlink()
    for content in (b"hello world", b"\x80\x02garbage"):
        (directory / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(InputError, match=r"weights cannot be read \((KeyError|no pickle)"):
            TransformersEmbedder("bert", directory)


def test_a_configuration_with_impossible_sizes_is_refused(copy):
    directory = copy("bert")
    (directory / "config.json").write_text('{"model_type": "bert", "hidden_size": "wide"}')
    with pytest.raises(InputError, match=r"cannot be read \(.*hidden_size"):
        TransformersEmbedder("bert", directory)


def test_another_architecture_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(InputError, match="architecture gpt2 is not supported; supported are bert"):
        TransformersEmbedder("x", tmp_path)


def test_a_one_way_xlnet_is_refused(tmp_path):
    directory = tiny_checkpoints.write_xlnet(tmp_path, attn_type="uni")
    with pytest.raises(InputError, match="only XLNets that attend in both directions"):
        TransformersEmbedder("x", directory)


def test_the_longest_protein_is_read_off_the_checkpoint(originals, tmp_path):
    limits = {n: TransformersEmbedder(n, d).max_residues for n, d in originals.items()}
    assert limits == {"bert": 128, "xlnet": None, "esm": None, "t5": None}
    absolute = tiny_checkpoints.write_esm(tmp_path / "esm", position_embedding_type="absolute")
    assert TransformersEmbedder("x", absolute).max_residues == 126


@pytest.mark.parametrize("name", ["bert", "esm"])
def test_the_longest_protein_fits_and_one_residue_more_is_refused(tmp_path, name):
    options = {"position_embedding_type": "absolute"} if name == "esm" else {}
    model = TransformersEmbedder(name, tiny_checkpoints.WRITERS[name](tmp_path, **options))
    assert model.forward(["M" * model.max_residues]).is_residue.sum() == model.max_residues
    with pytest.raises(ProteinError, match="reads at most") as caught:
        model.forward(["M", "M" * (model.max_residues + 1)])
    assert caught.value.index == 1


def test_a_limit_stated_by_the_tokenizer_is_kept(tmp_path):
    directory = tiny_checkpoints.write_xlnet(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    tokenizer.model_max_length = 52
    tokenizer.save_pretrained(directory)
    assert TransformersEmbedder("x", directory).max_residues == 50


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_untrained_weights_are_the_same_every_time(originals, name):
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = TransformersEmbedder("x", originals[name], seed=0).forward(["MKV"]).hidden[0]
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    second = TransformersEmbedder("x", originals[name], seed=0).forward(["MKV"]).hidden[0]
    trained = TransformersEmbedder("x", originals[name]).forward(["MKV"]).hidden[0]
    assert torch.equal(first, second)
    assert not torch.allclose(first, trained)


def test_an_untrained_copy_needs_no_weights(copy):
    directory = copy("bert")
    (directory / "model.safetensors").unlink()
    assert TransformersEmbedder("x", directory, seed=0).width == 32


def test_identity_changes_with_weights_configuration_and_vocabulary(copy, originals):
    before = TransformersEmbedder("x", originals["bert"]).identity
    directory = copy("bert")
    assert TransformersEmbedder("x", directory).identity == before
    state = load_file(directory / "model.safetensors")
    state["embeddings.LayerNorm.bias"][0] += 1
    save_file(state, directory / "model.safetensors", metadata={"format": "pt"})
    changed = TransformersEmbedder("x", directory).identity
    assert changed["weights"] != before["weights"]
    lines = (directory / "vocab.txt").read_text().split("\n")
    lines[5], lines[6] = lines[6], lines[5]
    (directory / "vocab.txt").write_text("\n".join(lines))
    assert TransformersEmbedder("x", directory).identity["tokens"] != before["tokens"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_half_precision_is_close(originals, name):
    model = TransformersEmbedder(name, originals[name])
    exact = model.forward(some_sequences()).hidden[0]
    output = model.to("cpu", torch.bfloat16).forward(some_sequences())
    assert output.hidden[0].dtype == torch.bfloat16
    differences = relative_differences(output.hidden[0].float(), exact)[output.is_residue]
    assert differences.mean() < 0.05


def test_loading_prints_nothing(originals, capfd):
    TransformersEmbedder("bert", originals["bert"])
    assert capfd.readouterr() == ("", "")
