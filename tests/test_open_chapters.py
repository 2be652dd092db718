"""Chapters run on one's own proteins and embeddings, and on controls alone."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from plm_geometry.proteins import write_fasta
from plm_geometry.report import FINDING
from plm_geometry.uniprot_h5 import write_uniprot_h5
from small_proteins import random_proteins

PROTEINS = random_proteins(30, longest=80)


@pytest.fixture
def run(command, tmp_path):
    """Run a chapter on a few proteins; return its directory and numbers."""
    write_fasta(PROTEINS, tmp_path / "some.fasta")

    def run(chapter, models, **options):
        given = {"proteins": tmp_path / "some.fasta", "models": models,
                 "controls": "composition", **options}  # fmt: skip
        parameters = [part for name, value in given.items() for part in ("-p", name, value)]
        status, _, err = command("run", chapter, *parameters, "--out", tmp_path / "o")
        assert status == 0, err
        summary = json.loads((tmp_path / "o" / "summary.json").read_text())
        return tmp_path / "o", summary["numbers"]

    return run


@pytest.fixture
def given_embeddings(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(len(PROTEINS), 12)) + 1
    write_uniprot_h5(tmp_path / "given.h5", PROTEINS.accessions, vectors.astype("float32"),
                     model_name="given")  # fmt: skip
    return tmp_path / "given.h5"


def test_open_questions_run_on_a_file_of_embeddings(run, given_embeddings):
    folder, numbers = run("05_open_questions", given_embeddings, n_pairs=200)
    assert numbers["open_rounding_ceiling"] == 4
    assert numbers["open_proteins_needed"] == 3578
    assert numbers["open_best_positive_sign"] > 0.791
    signs = pd.read_csv(folder / "tables" / "signs.csv")
    assert {"model", "control", "published"} == set(signs["role"])
    assert "no residues to compare with" in (folder / "05_open_questions.html").read_text()
    pooled = pd.read_csv(folder / "tables" / "pooled.csv").query("role == 'model'")
    assert pooled["of"].tolist() == ["proteins"]


def test_open_questions_run_on_a_model(run):
    folder, numbers = run("05_open_questions", "demo_prot_bert", n_pairs=200)
    assert numbers["open_run_best_sign"] > -1
    assert numbers["open_pooling_ratio_lowest"] > 0
    assert (folder / "figures" / "pooling.png").exists()


def test_choices_run_on_a_file_of_embeddings_and_say_what_it_leaves_open(run, given_embeddings):
    folder, numbers = run("06_choices", given_embeddings)
    page = (folder / "06_choices.html").read_text()
    assert "was settled when the file was made" in page
    assert "No model of this run has residues" in page
    assert numbers["choices_proteins"] == 30
    dimensions = pd.read_csv(folder / "tables" / "effective_dimensions.csv")
    assert dimensions.groupby("role").size().to_dict() == {"control": 14, "model": 7}


def test_choices_run_on_a_model(run):
    folder, numbers = run("06_choices", "demo_protein_bert", n_choices=24)
    assert numbers["choices_proteins"] == 24
    assert numbers["choices_dimensions_widest"] > 1
    assert -1 <= numbers["choices_cosine_identity_lowest"] <= 1
    shares = pd.read_csv(folder / "tables" / "shares.csv")
    assert shares["share"].between(-1e-9, 1 + 1e-9).all()
    for name in ("dimensions", "local", "sign", "identity", "agreement", "shares"):
        assert (folder / "figures" / f"{name}.svg").exists()


@pytest.mark.parametrize(
    ("chapter", "options"),
    [
        ("01_global_isotropy", {}),
        ("03_correlation", {"n_pairs": 200, "n_mantel": 15}),
        ("04_scatter", {"n_pairs": 200}),
        ("06_choices", {}),
    ],
)
def test_controls_alone_have_their_sentences_too(run, chapter, options):
    untrained = {"controls": "untrained:demo_protein_bert"}
    _, numbers = run(chapter, "composition", **untrained, **options)
    said = [text for name, text in numbers.items() if name.startswith(FINDING)]
    assert said
    assert not [text for text in said if re.search(r"\bnan\b", text) or " model" in text]
