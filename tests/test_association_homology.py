"""Discrimination of homologous pairs against scikit-learn, and where it must say nothing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from plm_geometry.association import discrimination, says_nothing_below
from plm_geometry.base.errors import InputError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pairs(rng, n_families: int = 20, size: int = 4, n_unrelated: int = 600, apart: float = 0.0):
    """Return pairs and families; homologous ones lie `apart` nearer, at any identity."""
    family = np.repeat(np.arange(n_families), size)
    length = rng.integers(80, 800, n_families)[family]
    first, second = np.triu_indices(len(family), 1)
    same = family[first] == family[second]
    unrelated = rng.choice(np.flatnonzero(~same), n_unrelated, replace=False)
    rows = np.append(np.flatnonzero(same), unrelated)
    is_homologous = same[rows]
    names = np.array([f"P{i:03d}" for i in range(len(family))])
    effect = rng.standard_normal(n_families)[family[first[rows]]] * is_homologous
    frame = pd.DataFrame(
        {
            "accession_a": names[first[rows]],
            "accession_b": names[second[rows]],
            "length_a": length[first[rows]],
            "length_b": length[second[rows]],
            "identity": np.where(is_homologous, rng.random(len(rows)), np.nan),
            "distance": rng.standard_normal(len(rows)) + effect - apart * is_homologous,
            "is_homologous": is_homologous,
        }
    )
    return frame, dict(zip(names, family.astype(str), strict=True))


def few_unrelated(rng) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return pairs whose five unrelated ones all match every homologous one; distances tie."""
    frame, families = pairs(rng, n_unrelated=5, apart=0.8)
    return frame.assign(distance=frame.distance.round(1)), families


def scikit_learns(frame: pd.DataFrame) -> np.ndarray:
    """Return AUC and average precision where both kinds weigh the same."""
    balanced = 1 / frame.groupby("is_homologous").distance.transform("size")
    arguments = {"y_true": frame.is_homologous, "y_score": -frame.distance}
    precision = average_precision_score(**arguments, sample_weight=balanced)
    return np.array([roc_auc_score(**arguments), precision])


def test_both_measures_are_scikit_learns_and_bounds_leave_out_each_family(rng):
    frame, families = few_unrelated(rng)
    found = discrimination(frame, [0, 1], families=families, seed=0).loc[0]
    whole = scikit_learns(frame)
    np.testing.assert_allclose(found[["auc", "average_precision"]].astype(float), whole)
    assert (found.n_homologous, found.n_unrelated, found.n_units) == (120, 600, 20)
    sides = frame.accession_a.map(families), frame.accession_b.map(families)
    without = []
    for name in set(families.values()):
        kept = (sides[0] != name) & (sides[1] != name)
        without.append(scikit_learns(frame[kept]))
    error = np.sqrt(19 / 20 * np.sum((without - np.mean(without, axis=0)) ** 2, axis=0))
    margin = stats.t.ppf(0.975, 19) * error
    bounds = found[["auc_low", "average_precision_low", "auc_high", "average_precision_high"]]
    expected = np.concatenate([whole - margin, whole + margin]).clip(0, 1)
    np.testing.assert_allclose(bounds.astype(float), expected)


def test_a_distance_that_measures_lengths_alone_parts_nothing(rng):
    frame, families = pairs(rng, n_families=60, n_unrelated=8000)
    is_long = frame.is_homologous & (frame.length_a < 300)
    frame = frame[~is_long]  # homologous pairs are the longer ones
    frame = frame.assign(distance=-np.log(frame.length_a * frame.length_b))
    assert roc_auc_score(frame.is_homologous, -frame.distance) > 0.7
    row = discrimination(frame, [0, 1], families=families, seed=0).loc[0]
    assert row.auc == pytest.approx(0.5, abs=0.05)
    assert row.average_precision == pytest.approx(0.5, abs=0.1)


def test_each_bin_is_judged_by_its_own_homologous_pairs(rng):
    frame, families = pairs(rng)
    is_alike = frame.is_homologous & (frame.identity >= 0.5)
    frame.loc[is_alike, "distance"] -= 100
    frame.loc[0, "identity"] = 1.0  # the last bin holds its upper edge
    table = discrimination(frame, [0, 0.5, 0.9, 1], families=families, seed=0)
    assert table.n_homologous.sum() == frame.is_homologous.sum()
    assert table.auc[0] < 0.8
    assert table.auc[1] == table.average_precision[1] == 1
    unknown = frame.assign(identity=frame.identity.where(~is_alike))
    assert (
        discrimination(unknown, [0, 1], families, seed=0).n_homologous[0]
        < frame.is_homologous.sum()
    )


def test_intervals_over_families_cover_the_truth_about_as_often_as_they_say(rng):
    # Distances differ by 0.5; a unit variance each, and one of the families.
    truth = stats.norm.cdf(0.5 / np.sqrt(3))
    by_family, by_pair = 0, 0
    for seed in range(100):
        frame, families = pairs(rng, size=6, n_unrelated=2000, apart=0.5)
        row = discrimination(frame, [0, 1], families=families, seed=seed).loc[0]
        by_family += row.auc_low <= truth <= row.auc_high
        # Hanley and McNeil's interval of independent pairs, at its widest (AUC 0.5).
        margin = 1.96 * np.sqrt((1 / row.n_homologous + 1 / row.n_unrelated) / 12)
        by_pair += abs(row.auc - truth) <= margin
    assert by_family > 88
    assert by_pair < 70


def test_many_homologous_pairs_are_sampled_and_the_seed_alone_decides(rng):
    frame, families = pairs(rng, n_families=12, size=20, n_unrelated=3000)
    assert frame.is_homologous.sum() == 2280
    found = discrimination(frame, [0, 1], families=families, seed=1)
    assert found.n_homologous[0] == 2000
    pd.testing.assert_frame_equal(found, discrimination(frame, [0, 1], families=families, seed=1))
    assert found.auc[0] != discrimination(frame, [0, 1], families=families, seed=2).auc[0]


def test_too_few_units_have_no_interval_and_no_pairs_no_estimate(rng):
    frame, families = pairs(rng, n_families=9, n_unrelated=200)
    row = discrimination(frame, [0, 1, 2], families=families, seed=0)
    assert row.auc.notna().tolist() == [True, False]
    assert row.auc_high.isna().all()
    alone = discrimination(frame[frame.is_homologous], [0, 1], families=families, seed=0)
    assert alone.n_unrelated[0] == 0
    assert np.isnan(alone.auc[0])
    nothing = discrimination(frame[~frame.is_homologous], [0, 1], families=families, seed=0)
    assert nothing.n_homologous[0] == 0


def test_bad_input_is_named(rng):
    frame, families = pairs(rng)
    with pytest.raises(InputError, match="identity"):
        discrimination(frame.drop(columns="identity"), [0, 1], families, seed=0)
    with pytest.raises(InputError, match="ascending"):
        discrimination(frame, [1, 0], families, seed=0)
    del families["P007"]
    with pytest.raises(InputError, match="P007 has no family"):
        discrimination(frame, [0, 1], families=families, seed=0)


def test_unknown_distances_are_left_out(rng):
    frame, families = pairs(rng)
    holed = frame.assign(distance=frame.distance.where(frame.index != 5))
    pd.testing.assert_frame_equal(
        discrimination(holed, [0, 1], families=families, seed=0),
        discrimination(frame.drop(5), [0, 1], families=families, seed=0),
    )


def test_a_difference_of_two_areas_leaves_out_each_family_from_both(rng):
    frame, families = few_unrelated(rng)
    frame = frame.assign(against=(frame.distance + 0.2 * rng.standard_normal(len(frame))).round(1))
    found = discrimination(frame, [0, 1], families=families, seed=0).loc[0]
    alone = discrimination(frame.drop(columns="against"), [0, 1], families=families, seed=0).loc[0]
    assert found.auc_high == alone.auc_high
    sides = frame.accession_a.map(families), frame.accession_b.map(families)

    def difference(kept):
        truth = frame.is_homologous[kept]
        ours, theirs = (roc_auc_score(truth, -frame[n][kept]) for n in ("distance", "against"))
        return ours - theirs

    without = [
        difference((sides[0] != f) & (sides[1] != f)) for f in sorted(set(families.values()))
    ]
    error = np.sqrt(19 / 20 * np.sum((without - np.mean(without)) ** 2))
    assert found.auc_difference == pytest.approx(difference(np.ones(len(frame), bool)))
    reach = stats.t.ppf(0.975, 19) * error
    assert found.auc_difference_high == pytest.approx(found.auc_difference + reach)


def test_the_rule_that_a_distance_says_nothing_can_fire_past_bins_that_cannot_be_tested(rng):
    frame, families = pairs(rng, n_families=40)
    is_alike = frame.is_homologous & (frame.identity >= 0.5)
    frame.loc[is_alike, "distance"] -= 100
    own = frame.is_homologous & (frame.accession_a < "P008")  # two families, too few to be tested
    frame.loc[frame.is_homologous, "identity"] = frame.identity.clip(lower=0.2)
    frame.loc[own, "identity"] = 0.1
    frame.loc[frame.is_homologous & ~is_alike, "distance"] = rng.standard_normal(
        (frame.is_homologous & ~is_alike).sum()
    )
    table = discrimination(frame, [0, 0.2, 0.5, 1], families=families, seed=0)
    assert np.isnan(table.auc_low[0])
    assert says_nothing_below(table) == 0.5
    assert says_nothing_below(table.iloc[[2]]) == 0
    assert np.isnan(says_nothing_below(table.iloc[[0]]))
    assert says_nothing_below(table.iloc[:2]) == 0.5
