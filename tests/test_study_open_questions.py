"""What a study's models say to the open questions, against direct computation."""

import numpy as np
import pytest

from plm_geometry.association.signs import sign_of
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.isotropy.measures import isoscore
from plm_geometry.study import Study, open_questions
from small_proteins import random_proteins, write_fasta

MODELS = ["mini_prot_bert", "composition"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_fasta(random_proteins(50, longest=90), folder / "some.fasta")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", folder / "cache")
        yield Study(proteins=str(folder / "some.fasta"), models=MODELS)


def test_signs_are_those_of_the_vectors_and_others_lengths_do_not_make_them_worse(study):
    table = study.open_questions.turned_signs().set_index("model")
    for name in MODELS:
        expected = sign_of(study.vectors(name))
        assert table.loc[name, ["r", "norm_variation"]].tolist() == pytest.approx(expected[:2])
    assert (table["best_r"] > table["r"]).all()
    np.testing.assert_allclose(table["best_mean_cosine"], table["mean_cosine"], atol=1e-5)


def test_of_many_proteins_some_are_taken(study, monkeypatch):
    monkeypatch.setattr(open_questions, "_N_FOR_LENGTHS", 10)
    few = study.open_questions.turned_signs().set_index("model")["r"]
    assert (few - study.open_questions.turned_signs().set_index("model")["r"]).abs().max() == 0
    monkeypatch.undo()
    assert (few != study.open_questions.turned_signs().set_index("model")["r"]).all()


def test_two_proteins_have_no_sign(tmp_path):
    write_fasta(random_proteins(2, longest=90), tmp_path / "two.fasta")
    with pytest.raises(InputError, match="needs three proteins"):
        Study(
            proteins=str(tmp_path / "two.fasta"), models=["composition"]
        ).open_questions.turned_signs()


def test_means_of_random_residues_score_as_residues_and_proteins_as_the_study_says(study):
    table = study.open_questions.pooled().set_index(["model", "of"])["isoscore"]
    bert = table["mini_prot_bert"]
    assert bert["proteins"] == pytest.approx(isoscore(study.vectors("mini_prot_bert")))
    local = study.local.table().set_index(["model", "residue"])["isoscore"]
    assert bert["residues"] == pytest.approx(local["mini_prot_bert", "all"])
    for name in MODELS:
        # 2,000 residues stand for all of them, and 2,000 means for the covariance's shape.
        assert table[name]["means of random residues"] == pytest.approx(
            table[name]["residues"], rel=0.15
        )


def test_a_file_of_embeddings_has_proteins_only(study, tmp_path):
    file = tmp_path / "given.h5"
    write_uniprot_h5(
        file, study.common.accessions, study.vectors("composition"), model_name="given"
    )
    other = Study(proteins=study.settings.proteins, models=[str(file)])
    assert other.open_questions.pooled()["of"].tolist() == ["proteins"]
