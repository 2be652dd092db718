"""Captions on pairs and on open questions say what the numbers say, in any run."""

import numpy as np
import pandas as pd

from finding_frames import CONTROLS, ONE, models
from plm_geometry.figures import Density, findings

correlation, open_questions, pairs = findings.correlation, findings.open_questions, findings.pairs
COSINE, SQUARED, SCORE, IDENTITY = (
    "cosine_similarity",
    "squared_euclidean",
    "alignment_score",
    "sequence_identity",
)


def entries():
    """Return two entries of each matrix, with an interval of 0.1 to either side."""
    found = {(COSINE, SQUARED): [-0.9, -0.8, -1], (COSINE, IDENTITY): [0.1, -0.3, 0.6]}
    frames = [models(a=a, b=b, estimate=r) for (a, b), r in found.items()]
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(low=frame.estimate - 0.1, high=frame.estimate + 0.1)


# Correlation


def test_pairs():
    frame = pd.DataFrame({IDENTITY: [0.01, 0.05, 0.5]})
    assert correlation.pairs(frame) == (
        "Half of the 3 pairs have an identity below 0.050, and 1 of 3 reach 0.3."
    )
    assert correlation.pairs(frame / 2).endswith("below 0.025, and none of 3 reach 0.3.")


def test_correlation_and_the_strongest():
    assert correlation.correlation(entries()) == (
        "Cosine similarity with squared distance, r: −0.90 in A to −0.80 in B; controls, −1.00 in "
        "C (control). Furthest from zero of embedding with sequence: −0.30 (cosine similarity – "
        "sequence identity, B)."
    )
    other = entries()
    other.loc[other.estimate == 0.1, "estimate"] = 0.4
    assert correlation.strongest(other).endswith("0.40 (cosine similarity – sequence identity, A).")
    only = correlation.strongest(other[other.role == "control"])
    assert only.endswith("0.60 (cosine similarity – sequence identity, C (control)).")


def test_against_ranks():
    ranks = entries()
    ranks.loc[[1, 4], "estimate"] += [0.05, 0.2]
    assert correlation.against_ranks(entries(), ranks) == (
        "Ranks correlate within 0.20 of what values do; furthest off is cosine similarity – "
        "sequence identity in B."
    )
    ranks.loc[1, "estimate"] += 0.3
    assert correlation.against_ranks(entries(), ranks).endswith(
        "within 0.35 of what values do; furthest off is cosine similarity – squared Euclidean "
        "distance in B."
    )


def test_an_entry_without_a_model_is_no_models():
    free = entries().assign(a=SCORE, b=IDENTITY)
    assert correlation.against_ranks(free, free).endswith("is alignment score – sequence identity.")


def test_clear_of_zero():
    across = entries()[lambda f: f.b == IDENTITY].assign(low=[0.01, -0.4, 0.5])
    near = across.assign(low=-1, high=1)
    assert correlation.clear_of_zero(across, near) == (
        "Correlations of models that can be told from zero: all 2 as they are, none of 2 once "
        "lengths are taken out."
    )
    unknown = across.assign(low=np.nan)
    assert "zero: not known here as they are, none of 2 once" in (
        correlation.clear_of_zero(unknown, near)
    )
    assert "controls that can be told from zero: none of 1 as they are, 1 of 1 once" in (
        correlation.clear_of_zero(near[CONTROLS], across[CONTROLS])
    )


def test_moved_by_lengths():
    adjusted = entries()
    adjusted.loc[5, "estimate"] = 0.1
    assert correlation.moved_by_lengths(entries(), adjusted) == (
        "Taking lengths out moves no correlation further than cosine similarity – sequence "
        "identity in C (control), from 0.60 to 0.10."
    )
    adjusted.loc[3, "estimate"] = -0.9
    assert correlation.moved_by_lengths(entries(), adjusted).endswith("in A, from 0.10 to −0.90.")


def test_widening_mantel_signs_and_lengths():
    assert correlation.widening(models(ratio=[2, 3, 4])).endswith(
        "as wide: 2.0 in A to 3.0 in B; controls, 4.0 in C (control)."
    )
    assert correlation.widening(models(ratio=[2, 3, 4])[ONE]).endswith("as wide: 2.0 in A.")
    tests = models(p=[0.001, 0.01, 0.5], p_adjusted=[0.6, 0.001, 0.001])
    assert correlation.mantel(pd.concat([tests, tests])) == (
        "Of the correlations of models, all 4 have p below 0.05 as they are, and 2 of 4 adjusted "
        "for lengths."
    )
    assert correlation.mantel(tests[CONTROLS]).startswith("Of the correlations of controls, none")
    assert "negative in all 2 (" in correlation.signs(models(cosine_similarity=[-1, -0.9, -0.1]))
    assert "negative in 1 of 2 (" in correlation.signs(models(cosine_similarity=[-1, 0.9, -0.1]))
    explained = [
        models(quantity=q, estimate=e) for q, e in ((COSINE, [0.1, 0.2, 0.3]), (SCORE, 0.9))
    ]
    assert correlation.lengths(pd.concat(explained)) == (
        "The two lengths explain 90% of alignment score; of embedding measures: 10% in A, cosine "
        "similarity to 20% in B, cosine similarity; controls, 30% in C (control), cosine "
        "similarity."
    )
    assert "40% in A" in correlation.lengths(pd.concat(explained).replace(0.1, 0.4))


def settings():
    frame = pd.DataFrame({"mode": ["global", "global", "local"], "estimate": [0.8, 0.5, -0.2]})
    return frame.assign(low=frame.estimate - 0.1, high=frame.estimate + 0.1)


def test_settings():
    assert correlation.settings(settings(), 0.847) == (
        "By its settings alone the correlation goes from −0.20 to 0.80; 1 of 3 settings reach "
        "0.847."
    )
    assert correlation.settings(settings()[1:], 0.847).endswith("none of 2 settings reach 0.847.")
    assert correlation.reaching(settings()) == "By alignment: global 2, local 1."
    assert correlation.reaching(settings()[:1]) == "By alignment: global 1."


def test_ties():
    frame = pd.DataFrame({"differing": [0, 0.5, 0.25], "estimate": [0.5, 0.5002, 0.4999]})
    assert correlation.ties(frame) == (
        "Libraries choose otherwise in up to 50% of the pairs, which moves the correlation by at "
        "most 0.0002."
    )
    assert "up to 25%" in correlation.ties(frame.iloc[[0, 2]])


# Pairs one by one


def density(*medians, n=50, log=False):
    low = np.arange(len(medians)) / 10
    spread = pd.DataFrame({"bin_low": low, "bin_high": low + 0.1, "n": n, "median": medians})
    return Density(np.ones((1, 1)), np.ones(2), spread, log)


def test_strata():
    frame = pd.DataFrame({"size": [75, 25], "share": [0.9996, 0.0004]}, index=["low", "high"])
    assert pairs.strata(frame) == (
        "Of identity high are 25.0% of the pairs aligned and 0.0004 of all pairs."
    )
    assert "75.0% of the pairs aligned and 1 of all" in pairs.strata(frame[::-1])


def test_pair_scatter():
    near = {"A": density(0.5, 0.7, 0.9), "B": density(0.9, 0.95, 0.999)}
    assert pairs.pair_scatter(near, COSINE) == (
        "From an identity of 0.05 to 0.25 the median pair comes nearer in all 2 panels, furthest "
        "in B, where cosine similarity goes from 0.9 to 0.999."
    )
    assert pairs.pair_scatter(near, "euclidean").endswith("comes nearer in none of 2 panels.")
    equal = near | {"B": density(0.9, 0.95, 1)}
    assert "furthest in B, where cosine similarity goes from 0.9 to 1." in (
        pairs.pair_scatter(equal, COSINE)
    )
    away = {"A": density(5, 3, 1), "B": density(1, 2, 3)}
    assert pairs.pair_scatter(away, "euclidean").endswith(
        "in 1 of 2 panels, furthest in A, where Euclidean distance goes from 5 to 1."
    )


def test_pair_scatter_on_a_logarithmic_axis_says_whether_it_goes_on():
    falling = {"A": density(5, 3, 1, log=True), "B": density(5, 1, 2, log=True)}
    assert pairs.pair_scatter(falling, "euclidean").endswith(
        "It still does so from the last bin but one to the last in 1 of 2."
    )
    assert pairs.pair_scatter({"A": falling["A"]}, "euclidean").endswith("to the last in 1 of 1.")
    equal = {"A": density(5, 3, 0, log=True)}
    assert "in 1 of 1 panels" in pairs.pair_scatter(equal, "euclidean")


def test_pair_scatter_of_bins_with_too_few_pairs():
    few = {"A": density(0.5, 0.7, 0.9, n=[50, 50, 9])}
    assert "from 0.5 to 0.7" in pairs.pair_scatter(few, COSINE)
    none = {"A": density(0.5, 0.7, n=5)}
    assert pairs.pair_scatter(none, COSINE).startswith("There are too few pairs to follow")


def test_sampled_pairs():
    identity = np.repeat([0.1, 0.95], 20)
    wide, narrow = np.linspace(0, 1, 20), np.linspace(0.9, 1, 20)
    frame = pd.DataFrame({IDENTITY: identity, "a": np.r_[wide, narrow], "b": np.r_[narrow, wide]})
    titles = {"a": "A", "b": "B"}
    assert pairs.sampled_pairs(frame, titles) == (
        "At an identity of 0.9 and more the dots lie closer together than below 0.3 in 1 of 2 "
        "panels; 90% of them span this many times as much: 0.1 in A to 10 in B."
    )
    assert "in 1 of 1 panels" in pairs.sampled_pairs(frame, {"a": "A"})
    assert pairs.sampled_pairs(frame[:25], titles).startswith("There are too few dots")


def bands(**columns):
    frames = [
        models(distance=COSINE, bin_low=low, width=w) for low, w in ((0.0, [3, 2, 1]), (0.9, 0.5))
    ]
    return pd.concat(frames, ignore_index=True).assign(**columns)


def test_spread_and_narrowing():
    assert pairs.spread(bands()) == (
        "Width of the band of cosine similarities below an identity of 0.3: 2 in B to 3 in A; "
        "controls, 1 in C (control). At 0.9 and more: 0.5 in each of 2; controls, 0.5 in C "
        "(control)."
    )
    assert pairs.spread(bands()[:3]).endswith("At 0.9 and more: not known here.")
    ratios = models(distance=COSINE, width_ratio=[0.1, 0.2, 0.3], width_ratio_high=[0.2, 1.1, 0.9])
    assert pairs.narrowing(ratios) == (
        "The interval of the ratio lies below 1 in 2 of 3 rows. The ratio for cosine similarity: "
        "0.1 in A to 0.2 in B; controls, 0.3 in C (control)."
    )
    assert pairs.narrowing(ratios[ONE]).endswith(
        "1 of 1 rows. The ratio for cosine similarity: 0.1 in A."
    )
    assert pairs.narrowing(ratios[:0]).startswith("No band can be compared")


def test_dependence():
    frame = models(distance=COSINE, mutual_information=[0.5, 0.1, 0.9], mutual_information_null=0.2)
    assert pairs.dependence(frame) == (
        "The bits are above their null in 1 of 2 rows of models; most are 0.500 in A, cosine "
        "similarity."
    )
    assert "1 of 1 rows of controls; most are 0.900 in C (control)" in pairs.dependence(
        frame[CONTROLS]
    )


def test_discrimination():
    frames = [
        models(distance=COSINE, bin_low=low, bin_high=high, auc=auc)
        for low, high, auc in (
            (0.2, 0.25, [0.6, 0.7, 0.5]),
            (0.3, 0.35, [0.8, 0.7, 0.5]),
            (0.35, 0.5, 1.0),
        )
    ]
    frame = pd.concat(frames, ignore_index=True)
    assert pairs.discrimination(frame, "auc") == (
        "Mean area under the ROC curve of cosine similarity from 20% to 35% identity: 0.70 in each "
        "of 2; controls, 0.50 in C (control). Above: 1.00 in each of 2; controls, 1.00 in C "
        "(control)."
    )
    assert "identity: not known here. Above: 1.00 in A." in pairs.discrimination(frame[6:7], "auc")


def test_silent():
    frame = models(measure="cosine similarity", silent=[0.2, np.nan, 0.5])
    assert pairs.silent(frame) == (
        "Rows of models with such an identity: 1 of 2; the highest is 20% in A, cosine similarity."
    )
    assert pairs.silent(frame[1:2]) == "Rows of models with such an identity: none of 1."
    assert pairs.silent(frame[2:]).startswith("Rows of controls with such an identity: 1 of 1; the")


# Open questions


def test_roundings_and_layers():
    frame = pd.DataFrame(
        {"floor": [2, 2], "nearest": [3, 2], "ceiling": 3, "printed_dimensions": 3}
    )
    assert open_questions.roundings(frame) == (
        "Of the printed numbers rounding gives: down none of 2, to nearest 1 of 2, up all 2."
    )
    assert "up none of 2" in open_questions.roundings(frame.assign(printed_dimensions=2))
    layers = pd.DataFrame({"down": ["11", "none"], "nearest": ["none", "12"], "up": "none"})
    assert open_questions.matching_layers(layers) == (
        "Of the quoted numbers some layer gives: down 1 of 2, to nearest 1 of 2, up none of 2."
    )
    assert "down 1 of 1, to nearest none of 1" in open_questions.matching_layers(layers[:1])


def test_pairs_needed():
    frame = pd.DataFrame({"proteins": [3578, 2530], "expected": [16.24, 32.48]})
    assert open_questions.pairs_needed(frame, 6.4e6, 5700) == (
        "5,700 proteins make at least 16.2 million pairs, 2.5 times the printed 6.4 million, which "
        "2,530 to 3,578 proteins make."
    )
    assert "32.5 million pairs, 5.1 times" in open_questions.pairs_needed(frame[1:], 6.4e6, 5700)


def test_signs():
    frame = models(r=[-0.9, 0.1, -1], best_r=[0.2, 0.9, -0.5])
    assert open_questions.signs(frame, 0.791) == (
        "Cosine with squared distance as they are, r: −0.90 in A to 0.10 in B; controls, −1.00 in "
        "C (control). With the best lengths found, 1 of 3 reach the printed 0.791; the highest is "
        "0.90."
    )
    assert "none of 1 reach the printed 0.791" in open_questions.signs(frame[ONE], 0.791)
    assert open_questions.positive_signs(frame) == (
        "Positive as they are: 1 of 3; with the best lengths found: 2 of 3."
    )
    assert open_questions.positive_signs(frame[CONTROLS]).startswith(
        "Positive as they are: none of 1"
    )


def test_real_settings():
    frame = pd.DataFrame({"proteins": ["yeast", "yeast", "this run"], "gap_open": [11, 0, 5],
                          "gap_extend": 1, "denominator": ["shorter", "aligned_columns",
                          "alignment_length"],
                          "estimate": [0.4, 0.8, -0.3]})  # fmt: skip
    assert open_questions.real_settings(frame, 0.847) == (
        "Nearest to the printed 0.847 come yeast 0.80 (gaps 0/1, over the columns without a gap); "
        "this run −0.30 (gaps 5/1, over the length of the alignment)."
    )
    assert "come yeast 0.40 (gaps 11/1, over the length of the shorter)" in (
        open_questions.real_settings(frame, 0.1)
    )
    assert open_questions.settings_range(frame) == (
        "By settings alone: yeast 0.40 to 0.80; this run −0.30 to −0.30."
    )
    assert "yeast 0.40 to 0.40;" in open_questions.settings_range(frame.drop(index=1))
    assert open_questions.settings_by_length(frame[:2]) == (
        "By a limit on length alone: yeast 0.400 to 0.800."
    )
    assert open_questions.settings_by_length(frame[1:2]).endswith("yeast 0.800 to 0.800.")


def test_pooling_isotropy():
    kinds = {
        "residues": 0.1,
        "means of random residues": [0.1, 0.2, 0.1],
        "proteins": [0.01, 0.5, 0.1],
    }
    frame = pd.concat([models(of=of, isoscore=score) for of, score in kinds.items()])
    assert open_questions.pooling_isotropy(frame) == (
        "Times the IsoScore of residues: means of random residues 1 in A to 2 in B; controls, 1 in "
        "C (control). And proteins 0.1 in A to 5 in B; controls, 1 in C (control)."
    )
    alone = open_questions.pooling_isotropy(frame[frame.of == "proteins"])
    assert alone == "IsoScore of proteins: 0.01 in A to 0.5 in B; controls, 0.1 in C (control)."
