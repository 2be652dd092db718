"""Retrieval of relatives against a plain loop, and what must hold of any vectors."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.metrics import average_precision_score, roc_auc_score

from plm_geometry.association import averaged, matched_candidates, pair_auc, paired, retrieve
from plm_geometry.association.retrieval import components_needed
from plm_geometry.base.errors import InputError

MEASURES = ["top_1", "average_precision"]


def drawn(n_families=70, n=200, d=12, seed=0, apart=1.0):
    """Return vectors around the places of their families, and families of different sizes."""
    rng = np.random.default_rng(seed)
    families = rng.integers(n_families, size=n)
    places = rng.normal(size=(n_families, d)) * apart
    return places[families] + rng.normal(size=(n, d)) + 3, families


def looped(vectors, families, metric, relevant=None, candidates=None):
    """Return query, top-1 and scikit-learn's average precision, one protein at a time."""
    rows = []
    for i, family in enumerate(families):
        near, wanted = [], []
        for j, other in enumerate(families):
            hit = other == family and (relevant is None or relevant[i, j])
            asked = candidates is None or candidates[i, j]
            if i != j and asked and (hit or other != family):
                distance = cdist(vectors[[i]], vectors[[j]], metric)[0, 0]
                near.append(-distance)
                wanted.append(hit)
        if any(wanted):
            top = wanted[int(np.argmax(near))]
            rows.append((i, family, sum(wanted), top, average_precision_score(wanted, near)))
    return pd.DataFrame(rows, columns=["query", "family", "n_relatives", *MEASURES])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_retrieval_is_that_of_a_plain_loop_over_200_proteins(metric):
    vectors, families = drawn()
    found = retrieve(vectors, families, metric=metric)
    expected = looped(vectors, families, metric)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert 0.1 < found.top_1.mean() < 0.9


def test_what_counts_and_who_is_asked_may_be_narrowed():
    vectors, families = drawn(seed=1)
    rng = np.random.default_rng(2)
    relevant, candidates = rng.random((2, 200, 200)) < 0.6
    found = retrieve(vectors, families, relevant=relevant, candidates=candidates)
    expected = looped(vectors, families, "cosine", relevant, candidates)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    some = retrieve(vectors, families, queries=[5, 9, 11])
    whole = retrieve(vectors, families)
    pd.testing.assert_frame_equal(
        some, whole[whole["query"].isin([5, 9, 11])].reset_index(drop=True)
    )


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=3, max_size=7), st.data())
def test_candidates_that_tie_count_by_the_mean_over_their_orders(places, data):
    n = len(places)
    families = data.draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    found = retrieve(np.array(places)[:, None], families, metric="euclidean")
    for row in found.itertuples():
        others = [i for i in range(n) if i != row.query]
        distance = [abs(places[i] - places[row.query]) for i in others]
        orders = [
            [families[others[i]] == row.family for i in order]
            for order in itertools.permutations(range(n - 1))
            if np.all(np.diff([distance[i] for i in order]) >= 0)
        ]
        precision = [np.mean([sum(hits[: i + 1]) / (i + 1) for i in np.flatnonzero(hits)])
                     for hits in orders]  # fmt: skip
        assert row.top_1 == pytest.approx(np.mean([hits[0] for hits in orders]))
        assert row.average_precision == pytest.approx(np.mean(precision))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_equal_vectors_find_relatives_by_chance(metric, value):
    families = np.repeat(np.arange(10), 3)
    found = retrieve(np.full((30, 5), value), families, metric=metric)
    assert np.allclose(found.top_1, 2 / 29)
    assert found.average_precision.between(2 / 29, 0.2).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(["cosine", "euclidean"]))
def test_neither_order_nor_rotation_nor_scale_changes_what_is_found(seed, metric):
    vectors, families = drawn(n_families=12, n=30, d=4, seed=seed)
    rng = np.random.default_rng(seed)
    order, turn = rng.permutation(30), stats.ortho_group.rvs(4, random_state=rng)
    found = retrieve(vectors, families, metric=metric)
    moved = retrieve(7 * (vectors @ turn)[order], families[order], metric=metric)
    moved = moved.assign(query=order[moved["query"]]).sort_values("query", ignore_index=True)
    pd.testing.assert_frame_equal(found, moved)
    if metric == "euclidean":
        shifted = retrieve(vectors + 1000, families, metric=metric)
        pd.testing.assert_frame_equal(found, shifted)


def test_a_family_counts_once_and_intervals_leave_out_families():
    vectors, families = drawn()
    found = retrieve(vectors, families)
    means = [found[found.family == family].top_1.mean() for family in np.unique(found.family)]
    interval = averaged(found)
    margin = stats.t.ppf(0.975, len(means) - 1) * stats.sem(means)
    expected = [np.mean(means), np.mean(means) - margin, np.mean(means) + margin]
    assert np.allclose(interval[:3], expected)
    assert interval.estimate != pytest.approx(found.top_1.mean())
    few = averaged(found[found.family.isin(np.unique(found.family)[:9])])
    assert np.isfinite(few.estimate)
    assert np.isnan([few.low, few.high]).all()
    assert np.isnan(averaged(found[:0])).all()


def test_a_difference_is_paired_by_family():
    vectors, families = drawn()
    ours = retrieve(vectors, families)
    theirs = retrieve(drawn(apart=0.5)[0], families)
    difference = paired(ours, theirs)
    by_family = ours.groupby("family").top_1.mean() - theirs.groupby("family").top_1.mean()
    assert difference.estimate == pytest.approx(by_family.mean())
    assert difference.standard_error == pytest.approx(stats.sem(by_family))
    assert np.allclose(paired(ours, ours), 0)


def test_strangers_are_the_nearest_in_composition_and_length():
    rng = np.random.default_rng(0)
    shares, lengths = rng.dirichlet(np.ones(20), 60), rng.integers(50, 900, 60)
    families = np.repeat(np.arange(30), 2)
    found = matched_candidates(lengths, shares, families, n=7)
    composition, length = cdist(shares, shares), cdist(*[np.log(lengths)[:, None]] * 2)
    unlike = sum(part**2 / (part**2).mean() for part in (composition, length))
    for i in range(60):
        strangers = [j for j in range(60) if families[j] != families[i]]
        nearest = sorted(strangers, key=unlike[i].__getitem__)[:7]
        same = np.flatnonzero(families == families[i])
        assert set(np.flatnonzero(found[i])) == {*nearest, *same}
    assert matched_candidates(lengths, shares, families, n=500).all()


def test_noise_finds_relatives_by_chance_among_like_strangers():
    rng = np.random.default_rng(0)
    families = np.repeat(np.arange(150), 2)
    like = matched_candidates(rng.integers(50, 900, 300), np.full((300, 20), 0.05), families, n=20)
    noise = averaged(retrieve(rng.normal(size=(300, 3)), families, candidates=like))
    assert noise.low < 1 / 21 < noise.high


def test_the_area_over_pairs_is_scikit_learns_and_bounds_leave_out_families():
    vectors, families = drawn(n=80)
    group = families // 10
    first, second = np.triu_indices(80, 1)
    near = -cdist(vectors, vectors, "cosine")[first, second]
    same, alike = families[first] == families[second], group[first] == group[second]
    assert pair_auc(vectors, families).estimate == pytest.approx(roc_auc_score(same, near))
    within = pair_auc(vectors, families, within=group)
    assert within.estimate == pytest.approx(roc_auc_score(same[alike], near[alike]))
    values = []
    for family in np.unique(families[first[same]]):
        kept = families != family
        values.append(pair_auc(vectors[kept], families[kept]).estimate)
    g = len(values)
    error = np.sqrt((g - 1) / g * np.sum((values - np.mean(values)) ** 2))
    assert pair_auc(vectors, families).standard_error == pytest.approx(error)


def test_components_needed_are_where_the_curve_of_family_means_crosses_the_share():
    found = pd.DataFrame(
        {
            "family": np.repeat(np.arange(12), 3),
            "components": np.tile([1, 10, 100], 12),
            "top_1": np.tile([0.0, 0.5, 1.0], 12),
        }
    )
    assert components_needed(found, 0.5).estimate == pytest.approx(10)
    assert components_needed(found, 0.75).estimate == pytest.approx(10**1.5)
    assert components_needed(found, 0.75).low == pytest.approx(10**1.5)
    assert np.isnan(components_needed(found.assign(top_1=0.0), 0.5).estimate)
    uneven = found.assign(top_1=found.top_1.where(found.family > 3, 0.9))
    wide = components_needed(uneven, 0.75)
    assert wide.low < wide.estimate < wide.high


def test_bad_input_is_a_sentence():
    vectors, families = drawn(n=20)
    with pytest.raises(InputError, match="20 families do not fit vectors of shape"):
        retrieve(vectors[:9], families)
    with pytest.raises(InputError, match="not finite"):
        retrieve(np.where(vectors > 3, np.nan, vectors), families)
    with pytest.raises(InputError, match="choose cosine or euclidean"):
        retrieve(vectors, families, metric="manhattan")
