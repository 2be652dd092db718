"""How well the nearest vectors are those of relatives: retrieval of homologues, by family."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, Interval, jackknife

METRICS = ("cosine", "euclidean")
MEASURES = ("top_1", "average_precision")
COLUMNS = ("query", "family", "n_relatives", *MEASURES)
# Similarities nearer than this share of their scale differ by rounding only: they tie.
_TIE = 1e-12
# Strangers of a query that it is told from, where those are to be like it.
N_STRANGERS = 50
# Queries whose similarities are held at a time.
_BLOCK = 500


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
    masks = [None if mask is None else np.asarray(mask, bool) for mask in (relevant, candidates)]
    asked = np.flatnonzero(np.bincount(family)[family] > 1)  # the others have no relative
    asked = asked if queries is None else np.intersect1d(asked, list(queries))
    rows = []
    for query, near, tie in _similarities(vectors, asked.tolist(), metric):
        wanted, among = _judged(family, query, *masks)
        if wanted.any():
            found = _found(near[among], wanted[among], tie)
            rows.append((query, families[query], int(wanted.sum()), *found))
    return pd.DataFrame(rows, columns=COLUMNS)


def pair_auc(
    vectors: ArrayLike,
    families: Sequence[object],
    *,
    metric: str = "cosine",
    within: Sequence[object] | None = None,
) -> Interval:
    """Return how well a distance tells pairs of one family from pairs of two, over all pairs.

    Unlike in `averaged`, a family of m proteins counts as its m(m - 1)/2 pairs.

    Parameters
    ----------
    vectors, families, metric
        As for `retrieve`.
    within : sequence, length n, optional
        Pairs whose proteins differ in this are left out: give the superfamilies of the proteins
        to compare relatives with remote relatives.

    Returns
    -------
    Interval
        Area under the ROC curve, the share of (pair of one family, pair of two) in which the
        former is the nearer; 0.5 is chance. Ends are 95 %, from leaving out one family at a time
        with all its pairs; NaN with fewer than ten families of two or more.
    """
    vectors, family = _checked(vectors, families, metric)
    rows = [near for _, near, _ in _similarities(vectors, range(len(vectors)), metric)]
    first, second = np.triu_indices(len(vectors), 1)
    if within is not None:
        alike = np.asarray(within)[first] == np.asarray(within)[second]
        first, second = first[alike], second[alike]
    near, same = np.array(rows)[first, second], family[first] == family[second]
    values = [_area(near, same)]
    for left_out in np.unique(family[first[same]]):
        kept = (family[first] != left_out) & (family[second] != left_out)
        values.append(_area(near[kept], same[kept]))
    return jackknife(values, least=LEAST_BLOCKS)


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


def averages(queries: pd.DataFrame) -> dict[str, float]:
    """Return `averaged` of each of the `MEASURES`, beside ``..._low`` and ``..._high``."""
    found = [averaged(queries, measure).named(measure) for measure in MEASURES]
    return found[0] | found[1]


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


def components_needed(queries: pd.DataFrame, share: float) -> Interval:
    """Return in how many components retrieval reaches a share of what it is in all of them.

    Between two numbers of components it is taken to grow as a line in their logarithm.

    Parameters
    ----------
    queries : DataFrame
        Of `retrieve` in each number of ``components``.
    share : float
        Of the top-1 retrieval in the most components, which is the mean over families.

    Returns
    -------
    Interval
        Ends are 95 %, from leaving out one family at a time, of the logarithm; NaN with fewer than
        ten. All is NaN where nothing is retrieved.
    """
    means = queries.pivot_table("top_1", "family", "components")
    curves = np.array(list(_without_each(means.to_numpy())))
    logs = np.log(means.columns.to_numpy(dtype=float))
    found = jackknife([_crossing(logs, curve, share) for curve in curves], least=LEAST_BLOCKS)
    ends = np.exp(found[:3])
    return Interval(*ends, found.standard_error * ends[0])


def matched_candidates(
    lengths: ArrayLike, composition: ArrayLike, families: Sequence[object], n: int = N_STRANGERS
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


def _judged(
    family: np.ndarray, query: int, relevant: np.ndarray | None, candidates: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return whom a query is to find, and among whom."""
    same = family == family[query]
    wanted = same if relevant is None else same & relevant[query]
    among = wanted | ~same
    if candidates is not None:
        among &= candidates[query]
    among[query] = False
    return wanted & among, among


def _similarities(
    vectors: np.ndarray, rows: Sequence[int], metric: str
) -> Iterator[tuple[int, np.ndarray, float]]:
    """Yield each of `rows`, how near it is to every vector, and what counts as a tie."""
    scale = (vectors**2).sum(axis=1).max(initial=0)
    if metric == "cosine":
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors, tie = vectors / np.where(norms > 0, norms, 1), _TIE
    else:
        vectors = vectors - vectors.mean(axis=0)  # squares of a large common mean lose digits
        tie = _TIE * max((vectors**2).sum(axis=1).max(initial=0), _TIE**2 * scale)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        some = vectors[list(block)]
        near = some @ vectors.T if metric == "cosine" else -_squared(some, vectors)
        yield from ((query, row, tie) for query, row in zip(block, near, strict=True))


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


def _area(near: np.ndarray, same: np.ndarray) -> float:
    """Return the area under the ROC curve, by the ranks' sum (Mann and Whitney)."""
    n = same.sum()
    if not 0 < n < len(same):
        return np.nan
    return (rankdata(near)[same].sum() - n * (n + 1) / 2) / (n * (len(same) - n))


def _crossing(logs: np.ndarray, curve: np.ndarray, share: float) -> float:
    """Return where a curve first reaches a share of its last value."""
    target = share * curve[-1]
    if not target > 0:
        return np.nan
    i = int((curve >= target).argmax())
    return logs[0] if i == 0 else np.interp(target, curve[i - 1 : i + 1], logs[i - 1 : i + 1])


def _without_each(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the mean over families (rows), and without each of them."""
    yield values.mean(axis=0)
    yield from (values.sum(axis=0) - values) / max(len(values) - 1, 1)


def _mean(values: np.ndarray) -> Interval:
    """Return the mean of the families' values with its jackknife interval."""
    if not len(values):
        return Interval(*[np.nan] * 4)
    return jackknife(list(_without_each(values)), least=LEAST_BLOCKS)
