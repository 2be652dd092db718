"""The batch plan: everybody once, within the budget, longest first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.embedding.plan import (
    batches,
    draw_residues,
    make_plan,
    padded_residues,
)

lengths_lists = st.lists(st.integers(1, 5000), min_size=1, max_size=200)


@given(lengths_lists, st.integers(1, 20_000))
def test_every_protein_is_in_one_batch_within_the_budget(lengths, budget):
    plan = make_plan(np.array(lengths), budget, np.zeros(len(lengths), int))
    ordered = np.array(lengths)[plan.order]
    seen = []
    for block in plan.blocks():
        for batch in batches(ordered[block], budget):
            members = plan.order[block][batch]
            padded = len(members) * max(np.array(lengths)[members])
            assert padded <= budget or len(members) == 1
            seen += members.tolist()
    assert sorted(seen) == list(range(len(lengths)))
    assert (np.diff(ordered) <= 0).all()


@given(lengths_lists, st.data())
def test_a_wave_holds_whole_groups_and_no_more_than_asked_for(lengths, data):
    groups = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(lengths),
                                         max_size=len(lengths))))  # fmt: skip
    at_once = data.draw(st.integers(1, 6))
    plan = make_plan(np.array(lengths), 1000, groups, at_once)
    np.testing.assert_array_equal(plan.groups, groups[plan.order])
    assert np.array(lengths)[plan.order[0]] == max(lengths)
    complete, seen, wave = plan.groups_after(), [], set()
    for block in plan.blocks():
        seen += range(*block.indices(len(lengths)))
        wave |= set(plan.groups[block])
        if block.stop in complete:
            assert sorted(wave) == complete[block.stop]
            assert len(wave) <= at_once
            wave = set()
    assert not wave
    assert seen == list(range(len(lengths)))
    every = [group for wave in complete.values() for group in wave]
    assert sorted(every) == sorted(set(groups))


def test_drawn_residues_are_distinct_sorted_and_never_more_than_there_are():
    drawn = draw_residues(10_000_000, 50, seed=1)
    assert len(drawn) == 50
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, draw_residues(10_000_000, 50, seed=1))
    np.testing.assert_array_equal(draw_residues(3, 50, seed=1), [0, 1, 2])


def test_padding_is_counted_as_a_plain_loop_counts_it():
    lengths = np.array([10, 9, 9, 3, 1])
    plan = make_plan(lengths, 30, np.zeros(5, int))
    # 10, 9, 9 run together; 3 and 1 are too unlike each other.
    assert padded_residues(lengths, plan) == 3 * 10 + 3 + 1


@given(lengths_lists)
def test_no_batch_holds_proteins_of_very_different_lengths(lengths):
    ordered = sorted(lengths, reverse=True)
    for batch in batches(ordered, 10**9):
        assert min(ordered[batch]) >= 0.9 * max(ordered[batch])


def test_without_padding_a_batch_fills_up_whatever_the_lengths():
    lengths = np.array([9, 5, 5, 1, 1, 1])
    found = [(b.start, b.stop) for b in batches(lengths, 10, padded=False)]
    assert found == [(0, 1), (1, 3), (3, 6)]
    assert [(b.start, b.stop) for b in batches(lengths, 3, padded=False)][:2] == [(0, 1), (1, 2)]
