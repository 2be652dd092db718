"""Changed sequences keep what they are to keep, and change by as much as is asked for."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import brentq
from scipy.stats import chisquare

from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from plm_geometry.proteins.variants import (
    LEAST_IDENTITY,
    dipeptide_shuffled,
    exchanges,
    mutated,
    permuted,
)

WORDS = st.text(STANDARD_RESIDUES + "X", max_size=60)
SEEDS = st.integers(0, 2**32 - 1)
# Dayhoff, Schwartz and Orcutt 1978, their tables of relative mutabilities (alanine 100) and of
# frequencies, both in the order of the letters.
LETTERS = "ARNDCQEGHILKMFPSTWYV"
MUTABILITIES = [100, 65, 134, 106, 20, 93, 102, 49, 66, 96, 40, 56, 94, 41, 56, 120, 97, 18, 41, 74]
FREQUENCIES = [0.087, 0.041, 0.040, 0.047, 0.033, 0.038, 0.050, 0.089, 0.034, 0.037,
               0.085, 0.081, 0.015, 0.040, 0.051, 0.070, 0.058, 0.010, 0.030, 0.065]  # fmt: skip


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def agreeing(a, b):
    return sum(x == y for x, y in zip(a, b, strict=True))


def pairs_of_neighbours(word):
    found = Counter()
    for i in range(len(word) - 1):
        found[word[i], word[i + 1]] += 1
    return found


# Permuted


@given(WORDS, st.floats(0, 1), SEEDS)
def test_permuting_keeps_residues_and_all_but_the_drawn_positions(word, share, seed):
    other = permuted(word, share, np.random.default_rng(seed))
    assert Counter(other) == Counter(word)
    assert len(word) - agreeing(word, other) <= round(share * len(word))


def test_the_drawn_positions_are_in_every_order_equally_often(rng):
    found = Counter(permuted("ABCD", 1, rng) for _ in range(4_800))
    assert len(found) == 24
    assert chisquare(list(found.values())).pvalue > 0.001
    moved = Counter(permuted("ABCD", 0.5, rng) for _ in range(4_800))
    # Half of the draws of two positions leave both as they were.
    assert len(moved) == 7
    assert moved["ABCD"] == pytest.approx(2_400, abs=200)


def test_a_share_beyond_one_is_refused(rng):
    with pytest.raises(InputError, match=r"a share of 1\.5"):
        permuted("ACD", 1.5, rng)


# Dipeptides kept


@given(WORDS, SEEDS)
@example("A" * 30 + "C" * 30 + "D" * 30 + "E" * 30, 0)
def test_a_dipeptide_shuffle_keeps_every_pair_of_neighbours(word, seed):
    other = dipeptide_shuffled(word, np.random.default_rng(seed))
    assert pairs_of_neighbours(other) == pairs_of_neighbours(word)
    assert other[:1] == word[:1]


@pytest.mark.parametrize("word", ["ABCABDAC", "AABABBBA", "ABCDABDCA"])
def test_every_word_with_these_pairs_is_equally_likely(word, rng):
    kept = pairs_of_neighbours(word)
    possible = {"".join(w) for w in set(permutations(word)) if pairs_of_neighbours(w) == kept}
    found = Counter(dipeptide_shuffled(word, rng) for _ in range(300 * len(possible)))
    assert set(found) == possible
    assert chisquare(list(found.values())).pvalue > 0.001


# Substituted


@given(
    WORDS.filter(lambda word: len(word) > 15), st.floats(LEAST_IDENTITY, 1), SEEDS,
    st.sampled_from(["pam", "uniform"]),
)  # fmt: skip
def test_the_identity_is_met_to_the_residue_and_other_letters_stay(word, identity, seed, by):
    other = mutated(word, identity, np.random.default_rng(seed), by=by)
    standard = [i for i, letter in enumerate(word) if letter != "X"]
    assert sum(word[i] == other[i] for i in standard) == round(identity * len(standard))
    assert [i for i, letter in enumerate(other) if letter != "X"] == standard


def test_uniform_substitution_gives_every_other_residue_alike(rng):
    other = mutated("A" * 20_000, 0.9, rng, by="uniform")
    counts = Counter(other.replace("A", ""))
    assert len(counts) == 19
    # Of the 2,000 that differ few have changed twice, and then to any again.
    assert chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize("by", ["pam", "uniform"])
def test_a_step_keeps_the_frequencies_and_has_no_direction(by):
    probabilities, frequencies = exchanges(by)
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(frequencies @ probabilities, frequencies)
    flows = frequencies[:, None] * probabilities
    np.testing.assert_allclose(flows, flows.T, atol=1e-15)


def test_pam_exchanges_are_those_that_dayhoff_published():
    probabilities, frequencies = exchanges("pam")
    order = [STANDARD_RESIDUES.index(letter) for letter in LETTERS]
    mutability = 1 - np.diag(probabilities)[order]
    assert np.corrcoef(mutability, MUTABILITIES)[0, 1] > 0.99
    np.testing.assert_allclose(frequencies[order], FREQUENCIES, atol=0.016)
    # How many in a hundred residues differ after so many PAM, in 1978's table.
    per_step = frequencies @ (1 - np.diag(probabilities))
    for pam, differ in ((11, 10), (30, 25), (80, 50), (112, 60), (159, 70), (246, 80)):
        after = expm((probabilities - np.eye(20)) * pam / 100 / per_step)
        assert frequencies @ np.diag(after) == pytest.approx(1 - differ / 100, abs=0.01)


@pytest.mark.parametrize(("by", "identity"), [("pam", 0.8), ("pam", 0.3), ("uniform", 0.3)])
def test_pairs_of_residues_are_those_of_the_chain_at_that_identity(by, identity, rng):
    probabilities, frequencies = exchanges(by)

    def joint(time):
        return frequencies[:, None] * expm(time * (probabilities - np.eye(20)))

    time = brentq(lambda t: np.trace(joint(t)) - identity, 0, 20)
    n = 60_000
    word = "".join(rng.choice(list(STANDARD_RESIDUES), n, p=frequencies))
    found = Counter(zip(word, mutated(word, identity, rng, by=by), strict=True))
    shares = np.array([[found[a, b] for b in STANDARD_RESIDUES] for a in STANDARD_RESIDUES]) / n
    expected = joint(time)
    assert (np.abs(shares - expected) < 5 * np.sqrt(expected / n) + 1 / n).all()
    np.testing.assert_allclose(shares.sum(axis=0), frequencies, atol=0.005)


def test_what_substitutions_cannot_reach_is_refused(rng):
    with pytest.raises(InputError, match=r"identity of 0\.05 cannot be reached"):
        mutated("ACD", 0.05, rng)
    with pytest.raises(InputError, match="no substitution by 'wag'"):
        mutated("ACD", 0.5, rng, by="wag")


def test_the_same_generator_changes_alike():
    changes = [
        lambda rng: permuted("ACDEFGHIKL" * 5, 0.5, rng),
        lambda rng: dipeptide_shuffled("ACDEFGHIKLACDF" * 5, rng),
        lambda rng: mutated("ACDEFGHIKL" * 5, 0.5, rng),
    ]
    for change in changes:
        assert change(np.random.default_rng(1)) == change(np.random.default_rng(1))
        assert change(np.random.default_rng(1)) != change(np.random.default_rng(2))
