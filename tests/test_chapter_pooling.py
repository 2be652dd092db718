"""Chapter 06 on one's own proteins, whose families nobody knows, and on files of embeddings."""

import re

import numpy as np
import pytest

from chapter_cells import proteins_file, run_cells, texts
from plm_geometry.embedding.store import write_uniprot_h5
from small_proteins import random_proteins

CHAPTER = "06_pooling_or_multimodality"
SEQUENCES = list(random_proteins(30, longest=60).sequences)


@pytest.fixture
def run(tmp_path):
    def run(sequences=SEQUENCES, **options):
        fasta = proteins_file(tmp_path / "some.fasta", sequences)
        options = {"controls": ["composition"]} | options
        ran = run_cells(CHAPTER, tmp_path, proteins=str(fasta), **options)
        drawn = [text for figure in ran.figures.values() for text in texts(figure)]
        assert not re.search(r"\b(nan|NaN|inf)\b", ran.shown + " ".join(drawn))
        return ran, " ".join(drawn).replace("\n", " ")

    return run


def test_without_families_dimensions_are_there_and_retrieval_says_why_not(run):
    ran, drawn = run(models=["unirep_64"], minis=["mini_prot_bert", "mini_protein_bert"])
    assert "families are not known" in drawn
    names = [name.get_text() for name in ran.figures["readouts"].axes[0].get_yticklabels()]
    assert names[0] == "mini ProtBERT, mean of residues"
    assert ran.numbers["pooling_ratio"] > 0
    assert "Families are not known here" in ran.shown
    assert ran.table("readouts")["effective_dimensions"].notna().sum() == 10
    assert "--profile laptop" in ran.table("readouts")["k"].iloc[-1]


def test_a_file_of_embeddings_has_no_residues_to_pool(run, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(len(SEQUENCES), 24)).astype("float32")
    names = [f"P{i:03}" for i in range(len(vectors))]
    write_uniprot_h5(tmp_path / "given.h5", names, vectors, model_name="given")
    ran, drawn = run(models=[str(tmp_path / "given.h5")], controls=[])
    assert "No model of this run has residues to pool" in ran.shown
    assert "no model of this run has residues to pool" in drawn
    assert ran.numbers["width_k_own"] > 1


def test_three_proteins_are_enough(run):
    ran, _ = run(SEQUENCES[:3], models=["unirep_64"])
    assert set(ran.figures) == {"ladder", "readouts", "widths"}
