"""The engine: several workers, kills, late proteins, groups; the same bits whichever way."""

import json
import signal
import subprocess
import sys
import time

import numpy as np

from plm_geometry.embedding import run as embed
from plm_geometry.embedding.devices import load_model, load_models
from plm_geometry.embedding.plan import Plan, draw_residues
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.moments import Moments, merge_all
from small_proteins import embedded, random_proteins, relative
from test_forward import Hungry
from tiny_checkpoints import WRITERS


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
from plm_geometry.embedding.devices import load_model
from plm_geometry.proteins.fasta import read_fasta
directory, checkpoint, fasta = sys.argv[1:]
model = load_model(checkpoint, device="cpu")
forward = model.forward
def slow(sequences, layers):
    time.sleep(0.05)
    return forward(sequences, layers)
model.forward = slow
embed.embed(read_fasta(fasta), model, Path(directory), residues_per_batch=200, progress=False)
"""


def test_killed_and_resumed_gives_the_same_bits(tmp_path):
    from plm_geometry.proteins.fasta import write_fasta

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
    plan = Plan.from_json(json.loads((tmp_path / "killed" / "plan.json").read_text()))
    with np.load(progress) as stored:
        assert 0 < int(stored["blocks_done"]) < len(plan.blocks())

    model = load_model(str(checkpoint), device="cpu")
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
    plan = Plan.from_json(store.plan())
    pairs = set(zip(np.array(families)[plan.order], plan.groups, strict=True))
    assert len(pairs) == 3


def test_the_sample_holds_the_residues_that_were_drawn(model, tmp_path, monkeypatch):
    monkeypatch.setattr(embed, "_N_SAMPLED", 25)
    proteins = random_proteins(40)
    store = embed.embed(proteins, model, tmp_path, residues_per_batch=300, seed=5, progress=False)
    order = Plan.from_json(store.plan()).order
    every = np.concatenate([residues_by_protein(model, proteins)[i] for i in order])
    drawn = draw_residues(len(every), 25, seed=5)
    assert relative(store.read_sample(), every[drawn]).max() <= 1e-5
