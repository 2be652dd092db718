"""The tables of association: labelled, over the same pairs, equal to plain computations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from plm_geometry.association import correlation_matrix, r_squared_on_lengths
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.pairs import align_pairs, align_to_parquet, draw_pairs
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from plm_geometry.study import Study, correlation

MODELS = ["composition", "kmers"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", folder / "cache")
        patch.setattr(correlation, "_N_FOR_SETTINGS", 100)
        yield Study(proteins=str(mutated(folder)), families=str(folder / "families.tsv"),
                    models=MODELS, n_pairs=1500)  # fmt: skip


def mutated(folder):
    """Write 40 proteins of the bacterium, each with two copies mutated by 5 to 60 %."""
    rng = np.random.default_rng(3)
    real = [s for s in read_proteins("bacterium").sequences if 100 < len(s) < 500][:40]
    lines, families = [], ["accession\tfamily"]
    for i, sequence in enumerate(real):
        for j, share in enumerate((0, *rng.uniform(0.05, 0.6, 2))):
            letters = np.array(list(sequence))
            changed = rng.random(len(letters)) < share
            letters[changed] = rng.choice(list(STANDARD_RESIDUES), changed.sum())
            lines.append(f">P{i}_{j}\n{''.join(letters)}\n")
            families.append(f"P{i}_{j}\tF{i}")
    (folder / "families.tsv").write_text("\n".join(families))
    (folder / "some.fasta").write_text("".join(lines))
    return folder / "some.fasta"


def test_correlations_are_those_of_pandas_with_intervals_that_hold_them(study):
    for method in ("pearson", "spearman"):
        table = study.correlation.table(method)
        assert len(table) == 2 * 6
        for row in table.itertuples():
            pairs = study.pairs.of(row.model)
            assert row.estimate == pytest.approx(pairs[row.a].corr(pairs[row.b], method), abs=1e-9)
            assert row.low < row.estimate < row.high
            assert row.pairwise_low < row.estimate < row.pairwise_high
    # Pairs that share proteins tell less than as many independent ones.
    assert (table.pairwise_high - table.pairwise_low < table.high - table.low).mean() > 0.5


def test_adjusted_correlations_are_partial_correlations_given_the_lengths(study):
    table = study.correlation.table(adjusted=True)
    raw = study.correlation.table()
    assert not np.allclose(table["estimate"], raw["estimate"], atol=0.01)
    explained = study.correlation.lengths()
    assert explained["estimate"].between(0, 1).all()
    assert set(explained["quantity"]) == {"cosine_similarity", "squared_euclidean",
                                          "alignment_score", "sequence_identity"}  # fmt: skip


def test_cosine_distance_turns_the_sign(study):
    signs = study.correlation.signs()
    np.testing.assert_allclose(signs["cosine_distance"], -signs["cosine_similarity"], rtol=1e-12)
    norms = np.linalg.norm(study.vectors("kmers"), axis=1)
    assert signs.set_index("model").loc["kmers", "norm_variation"] == pytest.approx(
        norms.std() / norms.mean()
    )


def test_every_setting_is_as_if_aligned_with_it(study):
    grid = study.correlation.settings_grid()
    assert len(grid) == len(correlation.MODES) * len(correlation.GAPS) * 4
    some = study.pairs.some(100)
    first, second = (some[f"accession_{side}"].cat.codes.to_numpy(np.int64) for side in "ab")
    for row in grid.iloc[[2, 22, 40, 53]].itertuples():
        settings = replace(study.pairs.alignment, mode=row.mode, gap_open=row.gap_open,
                           gap_extend=row.gap_extend, denominator=row.denominator)  # fmt: skip
        plain = align_pairs(study.common, first, second, settings, progress=False)
        expected = plain["alignment_score"].corr(plain["sequence_identity"])
        assert row.estimate == pytest.approx(expected, abs=1e-12)


def test_some_pairs_are_drawn_from_anywhere_in_the_table(study):
    table, some = study.pairs.table(), study.pairs.some(100)
    key = ["accession_a", "accession_b"]
    found = table.reset_index().merge(some[key], on=key)["index"]
    assert len(found) == 100
    assert found.max() > len(table) / 2
    assert len(study.pairs.some(10**6)) == len(table)


def test_spread_has_rows_for_each_distance(study):
    spread = study.scatter.spread(np.array([0, 0.3, 1.001]))
    assert len(spread) == 2 * 2 * 2
    different = (study.pairs.table(similar=True)["sequence_identity"] < 1).sum()
    assert spread.groupby(["model", "distance"])["n"].sum().eq(different).all()


def test_homologous_pairs_are_compared_with_unrelated_ones_where_families_are_known(study):
    table = study.scatter.discrimination()
    assert set(table["distance"]) == set(correlation.DISTANCES)
    high = table[(table.bin_low >= 0.7) & (table.n_homologous > 0)]
    assert (high["auc"] > 0.8).all()
    related = study.scatter.family_pairs.query("is_homologous")
    assert (
        related.accession_a.map(study.families) == related.accession_b.map(study.families)
    ).all()
    local = replace(study.pairs.alignment, mode="local", denominator="aligned_columns")
    sides = related["first"].to_numpy(), related["second"].to_numpy()
    found = align_pairs(study.common, *sides, local, progress=False)
    columns = (found.identities / found.sequence_identity).fillna(0).round().to_numpy()
    np.testing.assert_array_equal(related.identity.isna(), columns < 80)
    unknown = Study(proteins=study.settings.proteins, models=["composition"],
                    n_proteins=30, n_pairs=50)  # fmt: skip
    assert unknown.scatter.discrimination().empty


def test_similar_pairs_carry_weights_that_stand_for_all_pairs(study):
    table = study.pairs.table(similar=True)
    n = len(study.common)
    assert table["weight"].sum() == pytest.approx(n * (n - 1) / 2)
    assert study.pairs.table()["weight"].sum() == pytest.approx(n * (n - 1) / 2)
    similar, random = (t["sequence_identity"] > 0.5 for t in (table, study.pairs.table()))
    assert similar.mean() > 3 * random.mean() > 0
    assert (similar * table["weight"]).sum() < 3 * random.mean() * n * (n - 1) / 2


def test_pairs_of_a_file_count_by_their_weights_in_every_table(study):
    weighted = Study(**study.settings.model_dump())
    weighted.pairs._tables[False] = study.pairs.table(similar=True)
    table, some = weighted.pairs.of("kmers"), weighted.pairs.some(100)
    explained = weighted.correlation.lengths().set_index(["model", "quantity"])["estimate"]["kmers"]
    expected = r_squared_on_lengths(table, weights=table["weight"])["estimate"]
    pd.testing.assert_series_equal(explained, expected, check_names=False)
    own = dict.fromkeys(("mode", "gap_open", "gap_extend", "denominator"))
    own |= {name: vars(study.pairs.alignment)[name] for name in own}
    grid = weighted.correlation.settings_grid().set_index(list(own))["estimate"]
    columns = ["alignment_score", "sequence_identity"]
    matrix = correlation_matrix(some, weights=some["weight"], columns=columns)
    assert grid[tuple(own.values())] == pytest.approx(matrix.iloc[0, 1], abs=1e-12)
    assert abs(matrix.iloc[0, 1] - correlation_matrix(some, columns=columns).iloc[0, 1]) > 0.01


def test_pairs_come_from_a_file_where_one_is_named(study, tmp_path):
    first, second = draw_pairs(len(study.common), 300, seed=9)
    path = tmp_path / "pairs.parquet"
    align_to_parquet(study.common, first, second, study.pairs.alignment, path)
    given = study.settings.proteins
    options = {"proteins": given, "models": ["composition"], "pairs_file": str(path)}
    table = Study(**options).pairs.table()
    assert len(table) == 300
    assert list(table["accession_a"]) == [study.common.accessions[i] for i in first]
    pd.testing.assert_series_equal(table["length_a"], pd.Series(study.common.lengths[first]),
                                   check_names=False)  # fmt: skip
    with pytest.raises(InputError, match=r"aligned with matrix 'PAM250', .* `-p matrix PAM250`"):
        Study(**options, matrix="BLOSUM62").pairs.table()
    with pytest.raises(InputError, match="make it with"):
        Study(**(options | {"pairs_file": str(tmp_path / "none.parquet")})).pairs.table()
