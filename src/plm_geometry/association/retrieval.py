"""How well the nearest vectors are those of relatives: retrieval of homologues, by family."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, Interval, jackknife

METRICS = ("cosine", "euclidean")
COLUMNS = ("query", "family", "n_relatives", "top_1", "average_precision")
# Similarities nearer than this share of their scale differ by rounding only: they tie.
_TIE = 1e-12


def retrieve(
    vectors: ArrayLike,
    families: Sequence[object],
    *,
    metric: str = "cosine",
    relevant: np.ndarray | None = None,
    candidates: np.ndarray | None = None,
    queries: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Rank all proteins by how near they are to each query, and see where its relatives stand.

    Each protein with a relative is a query once; its own vector is no candidate. Candidates that
    are equally near stand in any order with equal chance, and what is returned is the expectation:
    equal vectors find relatives by chance.

    Parameters
    ----------
    vectors : array-like, shape (n, d)
        One per protein. A zero vector has a cosine of 0 with every other.
    families : sequence, length n
        The family of each protein.
    metric : {"cosine", "euclidean"}
        Near is a high cosine similarity, or a small Euclidean distance.
    relevant : ndarray of bool, shape (n, n), optional
        Whom a query (row) is to find, by default its family. Relatives that are not are no
        candidates: neither a hit nor a miss.
    candidates : ndarray of bool, shape (n, n), optional
        Among whom a query (row) looks, by default all others: see `matched_candidates`.
    queries : sequence of int, optional
        Proteins that may be queries, by default all.

    Returns
    -------
    pandas.DataFrame
        One row per query: ``query``, its row number; ``family``; ``n_relatives``, those to be
        found; ``top_1``, whether the nearest candidate is one (a probability where candidates tie);
        ``average_precision``, the mean over relatives of the share of relatives among the
        candidates up to it.

    Raises
    ------
    InputError
        If numbers do not fit each other, vectors are not finite, or the metric is unknown.

    References
    ----------
    McSherry, F. and Najork, M. (2008), Computing information retrieval performance measures
    efficiently in the presence of tied scores, ECIR: average precision where candidates tie.
    """
    vectors, family = _checked(vectors, families, metric)
    same = family[:, None] == family
    wanted = same if relevant is None else np.asarray(relevant, dtype=bool) & same
    among = wanted | ~same
    if candidates is not None:
        among &= np.asarray(candidates, dtype=bool)
    np.fill_diagonal(among, val=False)
    wanted &= among
    asked = np.flatnonzero(wanted.any(axis=1))
    asked = asked if queries is None else np.intersect1d(asked, queries)
    near, tie = _similarities(vectors, asked, metric)
    rows = [
        (query, families[query], wanted[query].sum(), *_found(row[some], wanted[query, some], tie))
        for query, row in zip(asked.tolist(), near, strict=True)
        for some in [among[query]]
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def averaged(queries: pd.DataFrame, column: str = "top_1") -> Interval:
    """Return the mean over families of the mean over each one's queries.

    A large family counts as much as a small one. Ends are 95 %, from leaving out one family of
    queries at a time; NaN with fewer than ten.

    Parameters
    ----------
    queries : DataFrame
        Of `retrieve`.
    column : str
        "top_1" or "average_precision".
    """
    return _mean(queries.groupby("family")[column].mean().to_numpy(dtype=float))


def paired(a: pd.DataFrame, b: pd.DataFrame, column: str = "top_1") -> Interval:
    """Return by how much `a` finds more than `b`: the mean over families of the difference.

    Parameters
    ----------
    a, b : DataFrame
        Of `retrieve`, over the same proteins; queries of one of them alone do not count.
    column : str
        As for `averaged`, of whose interval this one has the form.
    """
    both = a.merge(b, on=["query", "family"], suffixes=("_a", "_b"))
    difference = both[f"{column}_a"] - both[f"{column}_b"]
    return _mean(difference.groupby(both["family"]).mean().to_numpy(dtype=float))


def matched_candidates(
    lengths: ArrayLike, composition: ArrayLike, families: Sequence[object], n: int = 50
) -> np.ndarray:
    """Return each protein's relatives and the strangers most like it in composition and length.

    Likeness is the squared distance of the compositions and that of the logarithms of the lengths,
    each divided by its mean over all pairs, added up.

    Parameters
    ----------
    lengths : array-like, shape (n_proteins,)
        In residues.
    composition : array-like, shape (n_proteins, 20)
        Shares of the amino acids.
    families : sequence, length n_proteins
    n : int
        Strangers for each protein; fewer where there are not so many.

    Returns
    -------
    ndarray of bool, shape (n_proteins, n_proteins)
        Of each protein (row), its candidates for `retrieve`.
    """
    _, family = np.unique(np.asarray(families), return_inverse=True)
    same = family[:, None] == family
    logs = np.log(np.asarray(lengths, dtype=np.float64))[:, None]
    parts = [_squared(part, part) for part in (np.asarray(composition, np.float64), logs)]
    unlike = sum(part / (part.mean() or 1) for part in parts)
    unlike[same] = np.inf
    place = unlike.argsort(axis=1, kind="stable").argsort(axis=1)
    return same | ((place < n) & ~same)


def _checked(
    vectors: ArrayLike, families: Sequence[object], metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors in double precision, and families as numbers."""
    vectors = np.asarray(vectors, dtype=np.float64)
    if metric not in METRICS:
        raise InputError(f"metric {metric!r} is unknown; choose {' or '.join(METRICS)}.")
    if vectors.ndim != 2 or len(vectors) != len(families):
        raise InputError(
            f"{len(families)} families do not fit vectors of shape {vectors.shape}; give one "
            "vector, a row, and one family for each protein."
        )
    if not np.isfinite(vectors).all():
        raise InputError("a vector holds a number that is not finite; leave that protein out.")
    return vectors, np.unique(np.asarray(families), return_inverse=True)[1]


def _similarities(vectors: np.ndarray, rows: np.ndarray, metric: str) -> tuple[np.ndarray, float]:
    """Return how near each of `rows` is to every vector, and what counts as a tie."""
    if metric == "cosine":
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.where(norms > 0, norms, 1)
        return unit[rows] @ unit.T, _TIE
    scale = (vectors**2).sum(axis=1).max(initial=0)
    vectors = vectors - vectors.mean(axis=0)  # of large common means the squares would lose digits
    tie = _TIE * max((vectors**2).sum(axis=1).max(initial=0), _TIE**2 * scale)
    return -_squared(vectors[rows], vectors), tie


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distance of each of `a` to each of `b`."""
    return (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T


def _found(near: np.ndarray, is_wanted: np.ndarray, tie: float) -> tuple[float, float]:
    """Return the expected top-1 and average precision of one query's candidates."""
    order = np.argsort(-near, kind="stable")
    group = np.append(0, np.cumsum(-np.diff(near[order]) > tie))
    size, hits = np.bincount(group), np.bincount(group, weights=is_wanted[order])
    before, hits_before = np.cumsum(size) - size, np.cumsum(hits) - hits
    within = np.arange(len(order)) - before[group]  # other members of the group that stand before
    share = ((hits - 1) / np.maximum(size - 1, 1))[group]
    precision = (hits_before[group] + 1 + within * share) / np.arange(1, len(order) + 1)
    return hits[0] / size[0], float((hits / size)[group] @ precision / hits.sum())


def _without_each(values: np.ndarray) -> Iterator[float]:
    yield values.mean()
    yield from (values.sum() - values) / max(len(values) - 1, 1)


def _mean(values: np.ndarray) -> Interval:
    """Return the mean of the families' values with its jackknife interval."""
    if not len(values):
        return Interval(*[np.nan] * 4)
    return jackknife(list(_without_each(values)), least=LEAST_BLOCKS)
