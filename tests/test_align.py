"""Alignment against a plain Gotoh loop, against Biopython used directly, and by hand."""

from fractions import Fraction
from math import lcm

import numpy as np
import pandas as pd
import parasail
import pytest
from Bio.Align import PairwiseAligner, substitution_matrices
from hypothesis import given, settings
from hypothesis import strategies as st

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import (
    AlignmentSettings,
    align_pairs,
    engines,
    kernels,
    matrix_names,
    replaced_residues,
)
from plm_geometry.pairs.scoring import load_scoring
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins

MODES = ("global", "semiglobal", "local")
ENGINES = ("parasail", "biopython")
SHORT = st.text(alphabet="ACDWKX", min_size=1, max_size=9)


def proteins_of(*sequences: str) -> Proteins:
    return Proteins(tuple(f"P{i:05d}" for i in range(len(sequences))), sequences, "test")


def align_two(first: str, second: str, **chosen) -> pd.Series:
    table = align_pairs(
        proteins_of(first, second),
        np.array([0]),
        np.array([1]),
        AlignmentSettings(**chosen),
        workers=1,
        progress=False,
    )
    return table.iloc[0]


def random_protein(rng, length: int, letters: str = STANDARD_RESIDUES) -> str:
    return "".join(rng.choice(list(letters), length))


def relative_of(rng, sequence: str, *, substituted: float, inserted: float) -> str:
    """Return a diverged copy: some residues substituted, some stretches inserted or lost."""
    out = []
    for residue in sequence:
        fate = rng.random()
        if fate < inserted / 2:
            out.append(random_protein(rng, rng.integers(1, 9)))
        elif fate > 1 - inserted / 2:
            continue
        out.append(random_protein(rng, 1) if rng.random() < substituted else residue)
    return "".join(out) or "M"


def biopython_score(first: str, second: str, chosen: AlignmentSettings) -> float:
    aligner = PairwiseAligner(mode="local" if chosen.mode == "local" else "global")
    aligner.substitution_matrix = substitution_matrices.load(chosen.matrix)
    aligner.open_gap_score, aligner.extend_gap_score = -chosen.gap_open, -chosen.gap_extend
    if chosen.mode == "semiglobal":
        aligner.end_gap_score = 0
    return aligner.score(first, second)


def gotoh(first: str, second: str, mode: str, gap_open: int, gap_extend: int) -> tuple:
    """Return the best (score, identities, -columns) of any alignment, by the plain recurrences.

    Triples add up along an alignment and compare from the left, so that the same dynamic
    programme that finds the best score finds the most identities and then the fewest columns.
    """
    table = substitution_matrices.load("PAM250")
    never, nothing = (-(10**9), 0, 0), (0, 0, 0)
    n, m = len(first), len(second)

    def plus(a, b):
        return tuple(x + y for x, y in zip(a, b, strict=True))

    def end_gap(k):
        paid = mode == "global" and k > 0
        return (-gap_open - (k - 1) * gap_extend, 0, -k) if paid else nothing

    best = {(i, 0): end_gap(i) for i in range(n + 1)} | {(0, j): end_gap(j) for j in range(m + 1)}
    down = {(0, j): never for j in range(m + 1)}
    right = {(i, 0): never for i in range(n + 1)}
    for i, a in enumerate(first, 1):
        for j, b in enumerate(second, 1):
            down[i, j] = max(
                plus(best[i - 1, j], (-gap_open, 0, -1)),
                plus(down[i - 1, j], (-gap_extend, 0, -1)),
            )
            right[i, j] = max(
                plus(best[i, j - 1], (-gap_open, 0, -1)),
                plus(right[i, j - 1], (-gap_extend, 0, -1)),
            )
            identical = a == b and a in STANDARD_RESIDUES
            aligned = plus(best[i - 1, j - 1], (int(table[a, b]), int(identical), -1))
            afresh = nothing if mode == "local" else never
            best[i, j] = max(aligned, down[i, j], right[i, j], afresh)
    ends = {
        "global": [(n, m)],
        "semiglobal": [(i, j) for i, j in best if i == n or j == m],
        "local": best,
    }
    return max(best[end] for end in ends[mode])


@settings(max_examples=60, deadline=None)
@given(SHORT, SHORT, st.sampled_from(MODES), st.sampled_from([(11, 1), (2, 2), (5, 0), (0, 0)]))
def test_score_identities_and_length_are_those_of_a_plain_gotoh_loop(first, second, mode, gaps):
    score, identities, minus_length = gotoh(first, second, mode, *gaps)
    for engine in ENGINES:
        row = align_two(
            first, second, mode=mode, gap_open=gaps[0], gap_extend=gaps[1], engine=engine
        )
        assert tuple(row.iloc[2:5]) == (score, identities, -minus_length)


@pytest.mark.parametrize("mode", MODES)
def test_every_score_is_biopythons_on_unrelated_and_homologous_pairs(mode):
    rng = np.random.default_rng(7)
    sequences = [random_protein(rng, n) for n in rng.integers(30, 700, 12)]
    sequences += [relative_of(rng, s, substituted=0.4, inserted=0.03) for s in sequences]
    sequences += [random_protein(rng, 200, "AG"), random_protein(rng, 90, "QP"), "X" * 50]
    first, second = np.triu_indices(len(sequences))
    chosen = AlignmentSettings(mode=mode)
    for ties in ("max", "engine"):
        table = align_pairs(
            proteins_of(*sequences),
            first,
            second,
            AlignmentSettings(mode=mode, ties=ties),
            progress=False,
        )
        expected = [
            biopython_score(sequences[i], sequences[j], chosen)
            for i, j in zip(first, second, strict=True)
        ]
        np.testing.assert_array_equal(table["alignment_score"], expected)


@pytest.mark.parametrize("name", matrix_names())
def test_every_matrix_scores_as_in_biopython_decimals_included(name):
    rng = np.random.default_rng(3)
    sequences = [random_protein(rng, n) for n in (40, 300, 120, 250)]
    sequences.append(relative_of(rng, sequences[1], substituted=0.3, inserted=0.02))
    first, second = np.triu_indices(len(sequences))
    chosen = AlignmentSettings(matrix=name, gap_open=3.5, gap_extend=0.25)
    table = align_pairs(proteins_of(*sequences), first, second, chosen, progress=False)
    expected = [
        biopython_score(sequences[i], sequences[j], chosen)
        for i, j in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(table["alignment_score"], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_both_engines_find_the_same_most_identities(mode):
    rng = np.random.default_rng(11)
    sequences = [random_protein(rng, n, STANDARD_RESIDUES + "X") for n in rng.integers(20, 300, 8)]
    sequences += [relative_of(rng, s, substituted=0.5, inserted=0.05) for s in sequences]
    first, second = np.triu_indices(len(sequences), k=1)
    by_engine = [
        align_pairs(
            proteins_of(*sequences),
            first,
            second,
            AlignmentSettings(mode=mode, denominator="aligned_columns", engine=engine),
            progress=False,
        )
        for engine in ENGINES
    ]
    pd.testing.assert_frame_equal(*by_engine)


def test_most_identities_are_never_fewer_than_an_engine_reports_and_often_more():
    rng = np.random.default_rng(5)
    proteins = proteins_of(*(random_protein(rng, n) for n in rng.integers(80, 300, 20)))
    first, second = np.triu_indices(len(proteins), k=1)
    most = align_pairs(proteins, first, second, progress=False)
    for engine in ENGINES:
        own = align_pairs(
            proteins, first, second, AlignmentSettings(engine=engine, ties="engine"), progress=False
        )
        np.testing.assert_array_equal(own["alignment_score"], most["alignment_score"])
        assert (own["identities"] <= most["identities"]).all()
        assert (own["identities"] < most["identities"]).mean() > 0.3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ties", ["max", "engine"])
def test_identity_of_hand_made_alignments(engine, ties):
    # MKVWLDE   MKV--DE: five identical residues in seven columns, five of them aligned.
    chosen = {"engine": engine, "ties": ties}
    row = align_two("MKVWLDE", "MKVDE", gap_open=1, gap_extend=1, **chosen)
    assert (row["identities"], row["alignment_length"]) == (5, 7)
    assert row["sequence_identity"] == 5 / 7
    for denominator in ("shorter", "aligned_columns"):
        row = align_two(
            "MKVWLDE", "MKVDE", gap_open=1, gap_extend=1, denominator=denominator, **chosen
        )
        assert row["sequence_identity"] == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ties", ["max", "engine"])
def test_free_end_gaps_are_no_columns(engine, ties):
    chosen = {"engine": engine, "ties": ties}
    for mode in ("semiglobal", "local"):
        row = align_two("GGGGGGWCHKWY", "WCHKWYPPPP", mode=mode, **chosen)
        assert (row["identities"], row["alignment_length"]) == (6, 6)
    assert align_two("GGGGGGWCHKWY", "WCHKWYPPPP", **chosen)["alignment_length"] > 6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["semiglobal", "local"])
@pytest.mark.parametrize("ties", ["max", "engine"])
def test_proteins_with_nothing_in_common_score_zero(engine, mode, ties):
    row = align_two("WWW", "CCC", mode=mode, engine=engine, ties=ties)
    assert tuple(row.iloc[2:]) == (0, 0, 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ties", ["max", "engine"])
def test_unknown_residues_are_not_identical_and_rare_ones_are_their_substitutes(engine, ties):
    def identities(first, second):
        row = align_two(first, second, engine=engine, ties=ties)
        assert row["alignment_score"] == biopython_score(
            *(s.translate(str.maketrans("UOJ", "CKX")) for s in (first, second)),
            AlignmentSettings(),
        )
        return row["identities"]

    assert identities("MKXBZJW", "MKXBZJW") == 3
    assert identities("MUOW", "MCKW") == 4
    assert identities("MUW", "MOW") == 2


def test_replaced_residues_are_counted():
    assert replaced_residues(proteins_of("MUUK", "MOK")) == {"U as C": 2, "O as K": 1}


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=STANDARD_RESIDUES, min_size=1, max_size=60))
def test_a_protein_with_itself_scores_the_diagonal_and_is_identical(sequence):
    row = align_two(sequence, sequence)
    table = substitution_matrices.load("PAM250")
    assert row["alignment_score"] == sum(table[a, a] for a in sequence)
    assert row["identities"] == row["alignment_length"] == len(sequence)


@settings(max_examples=30, deadline=None)
@given(
    st.text(alphabet=STANDARD_RESIDUES, min_size=1, max_size=40),
    st.text(alphabet=STANDARD_RESIDUES, min_size=1, max_size=40),
    st.sampled_from(["max", "engine"]),
)
def test_swapping_a_pair_changes_nothing_but_the_names(first, second, ties):
    proteins = proteins_of(first, second)
    there, back = (
        align_pairs(
            proteins, np.array([i]), np.array([1 - i]), AlignmentSettings(ties=ties), progress=False
        )
        for i in (0, 1)
    )
    assert list(back["accession_a"]) == list(there["accession_b"])
    assert there.iloc[0, 2:].tolist() == back.iloc[0, 2:].tolist()


@pytest.mark.parametrize("ties", ["max", "engine"])
def test_scores_beyond_sixteen_bits_are_right(ties):
    rng = np.random.default_rng(2)
    long, longer, short = (random_protein(rng, n) for n in (13_100, 34_000, 60))
    row = align_two(long, long, ties=ties)
    table = substitution_matrices.load("PAM250")
    assert row["alignment_score"] == sum(table[a, a] for a in long)
    assert row["identities"] == row["alignment_length"] == 13_100
    row = align_two(longer, short, ties=ties)
    assert row["alignment_score"] == biopython_score(longer, short, AlignmentSettings())
    assert row["alignment_length"] >= 34_000


def test_long_pairs_that_need_two_passes_agree_with_the_reference():
    rng = np.random.default_rng(4)
    first = random_protein(rng, 1_500)
    second = relative_of(rng, first, substituted=0.7, inserted=0.05)
    third = random_protein(rng, 2_100)
    proteins = proteins_of(first, second, third)
    pairs = np.array([0, 0, 1]), np.array([1, 2, 2])
    fast, slow = (
        align_pairs(proteins, *pairs, AlignmentSettings(engine=engine), progress=False)
        for engine in ENGINES
    )
    pd.testing.assert_frame_equal(fast, slow)


def test_rows_keep_the_order_of_the_pairs_for_any_number_of_workers():
    rng = np.random.default_rng(8)
    proteins = proteins_of(*(random_protein(rng, n) for n in rng.integers(5, 200, 30)))
    first, second = rng.integers(0, 30, (2, 300))
    tables = [
        align_pairs(proteins, first, second, workers=workers, progress=False) for workers in (1, 3)
    ]
    pd.testing.assert_frame_equal(*tables)
    assert list(tables[0]["accession_a"]) == [proteins.accessions[i] for i in first]
    assert list(tables[0]["accession_b"]) == [proteins.accessions[i] for i in second]


def test_a_cluster_aligns_to_the_same_digits():
    rng = np.random.default_rng(9)
    proteins = proteins_of(*(random_protein(rng, n) for n in rng.integers(5, 200, 20)))
    first, second = np.triu_indices(20, k=1)
    tables = [
        align_pairs(proteins, first, second, workers=2, cluster=cluster, progress=False)
        for cluster in (None, "local")
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"matrix": "PAM251"}, "PAM250"),
        ({"matrix": "blosum62"}, "BLOSUM62"),
        ({"matrix": "BLASTN"}, "nucleotides or codons"),
        ({"matrix": "SCHNEIDER"}, "nucleotides or codons"),
        ({"gap_open": -11}, "11, not -11"),
        ({"gap_extend": "1"}, "gap_extend"),
        ({"gap_open": 1, "gap_extend": 2}, "at least gap_extend"),
        ({"mode": "glocal"}, "semiglobal"),
        ({"denominator": "longer"}, "shorter"),
        ({"engine": "pyopal"}, "biopython"),
        ({"ties": "any"}, "max"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(chosen, said):
    with pytest.raises(InputError, match=said):
        AlignmentSettings(**chosen)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [([], [], "at least one pair"), ([0], [7], "protein 7"), ([-1], [0], "negative")],
)
def test_pairs_that_cannot_be_are_refused(first, second, said):
    with pytest.raises(InputError, match=said):
        align_pairs(
            proteins_of("MK", "MW"), np.array(first, int), np.array(second, int), progress=False
        )


def test_a_residue_that_the_matrix_does_not_score_is_named_with_its_protein():
    with pytest.raises(InputError, match=r"GONNET1992 does not score 'X'.*P00001.*position 3"):
        align_two("MK", "MKX", matrix="GONNET1992")


def test_a_result_over_the_top_is_beyond_and_one_below_it_is_not():
    engine = engines.make_engine("parasail", AlignmentSettings())
    tryptophans = np.array([b"W" * 60] * 2, dtype=object)  # 17 each
    scores = np.array([1_000_000, 10_000_000])
    low, high = engine.optima(tryptophans, tryptophans, scores, np.zeros_like(scores), (0, 0))
    assert low == 60 * 17 * 1_000_000
    assert high == engines.BEYOND


PENALTY = st.decimals(0, 30, places=3)


@given(st.sampled_from(matrix_names()), PENALTY, PENALTY)
def test_scores_and_penalties_have_the_smallest_exact_integer_scale(name, one, other):
    gap_extend, gap_open = sorted((one, other))
    scoring = load_scoring(AlignmentSettings(name, float(gap_open), float(gap_extend)))
    table = substitution_matrices.load(name)
    values = [table[a, b] for a in scoring.letters for b in scoring.letters]
    exact = [Fraction(str(value)) for value in (*values, gap_open, gap_extend)]
    assert scoring.scale == lcm(*(value.denominator for value in exact))
    integers = [*scoring.matrix.ravel().tolist(), scoring.gap_open, scoring.gap_extend]
    assert integers == [value * scoring.scale for value in exact]


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("prefix", ["nw", "sg", "sw"])
def test_the_compiled_loop_gives_what_parasail_gives_pair_by_pair(prefix, bits):
    rng = np.random.default_rng(4)
    first, second = (
        [random_protein(rng, n).encode() for n in rng.integers(1, 300, 40)] for _ in range(2)
    )
    first[0] = second[0] = b"W" * 3_000  # more than 16 bits hold
    opening, extension = rng.integers(5, 12, 40), rng.integers(0, 5, 40)
    matrix = parasail.pam250
    kernel = f"{prefix}_scan_{bits}"
    found, saturated = kernels.scores(
        kernel,
        first,
        second,
        np.stack([opening, extension, np.full(40, kernels.address(matrix))]),
    )
    expected = [
        getattr(parasail, kernel)(a, b, int(o), int(e), matrix)
        for a, b, o, e in zip(first, second, opening, extension, strict=True)
    ]
    assert found.tolist() == [result.score for result in expected]
    assert saturated.tolist() == [result.saturated for result in expected]
    assert saturated[0] == (bits == 16)
