"""The tables of isotropy: labelled rows of every model, all over the same proteins."""

import numpy as np
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, jackknife
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.study import Study
from small_proteins import random_proteins, write_fasta

MODELS = ["mini_prot_bert", "composition"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_fasta(random_proteins(90, longest=90), folder / "some.fasta")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", folder / "cache")
        study = Study(proteins=str(folder / "some.fasta"), models=MODELS)
        study.embed_all(lambda line: None)
    return study


def test_every_table_has_labelled_rows_of_every_model(study):
    isotropy = study.isotropy
    for table in (isotropy.yardsticks(), isotropy.spectra(), study.local.variance()):
        assert list(table["model"].unique()) == MODELS
        assert {"title", "role", "counterpart"} <= set(table)


def test_spectra_add_up_and_yardsticks_are_those_of_the_table(study):
    np.testing.assert_allclose(study.isotropy.spectra().groupby("model")["share"].sum(), 1)
    cosine = study.isotropy.table().set_index("model")["mean_cosine_similarity"]
    yardsticks = study.isotropy.yardsticks().set_index("model")["mean_cosine_similarity"]
    np.testing.assert_allclose(yardsticks, cosine, rtol=1e-12)


def test_global_measures_lie_within_their_intervals(study):
    for row in study.isotropy.table().itertuples():
        corrected = row.effective_dimensions_corrected
        assert row.effective_dimensions_low < corrected <= row.effective_dimensions_high
        low, high = row.mean_cosine_similarity_low, row.mean_cosine_similarity_high
        assert low < row.mean_cosine_similarity < high


def test_local_measures_have_intervals_over_ten_groups_of_proteins(study):
    table = study.local.table().set_index(["model", "residue"])
    bert = table.loc["mini_prot_bert"]
    assert len(study.embeddings("mini_prot_bert").residue_groups) == LEAST_BLOCKS
    assert (bert["isoscore_low"] < bert["isoscore_high"]).all()
    inside = bert["mean_cosine_similarity"].between(
        bert["mean_cosine_similarity_low"], bert["mean_cosine_similarity_high"]
    )
    assert inside.all()


def test_the_average_of_the_amino_acids_has_an_interval_that_leaves_out_groups(study):
    local = study.local.table()
    twenty = local[local["residue"].str.fullmatch("[ACDEFGHIKLMNPQRSTVWY]")]
    found = study.local.average().set_index("model")
    expected = twenty[twenty["model"] == "mini_prot_bert"]
    row = found.loc["mini_prot_bert"]
    assert row["average_dimensions"] == pytest.approx(expected["effective_dimensions"].mean())
    assert row["n"] == expected["n"].sum()
    assert row["average_dimensions_low"] < row["average_dimensions_high"]
    # One amino acid's composition vector is always the same: there is nothing to average.
    assert np.isnan(found.loc["composition", "average_dimensions"])


def test_that_interval_is_a_jackknife_of_means_without_each_group(study):
    found = study.embeddings("mini_prot_bert")
    letters = sorted(set(found.residue_moments) - {"X"})
    groups = [dict(group) for group in found.residue_groups if group]
    counts, values = [], []
    for left_out in [{}, *groups]:
        left = [found.residue_moments[a].without(left_out[a]) if a in left_out
                else found.residue_moments[a] for a in letters]  # fmt: skip
        counts.append(sum(moments.count for moments in left))
        values.append(np.mean([effective_dimensions(moments) for moments in left]))
    expected = jackknife(values, counts)
    row = study.local.average().iloc[0]
    ends = row["average_dimensions_low"], row["average_dimensions_high"]
    np.testing.assert_allclose(ends, expected[1:3], rtol=1e-9)


def test_what_identifies_a_model_is_known_once_it_was_used(study):
    identity = study.identity("mini_prot_bert")
    assert identity["revision"] == "local"
    assert len(identity["weights"]) == 64
    assert "weights" not in study.identity("composition")


def test_all_variance_of_composition_lies_between_amino_acids(study):
    shares = study.local.variance().set_index("model")
    np.testing.assert_allclose(shares["between"] + shares["within"], 1)
    assert shares.loc["composition", "between"] == pytest.approx(1)
    assert 0 < shares.loc["mini_prot_bert", "between"] < 1


def test_cosines_are_of_proteins_and_of_residues_raw_and_centred(study):
    table = study.isotropy.pairwise_cosines()
    kinds = table[table.model == "mini_prot_bert"].groupby(["of", "centred"])["cosine"].mean()
    assert len(kinds) == 4
    exact = study.isotropy.table().set_index("model")["mean_cosine_similarity"]
    assert kinds["proteins", False] == pytest.approx(exact["mini_prot_bert"], abs=0.01)
    assert abs(kinds["residues", True]) < abs(kinds["residues", False])


def test_letters_beyond_the_twenty_are_counted(study):
    letters = study.local.letters().set_index("letter")
    assert letters.loc["X", "residues"] == sum(s.count("X") for s in study.common.sequences)
    assert letters.loc["X", "proteins"] == sum("X" in s for s in study.common.sequences)
    assert not set(letters.index) & set("ACDEFGHIKLMNPQRSTVWY")


def test_few_proteins_have_no_intervals(study):
    few = Study(proteins=study.settings.proteins, models=["composition"], n_proteins=9)
    row = few.isotropy.table().iloc[0]
    assert row.isoscore > 0
    assert np.isnan(row.isoscore_low)


def test_files_of_embeddings_have_everything_but_residues(study, tmp_path):
    accessions, vectors = study.common.accessions, study.vectors("mini_prot_bert")
    write_uniprot_h5(tmp_path / "x.h5", accessions, vectors, model_name="m")
    from_file = Study(proteins=study.settings.proteins, models=[str(tmp_path / "x.h5")])
    assert set(from_file.isotropy.pairwise_cosines()["of"]) == {"proteins"}
    assert len(from_file.isotropy.yardsticks()) == 1
    with pytest.raises(InputError, match="one vector per protein hold no residues"):
        from_file.local.table()
