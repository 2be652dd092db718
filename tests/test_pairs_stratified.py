"""Two-phase sampling: what it lists, how often it draws each pair, and that weights undo it."""

import math
import tracemalloc
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import draw_stratified, stratified
from plm_geometry.pairs.drawing import decode
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

LETTERS = np.array(list(STANDARD_RESIDUES))
SEQUENCES = st.lists(st.text("AC", min_size=1, max_size=30), min_size=2, max_size=15)


def families(n_families, n_members, rng):
    """Proteins of 120 residues: of each ancestor copies, from the same to hardly related."""
    found = []
    for ancestor in rng.choice(LETTERS, (n_families, 120)):
        for share in np.linspace(0, 0.5, n_members):
            changed = rng.random(120) < share
            found.append("".join(np.where(changed, rng.choice(LETTERS, 120), ancestor)))
    return found


def identities(sequences):
    """Share of equal residues of all pairs, shape (n, n)."""
    letters = np.array([list(sequence) for sequence in sequences])
    return (letters[:, None] == letters).mean(axis=2)


@pytest.fixture(scope="module")
def proteins():
    """28 proteins, of whose 378 pairs about one in ten share k-mers."""
    return families(5, 5, np.random.default_rng(0)) + families(3, 1, np.random.default_rng(1))


@pytest.fixture(scope="module")
def samples(proteins):
    """Samples of 60 pairs, which differ by their seed alone."""
    return [draw_stratified(proteins, 60, seed=seed) for seed in range(1_000)]


@settings(deadline=None, max_examples=60)
@given(SEQUENCES)
def test_listed_pairs_and_their_strata_are_those_of_a_plain_loop(sequences):
    sets = [{s[i : i + 5] for i in range(len(s) - 4)} for s in sequences]
    expected = {}
    for (i, a), (j, b) in combinations(enumerate(sets), 2):
        if a and b:
            cosine = len(a & b) / math.sqrt(len(a) * len(b))
            stratum = sum(cosine >= edge**5 for edge in stratified.EDGES)
            if stratum:
                expected[i, j] = stratum
    found = stratified.similar_pairs(sequences)
    pairs = zip(*(part.tolist() for part in decode(found.numbers)), strict=True)
    assert dict(zip(pairs, found.stratum.tolist(), strict=True)) == expected
    assert (np.diff(found.numbers) > 0).all()
    assert found.n_compared == len(sequences)


def test_blocks_of_proteins_do_not_change_what_is_listed(proteins, monkeypatch):
    whole = stratified.similar_pairs(proteins)
    monkeypatch.setattr(stratified, "_PRODUCTS_AT_A_TIME", 500)
    parts = stratified.similar_pairs(proteins)
    assert len(whole.numbers) > 20
    np.testing.assert_array_equal(parts.numbers, whole.numbers)
    np.testing.assert_array_equal(parts.stratum, whole.stratum)


@settings(deadline=None, max_examples=60)
@given(SEQUENCES, st.data(), st.integers(0, 2**32))
def test_pairs_are_distinct_and_weights_add_up_to_all_pairs(sequences, data, seed):
    available = math.comb(len(sequences), 2)
    n_pairs = data.draw(st.integers(min(available, 13), available))
    sample = draw_stratified(sequences, n_pairs, seed=seed)
    assert ((sample.first >= 0) & (sample.first < sample.second)).all()
    assert (sample.second < len(sequences)).all()
    assert len(set(zip(sample.first, sample.second, strict=True))) == n_pairs
    assert sample.weight.sum() == pytest.approx(available, rel=1e-12)
    assert (sample.weight >= 1).all()
    if n_pairs == available:
        assert (sample.weight == 1).all()


def test_each_pair_is_drawn_as_often_as_its_weight_says(samples):
    times, probability = Counter(), {}
    for sample in samples:
        pairs = list(zip(sample.first.tolist(), sample.second.tolist(), strict=True))
        times.update(pairs)
        probability.update(zip(pairs, 1 / sample.weight, strict=True))
    assert len(times) == 378
    p = np.array([probability[pair] for pair in times])
    deviation = np.array(list(times.values())) - len(samples) * p
    assert (deviation[p == 1] == 0).all()
    error = np.sqrt(len(samples) * p * (1 - p))[p < 1]
    assert len(np.unique(p)) > 2
    assert np.abs(deviation[p < 1] / error).max() < 4.5
    assert np.mean((deviation[p < 1] / error) ** 2) == pytest.approx(1, abs=0.35)


def test_weighted_means_are_unbiased_where_plain_ones_are_far_off(proteins, samples):
    identity = identities(proteins)
    everything = identity[np.triu_indices(len(proteins), 1)].mean()
    values = [identity[sample.first, sample.second] for sample in samples]
    weighted = np.array([s.weight @ v for s, v in zip(samples, values, strict=True)]) / 378
    error = weighted.std() / np.sqrt(len(samples))
    assert abs(weighted.mean() - everything) < 4 * error < 0.02 * everything
    assert np.mean([v.mean() for v in values]) > 1.5 * everything


def test_weighted_correlations_are_those_of_the_full_matrix(proteins, samples):
    identity = identities(proteins)
    noise = np.random.default_rng(3).standard_normal(identity.shape)
    other = identity + 0.3 * (noise + noise.T)
    pairs = np.triu_indices(len(proteins), 1)
    everything = np.corrcoef(identity[pairs], other[pairs])[0, 1]
    found = [
        correlation(identity[s.first, s.second], other[s.first, s.second], s.weight)
        for s in samples
    ]
    assert np.mean(found) == pytest.approx(everything, abs=0.02)


def correlation(x, y, weights):
    covariance = np.cov(x, y, aweights=weights)
    return covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])


def test_strata_tell_similar_pairs_from_others(proteins, samples):
    sample = samples[0]
    identity = identities(proteins)[sample.first, sample.second]
    expected = np.append(0, stratified.EDGES)[sample.stratum]
    assert identity[sample.stratum == 0].max() < 0.5
    assert np.abs(identity - expected)[sample.stratum > 0].max() < 0.25


def test_similar_pairs_take_their_share_evenly_as_far_as_they_go():
    sequences = families(12, 12, np.random.default_rng(2))
    sizes = np.bincount(stratified.similar_pairs(sequences).stratum, minlength=13)
    drawn = np.bincount(draw_stratified(sequences, 400, seed=0).stratum, minlength=13)
    assert drawn[0] == 200
    assert (drawn <= sizes)[1:].all()
    # What is not exhausted gives alike, to within the one that does not divide.
    assert np.ptp(drawn[1:][drawn[1:] < sizes[1:]]) <= 1
    everything = draw_stratified(sequences, 5_000, seed=0)
    assert np.bincount(everything.stratum)[1:].tolist() == sizes[1:].tolist()


def test_the_order_of_the_proteins_does_not_matter(proteins):
    sample = draw_stratified(proteins, 100, seed=7)
    order = np.random.default_rng(5).permutation(len(proteins))
    shuffled = draw_stratified([proteins[i] for i in order], 100, seed=7)
    again = {
        frozenset(pair): weight
        for *pair, weight in zip(
            order[shuffled.first], order[shuffled.second], shuffled.weight, strict=True
        )
    }
    assert again == {
        frozenset(pair): weight
        for *pair, weight in zip(sample.first, sample.second, sample.weight, strict=True)
    }


def test_the_seed_alone_says_what_is_drawn(proteins, samples):
    again = draw_stratified(proteins, 60, seed=1)
    np.testing.assert_array_equal(
        [again.first, again.second], [samples[1].first, samples[1].second]
    )
    assert not np.array_equal(again.first, samples[2].first)


@pytest.mark.parametrize(
    ("limit", "value"),
    [("_MOST_RESIDUES", 2_000), ("_MOST_PRODUCTS", 2_000), ("_MOST_LISTED", 4)],
)
def test_of_too_many_proteins_some_are_compared_and_weights_hold(
    proteins, monkeypatch, limit, value
):
    monkeypatch.setattr(stratified, "_PRODUCTS_AT_A_TIME", 300)
    monkeypatch.setattr(stratified, limit, value)
    identity = identities(proteins)
    estimates, compared = [], set()
    for seed in range(144):
        sample = draw_stratified(proteins, 60, seed=seed)
        compared.add(sample.n_compared)
        assert sample.weight.sum() == pytest.approx(378)
        estimates.append(sample.weight @ identity[sample.first, sample.second] / 378)
    assert max(compared) < len(proteins)
    everything = identity[np.triu_indices(len(proteins), 1)].mean()
    assert abs(np.mean(estimates) - everything) < 4 * np.std(estimates) / 12


def test_a_limit_below_the_first_protein_compares_none(proteins, monkeypatch):
    monkeypatch.setattr(stratified, "_MOST_RESIDUES", 100)
    sample = draw_stratified(proteins, 60, seed=0)
    assert sample.n_compared == 0
    assert (sample.stratum == 0).all()


def test_where_nothing_is_similar_all_pairs_are_of_one_stratum():
    for sequences in (["MKVW", "ACDEFGH", "GH"], ["M", "K"]):
        sample = draw_stratified(sequences, 1, seed=0)
        assert sample.stratum.tolist() == [0]
        assert sample.weight.tolist() == [math.comb(len(sequences), 2)]


@given(st.sets(st.integers(0, 40)), st.integers(0, 60))
def test_ranks_skip_what_is_taken(taken, rank):
    free = [number for number in range(110) if number not in taken]
    found = stratified._skipping(np.array(sorted(taken), dtype=np.int64), np.array([rank]))
    assert found.tolist() == [free[rank]]


def test_drawing_never_builds_the_quadratic_list():
    sequences = [
        "".join(letters) for letters in np.random.default_rng(0).choice(LETTERS, (5_000, 20))
    ]
    tracemalloc.start()
    sample = draw_stratified(sequences, 1_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sample.weight.sum() == pytest.approx(math.comb(5_000, 2))
    assert peak < math.comb(5_000, 2)  # bytes


def test_fewer_pairs_than_strata_are_drawn_alike(proteins):
    drawn = [draw_stratified(proteins, 5, seed=seed) for seed in range(200)]
    assert {sample.weight.tolist() == [378 / 5] * 5 for sample in drawn} == {True}
    numbers = [
        pair for d in drawn for pair in zip(d.first.tolist(), d.second.tolist(), strict=True)
    ]
    # A thousand of 378 pairs: nearly all come up, none much more often than others.
    counts = Counter(numbers)
    assert len(counts) > 0.85 * 378
    assert max(counts.values()) < 15


def test_what_cannot_be_drawn_is_one_sentence(proteins):
    with pytest.raises(InputError, match="378"):
        draw_stratified(proteins, 379, seed=0)
    with pytest.raises(InputError, match="at least two proteins"):
        draw_stratified(proteins[:1], 1, seed=0)
