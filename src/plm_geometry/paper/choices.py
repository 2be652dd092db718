"""The printed numbers under other choices: one at a time, as far as chapters have tried them."""

import pandas as pd

from plm_geometry.paper import published

# The chapters' own alignment, from which one choice at a time departs.
USUAL = {"mode": "global", "gaps": "11/1", "denominator": "alignment_length"}
_WORDS = {"alignment_length": "columns", "aligned_columns": "columns without gap",
          "shorter": "shorter protein", "longer": "longer protein"}  # fmt: skip
AS_USUAL = "gaps 11/1, over columns, global"
SCORE_IDENTITY, DIMENSIONS = "r, alignment score – sequence identity", "effective dimensions"
_COLUMNS = ["number", "choice", "label", "role", "value", "low", "high", "printed"]


def of_alignment(settings: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the correlation of score and identity under one other choice at a time.

    Parameters
    ----------
    settings : DataFrame
        ``Study.correlation.settings_grid()`` of a build, or no rows.
    source : str
        What its proteins are.

    Returns
    -------
    DataFrame
        What `figures.under_choices` draws, also of the proteins of yeast and of DeepLoc, where
        proteins were also left out by length.
    """
    real = published.table("score_identity_real").rename(columns={"proteins": "label"})
    parts = [settings.assign(label=source, longest=0), real.assign(mode="global")]
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    found["gaps"] = [f"{row.gap_open:g}/{row.gap_extend:g}" for row in found.itertuples()]
    departs = sum((found[name] != usual).astype(int) for name, usual in USUAL.items())
    found = found[departs + (found["longest"] > 0) <= 1]
    entry = published.correlation_matrix().loc["alignment_score", "sequence_identity"]
    found = found.assign(
        number=SCORE_IDENTITY,
        choice=[_choice(row) for row in found.itertuples()],
        role="model",
        value=found["estimate"],
        printed=entry,
    )
    order = sorted(
        found["choice"].unique(), key=lambda name: (name != AS_USUAL, name[:4] != "over")
    )
    found = found.sort_values("choice", key=lambda names: names.map(order.index), kind="stable")
    return found[_COLUMNS]


def _choice(row: tuple) -> str:
    """Return in which choice a row departs from the usual ones."""
    if row.longest:
        return f"proteins up to {row.longest:,} residues"
    if row.denominator != USUAL["denominator"]:
        return f"over {_WORDS[row.denominator]}"
    if row.mode != USUAL["mode"]:
        return row.mode
    return AS_USUAL if row.gaps == USUAL["gaps"] else f"gaps {row.gaps}"


def of_pooling(ladder: pd.DataFrame) -> pd.DataFrame:
    """Return effective dimensions of each model by the way from residues to the protein.

    Parameters
    ----------
    ladder : DataFrame
        Chapter 06's: ``title, role, readout, effective_dimensions`` and, with ``_low`` and
        ``_high``, its interval; or no rows.

    Returns
    -------
    DataFrame
        As of `of_alignment`.
    """
    if ladder.empty:
        return pd.DataFrame(columns=_COLUMNS)
    # Means of a few residues are of chapter 06 alone.
    rows = ladder[(ladder["role"] == "model") & ~ladder["readout"].str.startswith("mean_of")]
    name = "effective_dimensions"
    names = {"readout": "choice", "title": "label", f"{name}_low": "low", f"{name}_high": "high"}
    value = rows.get(f"{name}_corrected", rows[name])
    return rows.rename(columns=names).assign(number=DIMENSIONS, value=value, printed=None)[_COLUMNS]
