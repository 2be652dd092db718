from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.base.errors import InputError
from plm_geometry.models import describe_model, load
from plm_geometry.models.controls import CompositionEmbedder, KmerEmbedder, ShuffledEmbedder
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

KMERS = ["".join(letters) for letters in product(STANDARD_RESIDUES, repeat=3)]
PROTEINS = st.lists(
    st.text(STANDARD_RESIDUES + "XU", min_size=1, max_size=20), min_size=1, max_size=4
)


@given(sequences=PROTEINS)
def test_mean_of_the_residues_is_the_composition(sequences):
    output = CompositionEmbedder().forward(sequences)
    for hidden, mask, sequence in zip(output.hidden[0], output.is_residue, sequences, strict=True):
        found = hidden[mask].mean(0).numpy()
        expected = [sequence.count(letter) / len(sequence) for letter in STANDARD_RESIDUES]
        np.testing.assert_allclose(found, expected, atol=1e-6)


@given(sequences=PROTEINS)
def test_kmers_are_counted(sequences):
    output = KmerEmbedder().forward(sequences)
    for vector, sequence in zip(output.protein[0], sequences, strict=True):
        windows = [sequence[i : i + 3] for i in range(len(sequence) - 2)]
        counts = Counter(w for w in windows if not set(w) & set("XU"))
        expected = np.array([counts[name] for name in KMERS]) / max(1, counts.total())
        np.testing.assert_allclose(vector.numpy(), expected, atol=1e-6)


@given(sequences=PROTEINS)
def test_kmer_residues_are_the_letters_around_a_position(sequences):
    output = KmerEmbedder().forward(sequences)
    residues = output.hidden[0][output.is_residue].reshape(-1, 3, 20)
    letters = STANDARD_RESIDUES + "-"
    padded = [f"-{s}-".replace("X", "-").replace("U", "-") for s in sequences]
    expected = [p[i : i + 3] for p in padded for i in range(len(p) - 2)]
    found = [
        "".join(letters[int(row.argmax()) if row.any() else -1] for row in r) for r in residues
    ]
    assert found == expected


@pytest.mark.parametrize("control", [CompositionEmbedder(), KmerEmbedder()])
def test_widths_are_what_they_say(control):
    output = control.forward(["MKV", "M"], (0, -1))
    assert [h.shape for h in output.hidden] == [(2, 3, control.residue_width)] * 2
    assert control.n_special == control.n_layers == 0
    if output.protein is not None:
        assert [p.shape for p in output.protein] == [(2, control.width)] * 2
    else:
        assert control.width == control.residue_width


@given(sequences=PROTEINS)
def test_shuffling_keeps_the_residues_and_follows_from_protein_and_seed(sequences):
    model = ShuffledEmbedder(KmerEmbedder(), 0)
    together = model.forward(sequences).protein[0]
    for sequence, vector in zip(sequences, together, strict=True):
        read = model.as_read(sequence)
        assert sorted(read) == sorted(sequence)
        assert ShuffledEmbedder(KmerEmbedder(), 0).as_read(sequence) == read
        # Alone as in a batch, and the model's own of what it reads.
        np.testing.assert_array_equal(model.forward([sequence]).protein[0][0], vector)
        np.testing.assert_array_equal(KmerEmbedder().forward([read]).protein[0][0], vector)


def test_shuffled_orders_are_uniform_and_change_with_the_seed():
    model, other = ShuffledEmbedder(KmerEmbedder(), 0), ShuffledEmbedder(KmerEmbedder(), 1)
    proteins = ["A" * n + "C" + "D" * (59 - n) for n in range(60)] * 5
    proteins = [protein + "E" * i for i, protein in enumerate(proteins)]
    places = [model.as_read(p).index("C") / (len(p) - 1) for p in proteins]
    assert np.mean(places) == pytest.approx(0.5, abs=0.06)  # standard error 0.017
    assert np.std(places) == pytest.approx(12**-0.5, abs=0.04)
    assert all(model.as_read(p) != other.as_read(p) for p in proteins)


def test_a_shuffled_model_is_a_control_that_says_its_seed(tmp_path):
    model = load("shuffled:unirep_64@2")
    assert (model.width, describe_model("shuffled:unirep_64@2").role) == (64, "control")
    assert model.title == "shuffled UniRep-64, seed 2"
    assert model.identity["residues"] == "shuffled, seed 2"
    assert model.identity["weights"] == load("unirep_64").identity["weights"]
    np.save(tmp_path / "x.npy", np.ones((1, 3), np.float32))
    with pytest.raises(InputError, match="which no shuffled residues have"):
        load(f"shuffled:{tmp_path / 'x.npy'}")
