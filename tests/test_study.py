"""The study: what chapters ask for, computed once, over the same proteins for every model."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding import files
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.isotropy.measures import isoscore
from plm_geometry.proteins.families import read_families
from plm_geometry.proteins.fasta import Proteins
from plm_geometry.study import Study
from small_proteins import random_proteins, write_fasta
from test_forward import Hungry
from tiny_checkpoints import WRITERS

CONTROLS = ["composition", "untrained:mini_prot_bert"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "some.fasta"
    write_fasta(random_proteins(40, longest=90), path)
    return path


@pytest.fixture
def study(fasta):
    return Study(proteins=str(fasta), models=["mini_prot_bert", "mini_protein_bert"],
                 controls=CONTROLS, n_pairs=100)  # fmt: skip


def test_global_isotropy_has_a_labelled_row_for_each_model_and_control(study):
    table = study.isotropy.table().set_index("model")
    assert list(table.index) == [*study.settings.models, *CONTROLS]
    assert list(table["role"]) == ["mini", "mini", "control", "control"]
    assert table.loc["mini_prot_bert", "counterpart"] == ""
    assert (table["n"] == 40).all()
    assert table.loc["mini_protein_bert", "isoscore"] == pytest.approx(
        isoscore(study.vectors("mini_protein_bert")), rel=1e-12
    )


def test_local_isotropy_covers_each_letter_and_all_residues(study):
    table = study.local.table().set_index(["model", "residue"])
    bert = table.loc["mini_prot_bert"]
    assert list(bert.index)[:20] == list("ACDEFGHIKLMNPQRSTVWY")
    assert bert.loc["all", "n"] == study.proteins.lengths.sum()
    assert bert["n"].drop("all").sum() == bert.loc["all", "n"]
    # One amino acid's composition vector is always the same: no spread, no isotropy.
    composition = table.loc["composition"]
    assert composition.drop("all")["isoscore"].isna().all()
    assert composition.loc["all", "effective_dimensions"] > 1


def test_pairs_are_distinct_and_carry_distances_of_each_model(study):
    table = study.pairs.of("mini_prot_bert")
    assert len(table) == 100
    assert len(set(zip(table.accession_a, table.accession_b, strict=True))) == 100
    row = {a: i for i, a in enumerate(study.common.accessions)}
    vectors = study.vectors("mini_prot_bert").astype(float)
    for pair in table.head(5).itertuples():
        a, b = vectors[row[pair.accession_a]], vectors[row[pair.accession_b]]
        assert pair.squared_euclidean == pytest.approx(((a - b) ** 2).sum(), rel=1e-6)
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert pair.cosine_similarity == pytest.approx(cosine, abs=1e-6)


def test_zero_pairs_takes_them_all(fasta):
    study = Study(proteins=str(fasta), models=["composition"], n_pairs=0)
    assert len(study.pairs.table()) == 40 * 39 // 2


def test_what_was_computed_is_found_again_by_the_next_study(study, fasta, monkeypatch):
    first, pairs = study.isotropy.table(), study.pairs.table()
    monkeypatch.setattr("plm_geometry.pairs.alignment.AlignmentJob.run", None)
    monkeypatch.setattr("plm_geometry.embedding.forward.ForwardPass.compute", None)
    again = Study(proteins=str(fasta), models=study.settings.models, controls=CONTROLS, n_pairs=100)
    pd.testing.assert_frame_equal(again.isotropy.table(), first)
    pd.testing.assert_frame_equal(again.pairs.table(), pairs)


def test_every_number_is_over_the_proteins_that_all_models_take(tmp_path):
    directory = WRITERS["bert"](tmp_path / "short", max_position_embeddings=52)
    proteins = Proteins(("a", "b", "c"), ("MKV" * 10, "AGI" * 30, "LSTDE" * 8), "made")
    write_fasta(proteins, tmp_path / "p.fasta")
    study = Study(proteins=str(tmp_path / "p.fasta"), models=[str(directory), "composition"])
    left_out = study.left_out()
    assert list(left_out["accession"]) == ["b"]
    assert "90 residues" in left_out["why"].iloc[0]
    assert (study.isotropy.table()["n"] == 2).all()
    assert study.data_set()["left out"].iloc[0] == 1


def test_models_read_the_beginning_of_proteins_that_are_cut_and_all_are_named(fasta):
    study = Study(proteins=str(fasta), models=["composition"], max_residues=30, n_pairs=20)
    longer = study.requested.lengths > 30
    assert longer.any()
    assert study.cut()["accession"].tolist() == list(np.array(study.common.accessions)[longer])
    assert study.cut()["why"].str.contains("to 30 residues").all()
    assert study.left_out().empty
    row = int(np.flatnonzero(longer)[0])
    first = study.common.sequences[row][:30]
    alanines = study.vectors("composition")[row][0]
    assert alanines == pytest.approx(first.count("A") / 30)
    # Alignments take proteins whole.
    assert study.pairs.table()["length_a"].max() > 30


def test_a_protein_cut_to_what_a_model_takes_is_not_left_out(tmp_path):
    directory = WRITERS["bert"](tmp_path / "short", max_position_embeddings=52)
    proteins = Proteins(("a", "b", "c"), ("MKV" * 10, "AGI" * 30, "LSTDE" * 8), "made")
    write_fasta(proteins, tmp_path / "p.fasta")
    study = Study(proteins=str(tmp_path / "p.fasta"), models=[str(directory)], max_residues=50)
    assert study.left_out().empty
    assert study.cut()["accession"].tolist() == ["b"]
    assert (study.isotropy.table()["n"] == 3).all()


def test_what_a_file_of_embeddings_was_made_from_cannot_be_cut(tmp_path):
    proteins = random_proteins(3)
    write_fasta(proteins, tmp_path / "p.fasta")
    write_uniprot_h5(tmp_path / "given.h5", proteins.accessions, np.eye(3, dtype="float32"),
                     model_name="given")  # fmt: skip
    study = Study(proteins=str(tmp_path / "p.fasta"), models=[str(tmp_path / "given.h5")],
                  max_residues=10)  # fmt: skip
    with pytest.raises(InputError, match="cannot be cut"):
        study.vectors(str(tmp_path / "given.h5"))


def test_sampling_depends_on_the_seed_alone(fasta):
    drawn = [Study(proteins=str(fasta), n_proteins=10, seed=s).requested for s in (1, 1, 2)]
    assert drawn[0].accessions == drawn[1].accessions != drawn[2].accessions


def test_a_mini_named_by_its_directory_is_still_labelled_as_one():
    study = Study(models=[str(paths.MINIS / "mini_prot_bert")])
    assert study.models["role"].tolist() == ["mini"]
    assert study.models["counterpart"].tolist() == [""]


def test_who_did_not_fit_into_memory_is_counted_and_named(fasta, monkeypatch):
    study = Study(proteins=str(fasta), models=["mini_prot_bert"])
    load = files.load_models
    longest = study.requested.lengths.max()

    def hungry(name, **options):
        return [Hungry(load(name, **options)[0], longest - 1)]

    monkeypatch.setattr(files, "load_models", hungry)
    assert study.left_out()["why"].str.contains("out of memory").all()
    assert len(study.left_out()) == study.data_set()["left out"].iloc[0] == 1


def test_proteins_that_do_not_differ_have_no_isotropy(tmp_path):
    write_fasta(Proteins(("a", "b"), ("MKV", "MKV"), "made"), tmp_path / "same.fasta")
    with pytest.raises(InputError, match="give at least two different proteins"):
        Study(proteins=str(tmp_path / "same.fasta"), models=["composition"]).isotropy.table()


def test_a_wrong_matrix_is_refused_before_any_work():
    with pytest.raises(InputError, match="PAM999"):
        Study(matrix="PAM999")


def test_embedding_ahead_tells_what_each_model_will_take_and_nothing_the_second_time(study, fasta):
    said = []
    study.embed_all(said.append)
    assert len(said) == len(study.names)
    assert all("40 proteins" in line for line in said)
    again = []
    Study(proteins=str(fasta), models=study.settings.models, controls=CONTROLS).embed_all(
        again.append
    )
    assert again == []


def test_sampled_pairs_carry_each_models_cosine_and_their_alignment(study):
    sampled = study.pairs.sampled(30)
    assert len(sampled) == 30
    again = study.pairs.sampled(30)
    pd.testing.assert_frame_equal(sampled, again)
    table = study.pairs.of("mini_protein_bert", similar=True)
    both = sampled.merge(table, on=["accession_a", "accession_b"], validate="one_to_one")
    np.testing.assert_allclose(both.mini_protein_bert, both.cosine_similarity)
    counted = [text.marks.count("|") for text in sampled.alignment]
    assert counted == sampled.identities.tolist()


def test_asking_for_more_pairs_than_there_are_shows_all(study):
    assert len(study.pairs.sampled(10_000)) == len(study.pairs.table(similar=True)) == 100


def test_the_bacterium_brings_its_families_and_phmmer_finds_those_of_a_sample():
    chosen = {"proteins": "bacterium", "n_proteins": 12, "models": ["composition"]}
    shipped, found = Study(**chosen), Study(**chosen, families="phmmer")
    assert shipped.families == read_families("bacterium", shipped.requested)
    told = []
    found.embed_all(told.append)
    # Before the first model: families decide which proteins are left out together.
    assert told[0].startswith("phmmer: 12 of 12 proteins against all, about ")
    assert found.families == read_families("phmmer", found.requested)


def test_proteins_without_any_relatives_have_no_comparison_of_relatives(fasta):
    study = Study(proteins=str(fasta), models=["composition"], families="phmmer")
    assert len(set(study.families.values())) == 40
    assert study.scatter.discrimination().empty
