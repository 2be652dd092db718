"""The run: the same vector in any batch, anywhere, before and after a kill; nobody lost unnamed."""

import re
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from plm_geometry.base import compute
from plm_geometry.base.errors import InputError
from plm_geometry.embedding import run as embed
from plm_geometry.embedding.files import load_models
from plm_geometry.embedding.plan import draw_residues, make_plan
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.models import load
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
    with pytest.raises(InputError, match="use mean"):
        embedded(random_proteins(2), model, tmp_path, pooling="median")


def residues_by_protein(model, proteins):
    """Return each protein's residue vectors, computed alone by a plain forward pass."""
    outputs = [model.forward([sequence]) for sequence in proteins.sequences]
    return [output.hidden[0][output.is_residue].double().numpy() for output in outputs]


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
from plm_geometry.embedding import run as embed
from plm_geometry.models import load
from plm_geometry.proteins.fasta import read_fasta
directory, checkpoint, fasta = sys.argv[1:]
model = load(checkpoint)
forward = model.forward
def slow(sequences, layers):
    time.sleep(0.05)
    return forward(sequences, layers)
model.forward = slow
embed.embed(read_fasta(fasta), model, Path(directory), residues_per_batch=200, progress=False)
"""


def test_killed_and_resumed_gives_the_same_bits(tmp_path):
    from small_proteins import write_fasta

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
        assert 0 < int(stored["n_done"]) < len(proteins)

    model = load(str(checkpoint))
    resumed = embedded(proteins, model, tmp_path / "killed", residues_per_batch=999)
    whole = embedded(proteins, model, tmp_path / "whole", residues_per_batch=200)
    np.testing.assert_array_equal(resumed.vectors, whole.vectors)
    for letter, moments in whole.residue_moments.items():
        np.testing.assert_array_equal(resumed.residue_moments[letter].scatter, moments.scatter)


# Proteins that come late


def test_who_found_no_memory_is_tried_again_by_the_next_run(model, tmp_path):
    proteins = random_proteins(60)
    hungry = embedded(proteins, Hungry(model, 80), tmp_path / "late")
    assert len(hungry.left_out) > 3
    late = embedded(proteins, model, tmp_path / "late")
    whole = embedded(proteins, model, tmp_path / "whole")
    assert not late.left_out
    assert relative(late.vectors, whole.vectors).max() <= 1e-5
    assert late.residue_sample.shape == whole.residue_sample.shape
    for letter, moments in whole.residue_moments.items():
        assert late.residue_moments[letter].count == moments.count
        np.testing.assert_allclose(
            late.residue_moments[letter].scatter, moments.scatter, rtol=1e-3, atol=1e-4
        )


def test_who_still_finds_none_stays_left_out(model, tmp_path):
    proteins = random_proteins(30)
    first = embedded(proteins, Hungry(model, 80), tmp_path)
    again = embedded(proteins, Hungry(model, 80), tmp_path)
    assert first.left_out == again.left_out != {}


# Groups and the sample


def test_moments_by_group_are_those_of_the_groups_proteins(model, tmp_path):
    proteins = random_proteins(40)
    found = embedded(proteins, model, tmp_path, residues_per_batch=300, seed=3)
    group_of = draw_blocks(len(proteins), n_blocks=10, seed=3)
    counts = [group["A"].count for group in found.residue_groups if "A" in group]
    plain = [
        sum(proteins.sequences[i].count("A") for i in np.flatnonzero(group_of == number))
        for number in range(10)
    ]
    assert sorted(counts) == sorted(plain)
    together = merge_all([group["A"] for group in found.residue_groups if "A" in group])
    letters = np.array(list("".join(proteins.sequences)))
    expected = Moments.from_vectors(
        np.concatenate(residues_by_protein(model, proteins))[letters == "A"]
    )
    np.testing.assert_allclose(together.scatter, expected.scatter, rtol=1e-4, atol=1e-4)


def test_a_family_stays_within_one_group(model, tmp_path):
    proteins = random_proteins(30)
    families = [f"F{i % 3}" for i in range(30)]
    store = embed.embed(proteins, model, tmp_path, families=families, progress=False)
    plan = store.plan()
    pairs = set(zip(np.array(families)[plan.order], plan.groups, strict=True))
    assert len(pairs) == 3


def test_the_sample_holds_the_residues_that_were_drawn(model, tmp_path, monkeypatch):
    monkeypatch.setattr(embed, "_N_SAMPLED", 25)
    proteins = random_proteins(40)
    store = embed.embed(proteins, model, tmp_path, residues_per_batch=300, seed=5, progress=False)
    order = store.plan().order
    every = np.concatenate([residues_by_protein(model, proteins)[i] for i in order])
    drawn = draw_residues(len(every), 25, seed=5)
    assert relative(embed.load(store, proteins).residue_sample, every[drawn]).max() <= 1e-5


# A cluster


@pytest.fixture
def small_tasks(monkeypatch):
    monkeypatch.setattr(embed, "_RESIDUES_PER_DIMENSION", 5)


@pytest.fixture
def kill_one(scheduler, monkeypatch):
    """Kill one of the two workers when the first task has come back."""

    def killing(*arguments, **options):
        for number, found in enumerate(run_blocks(*arguments, **options)):
            if number == 0:
                scheduler[1][0].send_signal(signal.SIGKILL)
            yield found

    run_blocks = compute.run_blocks
    monkeypatch.setattr("plm_geometry.embedding.run.run_blocks", killing)


@pytest.mark.usefixtures("small_tasks", "kill_one")
def test_a_cluster_with_a_killed_worker_gives_the_same_vectors_and_moments(
    model, scheduler, tmp_path
):
    proteins = random_proteins(120)
    here = embedded(proteins, model, tmp_path / "here", residues_per_batch=200)
    there = embedded(
        proteins, model, tmp_path / "there", residues_per_batch=200, cluster=scheduler[0]
    )
    assert relative(there.vectors, here.vectors).max() <= 1e-5
    assert relative(there.residue_sample, here.residue_sample).max() <= 1e-5
    for letter, moments in here.residue_moments.items():
        assert there.residue_moments[letter].count == moments.count
        np.testing.assert_allclose(
            there.residue_moments[letter].scatter, moments.scatter, rtol=1e-4, atol=1e-4
        )


@pytest.mark.usefixtures("small_tasks")
def test_a_worker_with_another_checkpoint_is_refused(model, tmp_path, monkeypatch):
    proteins = random_proteins(20)
    monkeypatch.setitem(model.identity, "weights", "of another file")
    with pytest.raises(InputError, match=r"loads another .* give all machines the same"):
        embedded(proteins, model, tmp_path, cluster="local")


def test_tasks_hold_every_block_once_and_never_two_waves(small_tasks):
    proteins = random_proteins(200)
    groups = np.arange(200) % 3
    plan = make_plan(proteins.lengths, 100, groups)
    work = type("Work", (), {"proteins": proteins, "plan": plan})
    found = embed._joined(plan.blocks()[2:], work, residue_width=1000)
    places = [place for task in found for place in range(200)[task]]
    assert places == list(range(plan.blocks()[2].start, 200))
    assert all(len(set(plan.groups[task])) == 1 for task in found)
    assert len(found) < len(plan.blocks()[2:])


# What is said before


def test_the_forecast_counts_what_the_run_then_computes(model, tmp_path, monkeypatch):
    proteins = random_proteins(100)
    padded = []
    forward = model.forward

    def counting(sequences, layers):
        padded.append(len(sequences) * max(map(len, sequences)))
        return forward(sequences, layers)

    monkeypatch.setattr(model, "forward", counting)
    told = []
    embed.embed(proteins, model, tmp_path, residues_per_batch=700, progress=False, tell=told.append)
    share = 1 - proteins.lengths.sum() / sum(padded)
    assert f"100 proteins, {proteins.lengths.sum():,} residues, {share:.1%} padding" in told[0]
    megabytes = int(re.search(r"at most ([\d,]+) MB", told[0])[1].replace(",", ""))
    on_disk = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert on_disk <= 1e6 * megabytes
