"""How well a distance tells homologous from unrelated pairs, by sequence identity."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import cKDTree

from plm_geometry.association.values import (
    ascending_edges,
    bin_numbers,
    check_columns,
    check_level,
    checked_weights,
    protein_codes,
)
from plm_geometry.base.errors import InputError

_COLUMNS = ("identity", "distance", "is_homologous", "length_a", "length_b")
_LOGS = ["log_shorter", "log_longer"]
_PROTEINS = ("accession_a", "accession_b")
# Homologous pairs of a bin: more would sharpen nothing, since proteins and families limit it.
_MOST_PAIRS = 2_000
# Unrelated pairs for each homologous one, and the number of nearest in length they come from.
_UNRELATED = 5
_NEAREST = 50
# Families (or proteins) that an interval needs.
_LEAST_UNITS = 10
# Pairs x left-out units at a time.
_BLOCK_ELEMENTS = 4_000_000


def discrimination(
    frame: pd.DataFrame,
    bins: np.ndarray,
    *,
    families: Mapping[str, str] | None = None,
    weights: np.ndarray | None = None,
    level: float = 0.95,
    seed: int,
) -> pd.DataFrame:
    """Return how well a distance parts homologous pairs from unrelated ones of like lengths.

    Each bin of identity has its homologous pairs (at most 2,000, drawn at random) compared
    with five unrelated pairs for each, of whatever identity, drawn from the 50 that are
    nearest in the logarithms of the shorter and the longer length: a distance that measures
    lengths alone parts nothing. The two kinds count equally in precision, so that chance is
    0.5 in both columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a pair: ``identity`` (0 to 1, of a homologous pair: over the aligned columns
        of a local alignment covering at least 80, as in Rost 1999; pairs with NaN are in no
        bin; not read of unrelated pairs), ``distance`` (small for alike proteins: of a cosine
        similarity, its negative; rows with NaN are left out), ``is_homologous``,
        ``length_a``, ``length_b`` (residues), ``accession_a``, ``accession_b``.
    bins : array-like
        Edges of the bins of identity, ascending. A bin holds its lower edge; the last one
        also its upper edge.
    families : mapping of str to str, optional
        The family of each accession. Given it, intervals come from leaving out one family at
        a time with all its pairs, since the pairs of a family resemble each other; otherwise
        from leaving out one protein at a time, which is too narrow where families are large.
    weights : array-like, shape ``(n_pairs,)``, optional
        1 / inclusion probability of each pair. Unrelated ones are drawn in proportion, and
        take the weight of the homologous one that they are compared with.
    level : float
        How often an interval is to cover the truth, between 0 and 1.
    seed : int
        Of the pairs drawn.

    Returns
    -------
    pandas.DataFrame
        One row a bin: ``bin_low``, ``bin_high``, ``n_homologous``, ``n_unrelated`` (a pair
        may be drawn for several homologous ones), ``n_units`` (families, or proteins, that
        its homologous pairs come from), ``auc``, ``average_precision``, each beside
        ``..._low`` and ``..._high``: jackknife, Student's t. NaN where a bin has no pairs;
        the bounds also with fewer than ten units.

    Raises
    ------
    InputError
        If a column is missing, the bins do not ascend, a family is unknown, or a weight or
        the level is impossible.

    References
    ----------
    Rost, B. (1999), Twilight zone of protein sequence alignments, Protein Engineering 12.
    Hanley, J. A. and McNeil, B. J. (1982), The meaning and use of the area under a receiver
    operating characteristic (ROC) curve, Radiology 143.
    """
    check_columns(frame, [*_COLUMNS, *_PROTEINS])
    check_level(level)
    edges = ascending_edges(bins)
    known = frame["distance"].notna().to_numpy()
    pairs = _prepared(frame[known], checked_weights(weights, len(frame))[known], families)
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
        rows.append(_row(inside, _length_matched(inside, unrelated, tree, rng), level))
    table = pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:]})
    return table.join(pd.DataFrame(rows))


def silent_below(table: pd.DataFrame, *, bound: float = 0.6) -> float | None:
    """Return the identity below which a distance says nothing about homology.

    Parameters
    ----------
    table : pandas.DataFrame
        What `discrimination` returned.
    bound : float
        The area under the curve that is next to nothing; chance is 0.5.

    Returns
    -------
    float or None
        The upper edge of the last bin, counted from the lowest identity, up to which every
        bin that has pairs has an upper bound of its AUC under `bound`; None where already the
        first does not. A bin whose interval is not known is not known to be silent.
    """
    silent = None
    for row in table[table["n_homologous"] > 0].sort_values("bin_low").itertuples():
        if not row.auc_high < bound:
            break
        silent = float(row.bin_high)
    return silent


def _prepared(
    frame: pd.DataFrame, weights: np.ndarray, families: Mapping[str, str] | None
) -> pd.DataFrame:
    """Return what `_row` and `_length_matched` read, with units (families, proteins) as codes."""
    units = [frame[name] for name in _PROTEINS]
    if families is not None:
        units = [side.map(families) for side in units]
        for side, name in zip(units, _PROTEINS, strict=True):
            if side.isna().any():
                raise InputError(f"{frame[name][side.isna()].iloc[0]} has no family; give it one.")
    unit_a, unit_b, _ = protein_codes(*units, np.ones(len(frame), dtype=bool))
    logs = np.sort(np.log(frame[["length_a", "length_b"]].to_numpy(dtype=np.float64)), axis=1)
    pairs = frame[["identity", "distance"]].assign(
        is_homologous=frame["is_homologous"].astype(bool),
        weight=weights,
        unit_a=unit_a,
        unit_b=unit_b,
    )
    pairs[_LOGS] = logs
    return pairs.reset_index(drop=True)


def _length_matched(
    homologous: pd.DataFrame, unrelated: pd.DataFrame, tree: cKDTree, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw unrelated pairs among the nearest in length, with their homologous pairs' weights."""
    if homologous.empty or unrelated.empty:
        return unrelated.iloc[:0]
    n_nearest = min(_NEAREST, len(unrelated))
    _, nearest = tree.query(homologous[_LOGS], k=np.arange(1, n_nearest + 1))
    # The largest of Gumbel numbers raised by log weights: a draw in proportion to the weights.
    keys = rng.gumbel(size=nearest.shape) + np.log(unrelated["weight"].to_numpy())[nearest]
    drawn = np.take_along_axis(nearest, np.argsort(-keys, axis=1)[:, :_UNRELATED], axis=1)
    weight = np.repeat(homologous["weight"].to_numpy(), drawn.shape[1])
    return unrelated.iloc[drawn.ravel()].assign(weight=weight)


def _row(homologous: pd.DataFrame, unrelated: pd.DataFrame, level: float) -> dict[str, float]:
    """Return one bin's row of `discrimination`, but for its edges."""
    n_units = len(pd.unique(homologous[["unit_a", "unit_b"]].to_numpy().ravel()))
    row = {"n_homologous": len(homologous), "n_unrelated": len(unrelated), "n_units": n_units}
    estimate = error = np.full(2, np.nan)
    if len(homologous) and len(unrelated):
        both = pd.concat([homologous, unrelated])
        estimate = _separation(both, both["weight"].to_numpy()[None])[0]
        if n_units >= _LEAST_UNITS:
            error = _jackknife_errors(both)
    margin = error * stats.t.ppf((1 + level) / 2, max(n_units - 1, 1))
    low, high = np.clip([estimate - margin, estimate + margin], 0, 1)
    for i, name in enumerate(("auc", "average_precision")):
        row |= {name: estimate[i], f"{name}_low": low[i], f"{name}_high": high[i]}
    return row


def _jackknife_errors(both: pd.DataFrame) -> np.ndarray:
    """Return the standard errors of both measures from leaving out each unit, shape ``(2,)``."""
    unit_a, unit_b = both["unit_a"].to_numpy(), both["unit_b"].to_numpy()
    units, n_rows = np.union1d(unit_a, unit_b), max(_BLOCK_ELEMENTS // len(both), 1)
    found = []
    for start in range(0, len(units), n_rows):
        left_out = units[start : start + n_rows, None]
        kept = (unit_a != left_out) & (unit_b != left_out)
        found.append(_separation(both, kept * both["weight"].to_numpy()))
    without_one = np.concatenate(found)
    deviations = without_one - without_one.mean(axis=0)
    return np.sqrt((len(units) - 1) / len(units) * (deviations**2).sum(axis=0))


def _separation(both: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return AUC and average precision under each row of weights, shape ``(n_rows, 2)``.

    Both follow from the shares of homologous and of unrelated pairs within each distance.
    """
    order = np.argsort(both["distance"].to_numpy())
    ascending = both["distance"].to_numpy()[order]
    is_homologous = both["is_homologous"].to_numpy()[order]
    ends = np.flatnonzero(np.diff(ascending, append=np.nan) != 0)  # ties count together

    def shares(of: np.ndarray) -> np.ndarray:
        within = np.cumsum(weights[:, order] * of, axis=1)[:, ends]
        with np.errstate(invalid="ignore"):  # NaN where the left-out unit had all of them
            return np.pad(within / within[:, -1:], ((0, 0), (1, 0)))

    hits, false_alarms = shares(is_homologous), shares(~is_homologous)
    auc = np.sum(np.diff(false_alarms) * (hits[:, 1:] + hits[:, :-1]) / 2, axis=1)
    precision = hits / (hits + false_alarms).clip(np.finfo(float).tiny)
    average_precision = np.sum(np.diff(hits) * precision[:, 1:], axis=1)
    return np.stack([auc, average_precision], axis=1)
