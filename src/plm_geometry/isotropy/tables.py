"""Rows of the isotropy tables: a cloud's measures with their intervals, and its variance."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, jackknife
from plm_geometry.isotropy.measures import (
    INTERVALS,
    effective_dimensions,
    interval_row,
    isotropy_row,
    participation_ratio,
)
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

# Statistics of a cloud that has no spread, or fewer than two members: shown as missing.
_NO_ISOTROPY = {
    "isoscore": np.nan,
    "effective_dimensions": np.nan,
    "printed_dimensions": pd.NA,
    "mean_cosine_similarity": np.nan,
}
# What a model's cloud is compared with a control's by.
MEASURES = ("effective_dimensions", "isoscore", "mean_cosine_similarity")
_AVERAGE = ("average_dimensions", "average_dimensions_low", "average_dimensions_high")


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
        What `measures.isotropy_row` returns, missing where the cloud has no spread, and what
        `measures.interval_row` returns, NaN where undefined or with fewer than ten blocks.
    """
    row = _NO_ISOTROPY | {"n": whole.count, "d": whole.dim}
    if not _has_spread(whole):
        return row | dict.fromkeys(INTERVALS, np.nan)
    filled, found = [block for block in blocks if block.count], {}
    if len(filled) >= LEAST_BLOCKS:
        with suppress(InputError):  # without one of the blocks there is no spread
            found = interval_row(whole, map(whole.without, filled))
    known = {name: value for name, value in found.items() if value is not None}
    return row | isotropy_row(whole) | dict.fromkeys(INTERVALS, np.nan) | known


def dimensions_or_nan(cloud: Moments) -> float:
    """Return the effective dimensions of a cloud, NaN where it has no spread."""
    return effective_dimensions(cloud) if _has_spread(cloud) else np.nan


def measures_without_each(whole: Moments, blocks: Sequence[Moments]) -> tuple[list[int], dict]:
    """Return the count and each of `MEASURES` of a cloud, and of it without each of its blocks.

    Returns
    -------
    counts : list of int, length n_blocks + 1
    values : dict of str to ndarray, shape (n_blocks + 1,)
        NaN where undefined.
    """
    clouds = [whole, *map(whole.without, blocks)]
    rows = [isotropy_row(cloud) if _has_spread(cloud) else _NO_ISOTROPY for cloud in clouds]
    values = {name: np.array([row[name] for row in rows], dtype=float) for name in MEASURES}
    return [cloud.count for cloud in clouds], values


def dimensions_without_each(
    vectors: np.ndarray, block_of: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """Return the count and the effective dimensions of vectors, and of those outside each block.

    Trace and Frobenius norm of a covariance are those of the inner products of the centred
    vectors, a matrix that wide vectors do not make large: no covariance is formed.

    Parameters
    ----------
    vectors : ndarray, shape (n_vectors, d)
    block_of : ndarray, shape (n_vectors,)
        The block of each.

    Returns
    -------
    counts : list of int, length n_blocks + 1
    values : ndarray, shape (n_blocks + 1,)
        NaN where there is no spread.
    """
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    products = centred @ centred.T
    kept = [np.arange(len(vectors)), *(np.flatnonzero(block_of != b) for b in np.unique(block_of))]
    values = [dimensions_of_products(products[np.ix_(some, some)]) for some in kept]
    return list(map(len, kept)), np.array(values)


def dimensions_of_products(products: np.ndarray) -> float:
    """Return the effective dimensions of vectors from their inner products, shape ``(n, n)``.

    NaN of fewer than two, and of vectors that differ by rounding alone.
    """
    if len(products) < 2:
        return np.nan
    means = products.mean(axis=0)
    centred = products - means - means[:, None] + means.mean()
    has_spread = centred.trace() > np.finfo(float).eps * products.trace()
    return participation_ratio(centred) if has_spread else np.nan


def paired_difference(
    counts: Sequence[int], model: np.ndarray, control: np.ndarray
) -> dict[str, float]:
    """Return by how much a model exceeds a control over the same proteins.

    What the two have in common, such as families that both find alike, drops out of the interval.

    Parameters
    ----------
    counts : sequence of int, length n_blocks + 1
        As for `jackknife.jackknife`.
    model, control : ndarray, shape (n_blocks + 1,)
        A measure of the whole, and of it without each block.

    Returns
    -------
    dict
        ``difference``; ``difference_corrected``, without its bias, ``_low`` and ``_high``, a 95 %
        interval by a jackknife: NaN with fewer than ten blocks.
    """
    differences = model - control
    corrected, low, high, _ = jackknife(differences, counts, least=LEAST_BLOCKS)
    return {
        "difference": differences[0],
        "difference_corrected": corrected,
        "difference_low": low,
        "difference_high": high,
    }


def ordered_letters(letters: Collection[str]) -> list[str]:
    """Return the residue letters that occur, the twenty standard ones first."""
    standard = [letter for letter in STANDARD_RESIDUES if letter in letters]
    return standard + sorted(set(letters) - set(standard))


def local_rows(groups: Sequence[Mapping[str, Moments]]) -> Iterator[dict[str, object]]:
    """Yield what `measured` returns of each letter's residues, and of all, as ``residue``.

    Parameters
    ----------
    groups : sequence of mappings of str to Moments
        Of the residue embeddings of each amino acid over parts of the proteins, which are left
        out one at a time. Each is read once: of a wide model they take seconds.
    """
    totals: dict[int, Moments] = {}
    for letter in ordered_letters(set().union(*groups)):
        parts = {i: group[letter] for i, group in enumerate(groups) if letter in group}
        for i, part in parts.items():
            totals[i] = totals[i].merge(part) if i in totals else part
        yield {"residue": letter} | _whole_and_parts(list(parts.values()))
    yield {"residue": "all"} | _whole_and_parts(list(totals.values()))


def _whole_and_parts(parts: list[Moments]) -> dict[str, object]:
    return measured(merge_all(parts), parts)


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


def average_dimensions(sizes: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Return the effective dimensions of an amino acid, the mean over the twenty.

    Parameters
    ----------
    sizes, values : ndarray, shape (n_groups + 1,)
        What `averages_without_each` returns.

    Returns
    -------
    dict
        ``average_dimensions``; ``_low`` and ``_high`` of it, a 95 % interval by a jackknife, NaN
        with fewer than ten groups; ``n``, the residues that it is over.
    """
    row = dict.fromkeys(_AVERAGE, np.nan) | {"n": 0}
    if not len(values):
        return row
    _, low, high, _ = jackknife(values, sizes, least=LEAST_BLOCKS)
    found = dict(zip(_AVERAGE, (values[0], low, high), strict=True))
    return row | found | {"n": int(sizes[0])}


def averages_without_each(
    letters: Mapping[str, Moments], groups: Sequence[Mapping[str, Moments]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return residues and mean dimensions over amino acids: of all, and without each group.

    Parameters
    ----------
    letters : mapping of str to Moments
        Of the residue embeddings of each amino acid; those without spread do not count.
    groups : sequence of mappings of str to Moments
        The same over parts of the proteins; groups without residues do not count.

    Returns
    -------
    sizes, values : ndarray, shape (n_groups + 1,)
        Empty where no amino acid has a spread.
    """
    names = [a for a in ordered_letters(letters) if a in STANDARD_RESIDUES]
    names = [letter for letter in names if _has_spread(letters[letter])]
    if not names:
        return np.empty(0, int), np.empty(0)
    filled = [group for group in groups if any(letter in group for letter in names)]
    found = [_without_each(letters[a], [group.get(a) for group in filled]) for a in names]
    counts, dimensions = np.array(found).transpose(1, 2, 0)
    return counts.sum(axis=1), dimensions.mean(axis=1)


def _without_each(whole: Moments, parts: Sequence[Moments | None]) -> tuple[list[int], list[float]]:
    """Return the count and the effective dimensions of the whole, and without each part."""
    left = [whole, *(whole if part is None else whole.without(part) for part in parts)]
    return [moments.count for moments in left], [dimensions_or_nan(moments) for moments in left]


def _has_spread(moments: Moments) -> bool:
    return moments.count > 1 and bool(np.trace(moments.scatter) > 0)
