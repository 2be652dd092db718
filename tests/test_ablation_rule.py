"""The ablation's rule, on simulated tables: each way to each verdict."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.paper import ablation
from plm_geometry.paper.ablation import contrasts, decide, gate, holm, read, verdict

ARMS = ["proteinbert_lm", "proteinbert_lm_go", "proteinbert_lm_no_norm",
        "proteinbert_lm_go_no_norm", "proteinbert_lm_shuffled_go", "proteinbert_lm_family",
        "bert_lm", "bert_lm_go", "bert_lm_shuffled_go"]  # fmt: skip
READOUTS = ["global", "mean", "global, normalised", "mean, normalised"]
GO = ["proteinbert_lm_go", "proteinbert_lm_go_no_norm", "bert_lm_go"]
EQUALS = ["proteinbert_lm_shuffled_go", "bert_lm_shuffled_go"]


def losses(below=0.4, steps=(100, 50), **by_arm):
    """Nine arms and five seeds, whose last loss lies so far below an entropy of 2.9."""
    rows = []
    for arm, seed, step in product(ARMS, range(1, 6), steps):
        loss = 2.9 - by_arm.get(arm, below) * step / max(steps)
        rows.append([arm.split("_")[0], arm, seed, step, 10 * step, 2.7, loss, 2.9])
    return pd.DataFrame(rows, columns=ablation.LOSSES)


def log_k(factors, noise=0.02):
    """K of 5 times an arm's factor, or its factor in a readout, with noise by seed and arm."""
    rng, rows = np.random.default_rng(3), []
    for seed in range(1, 6):
        shared = rng.normal(0, 0.5)  # which pairing takes out
        for arm, readout in product(ARMS, READOUTS):
            factor = factors.get((arm, readout), factors.get(arm, 1))
            value = np.log(5 * factor) + shared + rng.normal(0, noise)
            rows.append([arm.split("_")[0], arm, seed, "trained", readout, np.exp(value), value])
            rows.append([arm.split("_")[0], arm, seed, "untrained", readout, 2.0, np.log(2)])
    return pd.DataFrame(rows, columns=ablation.LOG_K)


def said(factors, noise=0.02, **of_losses):
    return verdict(losses(**of_losses), log_k(factors, noise))


def test_contrasts_are_paired_t_intervals_of_log_k():
    frame = log_k(dict.fromkeys(GO, 4), noise=0.3)
    found = contrasts(frame).set_index("contrast")
    trained = frame[frame.state == "trained"].set_index(["arm", "readout", "seed"])["log_k"]
    for name, (one, other) in (ablation.PRIMARY | ablation.SECONDARY).items():
        d = [trained[(*one, seed)] - trained[(*other, seed)] for seed in range(1, 6)]
        reach = 2.7764451 * np.std(d, ddof=1) / np.sqrt(5)  # Student's t, 4 degrees of freedom
        row = found.loc[name]
        assert row[["estimate", "low", "high"]].tolist() == pytest.approx(
            [np.mean(d), np.mean(d) - reach, np.mean(d) + reach]
        )
        together = stats.ttest_rel(*zip(*((x, 0) for x in d), strict=True))
        assert row.p == pytest.approx(together.pvalue)
        assert row.factor_low == pytest.approx(np.exp(row.low))
    assert found.p_holm.notna().sum() == found.primary.sum() == 4


def test_holm_is_what_its_definition_says():
    p = [0.04, 0.001, 0.03, 0.02]  # ranks 4, 1, 3, 2
    assert holm(p, 4) == pytest.approx([0.06, 0.004, 0.06, 0.06])
    rng = np.random.default_rng(0)
    for p in rng.random((50, 4)) ** 3:
        adjusted, level = holm(p, 4), 0.05
        rejected = set()
        for step, index in enumerate(np.argsort(p)):  # the step-down procedure itself
            if p[index] > level / (4 - step):
                break
            rejected.add(index)
        assert set(np.flatnonzero(adjusted <= level)) == rejected


def test_the_gate_reads_the_last_step_of_each_run():
    passed = gate(losses(bert_lm=0.2))
    assert len(passed) == 45
    assert (passed.step == 100).all()
    assert passed.below.tolist() == pytest.approx([0.2 if a == "bert_lm" else 0.4
                                                   for a in passed.arm])  # fmt: skip
    assert set(passed.arm[~passed.passes]) == {"bert_lm"}


def test_an_arm_is_shown_with_its_worst_seed():
    rows = losses()
    rows.loc[(rows.arm == "bert_lm") & (rows.seed == 4), "held_out_loss"] += 0.1
    shown = ablation.by_arm(gate(rows)).set_index("arm")
    assert set(shown.index) == set(ARMS) == set(ablation.ARMS)
    assert (shown.seeds == 5).all()
    assert shown.below["bert_lm"] == pytest.approx(0.3)
    assert shown.below.drop("bert_lm").to_numpy() == pytest.approx(0.4)


def test_supported_only_if_go_gives_three_in_both_readouts_and_in_bert_and_beats_shuffled():
    assert said(dict.fromkeys(GO, 4)).state == "supported"
    weaker = {"proteinbert_lm_go": 2.5}, {("proteinbert_lm_go", "mean"): 2.5}, {"bert_lm_go": 2.5}
    for change in weaker:
        found = said(dict.fromkeys(GO, 4) | change)
        assert found.state == "inconclusive"
        assert "not shown to multiply k by 3" in found.reasons[0]


def test_a_factor_that_chance_explains_supports_nothing():
    found = said(dict.fromkeys(GO, 4), noise=2.0)
    assert found.state == "inconclusive"
    assert "GO is not shown to beat shuffled GO" in found.reasons


@pytest.mark.parametrize(
    ("factors", "reason"),
    [
        ({}, "upper bound is under 1.5"),
        (dict.fromkeys(GO + EQUALS, 4), "shuffled GO does as well"),
        (dict.fromkeys([*GO, "proteinbert_lm_family"], 4), "family labels do as well"),
        (
            dict.fromkeys(GO, 4)
            | {("proteinbert_lm", "mean"): 0.25, ("proteinbert_lm_go", "mean"): 1},
            "the global track alone",
        ),
        (dict.fromkeys(GO, 4) | {"proteinbert_lm_no_norm": 0.25}, "LayerNorm alone"),
    ],
)
def test_each_way_to_falsify(factors, reason):
    found = said(factors)
    assert found.state == "falsified at this scale"
    assert any(reason in given for given in found.reasons)


def test_go_of_little_effect_in_one_architecture_only_falsifies_nothing():
    assert said({"bert_lm_go": 4, "proteinbert_lm_go": 1.7}).state == "inconclusive"
    little = said({"bert_lm_go": 4, "bert_lm_shuffled_go": 1})
    assert not any("upper bound" in reason for reason in little.reasons)


@pytest.mark.parametrize(
    ("of_losses", "reason"),
    [
        ({"below": 0.29}, "0.290 nats below the unigram entropy"),
        ({"bert_lm_go": 0.1}, "gate is not passed"),
        ({"below": -0.2}, "0.200 nats above"),
        ({"proteinbert_lm_go": 0.46}, "proteinbert are not matched"),
    ],
)
def test_without_the_gate_nothing_is_concluded_whatever_k_says(of_losses, reason):
    found = said(dict.fromkeys(GO, 4), **of_losses)
    assert found.state == "inconclusive"
    assert reason in found.sentence


def test_runs_that_are_missing_leave_it_inconclusive():
    some, k = losses(), log_k(dict.fromkeys(GO, 4))
    fewer = verdict(some[(some.seed < 5) | (some.arm != "bert_lm")], k)
    assert (fewer.state, fewer.reasons) == ("inconclusive", ("8 of 9 arms have 5 seeds",))
    assert verdict(some, k[k.arm != "bert_lm"]).sentence == (
        "Inconclusive: no k for the contrast GO, BERT."
    )
    assert decide(gate(some), contrasts(k[:0])).state == "inconclusive"


def test_the_recorded_ablation_has_the_verdict_of_its_tables():
    recorded = gate(read("losses"))
    assert (recorded.held_out_loss > 2).all()
    assert recorded.below.tolist() == pytest.approx(
        (recorded.unigram_entropy - recorded.held_out_loss).tolist()
    )
    found = verdict(read("losses"), read("log_k"))
    if not recorded.passes.all():
        assert found.state == "inconclusive"
        assert f"{recorded.below.max():.3f}" in found.sentence


def test_the_minis_page_states_the_recorded_gate():
    page = (paths.DATA / "minis" / "README.md").read_text()
    for row in gate(read("losses")).itertuples():
        cells = f"{row.held_out_loss:.3f} | {row.unigram_entropy:.3f} | {row.below:.3f} |"
        assert (
            f"| `{row.arm}` | {row.step:,} | {row.residues_seen / 1e6:.1f} million | {cells}"
            in page
        )
    hours = read("cost_full")["cpu_hours"].sum()
    assert f"the\n45 runs {round(hours, -3):,.0f} CPU hours" in page


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"losses.csv of the ablation is not there"):
        read("losses", tmp_path)
