"""A study's retrieval: what each table holds, and that no family is on both sides of a fit."""

import numpy as np
import pytest

from plm_geometry.association import averaged, retrieve
from plm_geometry.experiments import retrieval
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.isotropy.remedies import Whitening
from plm_geometry.study import Study
from small_proteins import random_proteins, write_fasta


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Families of three, mutants of one another, and a control with two seeds."""
    rng = np.random.default_rng(0)
    directory, rows = tmp_path_factory.mktemp("study"), ["accession\tfamily"]
    proteins = random_proteins(120, longest=60)
    sequences = []
    for i, sequence in enumerate(proteins.sequences):
        ancestor = (proteins.sequences[3 * (i // 3)] + "MKV") * 2
        letters = np.array(list(ancestor))
        letters[rng.random(len(letters)) < 0.3] = "A"
        sequences.append("".join(letters) + sequence[:3])
        rows.append(f"{proteins.accessions[i]}\tF{i // 3}")
    (directory / "f.tsv").write_text("\n".join(rows))
    some = type(proteins)(proteins.accessions, tuple(sequences), "made")
    write_fasta(some, directory / "p.fasta")
    controls = ["composition", "untrained:unirep_64@0-1"]
    paths = {"proteins": str(directory / "p.fasta"), "families": str(directory / "f.tsv")}
    return Study(**paths, models=["unirep_64"], controls=controls)


def test_the_table_is_retrieval_by_each_models_vectors(study):
    table = study.retrieval.table().set_index("model")
    vectors, families = study.vectors("unirep_64"), study.families_of(study.common)
    found = averaged(retrieve(vectors, families))
    row = table.loc["unirep_64"]
    assert (row.queries, row.families) == (120, 40)
    assert [row.top_1, row.top_1_low, row.top_1_high] == pytest.approx(found[:3])
    assert row.effective_dimensions == pytest.approx(effective_dimensions(vectors), rel=1e-6)
    assert "remote_top_1" not in table  # of these proteins none is known


def test_a_control_of_several_seeds_is_their_mean(study):
    families = study.families_of(study.common)
    names = ["untrained:unirep_64@0", "untrained:unirep_64@1"]
    each = [averaged(retrieve(study.vectors(name), families)).estimate for name in names]
    dimensions = [effective_dimensions(study.vectors(name)) for name in names]
    row = study.retrieval.table().set_index("model").loc[names[0]]
    assert each[0] != each[1]
    assert row.top_1 == pytest.approx(np.mean(each))
    assert row.effective_dimensions == pytest.approx(np.mean(dimensions), rel=1e-6)


def test_differences_are_those_of_the_tables_numbers(study):
    table = study.retrieval.table().set_index("model")
    differences = study.retrieval.paired().set_index(["control", "quantity"])
    for control in ("composition", "untrained:unirep_64@0"):
        for quantity in ("top_1", "average_precision", "matched_top_1"):
            row = differences.loc[(control, quantity)]
            expected = table.loc["unirep_64", quantity] - table.loc[control, quantity]
            assert row.difference == pytest.approx(expected)
            assert row.difference_low < row.difference < row.difference_high


def test_components_are_fitted_on_other_families_than_they_are_judged_on(study, monkeypatch):
    families = np.array(study.families_of(study.common))
    vectors = study.vectors("unirep_64")
    rows = {row.tobytes(): family for row, family in zip(vectors, families, strict=True)}
    fitted, calls = [], []

    class Watched(Whitening):
        def fit(self, x, y=None):
            fitted.append({rows[row.tobytes()] for row in x})
            return super().fit(x, y)

        def transform(self, x):
            calls.append(({rows[row.tobytes()] for row in x}, fitted[-1]))
            return super().transform(x)

    monkeypatch.setattr(retrieval, "Whitening", Watched)
    study.retrieval._kept_of(vectors)
    assert len(calls) == 2
    assert all(judged and learnt and not judged & learnt for judged, learnt in calls)
    assert set().union(*(judged for judged, _ in calls)) == set(families)


def test_all_components_retrieve_as_the_centred_vectors_do(study):
    curve = study.retrieval.by_components()
    kept = curve[(curve.model == "unirep_64") & ~curve.whitened]
    assert kept.components.tolist() == sorted(kept.components)
    assert kept.top_1.iloc[-1] > kept.top_1.iloc[0]
    needed = study.retrieval.components_needed().set_index(["model", "whitened"])
    at = needed.loc[("unirep_64", False), "components"]
    target = 0.9 * kept.top_1.iloc[-1]
    assert kept.top_1[kept.components < at].max() < target + 1e-12
    assert kept.top_1[kept.components >= at].iloc[0] >= target - 1e-12


def test_without_families_all_tables_are_empty(tmp_path):
    write_fasta(random_proteins(12), tmp_path / "p.fasta")
    study = Study(proteins=str(tmp_path / "p.fasta"), models=["unirep_64"],
                  controls=["composition"])  # fmt: skip
    found = study.retrieval
    tables = (found.table(), found.paired(), found.by_components(), found.components_needed())
    assert all(table.empty for table in tables)


def test_more_proteins_than_can_be_compared_are_drawn_by_whole_families(study, monkeypatch):
    monkeypatch.setattr(retrieval, "_LARGEST", 60)
    fewer = retrieval.Retrieval(study)
    assert len(fewer.proteins) <= 62
    assert fewer.table().queries.tolist() == [len(fewer.proteins)] * 3


def test_equal_vectors_have_no_components(study):
    assert study.retrieval._kept_of(np.ones((120, 4))).empty
