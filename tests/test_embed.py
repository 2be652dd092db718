"""The engine: the same vector in any batch, before and after a kill; nobody lost unnamed."""

import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from plm_geometry import embed
from plm_geometry.embed import load_model, load_models
from plm_geometry.errors import InputError
from plm_geometry.moments import Moments
from plm_geometry.plan import make_plan
from small_proteins import embedded, random_proteins, relative
from test_forward import Hungry
from tiny_checkpoints import WRITERS

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


# Several devices


def test_two_workers_give_the_same_bits_as_one(model, tmp_path):
    proteins = random_proteins(150)
    copies = load_models(model.name, device="cpu,cpu")
    assert len(copies) == 2
    one = embedded(proteins, model, tmp_path / "one", residues_per_batch=200)
    two = embedded(proteins, copies[0], tmp_path / "two", residues_per_batch=200,
                   copies=copies[1:])  # fmt: skip
    np.testing.assert_array_equal(two.vectors, one.vectors)
    for letter, moments in one.residue_moments.items():
        np.testing.assert_array_equal(two.residue_moments[letter].scatter, moments.scatter)


# Stopping and going on

KILLED = """
import sys, time
from pathlib import Path
from plm_geometry import embed
from plm_geometry.proteins import read_fasta
directory, checkpoint, fasta = sys.argv[1:]
model = embed.load_model(checkpoint, device="cpu")
forward = model.forward
def slow(sequences, layers):
    time.sleep(0.05)
    return forward(sequences, layers)
model.forward = slow
embed.embed(read_fasta(fasta), model, Path(directory), residues_per_batch=200, progress=False)
"""


def test_killed_and_resumed_gives_the_same_bits(tmp_path):
    from plm_geometry.proteins import write_fasta

    checkpoint = WRITERS["bert"](tmp_path / "bert")
    proteins = random_proteins(150)
    write_fasta(proteins, tmp_path / "p.fasta")
    arguments = [str(tmp_path / "killed"), str(checkpoint), str(tmp_path / "p.fasta")]
    progress = tmp_path / "killed" / "progress.npz"
    process = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
    while not progress.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with np.load(progress) as stored:
        assert 0 < int(stored["blocks_done"]) < len(make_plan(proteins.lengths, 200).blocks())

    model = load_model(str(checkpoint), device="cpu")
    resumed = embedded(proteins, model, tmp_path / "killed", residues_per_batch=999)
    whole = embedded(proteins, model, tmp_path / "whole", residues_per_batch=200)
    np.testing.assert_array_equal(resumed.vectors, whole.vectors)
    for letter, moments in whole.residue_moments.items():
        np.testing.assert_array_equal(resumed.residue_moments[letter].scatter, moments.scatter)


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


def test_precision_is_part_of_what_a_model_is(model):
    other = load_model(model.name, device="cpu", precision="bf16")
    assert other.identity != model.identity


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"precision": "fp8"}, "precision 'fp8'"), ({"device": "cuda:77"}, "device 'cuda:77'")],
)
def test_unknown_precision_and_device_are_sentences(options, sentence):
    with pytest.raises(InputError, match=sentence):
        load_model("composition", **options)


def test_unknown_pooling_is_a_sentence(model, tmp_path):
    with pytest.raises(InputError, match="choose one of mean"):
        embedded(random_proteins(2), model, tmp_path, pooling="median")
