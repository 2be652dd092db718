"""What a model has over a control: differences over the same proteins, and their intervals."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from plm_geometry import association
from plm_geometry.base import paths
from plm_geometry.isotropy.jackknife import jackknife
from plm_geometry.isotropy.measures import isotropy_row
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.tables import (
    MEASURES,
    average_dimensions,
    averages_without_each,
    paired_difference,
)
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from plm_geometry.study import Study
from small_proteins import random_proteins, write_fasta

MODEL, CONTROLS = "unirep_64", ["composition", "untrained:unirep_64@0-2", "shuffled:unirep_64"]
NAMED = ["composition", "untrained:unirep_64@0", "shuffled:unirep_64"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    proteins = random_proteins(66, longest=60)
    # One without any of the twenty has no cosine similarity of compositions.
    known = [i for i, s in enumerate(proteins.sequences) if set(s) & set(STANDARD_RESIDUES)]
    proteins = proteins.select(known[:60])
    write_fasta(proteins, folder / "some.fasta")
    families = pd.DataFrame(
        {"accession": proteins.accessions, "family": np.arange(len(proteins)) // 2}
    )
    families.to_csv(folder / "families.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", folder / "cache")
        study = Study(
            proteins=str(folder / "some.fasta"), families=str(folder / "families.csv"),
            models=[MODEL], controls=CONTROLS, n_pairs=500,
        )  # fmt: skip
        study.embed_all(lambda line: None)
        study.pairs.table()
    return study


def test_several_seeds_mini_tables_as_their_first(study):
    assert study.names == [MODEL, *NAMED]
    table = study.isotropy.seed_ranges().set_index("quantity")
    assert list(table.index) == list(MEASURES)
    names = [f"untrained:unirep_64@{seed}" for seed in range(3)]
    for quantity in MEASURES:
        values = [isotropy_row(study.vectors(name))[quantity] for name in names]
        row = table.loc[quantity]
        assert row["seeds"] == 3
        found = list(row[["lowest", "median", "highest"]])
        np.testing.assert_allclose(found, sorted(values))


def test_differences_are_those_of_the_table_and_leave_out_whole_families(study):
    table = study.isotropy.paired().set_index(["control", "quantity"])
    measured = study.isotropy.table().set_index("model")
    assert list(table.index) == list(product(NAMED, MEASURES))
    family = np.array(study.families_of(study.common))
    blocks = [study.isotropy.block_of == b for b in np.unique(study.isotropy.block_of)]
    assert all(len(set(study.isotropy.block_of[family == f])) == 1 for f in set(family))
    for (control, quantity), row in table.iterrows():
        expected = measured.loc[MODEL, quantity] - measured.loc[control, quantity]
        assert row["difference"] == pytest.approx(expected, rel=1e-9)
        values = [
            isotropy_row(study.vectors(MODEL)[kept])[quantity]
            - isotropy_row(study.vectors(control)[kept])[quantity]
            for kept in [np.ones(60, bool), *(~block for block in blocks)]
        ]
        counts = [60, *(60 - block.sum() for block in blocks)]
        found = list(row[[f"difference_{end}" for end in ("corrected", "low", "high")]])
        np.testing.assert_allclose(found, jackknife(values, counts)[:3], rtol=1e-4, atol=5e-6)


def test_local_differences_are_those_of_the_averages(study):
    table = study.local.paired().set_index("control")
    averages = study.local.average().set_index("model")["average_dimensions"]
    assert list(table.index) == NAMED[1:]  # one letter's composition has no spread
    for control, row in table.iterrows():
        assert row["difference"] == pytest.approx(averages[MODEL] - averages[control])
        assert row["difference_low"] < row["difference_corrected"] < row["difference_high"]


def test_differences_of_correlations_are_those_of_the_matrices(study):
    table = study.correlation.paired().set_index(["control", "a", "b"])
    every = study.correlation.table().set_index(["model", "a", "b"])["estimate"]
    assert len(table) == 5 * len(NAMED)
    for (control, a, b), row in table.iterrows():
        assert row["difference"] == pytest.approx(every[MODEL, a, b] - every[control, a, b])
        assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_an_interval_of_a_difference_leaves_out_each_group_with_all_its_pairs():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"])
    first, second = rng.integers(12, size=(2, 400))
    entries = [(("a", "b"), ("a", "c"))]
    (found,) = association.correlation_differences(frame, entries, first, second)

    def difference(some: pd.DataFrame) -> float:
        matrix = some.corr()
        return matrix.loc["a", "b"] - matrix.loc["a", "c"]

    without = [difference(frame[(first != g) & (second != g)]) for g in range(12)]
    assert found.estimate == pytest.approx(difference(frame))
    assert found.standard_error == pytest.approx(np.sqrt(11 * np.var(without)))
    assert found.high - found.estimate == pytest.approx(2.201 * found.standard_error, rel=1e-3)


def test_intervals_cover_the_true_difference_of_correlations_over_proteins():
    """Two distances that share most of their noise: r with a third differs by a known amount."""
    rng = np.random.default_rng(1)
    n, inside, widths, apart = 120, 0, [], []
    group = np.arange(n) % 20
    i, j = np.triu_indices(n, 1)
    for _ in range(60):
        common, own, other = rng.normal(size=(3, n))
        # Each quantity of a pair is a sum over its proteins: correlations are those of proteins.
        values = {"ours": common + 0.5 * own, "theirs": common + 0.5 * other, "third": common + own}
        frame = pd.DataFrame({name: v[i] + v[j] for name, v in values.items()})
        entries = [(("ours", "third"), ("theirs", "third"))]
        (found,) = association.correlation_differences(frame, entries, group[i], group[j])
        truth = 1.5 / np.sqrt(1.25 * 2) - 1 / np.sqrt(1.25 * 2)
        inside += found.low <= truth <= found.high
        widths.append(found.high - found.low)
        alone = association.correlation_interval(frame["ours"], frame["third"], i, j)
        apart.append(alone.high - alone.low)
    assert inside >= 52  # 60 trials at 95 %: below 52 once in a thousand


def test_too_few_blocks_or_an_undefined_measure_give_no_interval():
    values = np.arange(11.0)
    assert np.isnan(paired_difference([10] + [9] * 9, values[:10], values[:10])["difference_low"])
    found = paired_difference([10] + [9] * 10, values, np.where(values == 3, np.nan, values))
    assert found["difference"] == 0
    assert np.isnan(found["difference_low"])


def test_averages_are_empty_where_nothing_has_a_spread():
    still = {"A": Moments.from_vectors(np.ones((3, 2)))}
    assert np.isnan(
        average_dimensions(*averages_without_each(still, [still]))["average_dimensions"]
    )
