"""Jobs: from proteins to files, with everything that was cut or left out named."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.cli import jobs
from plm_geometry.cli.jobs import EmbedJob, PairChoice, align_file
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.pairs import AlignmentSettings, read_note
from small_proteins import random_proteins
from tiny_checkpoints import WRITERS


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return str(WRITERS["bert"](tmp_path_factory.mktemp("bert"), max_position_embeddings=62))


def test_an_hdf5_file_holds_everybody_in_uniprots_layout(checkpoint, tmp_path):
    proteins = random_proteins(30, longest=50)
    EmbedJob(checkpoint, tmp_path / "x.h5").run(proteins)
    with h5py.File(tmp_path / "x.h5") as file:
        assert set(file) == set(proteins.accessions)
        assert file[proteins.accessions[0]].shape == (32,)
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


def test_a_directory_keeps_all_layers(checkpoint, tmp_path):
    EmbedJob(checkpoint, tmp_path / "store", layers="all").run(random_proteins(5, longest=50))
    description = (tmp_path / "store" / "description.json").read_text()
    assert '"layers": [\n    0,\n    1,\n    2\n  ]' in description
    assert (tmp_path / "store" / "vectors.zarr").is_dir()


def test_residues_go_to_a_file_of_their_own(checkpoint, tmp_path):
    proteins = random_proteins(5, longest=50)
    EmbedJob(checkpoint, tmp_path / "x.h5", residues=tmp_path / "residues.h5").run(proteins)
    with h5py.File(tmp_path / "residues.h5") as residues, h5py.File(tmp_path / "x.h5") as file:
        for accession, length in zip(proteins.accessions, proteins.lengths, strict=True):
            assert residues[accession].shape == (length, 32)
            mean = residues[accession][:].mean(0)
            np.testing.assert_allclose(file[accession][:], mean, rtol=1e-4, atol=1e-6)


def test_without_cutting_long_proteins_are_left_out_and_with_it_they_are_cut(checkpoint, tmp_path):
    proteins = random_proteins(30, longest=90)
    long = {a for a, n in zip(proteins.accessions, proteins.lengths, strict=True) if n > 60}
    job = EmbedJob(checkpoint, tmp_path / "x.h5")
    job.run(proteins)
    assert set(job.left_out) == long
    assert not job.ran_out_of_memory
    job = EmbedJob(checkpoint, tmp_path / "y.h5", max_residues=60)
    job.run(proteins)
    assert set(job.cut) == long
    assert not job.left_out


def test_the_forecast_is_told_before_the_work(checkpoint, tmp_path):
    said = []
    EmbedJob(checkpoint, tmp_path / "x.h5").run(random_proteins(4, longest=50), tell=said.append)
    assert "4 proteins" in said[0]


def test_one_file_cannot_take_proteins_and_residues(checkpoint, tmp_path):
    with pytest.raises(InputError, match="name two files"):
        EmbedJob(checkpoint, tmp_path / "x.h5", residues=tmp_path / "x.h5").run(random_proteins(2))


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [("all", "holds one layer"), ("some", "write last, all"), ("9", "has no layer 9")],
)
def test_layers_that_make_no_sense_are_sentences(checkpoint, tmp_path, layers, sentence):
    with pytest.raises(InputError, match=sentence):
        EmbedJob(checkpoint, tmp_path / "x.h5", layers=layers).run(random_proteins(3))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_hdf5_run_leaves_its_store_to_the_next(checkpoint, tmp_path, monkeypatch):
    proteins = random_proteins(80, longest=50)
    write_progress = EmbeddingStore.write_progress

    def stopping(self, *arguments):
        write_progress(self, *arguments)
        raise KeyboardInterrupt

    job = EmbedJob(checkpoint, tmp_path / "x.h5", residues_per_batch=100)
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddingStore, "write_progress", stopping)
        with pytest.raises(KeyboardInterrupt):
            job.run(proteins)
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5.store"]
    job.run(proteins)
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


# Pairs

PROTEINS = random_proteins(40, longest=50)


def test_aligned_pairs_are_a_parquet_table_that_says_how_it_was_made(tmp_path):
    settings = AlignmentSettings(matrix="BLOSUM62", mode="local")
    align_file(PROTEINS, tmp_path / "x.parquet", PairChoice(n_pairs=20, seed=7), settings)
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert list(table) == ["accession_a", "accession_b", "alignment_score", "identities",
                           "alignment_length", "sequence_identity"]  # fmt: skip
    assert len(table) == 20
    note = read_note(tmp_path / "x.parquet")
    assert (note["matrix"], note["mode"], note["ties"], note["seed"]) == (
        "BLOSUM62", "local", "max", 7)  # fmt: skip


def test_all_pairs_are_all_there_are(tmp_path):
    align_file(PROTEINS, tmp_path / "x.parquet", PairChoice(every=True), AlignmentSettings())
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert len(table) == 40 * 39 // 2
    assert not table.duplicated(["accession_a", "accession_b"]).any()


def test_pairs_named_in_a_file_are_aligned_in_its_order(tmp_path):
    a, b, c = PROTEINS.accessions[:3]
    (tmp_path / "pairs.tsv").write_text(f"{c}\t{a}\n{a}\t{b}\n")
    choice = PairChoice(file=tmp_path / "pairs.tsv")
    align_file(PROTEINS, tmp_path / "x.parquet", choice, AlignmentSettings())
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert list(zip(table["accession_a"], table["accession_b"], strict=True)) == [(c, a), (a, b)]


def test_stratified_pairs_carry_the_weights_that_stand_for_all(tmp_path):
    choice = PairChoice(n_pairs=100, stratified=True)
    align_file(PROTEINS, tmp_path / "x.parquet", choice, AlignmentSettings())
    assert pd.read_parquet(tmp_path / "x.parquet")["weight"].sum() == pytest.approx(40 * 39 / 2)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"n_pairs": 5, "every": True}, "chosen twice"),
        ({"file": Path("x.tsv"), "every": True}, "chosen twice"),
        ({"every": True, "stratified": True}, "goes with --pairs alone"),
    ],
)
def test_choices_that_exclude_each_other_are_sentences(choice, sentence):
    with pytest.raises(InputError, match=sentence):
        PairChoice(**choice)


def test_more_pairs_than_fit_into_memory_are_a_sentence(monkeypatch):
    monkeypatch.setattr(jobs, "_MOST_PAIRS", 100)
    with pytest.raises(InputError, match="make 780 pairs, more than fit"):
        PairChoice(every=True).of(PROTEINS)
