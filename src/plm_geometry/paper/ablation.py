"""Is it multi-modality? The gate, the contrasts and the verdict of the ablation of the minis.

``data/minis/ablation.py`` trains its arms and writes ``data/minis/ablation``. The paper credits
gene ontology (GO) with ProteinBERT's many dimensions; the rule below was fixed before any run.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError

LOSSES = ["architecture", "arm", "seed", "step", "residues_seen", "training_loss", "held_out_loss",
          "unigram_entropy"]  # fmt: skip
LOG_K = ["architecture", "arm", "seed", "state", "readout", "k", "log_k"]
ARMS = {
    "proteinbert_lm": "ProteinBERT-like, residues only",
    "proteinbert_lm_go": "ProteinBERT-like, residues and GO",
    "proteinbert_lm_no_norm": "ProteinBERT-like, residues only, no last LayerNorm",
    "proteinbert_lm_go_no_norm": "ProteinBERT-like, residues and GO, no last LayerNorm",
    "proteinbert_lm_shuffled_go": "ProteinBERT-like, residues and shuffled GO",
    "proteinbert_lm_family": "ProteinBERT-like, residues and families",
    "bert_lm": "BERT, residues only",
    "bert_lm_go": "BERT, residues and GO",
    "bert_lm_shuffled_go": "BERT, residues and shuffled GO",
}
N_ARMS, SEEDS = len(ARMS), 5
BELOW_UNIGRAM = 0.3  # nats that every run's held-out loss lies below the entropy at least
MATCHED = 0.05  # nats by which the arms' mean losses differ at most, within an architecture
LARGE, SMALL = 3.0, 1.5  # factors of k: that supports; that an upper bound must stay under
LEVEL = 0.05

# name: what is subtracted from what, each an arm and a readout
_LM, _GO = "proteinbert_lm", "proteinbert_lm_go"
PRIMARY = {
    "GO": ((_GO, "global"), (_LM, "global")),
    "GO - shuffled GO": ((_GO, "global"), ("proteinbert_lm_shuffled_go", "global")),
    "global - mean": ((_LM, "global"), (_LM, "mean")),
    "LayerNorm": ((_LM, "global"), (f"{_LM}_no_norm", "global")),
}
SECONDARY = {
    "GO, mean of residues": ((_GO, "mean"), (_LM, "mean")),
    "GO, BERT": (("bert_lm_go", "mean"), ("bert_lm", "mean")),
    "GO, BERT's [CLS]": (("bert_lm_go", "global"), ("bert_lm", "global")),
    "GO - shuffled GO, BERT": (("bert_lm_go", "mean"), ("bert_lm_shuffled_go", "mean")),
    "GO - family": ((_GO, "global"), ("proteinbert_lm_family", "global")),
    "GO without LayerNorm": ((f"{_GO}_no_norm", "global"), (f"{_LM}_no_norm", "global")),
    "LayerNorm afterwards": (
        (f"{_LM}_no_norm", "global, normalised"),
        (f"{_LM}_no_norm", "global"),
    ),
}
_CONTRASTS = ["contrast", "primary", "seeds", "estimate", "low", "high", "p", "p_holm", "factor",
              "factor_low", "factor_high"]  # fmt: skip


class Verdict(NamedTuple):
    """What the ablation says, in one of three words, and why.

    Attributes
    ----------
    state : {"supported", "falsified at this scale", "inconclusive"}
    reasons : tuple of str
    """

    state: str
    reasons: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The verdict as a reader is told it."""
        return f"{self.state.capitalize()}: {'; '.join(self.reasons)}."


def read(name: str, directory: Path | None = None) -> pd.DataFrame:
    """Read a table of the ablation: "losses", "log_k", "contrasts", "cost_gate", "cost_full".

    Raises
    ------
    InputError
        If it is not there.
    """
    path = (directory or paths.ABLATION) / f"{name}.csv"
    if not path.exists():
        raise InputError(f"{path.name} of the ablation is not there: run data/minis/ablation.py.")
    return pd.read_csv(path)


def gate(losses: pd.DataFrame) -> pd.DataFrame:
    """Return the last held-out loss of each run beside the entropy of composition alone.

    Parameters
    ----------
    losses : DataFrame
        Of the columns `LOSSES`, in nats per residue.

    Returns
    -------
    DataFrame
        One row a run: ``architecture, arm, seed, step, residues_seen, held_out_loss,
        unigram_entropy``, ``below`` (the entropy less the loss) and ``passes``, whether that is
        `BELOW_UNIGRAM` or more.
    """
    last = losses.sort_values("step").drop_duplicates(["arm", "seed"], keep="last")
    below = last["unigram_entropy"] - last["held_out_loss"]
    found = last.drop(columns="training_loss").assign(below=below, passes=below >= BELOW_UNIGRAM)
    return found.sort_values(["seed", "architecture", "arm"], ignore_index=True)


def by_arm(passed: pd.DataFrame) -> pd.DataFrame:
    """Return the gate of each arm: that of its worst seed.

    Parameters
    ----------
    passed : DataFrame
        As of `gate`.

    Returns
    -------
    DataFrame
        One row an arm: ``network`` (in words), ``seeds``, and the columns of `gate` of the seed
        whose loss lies least below the entropy.
    """
    worst = passed.sort_values("below").drop_duplicates("arm").sort_index()
    seeds = passed.groupby("arm")["seed"].nunique()
    return worst.assign(network=worst["arm"].map(ARMS), seeds=worst["arm"].map(seeds)).reset_index(
        drop=True
    )


def contrasts(log_k: pd.DataFrame) -> pd.DataFrame:
    """Return differences of log k of trained networks, paired by seed.

    Parameters
    ----------
    log_k : DataFrame
        Of the columns `LOG_K`.

    Returns
    -------
    DataFrame
        One row a contrast of which two seeds or more have both sides: ``contrast``, ``primary``,
        ``seeds``, the mean difference ``estimate`` with its 95 % interval ``low``, ``high`` and
        two-sided ``p`` by Student's t, ``p_holm`` (Holm's adjustment over the `PRIMARY`), and the
        first three as factors of k, ``factor``, ``factor_low``, ``factor_high``.
    """
    trained = log_k[log_k["state"] == "trained"]
    by_seed = trained.pivot(index="seed", columns=["arm", "readout"], values="log_k")
    rows = []
    for name, (one, other) in (PRIMARY | SECONDARY).items():
        if one not in by_seed or other not in by_seed:
            continue
        difference = (by_seed[one] - by_seed[other]).dropna()
        if len(difference) > 1:
            rows.append({"contrast": name, "primary": name in PRIMARY} | _paired(difference))
    found = pd.DataFrame(rows, columns=_CONTRASTS)
    primary = found["primary"].astype(bool)
    found.loc[primary, "p_holm"] = holm(found.loc[primary, "p"], len(PRIMARY))
    for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high")):
        found[f"factor{end}"] = np.exp(found[column].astype(float))
    return found


def _paired(difference: pd.Series) -> dict[str, float]:
    result = stats.ttest_1samp(difference, 0)
    low, high = result.confidence_interval(0.95)
    ends = {"estimate": difference.mean(), "low": low, "high": high}
    return {"seeds": len(difference), **ends, "p": result.pvalue}


def holm(p: Iterable[float], n: int) -> np.ndarray:
    """Return p-values, shape (n_made,), adjusted for `n` tests, not all of them made (Holm 1979).

    The missing are taken to be the least significant only where they were not made at all: with
    all `n` there it is Holm's method, with fewer it is stricter than Holm's over those.
    """
    p = np.asarray(list(p), float)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * (n - np.arange(len(p))))
    return np.minimum(adjusted, 1)


def verdict(losses: pd.DataFrame, log_k: pd.DataFrame) -> Verdict:
    """Return what losses and k of an ablation say: see `decide`."""
    return decide(gate(losses), contrasts(log_k))


def decide(passed: pd.DataFrame, found: pd.DataFrame) -> Verdict:
    """Decide by the rule that was fixed before any run.

    Parameters
    ----------
    passed : DataFrame
        As of `gate`.
    found : DataFrame
        As of `contrasts`.

    Returns
    -------
    Verdict
        Inconclusive unless each of the nine arms has five seeds of which all pass the gate, and
        within an architecture the arms' mean losses differ by `MATCHED` at most. Then falsified
        at this scale if GO's upper bound is under `SMALL` in both architectures (and in both
        readouts of ProteinBERT), if that of its lead over shuffled GO or over family labels is, or
        if the global track or LayerNorm alone multiplies k by `LARGE`. Else supported if GO does so
        in both readouts of ProteinBERT and in BERT, and beats shuffled GO. Else inconclusive.
    """
    if reasons := _not_passed(passed):
        return Verdict("inconclusive", reasons)
    rows = found.set_index("contrast")
    if lacking := [name for name in PRIMARY | SECONDARY if name not in rows.index]:
        return Verdict("inconclusive", (f"no k for the contrast {lacking[0]}",))
    if reasons := _against(rows):
        return Verdict("falsified at this scale", reasons)
    if missing := _missing_support(rows):
        return Verdict("inconclusive", missing)
    return Verdict(
        "supported",
        (f"GO multiplies k by {LARGE:g} or more in both readouts and in BERT, and more than "
         "shuffled GO does",),
    )  # fmt: skip


def _not_passed(passed: pd.DataFrame) -> tuple[str, ...]:
    """Return why the gate is not passed; the losses first, since runs are made only if they do."""
    if not passed["passes"].all():
        best = passed["below"].max()
        where = f"{abs(best):.3f} nats {'below' if best > 0 else 'above'} the unigram entropy"
        return (f"the gate is not passed: the lowest held-out loss of {len(passed)} runs lies "
                f"{where}, where {BELOW_UNIGRAM} below are required of each",)  # fmt: skip
    complete = passed.groupby("arm")["seed"].nunique()
    if (n := int((complete >= SEEDS).sum())) < N_ARMS:
        return (f"{n} of {N_ARMS} arms have {SEEDS} seeds",)
    means = passed.groupby(["architecture", "arm"])["held_out_loss"].mean()
    apart = means.groupby("architecture").agg(np.ptp)
    if apart.max() > MATCHED:
        return (f"the arms of {apart.idxmax()} are not matched: their mean losses differ by "
                f"{apart.max():.3f} nats, where {MATCHED} are allowed",)  # fmt: skip
    return ()


def _gives(row: pd.Series, factor: float = LARGE) -> bool:
    """Whether a contrast multiplies k by `factor` or more, by its estimate, and by chance not."""
    p = row["p_holm"] if row["primary"] else row["p"]
    return bool(row["factor"] >= factor and p <= LEVEL)


def _against(rows: pd.DataFrame) -> tuple[str, ...]:
    everywhere = ["GO", "GO, mean of residues", "GO, BERT"]
    highest = rows["factor_high"]
    against = {
        f"GO's upper bound is under {SMALL:g} times k in both architectures": (
            highest[everywhere].max(skipna=False) < SMALL
        )
    }
    for one, name in (
        ("shuffled GO does", "GO - shuffled GO"),
        ("family labels do", "GO - family"),
    ):
        against[f"{one} as well: GO leads by less than {SMALL:g} times"] = highest[name] < SMALL
    for one, name in (("the global track", "global - mean"), ("LayerNorm", "LayerNorm")):
        against[f"{one} alone multiplies k by {LARGE:g} or more"] = _gives(rows.loc[name])
    return tuple(reason for reason, is_so in against.items() if is_so)


def _missing_support(rows: pd.DataFrame) -> tuple[str, ...]:
    missing = [
        f"GO is not shown to multiply k by {LARGE:g} in {where}"
        for name, where in (
            ("GO", "the global track"),
            ("GO, mean of residues", "the mean of residues"),
            ("GO, BERT", "BERT"),
        )
        if not _gives(rows.loc[name])
    ]
    if not _gives(rows.loc["GO - shuffled GO"], 1.0):
        missing.append("GO is not shown to beat shuffled GO")
    return tuple(missing)
