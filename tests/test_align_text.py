"""An alignment as text says what the table says, and holds both proteins whole."""

import numpy as np
import pytest

from plm_geometry.pairs import AlignedText, AlignmentSettings, align_pairs, aligned_texts, text
from plm_geometry.pairs.scoring import load_scoring
from test_align import proteins_of, random_protein, relative_of

LENGTHS = (1, 30, 200)


@pytest.fixture(scope="module")
def relatives():
    """Proteins of several lengths, each followed by a diverged copy."""
    rng = np.random.default_rng(3)
    found = []
    for length in LENGTHS:
        protein = random_protein(rng, length)
        found += [protein, relative_of(rng, protein, substituted=0.3, inserted=0.05)]
    return proteins_of(*found)


def every_pair(proteins):
    return np.triu_indices(len(proteins), 1)


def score(aligned, settings):
    """Add up a global alignment's score, column by column."""
    scoring = load_scoring(settings)
    position = {letter: i for i, letter in enumerate(scoring.letters)}
    total, before = 0, ""
    for a, b in zip(aligned.first, aligned.second, strict=True):
        gap = "first" if a == "-" else "second" if b == "-" else ""
        if gap:
            total -= scoring.gap_extend if gap == before else scoring.gap_open
        else:
            total += scoring.matrix[position[a], position[b]]
        before = gap
    return total / scoring.scale


def test_both_lines_hold_their_proteins(relatives):
    first, second = every_pair(relatives)
    for i, j, found in zip(first, second, aligned_texts(relatives, first, second), strict=True):
        assert found.first.replace("-", "") == relatives.sequences[i]
        assert found.second.replace("-", "") == relatives.sequences[j]
        assert len(found.first) == len(found.marks) == len(found.second)


@pytest.mark.parametrize("gaps", [(11, 1), (5, 2)])
def test_score_and_identities_are_those_of_the_table(relatives, gaps):
    first, second = every_pair(relatives)
    chosen = AlignmentSettings(gap_open=gaps[0], gap_extend=gaps[1])
    table = align_pairs(relatives, first, second, chosen, workers=1, progress=False)
    found = aligned_texts(relatives, first, second, chosen)
    assert [score(each, chosen) for each in found] == table.alignment_score.tolist()
    assert [each.marks.count("|") for each in found] == table.identities.tolist()


def test_marks_stand_where_residues_are_identical_and_known():
    [found] = aligned_texts(proteins_of("MKXWA", "MRXWA"), np.array([0]), np.array([1]))
    assert found == ("MKXWA", "|  ||", "MRXWA")


def test_a_local_alignment_shows_what_is_aligned():
    proteins = proteins_of("GGGGWWWWW", "WWWWWPPPP")
    settings = AlignmentSettings(mode="local")
    [found] = aligned_texts(proteins, np.array([0]), np.array([1]), settings)
    assert found.marks == "|||||"


def test_proteins_too_long_to_trace_are_named_and_not_drawn(monkeypatch):
    monkeypatch.setattr(text, "_MOST_CELLS", 24)
    proteins = proteins_of("MKVLA", "MKVLA", "MK")
    found = aligned_texts(proteins, np.array([0, 0]), np.array([1, 2]))
    assert found[0] is None
    assert found[1].second.replace("-", "") == "MK"


@pytest.mark.parametrize("columns", [1, 3, 5, 20])
def test_the_window_is_the_stretch_with_most_identities(columns):
    aligned = AlignedText("AACDEFGH", " |||  | ", "GACDYYGY")
    shown = aligned.window(columns)
    most = max(aligned.marks[i : i + columns].count("|") for i in range(len(aligned.marks)))
    assert shown.marks.count("|") == most
    assert len(shown.marks) == min(columns, len(aligned.marks))
    assert shown.first == aligned.first[aligned.first.find(shown.first) :][:columns]
