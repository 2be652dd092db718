"""`plm-geometry embed` and `align`: from proteins to files, with everybody who is missing named."""

import h5py
import numpy as np
import pandas as pd
import pytest

from plm_geometry.cli import align
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.pairs import read_note
from small_proteins import random_proteins, write_fasta
from tiny_checkpoints import WRITERS


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return str(WRITERS["bert"](tmp_path_factory.mktemp("bert"), max_position_embeddings=62))


@pytest.fixture
def drawn(tmp_path):
    """Random proteins, and the file that holds them, in a directory of its own."""

    def draw(n, longest=50):
        proteins = random_proteins(n, longest=longest)
        path = tmp_path / "proteins" / f"{n}.fasta"
        write_fasta(proteins, path)
        return proteins, path

    (tmp_path / "proteins").mkdir()
    return draw


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def names(directory):
    return [path.name for path in directory.iterdir()]


def test_an_hdf5_file_holds_everybody_in_uniprots_layout(command, checkpoint, drawn, out):
    proteins, fasta = drawn(30)
    status, _, said = command("embed", checkpoint, fasta, "--out", out / "x.h5")
    assert status == 0
    assert "30 proteins" in said.splitlines()[0]  # the forecast, before the work
    with h5py.File(out / "x.h5") as file:
        assert set(file) == set(proteins.accessions)
        assert file[proteins.accessions[0]].shape == (32,)
    assert names(out) == ["x.h5"]


def test_a_directory_keeps_all_layers(command, checkpoint, drawn, out):
    command("embed", checkpoint, drawn(5)[1], "--out", out / "store", "--layers", "all")
    description = (out / "store" / "description.json").read_text()
    assert '"layers": [\n    0,\n    1,\n    2\n  ]' in description
    assert (out / "store" / "vectors.zarr").is_dir()


def test_residues_go_to_a_file_of_their_own(command, checkpoint, drawn, out):
    proteins, fasta = drawn(5)
    command("embed", checkpoint, fasta, "--out", out / "x.h5", "--residues", out / "r.h5")
    with h5py.File(out / "r.h5") as residues, h5py.File(out / "x.h5") as file:
        for accession, length in zip(proteins.accessions, proteins.lengths, strict=True):
            assert residues[accession].shape == (length, 32)
            mean = residues[accession][:].mean(0)
            np.testing.assert_allclose(file[accession][:], mean, rtol=1e-4, atol=1e-6)


def test_without_cutting_long_proteins_are_left_out_and_with_it_they_are_cut(
    command, checkpoint, drawn, out
):
    proteins, fasta = drawn(30, longest=90)
    long = {a for a, n in zip(proteins.accessions, proteins.lengths, strict=True) if n > 60}
    for what, options in (("left out", []), ("cut", ["--max-residues", "60"])):
        status, _, said = command("embed", checkpoint, fasta, "--out", out / f"{what}.h5", *options)
        assert status == 0
        named = [line.split()[len(what.split())] for line in said.splitlines() if "(" in line]
        assert f"{what}: {len(long)} proteins" in said
        assert long <= set(named)


def test_one_file_cannot_take_proteins_and_residues(refused, checkpoint, drawn, out):
    given = ["--out", out / "x.h5", "--residues", out / "x.h5"]
    assert "name two files" in refused("embed", checkpoint, drawn(2)[1], *given)


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [("all", "holds one layer"), ("some", "write last, all"), ("9", "has no layer 9")],
)
def test_layers_that_make_no_sense_are_sentences(refused, checkpoint, drawn, out, layers, sentence):
    given = ["--out", out / "x.h5", "--layers", layers]
    assert sentence in refused("embed", checkpoint, drawn(3)[1], *given)
    assert names(out) == []


def test_an_interrupted_hdf5_run_leaves_its_store_to_the_next(
    command, checkpoint, drawn, out, monkeypatch
):
    write_progress = EmbeddingStore.write_progress

    def stopping(self, *arguments):
        write_progress(self, *arguments)
        raise KeyboardInterrupt

    given = ["embed", checkpoint, drawn(80)[1], "--out", out / "x.h5"]
    given += ["--residues-per-batch", "100"]
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddingStore, "write_progress", stopping)
        status, _, said = command(*given)
    assert status == 130
    assert said.endswith("stopped; the same command goes on from here.\n")
    assert names(out) == ["x.h5.store"]
    assert command(*given)[0] == 0
    assert names(out) == ["x.h5"]


# Pairs


@pytest.fixture
def aligned(command, drawn, out):
    """Align pairs of 40 proteins; return the proteins and the table."""

    def run(*options):
        proteins, fasta = drawn(40)
        status, _, said = command("align", fasta, "--out", out / "x.parquet", *options)
        assert status == 0, said
        return proteins, pd.read_parquet(out / "x.parquet")

    return run


def test_aligned_pairs_are_a_parquet_table_that_says_how_it_was_made(aligned, out):
    options = ["--pairs", "20", "--seed", "7", "--matrix", "BLOSUM62", "--mode", "local"]
    _, table = aligned(*options)
    assert list(table) == ["accession_a", "accession_b", "alignment_score", "identities",
                           "alignment_length", "sequence_identity"]  # fmt: skip
    assert len(table) == 20
    note = read_note(out / "x.parquet")
    assert (note["matrix"], note["mode"], note["ties"], note["seed"]) == (
        "BLOSUM62", "local", "max", 7)  # fmt: skip


def test_all_pairs_are_all_there_are(aligned):
    _, table = aligned("--all-pairs")
    assert len(table) == 40 * 39 // 2
    assert not table.duplicated(["accession_a", "accession_b"]).any()


def test_pairs_named_in_a_file_are_aligned_in_its_order(aligned, tmp_path):
    a, b, c = random_proteins(40, longest=50).accessions[:3]
    (tmp_path / "pairs.tsv").write_text(f"{c}\t{a}\n{a}\t{b}\n")
    _, table = aligned("--pairs-from", tmp_path / "pairs.tsv")
    assert list(zip(table["accession_a"], table["accession_b"], strict=True)) == [(c, a), (a, b)]


def test_stratified_pairs_carry_the_weights_that_stand_for_all(aligned):
    _, table = aligned("--pairs", "100", "--stratified")
    assert table["weight"].sum() == pytest.approx(40 * 39 / 2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--pairs", "5", "--all-pairs"], "chosen twice"),
        (["--pairs-from", "x.tsv", "--all-pairs"], "chosen twice"),
        (["--all-pairs", "--stratified"], "goes with --pairs alone"),
    ],
)
def test_choices_that_exclude_each_other_are_sentences(refused, drawn, out, options, sentence):
    assert sentence in refused("align", drawn(4)[1], "--out", out / "x.parquet", *options)


def test_more_pairs_than_fit_into_memory_are_a_sentence(refused, drawn, out, monkeypatch):
    monkeypatch.setattr(align, "_MOST_PAIRS", 100)
    said = refused("align", drawn(40)[1], "--out", out / "x.parquet", "--all-pairs")
    assert "make 780 pairs, more than fit" in said
