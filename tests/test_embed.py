"""The engine: the same vector in any batch, before and after a kill; nobody lost unnamed."""

import h5py
import numpy as np
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.embedding import run as embed
from plm_geometry.isotropy.moments import Moments
from small_proteins import embedded, random_proteins, relative
from test_forward import Hungry

# The vectors


def test_vectors_do_not_depend_on_the_batch(model, tmp_path):
    proteins = random_proteins(40)
    alone = embedded(proteins, model, tmp_path / "alone", residues_per_batch=1)
    together = embedded(proteins, model, tmp_path / "together", residues_per_batch=2000)
    assert alone.accessions == proteins.accessions
    assert relative(together.vectors, alone.vectors).max() <= 1e-5


def test_vectors_are_the_mean_of_a_plain_forward_pass(model, tmp_path):
    proteins = random_proteins(5)
    found = embedded(proteins, model, tmp_path)
    for sequence, vector in zip(proteins.sequences, found.vectors, strict=True):
        output = model.forward([sequence])
        plain = output.hidden[0][output.is_residue].double().mean(0).numpy()
        assert relative(vector, plain) <= 1e-6


def test_residue_moments_are_those_of_all_residue_vectors(model, tmp_path):
    proteins = random_proteins(30)
    found = embedded(proteins, model, tmp_path, residues_per_batch=500)
    vectors = []
    for sequence in proteins.sequences:
        output = model.forward([sequence])
        vectors.append(output.hidden[0][output.is_residue].numpy())
    vectors, letters = np.concatenate(vectors), np.array(list("".join(proteins.sequences)))
    assert set(found.residue_moments) == set(letters)
    for letter in "AX":
        plain = Moments.from_vectors(vectors[letters == letter].astype(float))
        moments = found.residue_moments[letter]
        assert moments.count == plain.count
        np.testing.assert_allclose(moments.scatter, plain.scatter, rtol=1e-4, atol=1e-4)


def test_chosen_layers_are_kept_in_the_order_asked_for(model, tmp_path):
    proteins = random_proteins(6)
    store = embed.embed(proteins, model, tmp_path / "all", layers=(0, -1), progress=False)
    last = embedded(proteins, model, tmp_path / "last")
    np.testing.assert_array_equal(embed.load(store, proteins, layer=1).vectors, last.vectors)
    assert relative(embed.load(store, proteins, layer=0).vectors, last.vectors).min() > 1e-3


def test_residues_are_kept_where_asked_for(model, tmp_path):
    proteins = random_proteins(40)
    store = embed.embed(proteins, model, tmp_path / "store", keep_residues=True, progress=False,
                        residues_per_batch=300)  # fmt: skip
    store.gather_residues(tmp_path / "residues.h5", model_name=model.name)
    with h5py.File(tmp_path / "residues.h5") as file:
        assert set(file) == set(proteins.accessions)
        for accession, sequence in zip(proteins.accessions, proteins.sequences, strict=True):
            output = model.forward([sequence])
            plain = output.hidden[0][output.is_residue].numpy()
            assert relative(file[accession][:].ravel(), plain.ravel()) <= 1e-5


# What a store is for


def test_a_finished_store_is_not_computed_again(model, tmp_path):
    proteins = random_proteins(10)
    embedded(proteins, model, tmp_path)
    again = embedded(proteins, Hungry(model, 0), tmp_path)  # would leave everybody out
    assert not again.left_out


def test_a_store_refuses_another_model_or_other_proteins(model, tmp_path):
    embedded(random_proteins(4), model, tmp_path)
    with pytest.raises(InputError, match="differs in proteins_sha256"):
        embedded(random_proteins(4, seed=1), model, tmp_path)
    with pytest.raises(InputError, match="differs in pooling"):
        embedded(random_proteins(4), model, tmp_path, pooling="max")


def test_unknown_pooling_is_a_sentence(model, tmp_path):
    with pytest.raises(InputError, match="choose one of mean"):
        embedded(random_proteins(2), model, tmp_path, pooling="median")
