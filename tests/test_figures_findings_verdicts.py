"""Captions on choices, verdicts and real checkpoints say what the numbers say, in any run."""

import numpy as np
import pandas as pd

from finding_frames import CONTROLS, ONE, models
from plm_geometry.figures import findings

choices, verdicts = findings.choices, findings.verdicts


# Choices


def test_specification_curves():
    frame = pd.concat(
        [
            models(effective_dimensions=k, cosine_identity=r)
            for k, r in (([1, 10, 9], 0), ([5, 20, 9], [0.1, -0.4, 1]))
        ]
    )
    assert choices.specification_curves(frame, "effective_dimensions") == (
        "By choice alone the highest is most times the lowest in A, from 1.00 to 5.00 over 2 "
        "specifications (effective dimensions)."
    )
    assert choices.specification_curves(frame, "cosine_identity") == (
        "By choice alone the range is widest in B, from −0.40 to 0.00 over 2 specifications (r, "
        "cosine – identity)."
    )
    assert "lowest in C (control), from 9.00 to 9.00" in (
        choices.specification_curves(frame[frame.role == "control"], "effective_dimensions")
    )
    unknown = frame.assign(narrowing=np.nan)
    assert choices.specification_curves(unknown, "narrowing").endswith("is not known here.")


def test_choices_and_ranges():
    assert choices.choices(pd.DataFrame({"choice": ["a", "b"]}), 1200) == (
        "2 choices make 1,200 specifications."
    )
    assert (
        choices.choices(pd.DataFrame({"choice": ["a"] * 3}), 3)
        == "3 choices make 3 specifications."
    )
    frame = models(label=["A", "B", "C"], min=[0, -1, 0], max=[1, 3, 9])
    assert choices.ranges(frame) == "Between the lowest and the highest lie 1.00 in A to 4.00 in B."
    assert choices.ranges(frame[CONTROLS]).endswith("lie 9.00 in C.")


def test_choice_shares():
    rows = [models(label=["A", "B", "C"], number="narrowing", choice=c, share=s)
            for c, s in (("layer", [0.2, 0.6, 0.9]), ("interplay", 0.95))]  # fmt: skip
    frame = pd.concat(rows, ignore_index=True)
    assert choices.choice_shares(frame) == (
        "The largest share of a single choice is 60%, of layer, in B (width of the band, high over "
        "low)."
    )
    assert "is 20%, of layer, in A (" in choices.choice_shares(frame[frame.title == "A"])
    assert "not known" in choices.choice_shares(frame[frame.choice == "interplay"])


def test_conclusions():
    frame = pd.DataFrame({"A": [1, 0, 0.5, np.nan], "B": [1, 0, np.nan, np.nan]})
    assert choices.conclusions(frame) == (
        "Conclusions that hold under every choice: 1 of 3; under no choice: 1 of 3."
    )
    assert choices.conclusions(frame[:1]).endswith(
        "every choice: 1 of 1; under no choice: none of 1."
    )


# Verdicts


def test_verdicts_and_reasons():
    frame = pd.DataFrame({"verdict": ["agrees", "not run", "agrees"]})
    assert verdicts.verdicts(frame) == "Verdicts: agrees in 2 of 3, not run in 1 of 3."
    assert verdicts.verdicts(frame[1:2]) == "Verdicts: not run in 1 of 1."
    assert verdicts.verdicts(frame[:0]) == "There is no number to compare."
    why = pd.DataFrame({"rows": [3, 1]})
    assert verdicts.reasons(why) == "The most frequent reason holds for 3 of 4 rows."
    assert verdicts.reasons(why[1:]).endswith("holds for 1 of 1 rows.")
    assert verdicts.reasons(why[:0]) == "Every row has a verdict."


def test_language():
    frame = pd.DataFrame(
        {"isoscore": [0.1169, 0.1806, 0.5], "quoted_by_paper": [0.11, 0.18, np.nan]}
    )
    assert verdicts.rounding_of_quotations(frame).endswith(
        "the source gives 1 of 2 scores that the paper quotes."
    )
    assert verdicts.rounding_of_quotations(frame[1:]).endswith(
        "gives 1 of 1 scores that the paper quotes."
    )
    scores = pd.DataFrame({"published": [0.1, 0.25]})
    assert verdicts.layer_scores(scores) == "Word tokens score 0.1000 to 0.2500 by layer."
    assert "score 0.2500 by layer" in verdicts.layer_scores(scores[1:])


# Real checkpoints


def runs(**columns):
    return models(record="run").assign(**columns)


def test_sources():
    frame = runs(model=["A", "B", "C"], record=["x", "y", "y"], proteins=[70, 354, 354])
    assert verdicts.sources(frame) == (
        "2 runs of 70 to 354 proteins; real checkpoints among their models: 2."
    )
    assert verdicts.sources(frame[CONTROLS]) == (
        "1 run of 354 proteins; real checkpoints among their models: 0."
    )


def test_checkpoint_isotropy():
    frame = runs(quantity="effective_dimensions", value=[4, 9, 12])
    frame = pd.concat([frame, runs(quantity="isoscore", value=1)])
    assert verdicts.checkpoint_isotropy(frame) == (
        "Effective dimensions: 4.0 in A, run to 9.0 in B, run; controls, 12.0 in C, run."
    )
    assert verdicts.checkpoint_isotropy(frame[:1]) == "Effective dimensions: 4.0 in A, run."
    widths = runs(effective_dimensions=[4, 9, 10], embedding_dimensions=[8, 90, 20])
    assert verdicts.shares_of_width(widths) == (
        "Share of the width in use: 10.0% in B, run to 50.0% in A, run; controls, 50.0% in C, run."
    )
    assert verdicts.shares_of_width(widths[ONE]).endswith("in use: 50.0% in A, run.")


def test_checkpoint_correlations():
    frame = runs(value=[-0.8, 0.5, 0.1], low=[-0.9, 0.4, 0], high=[-0.7, 0.9, 1], published=0.791)
    assert verdicts.checkpoint_correlations(frame) == (
        "Entries of real checkpoints with the printed sign: 1 of 2; furthest off, 1.59."
    )
    assert verdicts.checkpoint_correlations(frame[1:]).endswith("1 of 1; furthest off, 0.29.")
    assert "not known" in verdicts.checkpoint_correlations(frame[CONTROLS])
    assert verdicts.entries_holding(frame).endswith("hold the printed number: 1 of 2.")
    assert verdicts.entries_holding(frame[ONE]).endswith("hold the printed number: none of 1.")
    assert "not known" in verdicts.entries_holding(frame[CONTROLS])


def test_claims():
    frame = runs(claim=["k", "k", "k"], value=[2, 4, 99], published=2.7)
    frame = pd.concat([frame, runs(claim="r", value=-0.9, published=0.791)])
    assert verdicts.claims(frame).endswith("meet the printed ones: 1 of 2.")
    assert verdicts.claims(frame[frame.claim == "r"]).endswith("meet the printed ones: none of 1.")
