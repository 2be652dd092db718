"""Chapters run on whatever proteins they are given: one's own, few, alike, without a residue."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chapter_cells import proteins_file, run_cells, texts
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.store import write_uniprot_h5
from small_proteins import random_proteins

SEQUENCES = list(random_proteins(30, longest=80).sequences)


@pytest.fixture
def run(tmp_path):
    """Run a chapter in this process, on 30 proteins unless given others."""

    def run(chapter, sequences=SEQUENCES, **options):
        fasta = proteins_file(tmp_path / "some.fasta", sequences)
        options = {"models": ["mini_protein_bert"], "controls": ["composition"]} | options
        return run_cells(chapter, tmp_path, proteins=str(fasta), **options)

    return run


def vectors_file(path, vectors):
    names = [f"P{i:03}" for i in range(len(vectors))]
    write_uniprot_h5(path, names, vectors.astype("float32"), model_name="given")
    return str(path)


@pytest.fixture
def given_embeddings(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(len(SEQUENCES), 12)) + 1
    return [vectors_file(tmp_path / "given.h5", vectors)]


def test_local_isotropy_says_of_a_file_of_embeddings_that_it_has_no_residues(run, given_embeddings):
    ran = run("02_local_isotropy", models=given_embeddings, minis=[])
    assert "given: a file of one vector per protein holds no residues" in ran.shown
    assert ran.table("averages")["model"].tolist() == ["composition"]


LETTERS = "ACDEFGHIKLMNPQRSTVWY"


@pytest.mark.parametrize(
    ("chapter", "sequences", "options", "said"),
    [
        ("01_global_isotropy", SEQUENCES[:2], {}, "too few proteins"),
        ("02_local_isotropy", ["X" * 9, "XXXX"], {}, "the residues of no amino acid differ"),
        ("03_correlation", list(LETTERS), {}, "A dash is what is not defined"),
        ("03_correlation", SEQUENCES, {"n_pairs": 1}, "A dash is what is not defined"),
        ("04_scatter", SEQUENCES[:2], {}, "n_pairs is 20,000, but there are no more than 1"),
        ("04_scatter", list(LETTERS), {"n_pairs": 2}, "no pair has a cosine similarity"),
    ],
)
def test_what_is_not_defined_is_said_and_stops_no_chapter(run, chapter, sequences, options, said):
    ran = run(chapter, sequences, **options)
    drawn = [text for figure in ran.figures.values() for text in texts(figure)]
    assert not re.search(r"\b(nan|NaN|inf)\b", ran.shown + " ".join(drawn))
    assert said in ran.shown + " ".join(drawn).replace("\n", " ")


@pytest.mark.parametrize(
    ("chapter", "sequences", "sentence"),
    [
        ("01_global_isotropy", ["MKV"], "this chapter needs at least 2 proteins"),
        ("03_correlation", ["MKV", "AC"], "this chapter needs at least 3 proteins"),
        ("04_scatter", ["MKVA"] * 24, "these 24 have one sequence"),
    ],
)
def test_a_chapter_that_can_say_nothing_ends_before_anything_is_embedded(
    run, tmp_path, chapter, sequences, sentence
):
    with pytest.raises(InputError, match=sentence):
        run(chapter, sequences)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("n_pairs", 20, "n_pairs is 20, but there are no more than 3"),
        ("n_proteins", 5, "n_proteins is 5, but there are no more than 3"),
        ("pairs_file", "none.parquet", "none.parquet does not exist; make it with"),
    ],
)
def test_what_a_user_asks_for_is_no_wish(refused, tmp_path, monkeypatch, name, value, sentence):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    fasta = proteins_file(tmp_path / "three.fasta", SEQUENCES[:3])
    said = refused("run", "04_scatter", "-p", "proteins", fasta, "-p", name, value,
                   "--out", tmp_path / "o")  # fmt: skip
    assert sentence in said
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("chapter", ["01_global_isotropy", "03_correlation", "04_scatter"])
def test_controls_alone_are_shown_as_well(run, chapter):
    ran = run(chapter, models=["composition"], controls=["untrained:mini_protein_bert"])
    assert "Minis" not in ran.shown
    assert not re.search(r"\bnan\b", ran.shown)


def test_the_scatter_takes_models_in_any_order(run, tmp_path):
    vectors = np.tile(np.random.default_rng(0).normal(size=(len(SEQUENCES), 3)), (2, 1))
    models = [vectors_file(tmp_path / f"{name}.h5", vectors) for name in ("z", "a")]
    ran = run("04_scatter", SEQUENCES * 2, models=models)
    assert "than 95% of the pairs below 0.2 in all 2 models." in ran.shown


# Vectors of a few proteins: all alike, some of them zero, or any.
VECTORS = st.sampled_from(["alike", "zero", "opposite", "any"])
FEW = st.lists(st.text("ACDX", min_size=1, max_size=8), min_size=2, max_size=5)


@settings(max_examples=5, derandomize=True)
@given(FEW, VECTORS, st.sampled_from([0, 1, 2, 3]), st.sampled_from(["03", "04"]))
@example(["A", "AC", "C"], "zero", 0, "04")
@example(["A", "AC", "C"], "alike", 0, "03")
def test_any_few_proteins_and_vectors_end_in_a_page_or_in_one_sentence(
    tmp_path_factory, sequences, kind, n_pairs, chapter
):
    folder = tmp_path_factory.mktemp("any")
    fasta = proteins_file(folder / "few.fasta", sequences)
    vectors = np.random.default_rng(0).normal(size=(len(sequences), 3))
    vectors[1:] = {"alike": vectors[0], "zero": 0, "opposite": -vectors[0]}.get(kind, vectors[1:])
    name = {"03": "03_correlation", "04": "04_scatter"}[chapter]
    ran, sentence = None, ""
    try:
        ran = run_cells(name, folder, proteins=str(fasta), n_pairs=n_pairs, controls=[],
                        models=[vectors_file(folder / "v.h5", vectors)])  # fmt: skip
    except InputError as error:
        sentence = str(error)
    if not ran:
        assert re.fullmatch(r"[^\n]+\.", sentence)
        return
    assert not re.search(r"\bnan\b", ran.shown)
    if chapter == "03":
        pearson = ran.table("pearson").set_index(["model", "a", "b"]).estimate
        assert pearson.dropna().between(-1, 1).all()
        own = pearson.xs(("cosine_similarity", "squared_euclidean"), level=["a", "b"])
        assert kind not in ("alike", "zero") or own.iloc[0] != own.iloc[0]
