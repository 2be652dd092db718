"""How well a distance tells homologous from unrelated pairs, by sequence identity."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.special import stdtrit

from plm_geometry.association.values import (
    ascending_edges,
    bin_numbers,
    check_columns,
    protein_codes,
)
from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, jackknife

_COLUMNS = ("identity", "distance", "is_homologous", "length_a", "length_b")
_LOGS = ["log_shorter", "log_longer"]
_FAMILIES = ["family_a", "family_b"]
_PROTEINS = ("accession_a", "accession_b")
# Homologous pairs of a bin: more would sharpen nothing, since proteins and families limit it.
_MOST_PAIRS = 2_000
# Unrelated pairs for each homologous one, and the number of nearest in length they come from.
_UNRELATED = 5
_NEAREST = 50


def discrimination(
    frame: pd.DataFrame, bins: np.ndarray, families: Mapping[str, str], *, seed: int
) -> pd.DataFrame:
    """Return how well a distance separates homologous from unrelated pairs of like lengths.

    Each bin of identity has its homologous pairs (at most 2,000, at random) compared with five
    unrelated pairs for each, drawn from the 50 nearest in the logarithms of the shorter and the
    longer length: a distance that measures lengths alone separates nothing. Both kinds count
    equally in precision, so that chance is 0.5 in both columns. Intervals come from leaving out
    one family at a time with all its pairs, since the pairs of a family resemble each other.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per pair: ``accession_a``, ``accession_b``, ``length_a``, ``length_b`` (residues),
        ``is_homologous``, ``identity`` (0 to 1, of homologous pairs; NaN is in no bin),
        ``distance`` (small for alike proteins; rows with NaN are left out), and, to compare that
        with another distance on the same pairs, ``against``.
    bins : array-like
        Edges of the bins of identity, ascending; each holds its lower edge, the last also its
        upper one.
    families : mapping of str to str
        The family of each accession.
    seed : int
        Of the pairs drawn.

    Returns
    -------
    pandas.DataFrame
        One row per bin: ``bin_low``, ``bin_high``, ``n_homologous``, ``n_unrelated`` (draws),
        ``n_units`` (families of its homologous pairs), ``auc``, ``average_precision``, each
        beside ``..._low`` and ``..._high`` (95 %, Student's t); with ``against``, its
        ``auc_difference`` from the other's. NaN where a bin has no pairs; bounds also with fewer
        than ten families.

    Raises
    ------
    InputError
        If a column is missing, the bins do not ascend, or a family is unknown.

    References
    ----------
    Hanley, J. A. and McNeil, B. J. (1982), The meaning and use of the area under a receiver
    operating characteristic (ROC) curve, Radiology 143.
    """
    check_columns(frame, [*_COLUMNS, *_PROTEINS])
    edges = ascending_edges(bins)
    measured = [name for name in ("distance", "against") if name in frame]
    pairs = _prepared(frame.dropna(subset=measured), measured, families)
    homologous = pairs[pairs["is_homologous"]]
    unrelated = pairs[~pairs["is_homologous"]]
    bin_of_pair = bin_numbers(homologous["identity"].to_numpy(), edges)
    tree = cKDTree(unrelated[_LOGS])
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(len(edges) - 1):
        inside = homologous[bin_of_pair == number]
        if len(inside) > _MOST_PAIRS:
            inside = inside.sample(_MOST_PAIRS, random_state=rng)
        rows.append(_row(inside, _length_matched(inside, unrelated, tree, rng), measured))
    return pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:]}).join(pd.DataFrame(rows))


def says_nothing_below(table: pd.DataFrame) -> float:
    """Return the identity below which a distance separates nothing, of `discrimination`'s bins.

    Bins without an interval cannot be tested and are passed over. From the lowest that can be,
    the distance says nothing as long as the interval of its area holds 0.5.

    Returns
    -------
    float
        The upper edge of the last such bin; 0 if the lowest bin that can be tested is told apart,
        NaN if none can be tested.
    """
    tested = table.dropna(subset="auc_low").sort_values("bin_low")
    if tested.empty:
        return np.nan
    silent = ((tested["auc_low"] <= 0.5) & (tested["auc_high"] >= 0.5)).to_numpy()
    n_silent = len(silent) if silent.all() else int(silent.argmin())
    return float(tested["bin_high"].iloc[n_silent - 1]) if n_silent else 0.0


def _prepared(
    frame: pd.DataFrame, measured: list[str], families: Mapping[str, str]
) -> pd.DataFrame:
    """Return what `_row` and `_length_matched` read, with families as numbers."""
    of_pair = [frame[name].map(families) for name in _PROTEINS]
    for side, name in zip(of_pair, _PROTEINS, strict=True):
        if side.isna().any():
            raise InputError(f"{frame[name][side.isna()].iloc[0]} has no family; give it one.")
    family_a, family_b, _ = protein_codes(*of_pair, np.ones(len(frame), dtype=bool))
    logs = np.sort(np.log(frame[["length_a", "length_b"]].to_numpy(dtype=np.float64)), axis=1)
    pairs = frame[["identity", *measured, "is_homologous"]].astype({"is_homologous": bool})
    pairs[_LOGS] = logs
    return pairs.assign(family_a=family_a, family_b=family_b).reset_index(drop=True)


def _length_matched(
    homologous: pd.DataFrame, unrelated: pd.DataFrame, tree: cKDTree, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw unrelated pairs for each homologous one among the nearest in length."""
    if homologous.empty or unrelated.empty:
        return unrelated.iloc[:0]
    n_nearest = min(_NEAREST, len(unrelated))
    _, nearest = tree.query(homologous[_LOGS], k=np.arange(1, n_nearest + 1))
    drawn = np.argsort(rng.random(nearest.shape), axis=1)[:, :_UNRELATED]
    return unrelated.iloc[np.take_along_axis(nearest, drawn, axis=1).ravel()]


def _row(
    homologous: pd.DataFrame, unrelated: pd.DataFrame, measured: list[str]
) -> dict[str, float]:
    """Return one bin's row of `discrimination`, but for its edges."""
    n_families = len(np.unique(homologous[_FAMILIES]))
    row = {"n_homologous": len(homologous), "n_unrelated": len(unrelated), "n_units": n_families}
    names = ("auc", "average_precision", *(["auc_difference"] if len(measured) > 1 else []))
    estimate = error = np.full(len(names), np.nan)
    if len(homologous) and len(unrelated):
        both = pd.concat([homologous, unrelated])
        found, *other = (_without_each_family(both, name) for name in measured)
        if other:
            found = np.column_stack([found, found[:, 0] - other[0][:, 0]])
        estimate = found[0]
        if n_families >= LEAST_BLOCKS:
            error = jackknife(found).standard_error
    # Of the degrees of freedom, unrelated pairs, from many more families, bring none.
    margin = error * stdtrit(max(n_families - 1, 1), 0.975)
    least = [-1 if name == "auc_difference" else 0 for name in names]
    low, high = np.clip([estimate - margin, estimate + margin], least, 1)
    for i, name in enumerate(names):
        row |= {name: estimate[i], f"{name}_low": low[i], f"{name}_high": high[i]}
    return row


def _without_each_family(pairs: pd.DataFrame, distance: str) -> np.ndarray:
    """Return AUC and average precision of pairs by a distance, then without each family."""
    ascending = pairs.sort_values(distance)
    families = ascending[_FAMILIES].to_numpy()
    is_homologous = ascending["is_homologous"].to_numpy()
    # Pairs of one distance count together.
    ends = np.flatnonzero(np.diff(ascending[distance], append=np.nan) != 0)
    kept = [(families != left_out).all(axis=1) for left_out in (-1, *np.unique(families))]
    return np.array(
        [_separation(some & is_homologous, some & ~is_homologous, ends) for some in kept]
    )


def _separation(
    is_homologous: np.ndarray, is_unrelated: np.ndarray, ends: np.ndarray
) -> tuple[float, float]:
    """Return AUC and average precision from the shares of both kinds within each distance."""
    with np.errstate(invalid="ignore"):  # NaN where the left-out family had all of a kind
        hits, false_alarms = (
            np.append(0, within[ends] / within[-1])
            for within in (np.cumsum(is_homologous), np.cumsum(is_unrelated))
        )
    precision = hits / (hits + false_alarms).clip(np.finfo(float).tiny)
    return np.trapezoid(hits, false_alarms), np.diff(hits) @ precision[1:]
