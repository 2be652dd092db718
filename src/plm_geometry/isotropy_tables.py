"""Rows of the isotropy tables: a cloud's measures with their intervals, and its variance."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from plm_geometry.errors import InputError
from plm_geometry.isotropy import (
    Interval,
    effective_dimensions,
    interval,
    isoscore,
    isotropy_row,
    mean_cosine_similarity,
)
from plm_geometry.moments import Moments, merge_all
from plm_geometry.proteins import STANDARD_RESIDUES

# With fewer blocks a jackknife's interval is too wide and too uncertain to be shown.
LEAST_BLOCKS = 10
# Statistics of a cloud that has no spread, or fewer than two members: shown as missing.
_NO_ISOTROPY = {
    "isoscore": np.nan,
    "effective_dimensions": np.nan,
    "printed_dimensions": pd.NA,
    "mean_cosine_similarity": np.nan,
}
_WITH_INTERVAL = {
    "isoscore": isoscore,
    "effective_dimensions": effective_dimensions,
    "mean_cosine_similarity": mean_cosine_similarity,
}
_UNKNOWN = Interval(np.nan, np.nan, np.nan)


def measured(whole: Moments, blocks: Sequence[Moments]) -> dict[str, object]:
    """Return the isotropy of a cloud with 95 % intervals by a delete-a-block jackknife.

    Parameters
    ----------
    whole : Moments
        Of the cloud.
    blocks : sequence of Moments
        Of its parts that are left out one at a time; empty ones do not count.

    Returns
    -------
    dict
        What `isotropy.isotropy_row` returns, missing where the cloud has no spread;
        ``effective_dimensions_corrected``, the estimate without its bias; and ``_low`` and
        ``_high`` of isoscore, effective_dimensions and mean_cosine_similarity, NaN
        with fewer than ten blocks.
    """
    spread = whole.count > 1 and np.trace(whole.scatter) > 0
    row = _NO_ISOTROPY | {"n": whole.count, "d": whole.dim}
    if spread:
        row |= isotropy_row(whole)
    found = {name: _interval(blocks, statistic) for name, statistic in _WITH_INTERVAL.items()}
    row["effective_dimensions_corrected"] = found["effective_dimensions"].estimate
    for name, ends in found.items():
        row |= {f"{name}_low": ends.low, f"{name}_high": ends.high}
    return row


def _interval(blocks: Sequence[Moments], statistic) -> Interval:
    filled = [block for block in blocks if block.count]
    if len(filled) < LEAST_BLOCKS:
        return _UNKNOWN
    try:
        return interval(filled, statistic)
    except InputError:  # without one of the blocks there is no spread
        return _UNKNOWN


def ordered_letters(letters: Mapping[str, Moments]) -> list[str]:
    """Return the residue letters that occur, the twenty standard ones first."""
    standard = [letter for letter in STANDARD_RESIDUES if letter in letters]
    return standard + sorted(letters.keys() - set(standard))


def variance_shares(letters: Mapping[str, Moments]) -> dict[str, float]:
    """Divide the variance of all residues into that between and that within amino acids.

    The trace of the scatter of all residues is the sum of the traces of each amino acid's own
    scatter, and of what their means scatter around the common mean.

    Parameters
    ----------
    letters : mapping of str to Moments
        Of the residue embeddings of each amino acid.

    Returns
    -------
    dict
        ``between`` and ``within``, which add up to 1; NaN where all residues are the same.
    """
    total = np.trace(merge_all(list(letters.values())).scatter)
    if not total > 0:
        return {"between": np.nan, "within": np.nan}
    within = sum(np.trace(moments.scatter) for moments in letters.values()) / total
    return {"between": 1 - within, "within": within}
