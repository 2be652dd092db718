"""The paper's values are as printed, and stand beside the right rows of a run."""

import re

import numpy as np
import pandas as pd
import pytest

from plm_geometry.association import COLUMNS
from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.measures import printed_dimensions
from plm_geometry.paper import published

TABLES = ["measured_real", "numbers", "retrieval_kinases", "score_identity_real", "signs_real"]


@pytest.fixture
def run():
    """Three rows as `study.isotropy.table()` makes them: mini, control, the paper's model."""
    return pd.DataFrame(
        {
            "model": ["mini_prot_xlnet", "composition", "prot_bert"],
            "role": ["mini", "control", "model"],
            "counterpart": ["", "", "prot_bert"],
            "isoscore": [0.2, 0.3, 0.0016583],
        }
    )


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_every_table_names_its_source(name):
    table = published.table(name)
    assert len(table) > 0
    assert table["source"].str.len().gt(10).all()


def test_an_unknown_table_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(InputError, match="numbers"):
        published.table("global")


def test_isoscores_give_the_dimensions_the_paper_prints():
    table = published.global_isotropy()
    assert list(table.index) == ["prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert"]
    assert [round(k, 3) for k in table["effective_dimensions"]] == [2.696, 5.059, 2.537, 119.158]
    printed = [printed_dimensions(k) for k in table["effective_dimensions"]]
    assert printed == list(table["printed_dimensions"]) == [3, 6, 3, 120]


def test_the_correlation_matrix_is_whole_symmetric_and_in_the_order_of_a_runs():
    matrix = published.correlation_matrix()
    assert tuple(matrix.index) == tuple(matrix.columns) == COLUMNS
    assert np.array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 1).all()
    assert matrix.loc["squared_euclidean", "cosine_similarity"] == 0.791
    assert matrix.loc["sequence_identity", "alignment_score"] == 0.847


def test_natural_language_has_every_layer_and_the_two_scores_the_paper_quotes():
    table = published.natural_language()
    assert table.groupby("model").size().to_dict() == {
        "bert": 12, "distilbert": 6, "gpt2": 12, "openai_gpt": 12
    }  # fmt: skip
    quoted = table.dropna(subset="quoted_by_paper")
    assert list(quoted["isoscore"]) == [0.11690, 0.17911]
    assert list(quoted["quoted_by_paper"]) == [0.11, 0.18]


def test_dimensions_of_word_tokens_follow_from_the_width():
    last = published.natural_language().query("last").set_index("model")
    assert last.layer.to_dict() == {"bert": 12, "distilbert": 6, "openai_gpt": 12, "gpt2": 12}
    assert last.effective_dimensions.round(1).to_dict() == {
        "bert": 90.7, "distilbert": 40.4, "openai_gpt": 138.4, "gpt2": 1.4
    }  # fmt: skip


def test_residues_stand_next_to_word_tokens_and_whole_proteins_below(run):
    proteins = run.assign(title="some", d=96, effective_dimensions=9.0)
    residues = proteins.assign(residue=["all", "A", "X"])
    beside = published.beside_language(residues, proteins)
    assert beside.of.tolist() == ["word tokens"] * 4 + ["residues"] + ["whole proteins"] * 7
    assert beside.role.tolist()[-4:] == ["published"] * 4
    assert beside.isoscore.tolist()[-4:] == published.global_isotropy().isoscore.tolist()
    assert set(beside.whose) == {"Rudman et al. 2022", "this run", "the paper"}


def test_a_run_without_residues_stands_beside_natural_language_too(run):
    proteins = run.assign(title="some", d=96, effective_dimensions=9.0)
    beside = published.beside_language(None, proteins)
    assert "residues" not in set(beside.of)


def test_the_average_of_amino_acids_is_for_the_models_of_1024_dimensions_only():
    keys = ["prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert", ""]
    joined = published.beside_local(pd.DataFrame({"counterpart": keys}))
    assert joined.published_dimensions[:3].tolist() == [14, 14, 14]
    assert joined.published_dimensions[3:].isna().all()


def test_the_papers_models_alone_have_the_papers_values(run):
    joined = published.beside(run).set_index("model")
    assert joined.loc["prot_bert", "published_n"] == 1024
    others = joined.loc[["mini_prot_xlnet", "composition"], published_columns(joined)]
    assert others.isna().all(axis=None)


def published_columns(frame):
    return [column for column in frame if column.startswith("published_")]


def test_the_papers_correlations_stand_beside_its_protbert_only():
    frame = pd.DataFrame(
        {
            "counterpart": ["prot_bert", "prot_xlnet", "", "prot_bert"],
            "a": ["cosine_similarity"] * 3 + ["alignment_score"],
            "b": ["sequence_identity"] * 4,
        }
    )
    found = published.beside_correlations(frame)
    expected = [-0.011, np.nan, np.nan, 0.847]
    assert found["published"].tolist() == pytest.approx(expected, nan_ok=True)


# Every number, once, as it is printed


@pytest.fixture(scope="module")
def table():
    return published.numbers()


@pytest.mark.parametrize(
    ("printed", "place"),
    [("0.001658", 1e-6), ("0.15260", 1e-5), ("-0.011", 1e-3), ("0.11", 0.01), ("14", 1),
     ("120", 1), ("5.7e5", 1e4), ("6.4e6", 1e5)],
)  # fmt: skip
def test_the_last_digit_is_that_of_the_text(printed, place):
    assert published.last_digit(printed) == place


def test_each_number_has_a_name_of_its_own_and_says_where_it_stands(table):
    assert len(table) == 70
    assert not table.duplicated("name").any()
    assert table["source"].str.contains("arXiv 2510.10655|Rudman et al. 2022").all()
    assert not table.isna().any(axis=None)
    # A run's value must find exactly one number; no chapter measures word tokens.
    found = table[table["quantity"] != "isoscore_of_tokens"]
    assert not found.duplicated(["quantity", "counterpart"]).any()


def test_one_correlation_has_no_model_in_it(table):
    free = table[(table["unit"] == "correlation") & ~table["by_model"]]
    assert free["printed"].tolist() == ["0.847"]
    assert free["counterpart"].tolist() == [""]


def test_numbers_of_data_are_as_the_paper_rounds_them(table):
    data = table[table["part"] == "data"].set_index("quantity")["published"]
    assert data.to_dict() == {"proteins": 570_000, "share_of_proteins": 0.01, "pairs": 6_400_000}


def test_names_are_words_for_readers(table):
    assert not [name for name in table["name"] if re.search("_|euclidean", name)]
