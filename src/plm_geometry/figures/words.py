"""What figures and tables call things: models, measures, numbers."""

import math
import textwrap

import pandas as pd

LABELS = {
    "cosine_similarity": "cosine similarity",
    "cosine_distance": "1 − cosine similarity",
    "squared_euclidean": "squared Euclidean distance",
    "euclidean": "Euclidean distance",
    "alignment_score": "alignment score",
    "sequence_identity": "sequence identity",
    "alignment_length": "length of the alignment",
    "aligned_columns": "columns without a gap",
    "shorter": "length of the shorter",
    "longer": "length of the longer",
    "auc": "area under the ROC curve",
    "auc_difference": "area, less composition's",
    "average_precision": "average precision",
    "isoscore": "IsoScore",
    "isoscore_star": "IsoScore*",
    "effective_dimensions": "effective dimensions",
    "effective_dimensions_corrected": "effective dimensions, corrected",
    "mean_cosine_similarity": "mean cosine similarity",
    "mean_cosine_centred": "mean cosine, centred",
    "entropy_rank": "entropy rank, variances",
    "entropy_rank_singular": "entropy rank, singular values",
    "partition_isotropy": "partition function",
    "share_first_1": "share of 1st component",
    "share_first_3": "share of first 3",
    "share_first_10": "share of first 10",
    "intrinsic_dimension": "intrinsic dimension (TwoNN)",
}

# Titles with one of these words say that they are of no model.
_SAYING = {"mini": ("mini",), "control": ("untrained", "shuffled", "composition", "3-mers")}
# Stands for what is not known, or not defined.
DASH = "–"
FORMATS = {"isoscore": ".3f", "effective_dimensions": ".1f", "mean_cosine_similarity": ".3f"}


def labels(frame: pd.DataFrame) -> pd.Series:
    """Return each row's title, with its role where that is no model's and the title hides it."""
    pairs = frame[["title", "role"]].to_numpy()
    said = [
        name
        if role == "model" or any(word in name for word in _SAYING.get(role, (role,)))
        else f"{name} ({role})"
        for name, role in pairs
    ]
    return pd.Series(said, index=frame.index, dtype=object)


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models; where a run has none, those of minis, or else of controls."""
    kinds = (frame[frame["role"] == role] for role in ("model", "mini"))
    return next((rows for rows in kinds if len(rows)), frame)


def between(a: str, b: str) -> str:
    """Return what is correlated with what: "cosine similarity – alignment score"."""
    return f"{LABELS[a]} – {LABELS[b]}"


def extent(values: pd.Series, spec: str) -> str:
    """Return the least and the greatest value as "1.2 to 3.4": one number if they read alike.

    A dash where none is known.
    """
    ends = (values.min(), values.max()) if values.notna().any() else ()
    return " to ".join(dict.fromkeys(format(end, spec) for end in ends)) or DASH


def spans(frame: pd.DataFrame, column: str, decimals: int) -> pd.Series:
    """Return each row's interval of `column` as "1.20 to 1.35", and a dash where it has none."""
    ends = frame[[f"{column}_low", f"{column}_high"]].astype(float)
    said = [
        f"{rounded(low, decimals)} to {rounded(high, decimals)}" for low, high in ends.to_numpy()
    ]
    return pd.Series(said, ends.index, dtype=object).where(ends.notna().all(axis=1), DASH)


def folded(title: str, width: int = 24) -> str:
    """Break a title into lines, so that neighbours do not run together."""
    return textwrap.fill(title, width, break_long_words=False)


def rounded(value: float, decimals: int) -> str:
    """Return a number with a typographic minus and so many decimals.

    What would round to 1 or -1 without being it (but for the error of arithmetic) gets as many
    more as show that: a correlation of -0.9998 is not perfect. What is not defined is a dash.
    """
    if math.isnan(value):
        return DASH
    text = f"{value:.{decimals}f}"
    while abs(float(text)) == 1 and not math.isclose(abs(value), 1, rel_tol=1e-12):
        decimals += 1
        text = f"{value:.{decimals}f}"
    # What rounds to zero has no sign.
    return text.replace("-", "\N{MINUS SIGN}" if float(text) else "")
