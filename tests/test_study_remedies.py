"""A study's remedies: each number by another way, and no family on both sides of a fit."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry.association import retrieve
from plm_geometry.experiments import remedies
from plm_geometry.figures import with_spans
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.measures import effective_dimensions, mean_cosine_similarity
from plm_geometry.isotropy.remedies import cross_fitted
from plm_geometry.study import Study
from small_proteins import random_proteins, write_fasta


def made(directory, n, *, known=True):
    """Families of three, which share most of their residues."""
    rng = np.random.default_rng(0)
    proteins, sequences, rows = random_proteins(n, longest=60), [], ["accession\tfamily"]
    for i, sequence in enumerate(proteins.sequences):
        letters = np.array(list((proteins.sequences[3 * (i // 3)] + "MKV") * 2))
        letters[rng.random(len(letters)) < 0.3] = "A"
        sequences.append("".join(letters) + sequence[:3])
        rows.append(f"{proteins.accessions[i]}\tF{i // 3}")
    (directory / "f.tsv").write_text("\n".join(rows))
    write_fasta(
        type(proteins)(proteins.accessions, tuple(sequences), "made"), directory / "p.fasta"
    )
    families = {"families": str(directory / "f.tsv")} if known else {}
    controls = ["composition", "shuffled:unirep_64@0-1"]
    return Study(
        proteins=str(directory / "p.fasta"), **families, models=["unirep_64"], controls=controls
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return made(tmp_path_factory.mktemp("study"), 120)


def halves(study):
    families = study.families_of(study.common)
    half_of = draw_blocks(120, n_blocks=2, seed=study.settings.seed, families=families)
    return [(np.flatnonzero(half_of == half), np.flatnonzero(half_of != half)) for half in (0, 1)]


def test_centring_subtracts_the_mean_of_the_other_half_and_is_judged_within_its_own(study):
    table = study.remedies.table()
    x, families = study.vectors("unirep_64").astype(float), study.families_of(study.common)
    for remedy, sign in (("none", 0), ("centring", 1)):
        row = table[(table.model == "unirep_64") & (table.remedy == remedy)].iloc[0]
        parts = [x[judged] - sign * x[fitted].mean(axis=0) for judged, fitted in halves(study)]
        top = [
            retrieve(part, np.array(families)[judged])
            for part, (judged, _) in zip(parts, halves(study), strict=True)
        ]
        by_family = [part.groupby("family").top_1.mean() for part in top]
        assert row.top_1 == pytest.approx(np.concatenate(by_family).mean())
        dimensions = [effective_dimensions(part) for part in parts]
        assert row.effective_dimensions == pytest.approx(np.sqrt(np.prod(dimensions)))
        cosines = [mean_cosine_similarity(part) for part in parts]
        assert row.mean_cosine_similarity == pytest.approx(np.mean(cosines))


def test_the_correlation_is_that_of_pairs_within_a_half(study):
    row = study.remedies.table().query("model == 'unirep_64' and remedy == 'centring'").iloc[0]
    x, place = study.vectors("unirep_64").astype(float), study.common.accessions.index
    z, half_of = np.empty_like(x), np.empty(120)
    for number, (judged, fitted) in enumerate(halves(study)):
        z[judged], half_of[judged] = x[judged] - x[fitted].mean(axis=0), number
    found = []
    for pair in study.pairs.table().itertuples():
        i, j = place(pair.accession_a), place(pair.accession_b)
        if half_of[i] == half_of[j]:
            a, b = z[i], z[j]
            cosine = a @ b / np.sqrt(a @ a * (b @ b))
            found.append((cosine, pair.sequence_identity))
    assert row.identity_correlation == pytest.approx(np.corrcoef(np.array(found).T)[0, 1])


def test_changes_are_of_the_row_and_the_one_before_and_lie_within_their_intervals(study):
    table = study.remedies.table()
    for _, rows in table.groupby("model"):
        raw = rows.iloc[0]
        assert raw.remedy == "none"
        assert (raw.top_1_change, raw.dimensions_ratio) == (0, 1)
        assert len(rows) == 6
        for row in rows.iloc[1:].itertuples():
            assert row.top_1_change == pytest.approx(row.top_1 - raw.top_1)
            ratio = row.effective_dimensions / raw.effective_dimensions
            assert row.dimensions_ratio == pytest.approx(ratio)
            change = row.identity_correlation - raw.identity_correlation
            assert row.correlation_change == pytest.approx(change)
            assert row.dimensions_ratio_low < ratio < row.dimensions_ratio_high


def test_intervals_of_dimensions_leave_out_each_block_of_its_half_only(study):
    ours = study.remedies
    x = study.vectors("unirep_64").astype(float)
    judged = ours._judge(cross_fitted(None, x, ours.families, seed=study.settings.seed))
    families = np.array(study.families_of(study.common))
    logs = []
    for block in range(20):
        assert set(families[ours._block_of == block]).isdisjoint(families[ours._block_of != block])
        parts = [x[rows[ours._block_of[rows] != block]] for rows in judged.rows]
        logs.append(np.mean([np.log(effective_dimensions(part)) for part in parts]))
    np.testing.assert_allclose(judged.log_dimensions[1:], logs)


def test_no_protein_is_judged_by_what_its_family_was_fitted_to(study, monkeypatch):
    seen = []

    def noted(*args, **options):
        for fold in cross_fitted(*args, **options):
            seen.append((fold.fitted, fold.judged))
            yield fold

    monkeypatch.setattr(remedies, "cross_fitted", noted)
    fresh = remedies.Remedies(study)
    fresh.table()
    fresh.composition()
    families = np.array(study.families_of(study.common))
    assert len(seen) > 30
    for fitted, judged in seen:
        assert set(families[fitted]).isdisjoint(families[judged])


def test_what_composition_explains_is_by_least_squares_over_the_other_half(study):
    row = study.remedies.composition().set_index("model").loc["unirep_64"]
    x, proteins = study.vectors("unirep_64").astype(float), study.common
    shares = np.array([[s.count(a) for a in "ACDEFGHIKLMNPQRSTVWY"] for s in proteins.sequences])
    shares = shares / shares.sum(axis=1, keepdims=True)
    design = np.column_stack([np.ones(120), shares, np.log(proteins.lengths)])
    left = total = 0
    for judged, fitted in halves(study):
        slopes = np.linalg.lstsq(design[fitted], x[fitted], rcond=None)[0]
        left += ((x[judged] - design[judged] @ slopes) ** 2).sum()
        total += ((x[judged] - x[fitted].mean(axis=0)) ** 2).sum()
    assert row.explained == pytest.approx(1 - left / total, rel=1e-6)
    assert row.explained_low < row.explained < row.explained_high


def test_composition_leaves_nothing_of_itself(study):
    row = study.remedies.composition().set_index("model").loc["composition"]
    assert 0.95 < row.explained < 1  # some proteins hold letters that are no standard residues
    assert np.isnan(row.top_1)


def test_components_are_held_against_the_same_rank_of_every_shuffle(study):
    (row,) = study.remedies.parallel().to_dict("records")

    def variances(name):
        return np.linalg.eigvalsh(np.cov(study.vectors(name).T.astype(float)))[::-1]

    names = ["shuffled:unirep_64@0", "shuffled:unirep_64@1"]
    ours, shuffles = variances("unirep_64"), [variances(name) for name in names]
    above = sum(all(v > s[j] for s in shuffles) for j, v in enumerate(ours))
    assert (row["shuffles"], row["components"], row["of"]) == (2, above, 64)
    ratio = ours.sum() / np.mean([s.sum() for s in shuffles])
    assert row["variance_ratio"] == pytest.approx(ratio)


def test_arrows_lead_from_the_vectors_as_they_are_to_whitened_ones(study):
    (arrow,) = study.remedies.arrows().itertuples()
    table = study.remedies.table().query("model == 'unirep_64'").set_index("remedy")
    assert arrow.top_1_before == table.top_1["none"]
    assert arrow.top_1 == table.top_1["whitening to 59"]


def test_without_families_isotropy_is_told_and_retrieval_is_not(tmp_path):
    study = made(tmp_path, 60, known=False)
    table = study.remedies.table()
    assert table.top_1.isna().all()
    assert table.dimensions_ratio_low.notna().all()
    assert study.remedies.composition().explained.notna().all()


def test_few_proteins_have_no_intervals_and_raise_nothing(tmp_path):
    study = made(tmp_path, 9)
    table = study.remedies.table()
    assert table.effective_dimensions.notna().all()
    assert table.dimensions_ratio_low.isna().all()
    assert len(study.remedies.composition()) == 3


def test_numbers_stand_with_their_intervals_and_alone_where_they_have_none():
    frame = pd.DataFrame({"x": [-0.128, 2], "x_low": [-0.2, np.nan], "x_high": [0.004, np.nan]})
    assert list(with_spans(frame, ["x"]).x) == ["−0.13 (−0.20 to 0.00)", "2.00"]
