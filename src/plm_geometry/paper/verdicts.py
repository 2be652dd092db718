"""How runs stand to published numbers: within which tolerance, by which verdict, and why."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from plm_geometry.paper import published
from plm_geometry.paper.arithmetic import proteins_for_pairs
from plm_geometry.paper.summaries import Summary, measured_rows

AGREES, DIFFERS, INCONCLUSIVE = "agrees", "differs", "inconclusive"
NOT_COMPARABLE, NOT_RUN = "not comparable in this profile", "not run"
VERDICTS = (AGREES, DIFFERS, INCONCLUSIVE, NOT_COMPARABLE, NOT_RUN)
# The paper aligned with this matrix; its other settings are not known.
_MATRIX = "PAM250"
_OF_SEQUENCES = ("alignment_score", "sequence_identity")
# What matters: half an interval wider than these cannot tell agreement from chance. Of a
# correlation, and of a number of dimensions as a share of it.
MARGIN, SHARE = 0.1, 0.25
# A sum of rounding errors is no difference.
_ROUNDING = 1 + 1e-9


def judge(low: float, high: float, number: float, last_digit: float, margin: float = np.inf) -> str:
    """Say whether what a run allows agrees with a printed number.

    Parameters
    ----------
    low, high : float
        The numbers that another run like the paper's could have had; see `allowed`. NaN where that
        is not known.
    number, last_digit : float
        The printed number, and the place of its last digit: half of it is added on both sides.
    margin : float
        With more than this on either side, agreement is no evidence.

    Returns
    -------
    str
        `DIFFERS` where the printed number lies outside; otherwise `AGREES`, or `INCONCLUSIVE` where
        the range is wider than the margin or not known.
    """
    if max(low - number, number - high) > last_digit / 2 * _ROUNDING:
        return DIFFERS
    return AGREES if (high - low) / 2 <= margin * _ROUNDING else INCONCLUSIVE


def allowed(row: tuple, run: Summary) -> tuple[float, float]:
    """Return the numbers that the paper could have had, if a run's proteins are like its own.

    Parameters
    ----------
    row : named tuple
        ``unit, over, value, low, high``, of a published number and what was measured.
    run : Summary

    Returns
    -------
    (float, float)
        Over all of Swiss-Prot there is no sampling error: the value, give or take what another
        release would change, which is half the interval times the root of the share of proteins by
        which releases may differ. Of a sample of it: the interval. Of correlations, which the paper
        has from a sample of its own: the interval, stretched about the value by
        ``sqrt(1 + n / n_paper)``. A value without an interval stands for itself where nothing was
        sampled, and is NaN elsewhere.
    """
    value, ends = row.value, np.array([row.low, row.high], dtype=float)
    of_all, is_sample = row.over == published.ALL, bool(run.settings and run.settings.n_proteins)
    if row.over == published.ANY or row.unit in ("proteins and pairs", "share"):
        return value, value
    if of_all and not is_sample:
        drift = np.nan_to_num(np.ptp(ends) / 2 * np.sqrt(_share_changed(run.proteins.proteins)))
        return value - drift, value + drift
    if of_all:
        return tuple(ends)
    n = min(filter(None, (run.settings.n_pair_proteins, run.proteins.proteins)))
    return tuple(value + (ends - value) * np.sqrt(1 + n / _paired_proteins()))


def _share_changed(n_proteins: int) -> float:
    """Return the share of proteins by which a release may differ from the paper's."""
    numbers = published.numbers().set_index("quantity").loc["proteins"]
    printed, half = numbers["published"], numbers["last_digit"] / 2
    return (abs(n_proteins - printed) + half) / printed


def _paired_proteins() -> int:
    """Return the fewest proteins whose unordered pairs are as many as the paper's."""
    pairs = proteins_for_pairs(published.value("pairs")).set_index("counting")
    return int(pairs.loc["unordered", "proteins"])


def margin_of(row: tuple) -> float:
    """Return how far from a published number still agrees with it."""
    of_size = SHARE * row.published
    margins = {"correlation": MARGIN, "IsoScore": of_size, "dimensions": of_size}
    return margins.get(row.unit, np.inf)


def verdicts(runs: Sequence[Summary]) -> pd.DataFrame:
    """Hold what runs have measured against every published number.

    Parameters
    ----------
    runs : sequence of Summary
        The chapters of one build, or of one run from another machine.

    Returns
    -------
    DataFrame
        The columns of `published.numbers`; run (its number), model, title, role, value, low, high
        and n of what was
        measured, a row for each run of the number's model; allowed_low and allowed_high, of
        `allowed`, where the two can be compared; verdict, one of `VERDICTS`; and why, a sentence
        where it is one of the last two.
    """
    measured = measured_rows(runs)
    measured = pd.concat([_without_model(measured), _extremes(measured)], ignore_index=True)
    joined = published.numbers().merge(measured, on=["quantity", "counterpart"], how="left")
    joined["why"] = [_why_not(row, runs) for row in joined.itertuples()]
    ends = [
        (np.nan, np.nan) if row.why else allowed(row, runs[int(row.run)])
        for row in joined.itertuples()
    ]
    joined[["allowed_low", "allowed_high"]] = np.reshape(ends, (-1, 2))
    joined["verdict"] = [_verdict(row) for row in joined.itertuples()]
    return joined


def of_models(table: pd.DataFrame, quantity: str) -> dict[str, str]:
    """Return each model's verdict on one quantity, by the model's name."""
    rows = table[(table["quantity"] == quantity) & table["model"].notna()]
    return dict(zip(rows["model"], rows["verdict"], strict=True))


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `verdicts` as a reader sees them, in text, without their reasons."""
    return pd.DataFrame(
        {
            "published number": table["name"],
            "printed": [said(row.published, row.last_digit) for row in table.itertuples()],
            "model": table["title"].fillna("–").replace("", "no model"),
            "this run": [said(row.value, _shown_digit(row)) for row in table.itertuples()],
            "95% interval": [_span(row) for row in table.itertuples()],
            "allows": [_span(row, "allowed_") for row in table.itertuples()],
            "verdict": table["verdict"],
        }
    )


def reasons(table: pd.DataFrame) -> pd.DataFrame:
    """Return each reason why nothing could be judged: ``rows, verdict, why``."""
    silent = table[table["why"] != ""]
    grouped = silent.groupby(["verdict", "why"], sort=False).size().reset_index(name="rows")
    return grouped.sort_values("rows", ascending=False, ignore_index=True)


def _without_model(measured: pd.DataFrame) -> pd.DataFrame:
    """Keep models, and one row of what has no model in it: every model's row says the same."""
    numbers = published.numbers()
    free = measured["quantity"].isin(numbers.loc[~numbers["by_model"], "quantity"])
    once = measured[free].drop_duplicates("quantity")
    once = once.assign(model="", title="", role="data", counterpart="")
    return pd.concat([measured[~free & (measured["role"] == "model")], once])


def _extremes(measured: pd.DataFrame) -> pd.DataFrame:
    """Return the abstract's fewest and most dimensions, where all that they are over is there."""
    wide = published.wide_models()
    of_wide = measured["counterpart"].isin(wide) & (measured["role"] == "model")
    of_both = measured["quantity"].isin(["effective_dimensions", "local_dimensions"])
    found = measured[of_wide & of_both].dropna(subset="value")
    if len(found[["quantity", "counterpart"]].drop_duplicates()) < 2 * len(wide):
        return measured[:0]
    ends = found.loc[[found["value"].idxmin(), found["value"].idxmax()]]
    # The abstract rounds the lowest down, and the paper's tables round up.
    rounded = ends["value"].where([False, True], np.floor(ends["value"]))
    quantities = ["dimensions_lowest", "dimensions_highest"]
    return ends.assign(quantity=quantities, value=rounded, counterpart="")


def _why_not(row: tuple, runs: Sequence[Summary]) -> str:
    """Return why a value can neither agree nor differ; nothing if it can."""
    if pd.isna(row.run):
        return _sentence(row.not_run)
    run = runs[int(row.run)]
    return _sentence(_other_proteins(row, run) or _other_settings(row, run))


def _other_proteins(row: tuple, run: Summary) -> str:
    """Say how the proteins of a run differ from those that a number is over."""
    source = run.settings.proteins if run.settings else ""
    if row.over == published.ANY:
        return ""
    few = f"{run.proteins.proteins:,} proteins"
    if source != "swissprot":
        return f"it is over {few} of {run.proteins.source}, not over Swiss-Prot"
    return ""


def _other_settings(row: tuple, run: Summary) -> str:
    """Say which setting of a run is known to be another than the paper's."""
    settings = run.settings
    is_of_pairs = row.unit == "correlation"
    if is_of_pairs and settings.pairs_file:
        return "its pairs come from a file, and need not be drawn at random"
    aligned = row.quantity.endswith(_OF_SEQUENCES)
    if is_of_pairs and aligned and settings.matrix != _MATRIX:
        return f"sequences were aligned with {settings.matrix}, and the paper's with {_MATRIX}"
    if row.by_model and settings and settings.pooling != "mean":
        return f"vectors are pooled by {settings.pooling}, and the paper's are means"
    return ""


def _verdict(row: tuple) -> str:
    if pd.isna(row.run):
        return NOT_RUN
    if row.why:
        return NOT_COMPARABLE
    return judge(row.allowed_low, row.allowed_high, row.published, row.last_digit, margin_of(row))


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""


def said(value: float, last_digit: float) -> str:
    """Return a number to the place of its last digit; one that is missing is a dash."""
    if pd.isna(value):
        return "–"
    decimals = max(0, round(-np.log10(last_digit)))
    # What rounds to zero has no sign.
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _shown_digit(row: tuple) -> float:
    """Return the place to show a run's value to: one more than is printed, but of whole numbers."""
    is_whole = row.last_digit >= 1 and float(row.value).is_integer()
    return row.last_digit if is_whole else row.last_digit / 10


def _span(row: tuple, of: str = "") -> str:
    ends = getattr(row, f"{of}low"), getattr(row, f"{of}high")
    if any(pd.isna(end) for end in ends):
        return "–"
    return " to ".join(dict.fromkeys(said(end, row.last_digit / 10) for end in ends))
