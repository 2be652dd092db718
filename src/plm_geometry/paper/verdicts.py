"""How runs stand to published numbers: within which tolerance, by which verdict, and why."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from plm_geometry.paper import published
from plm_geometry.paper.summaries import Summary, measured_rows

AGREES, DIFFERS = "agrees", "differs"
NOT_COMPARABLE, NOT_RUN = "not comparable in this profile", "not run"
VERDICTS = (AGREES, DIFFERS, NOT_COMPARABLE, NOT_RUN)
# The paper aligned with this matrix; its other settings are not known.
_MATRIX = "PAM250"
_OF_SEQUENCES = ("alignment_score", "sequence_identity")
# A sum of rounding errors is no difference.
_ROUNDING = 1 + 1e-9


def judge(value: float, number: float, last_digit: float, half_interval: float = 0.0) -> str:
    """Say whether a value agrees with a printed number.

    It does where it lies within the larger of half the last printed digit and half the 95 %
    interval of the value.

    Parameters
    ----------
    value, number : float
        The run's value and the printed one; an undefined value does not agree.
    last_digit : float
        The place of the printed number's last digit.
    half_interval : float
        Half the width of the value's interval; NaN where none is known.
    """
    within = max(last_digit / 2, 0.0 if np.isnan(half_interval) else half_interval)
    return AGREES if abs(value - number) <= within * _ROUNDING else DIFFERS


def verdicts(runs: Sequence[Summary]) -> pd.DataFrame:
    """Hold what runs have measured against every published number.

    Parameters
    ----------
    runs : sequence of Summary
        The chapters of one build, or of one run from another machine.

    Returns
    -------
    DataFrame
        The columns of `published.numbers`; model, title, role, value, low, high and n of what was
        measured, a row for each run of the number's model; half_digit and
        half_interval; verdict, one of `VERDICTS`; and why, a sentence where it is none of the
        first two.
    """
    measured = measured_rows(runs)
    measured = pd.concat([_without_model(measured), _extremes(measured)], ignore_index=True)
    joined = published.numbers().merge(measured, on=["quantity", "counterpart"], how="left")
    joined["half_digit"] = joined["last_digit"] / 2
    joined["half_interval"] = (joined["high"] - joined["low"]) / 2
    joined["why"] = [_why_not(row, runs) for row in joined.itertuples()]
    joined["verdict"] = [_verdict(row) for row in joined.itertuples()]
    return joined.drop(columns="run")


def counts(table: pd.DataFrame) -> dict[str, int]:
    """Return how many rows of `verdicts` each verdict has, also those that none has."""
    return {verdict: int((table["verdict"] == verdict).sum()) for verdict in VERDICTS}


def of_models(table: pd.DataFrame, quantity: str) -> dict[str, str]:
    """Return each model's verdict on one quantity, by the model's name."""
    rows = table[(table["quantity"] == quantity) & table["model"].notna()]
    return dict(zip(rows["model"], rows["verdict"], strict=True))


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `verdicts` as a reader sees them, in text, without their reasons."""
    return pd.DataFrame(
        {
            "published number": table["name"],
            "printed": [_said(row.published, row.last_digit) for row in table.itertuples()],
            "model": table["title"].fillna("–").replace("", "no model"),
            "this run": [_said(row.value, _shown_digit(row)) for row in table.itertuples()],
            "95% interval": [_span(row) for row in table.itertuples()],
            "half a digit": [_plain(half) for half in table["half_digit"]],
            "half the interval": [_plain(half) for half in table["half_interval"]],
            "verdict": table["verdict"],
        }
    )


def reasons(table: pd.DataFrame) -> pd.DataFrame:
    """Return each reason for a verdict that is neither of the first two: ``rows, verdict, why``."""
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
    return ends.assign(quantity=["dimensions_lowest", "dimensions_highest"], counterpart="")


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
    if row.over == published.ALL and run.settings.n_proteins:
        return f"it is over {few} drawn from Swiss-Prot, and the paper's is over all of it"
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
    return judge(row.value, row.published, row.last_digit, row.half_interval)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _said(value: float, last_digit: float) -> str:
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


def _span(row: tuple) -> str:
    if pd.isna(row.low) or pd.isna(row.high):
        return "–"
    return " to ".join(_said(end, row.last_digit / 10) for end in (row.low, row.high))


def _plain(half: float) -> str:
    """Return a small number without a power of ten, to two digits."""
    if pd.isna(half):
        return "–"
    return np.format_float_positional(half, precision=2, fractional=False, trim="-")
