"""The command as a person meets it: its help, and every kind of bad and odd input."""

import gzip
import json
import os
import pickle
import re
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

from plm_geometry.cli.app import app
from test_download import SHA256, serving
from tiny_checkpoints import WRITERS

GOOD = ">a\nMKVLAAGIW\n>b\nMKVLSAGIWH\n>c\nGGSTPLKDE\n"


# Help


def test_help_starts_without_loading_torch():
    script = (
        "import sys; sys.argv = ['plm-geometry', '--help']\n"
        "from plm_geometry import cli\n"
        "try: cli.main()\n"
        "except SystemExit: assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: plm-geometry" in done.stdout


@pytest.mark.parametrize("name", [c.callback.__name__ for c in app.registered_commands])
def test_every_subcommand_explains_itself_and_each_option(command, name):
    status, out, _ = command(name, "--help")
    assert status == 0
    assert out.startswith(f"Usage: plm-geometry {name}")
    explained = re.findall(r"^ +(?:-\w, )?--[\w-]+[^\n]*?(?:\s{2,}|\n\s{20,})\S", out, re.MULTILINE)
    options = re.findall(r"^ +(?:-\w, )?--[\w-]+", out, re.MULTILINE)
    assert len(explained) == len(options) > 0


def test_version(command):
    assert command("--version")[:2] == (0, "0.1.0\n")


def test_models_lists_the_four_of_the_paper_and_their_minis(command):
    status, out, _ = command("models")
    assert status == 0
    for key in ("prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert"):
        assert f"\n{key} " in out
        assert f"mini_{key} " in out


# Proteins that are refused

BAD_FASTA = {
    "empty file": ("", "holds no protein"),
    "illegal letter": (">a\nMK1\n", "protein a has '1' at position 3"),
    "truncated gzip": (gzip.compress(GOOD.encode() * 500)[:-9], "broken gzip file"),
    "two sequences": (">a\nMK\n>a\nMV\n", "two different sequences"),
}


@pytest.mark.parametrize("case", BAD_FASTA)
@pytest.mark.parametrize("verb", ["embed", "align"])
def test_bad_proteins_are_refused_with_a_sentence(refused, fasta, tmp_path, verb, case):
    text, sentence = BAD_FASTA[case]
    model = ["composition"] if verb == "embed" else []
    assert sentence in refused(verb, *model, fasta(text), "--out", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_one_protein_makes_no_pair(refused, fasta, tmp_path):
    said = refused("align", fasta(">a\nMK\n"), "--out", tmp_path / "x.parquet")
    assert "pair" in said


def test_more_pairs_than_there_are_is_an_error_that_names_the_number(refused, fasta, tmp_path):
    said = refused("align", fasta(GOOD), "--pairs", 9, "--out", tmp_path / "x.parquet")
    assert " 3 " in said


# Proteins that are accepted


def test_odd_proteins_are_normalised_and_counted(command, fasta, tmp_path):
    odd = fasta(">a\r\nmkvlaagiw*\r\n>a\r\nMKVLAAGIW\r\n>b\r\nGGST\r\n")
    status, _, err = command("embed", "composition", odd, "--out", tmp_path / "x.h5")
    assert status == 0
    for what in ("Windows line ends", "lower case", "trailing *", "repeated records"):
        assert what in err
    with h5py.File(tmp_path / "x.h5") as file:
        assert set(file) == {"a", "b"}


def test_a_protein_longer_than_the_model_takes_is_named_and_left_out(command, fasta, tmp_path):
    long = fasta(GOOD + ">titin\n" + "MKVLAAGIWH" * 3500 + "\n")
    status, _, err = command("embed", "mini_prot_bert", long, "--out", tmp_path / "x.h5")
    assert status == 0
    assert "left out: titin (35000 residues" in err
    with h5py.File(tmp_path / "x.h5") as file:
        assert set(file) == {"a", "b", "c"}


def test_when_no_protein_is_left_the_status_is_one(refused, fasta, tmp_path):
    long = fasta(">titin\n" + "MKVLAAGIWH" * 3500 + "\n")
    said = refused("embed", "mini_prot_bert", long, "--out", tmp_path / "x.h5", status=1)
    assert "longer than" in said


def test_a_model_without_a_limit_takes_35000_residues(command, fasta, tmp_path):
    long = fasta(GOOD + ">titin\n" + "MKVLAAGIWH" * 3500 + "\n")
    assert command("embed", "composition", long, "--out", tmp_path / "x.h5")[0] == 0
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.isfinite(file["titin"]).all()


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("P1\tP9\n", "P9"),
        ("P1\tP1\n", "with itself"),
        ("", "names no pair"),
        ("P1\tP2\nP2\tP1\n", "twice"),
    ],
)
def test_pairs_that_make_no_sense_are_a_sentence(refused, fasta, tmp_path, lines, sentence):
    pairs = fasta(lines, "pairs.tsv")
    said = refused("align", fasta(">P1\nMKV\n>P2\nMKL\n"), "--pairs-from", pairs,
                   "--out", tmp_path / "x.parquet")  # fmt: skip
    assert sentence in said
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--matrix", "PAM999"], "PAM999"),
        (["--matrix", "NUC.4.4"], "NUC.4.4"),
        (["--gap-open", "-11"], "a gap that costs 11 is 11, not -11"),
        (["--mode", "sideways"], "global, semiglobal, local"),
        (["--cluster", "tcp://127.0.0.1:9"], "tcp://127.0.0.1:9"),
        (["--pairs", "1", "--all-pairs"], "chosen twice"),
    ],
)
def test_impossible_alignments_are_a_sentence(
    refused, fasta, tmp_path, monkeypatch, options, sentence
):
    monkeypatch.setattr("plm_geometry.base.compute._PATIENCE", 1)
    if "--all-pairs" not in options:
        options = [*options, "--pairs", "1"]
    said = refused("align", fasta(">P1\nMKV\n>P2\nMKL\n"), *options,
                   "--out", tmp_path / "x.parquet")  # fmt: skip
    assert sentence in said


def test_35000_residues_align(command, fasta, tmp_path):
    long = fasta(">a\nMKVLAAGIW\n>titin\n" + "MKVLAAGIWH" * 3500 + "\n")
    assert command("align", long, "--pairs", 1, "--out", tmp_path / "x.parquet")[0] == 0
    found = pd.read_parquet(tmp_path / "x.parquet").iloc[0]
    assert found.alignment_length == 35_000
    assert found.identities == 9


# Models


@pytest.mark.parametrize("name", ["prot_brt", "no_such/directory"])
def test_an_unknown_model_is_refused(refused, fasta, tmp_path, name):
    said = refused("embed", name, fasta(GOOD), "--out", tmp_path / "x.h5")
    assert name in said


def test_a_device_that_is_not_there_is_refused(refused, fasta, tmp_path):
    said = refused("embed", "composition", fasta(GOOD), "--out", tmp_path / "x.h5",
                   "--device", "cuda:99")  # fmt: skip
    assert "cuda:99" in said


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(refused, fasta, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    dump = tmp_path / "protein_bert.pkl"
    dump.write_bytes(pickle.dumps((3, [Evil()], [])))
    said = refused("embed", dump, fasta(GOOD), "--out", tmp_path / "x.h5")
    assert "protein_bert.pkl" in said
    assert not (tmp_path / "evil").exists()


def test_a_damaged_checkpoint_is_refused(refused, fasta, tmp_path):
    checkpoint = WRITERS["bert"](tmp_path / "bert")
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    said = refused("embed", checkpoint, fasta(GOOD), "--out", tmp_path / "x.h5")
    assert "bert" in said


def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_its_name(refused, fasta, tmp_path):
    checkpoint = WRITERS["bert"](tmp_path / "bert")
    tensors = load_file(checkpoint / "model.safetensors")
    lacking = next(name for name in tensors if "attention.self.query.weight" in name)
    del tensors[lacking]
    save_file(tensors, checkpoint / "model.safetensors", metadata={"format": "pt"})
    said = refused("embed", checkpoint, fasta(GOOD), "--out", tmp_path / "x.h5")
    assert "attention.self.query.weight" in said


# Files of embeddings in a model's place


@pytest.fixture
def embeddings(tmp_path):
    def write(vectors):
        with h5py.File(tmp_path / "given.h5", "w") as file:
            for accession, vector in vectors.items():
                file[accession] = np.array(vector, dtype="float32")
        return tmp_path / "given.h5"

    return write


VECTORS = {"a": [1, 2, 4], "b": [2, 1, 0], "c": [0, 5, 1]}


@pytest.mark.parametrize(
    ("vectors", "sentence"),
    [
        (VECTORS | {"b": [1, np.nan, 3]}, "b is not finite"),
        ({"a": [1, 2, 4], "c": [0, 5, 1]}, "lacks 1 of 3 proteins, first b"),
        (VECTORS | {"b": [1, 2]}, "dataset b, has shape (2,) where a has one vector per protein"),
    ],
    ids=["NaN", "missing accession", "wrong width"],
)
def test_bad_files_of_embeddings_are_refused(
    refused, fasta, embeddings, tmp_path, vectors, sentence
):
    said = refused("run", "01_global_isotropy", "-p", "proteins", fasta(GOOD),
                   "-p", "models", embeddings(vectors), "--out", tmp_path / "o")  # fmt: skip
    assert sentence in said


def test_a_chapter_runs_on_a_file_of_embeddings(command, fasta, embeddings, tmp_path):
    status, _, err = command("run", "01_global_isotropy", "-p", "proteins", fasta(GOOD),
                             "-p", "models", embeddings(VECTORS), "-p", "controls", "composition",
                             "--out", tmp_path / "o")  # fmt: skip
    assert status == 0, err
    table = pd.read_csv(tmp_path / "o" / "tables" / "global_isotropy.csv")
    assert table["role"].tolist() == ["model", "control"]
    assert table["d"].tolist() == [3, 20]


def test_embedding_with_a_file_of_embeddings_is_refused(refused, fasta, embeddings, tmp_path):
    said = refused("embed", embeddings(VECTORS), fasta(GOOD), "--out", tmp_path / "x.h5")
    assert "holds embeddings already" in said


# The embedding that is written


def test_embed_writes_the_same_vectors_again_and_leaves_no_store_behind(command, fasta, tmp_path):
    for name in ("x.h5", "y.h5"):
        command("embed", "mini_prot_bert", fasta(GOOD), "--out", tmp_path / name)
    with h5py.File(tmp_path / "x.h5") as x, h5py.File(tmp_path / "y.h5") as y:
        assert x.attrs["model_name"] == "mini_prot_bert"
        for accession in "abc":
            np.testing.assert_array_equal(x[accession], y[accession])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["some.fasta", "x.h5", "y.h5"]


# Files that are written


def test_a_finished_file_is_not_computed_again_and_never_overwritten(
    command, refused, fasta, tmp_path
):
    out = tmp_path / "x.h5"
    command("embed", "composition", fasta(GOOD), "--out", out)
    written = out.stat().st_mtime_ns
    status, _, err = command("embed", "composition", fasta(GOOD), "--out", out)
    assert (status, out.stat().st_mtime_ns) == (0, written)
    assert "is there already" in err
    assert "something else" in refused("embed", "kmers", fasta(GOOD), "--out", out)
    assert out.stat().st_mtime_ns == written


def test_pairs_do_not_replace_a_file_that_is_no_table(refused, fasta, tmp_path):
    (tmp_path / "x.parquet").write_text("a person's notes")
    said = refused("align", fasta(GOOD), "--pairs", 2, "--out", tmp_path / "x.parquet")
    assert "no Parquet file" in said
    assert (tmp_path / "x.parquet").read_text() == "a person's notes"


def test_isotropy_of_embedded_proteins_as_json(command, fasta, tmp_path):
    command("embed", "mini_protein_bert", fasta(GOOD), "--out", tmp_path / "x.h5")
    status, out, err = command("isotropy", tmp_path / "x.h5", "--json")
    found = json.loads(out)
    assert status == 0
    assert found["n"] == 3
    assert 1 <= found["effective_dimensions"] <= 2
    assert "--transpose" in err


# Downloads


def test_fetch_verifies_and_says_the_checksum(command, tmp_path):
    with serving() as (url, _):
        status, out, _ = command("fetch", f"{url}/x.gz", "--out", tmp_path / "x.gz",
                                 "--sha256", SHA256)  # fmt: skip
    assert status == 0
    assert SHA256 in out


def test_a_corrupt_download_is_refused(refused, tmp_path):
    with serving() as (url, _):
        said = refused("fetch", f"{url}/x.gz", "--out", tmp_path / "x.gz", "--sha256", "0" * 64)
    assert "corrupt" in said
    assert list(tmp_path.iterdir()) == []


# Chapters


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["05_nothing"], "04_scatter"),
        (["01_global_isotropy", "--profile", "lapptop"], "laptop"),
        (["01_global_isotropy", "-p", "n_protein", "9"], "n_proteins"),
        (["03_correlation", "-p", "n_pairs", "many"], "n_pairs"),
        (["01_global_isotropy", "-p", "seed"], "seed"),
    ],
)
def test_wrong_names_and_types_are_answered_with_the_right_ones(refused, arguments, named):
    assert named in refused("run", *arguments)


def test_bad_proteins_inside_a_chapter_are_the_same_sentence(refused, fasta, tmp_path):
    said = refused("run", "01_global_isotropy", "-p", "proteins", fasta(">a\nMK1\n"),
                   "--out", tmp_path / "out")  # fmt: skip
    assert "protein a has '1' at position 3" in said
    assert not (tmp_path / "out").exists()


def test_parameters_of_a_chapter_are_listed_with_type_and_meaning(command):
    status, out, _ = command("run", "03_correlation", "--parameters")
    assert status == 0
    assert "n_pairs: int = " in out
    assert all("  # " in line for line in out.splitlines())
