"""Remedies for anisotropy, and what composition and length leave: each fitted on other families."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from plm_geometry import association
from plm_geometry.association.retrieval import MEASURES
from plm_geometry.base.errors import InputError
from plm_geometry.experiments.retrieval import queries_of
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, Interval, jackknife
from plm_geometry.isotropy.remedies import (
    AllButTheTop,
    Centring,
    Residuals,
    Standardising,
    Whitening,
    WithoutRogues,
    cross_fitted,
)
from plm_geometry.isotropy.spectrum import eigenvalues
from plm_geometry.isotropy.tables import dimensions_of_products

if TYPE_CHECKING:
    from plm_geometry.study import Study

# Components that are whitened; fewer where vectors or their dimensions are.
_WHITENED = 60
# Blocks of whole families, of each half, that the jackknife leaves out in turn.
_N_BLOCKS = 10
# Where less of the variance is left than this, what is left is rounding and rare letters.
_LEAST_LEFT = 0.05
_NONE = Interval(*[np.nan] * 4)


class Judged(NamedTuple):
    """Vectors of both halves after one remedy, as far as rotations leave them alone.

    Attributes
    ----------
    rows : list of two ndarrays of int
        The proteins of each half.
    cosines : list of two ndarrays, shape (n_half, n_half)
    log_dimensions, mean_cosines : ndarray, shape (1 + n_blocks,)
        Mean of the halves: of all, and without each block of families where there are enough.
    queries : DataFrame
        Of `association.retrieve` within the halves; empty where families are not known.
    """

    rows: list[np.ndarray]
    cosines: list[np.ndarray]
    log_dimensions: np.ndarray
    mean_cosines: np.ndarray
    queries: pd.DataFrame


class Remedies:
    """Tables by model, over the proteins that retrieval is measured on.

    Halves of whole families: what is fitted on one is judged on the other, with both proteins of
    a pair, query and candidates, in that other half. Of a control with several seeds, the first.
    """

    def __init__(self, study: "Study"):
        self.study = study

    def table(self) -> pd.DataFrame:
        """Return isotropy, retrieval and correlation before and after each remedy.

        Returns
        -------
        DataFrame
            Labels; ``remedy``, "none" first; ``effective_dimensions``, ``mean_cosine_similarity``,
            ``top_1``, ``average_precision``, ``identity_correlation``; and the paired changes with
            intervals over families: ``dimensions_ratio``, ``mean_cosine_change``,
            ``top_1_change``, ``average_precision_change``, ``correlation_change``, each beside
            ``..._low`` and ``..._high``. No rows of vectors that no remedy can be fitted on.
        """
        return self._table

    def arrows(self) -> pd.DataFrame:
        """Return what whitening does to models, for `figures.more_dimensions`.

        Labels, ``effective_dimensions`` and ``top_1``, and both with ``_before``.
        """
        table, columns = self._table, ["effective_dimensions", "top_1"]
        if table.empty:
            return table
        before = table[table["remedy"] == "none"].set_index("model")[columns]
        after = table[table["remedy"].str.startswith("whitening") & (table["role"] == "model")]
        return after.join(before.add_suffix("_before"), on="model")

    def composition(self) -> pd.DataFrame:
        """Return what a regression on composition and log length explains, and leaves.

        Labels; ``explained``, the share of the variance in the half not fitted on, with
        ``..._low`` and ``..._high``; and the columns of `table` of the residuals, missing where
        hardly anything is left, without correlations.
        """
        return self.study.rows(self._left_by_composition)

    def parallel(self) -> pd.DataFrame:
        """Return how many components vary more than those of the same model on shuffled residues.

        Of models whose ``shuffled:MODEL`` is among the controls. Component by component, in the
        order of the variance, against the largest of the shuffles.

        Returns
        -------
        DataFrame
            Labels; ``shuffles``; ``components``, those above; ``of``, all there are;
            ``variance_ratio``, that of the whole variance to the shuffles' mean, and
            ``share_above``, how many exceed as shares of the whole variance.
        """
        return self.study.rows(self._parallel)

    @cached_property
    def _table(self) -> pd.DataFrame:
        return self.study.rows(self._rows)

    @cached_property
    def families(self) -> list[str] | None:
        """The family of each protein."""
        return self.study.families_of(self.study.retrieval.proteins)

    @cached_property
    def _block_of(self) -> np.ndarray:
        """Blocks of whole families within each half, numbered through."""
        proteins = self.study.retrieval.proteins
        found = np.empty(len(proteins), dtype=int)
        halves = cross_fitted(None, np.empty((len(found), 1)), self.families, **self._seed)
        for half, fold in enumerate(halves):
            blocks = self.study.blocks(proteins.select(fold.judged), _N_BLOCKS)
            found[fold.judged] = blocks + half * _N_BLOCKS
        return found

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        """The study's random pairs of which both proteins are retrieved: rows, identity, weight."""
        study, chosen = self.study, self.study.retrieval.chosen
        row = np.full(len(study.common), -1)
        row[chosen] = np.arange(len(chosen))
        table = study.pairs.table()
        first, second = (row[side] for side in study.pairs.sides(table))
        columns = {"first": first, "second": second, "identity": table["sequence_identity"]}
        frame = pd.DataFrame(columns | {"weight": table["weight"]})
        return frame[(first >= 0) & (second >= 0)]

    def _fitted(self, width: int) -> dict[str, object]:
        """Return the remedies to try, by what tables call them."""
        n = min(_WHITENED, width - 1, len(self._block_of) // 2 - 1)
        return {
            "none": None,
            "centring": Centring(),
            "without the rogue coordinate": WithoutRogues(1),
            "all but the top 3": AllButTheTop(3),
            f"whitening to {n}": Whitening(n),
            "standardising": Standardising(),
        }

    def _rows(self, name: str) -> Iterator[dict[str, object]]:
        x = self.study.retrieval.vectors(name)
        before = None
        for title, remedy in self._fitted(x.shape[1]).items():
            with suppress(InputError):  # equal vectors, or too few, or of too few dimensions
                after = self._judge(cross_fitted(remedy, x, self.families, **self._seed))
                before = before or after
                row = {"remedy": title} | _measured(before, after)
                yield row | self._correlated(before, after)

    def _left_by_composition(self, name: str) -> Iterator[dict[str, object]]:
        study = self.study
        x, proteins = study.retrieval.vectors(name).astype(float), study.retrieval.proteins
        counts = proteins.composition
        counts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
        covariates = np.column_stack([counts, np.log(proteins.lengths)])
        before = list(cross_fitted(None, x, self.families, **self._seed))
        after = list(cross_fitted(Residuals(), x, self.families, covariates, **self._seed))
        sums = np.zeros((2, 2 * _N_BLOCKS))
        for fold in after:
            blocks, centred = self._block_of[fold.judged], x[fold.judged] - x[fold.fitted].mean(0)
            for row, vectors in zip(sums, (fold.vectors, centred), strict=True):
                row += np.bincount(blocks, (vectors**2).sum(axis=1), len(row))
        left, total = (np.append(0, row) for row in sums)
        if not sums[1].any():
            return
        shares = 1 - (left.sum() - left) / (total.sum() - total)
        row = _over_blocks(shares).named("explained")
        if 1 - shares[0] > _LEAST_LEFT:
            with suppress(InputError):
                row |= _measured(self._judge(before), self._judge(after))
        yield row

    def _parallel(self, name: str) -> Iterator[dict[str, object]]:
        settings = self.study.settings
        named = [n for first in self.study.names for n in settings.copies.get(first, [first])]
        controls = [n for n in named if n.partition("@")[0] == f"shuffled:{name}"]
        if not controls:
            return
        found = eigenvalues(self.study.moments(name))
        shuffled = np.array([eigenvalues(self.study.moments(control)) for control in controls])
        shares = (shuffled / shuffled.sum(axis=1, keepdims=True)).max(axis=0)
        yield {
            "shuffles": len(controls),
            "components": int((found > shuffled.max(axis=0)).sum()),
            "of": int((found > 0).sum()),
            "variance_ratio": found.sum() / shuffled.sum(axis=1).mean(),
            "share_above": int((found / found.sum() > shares).sum()),
        }

    @property
    def _seed(self) -> dict[str, int]:
        return {"seed": self.study.settings.seed}

    def _judge(self, folds) -> Judged:
        """Measure both halves after a remedy."""
        folds = list(folds)
        rows, vectors = [fold.judged for fold in folds], [fold.vectors for fold in folds]
        vectors = [part.astype(np.float64) for part in vectors]
        blocks = [self._block_of[part] for part in rows]
        found = [_without_each(part, of) for part, of in zip(vectors, blocks, strict=True)]
        cosines = [cosine for cosine, _ in found]
        # Leaving out a block changes the number of its own half only.
        each = np.array([_halves(half, number) for half, (_, number) in enumerate(found)])
        known = 1 if len(np.unique(self._block_of)) < 2 * _N_BLOCKS else None
        measured = each.mean(axis=0)[:, :known]
        return Judged(rows, cosines, *measured, self._queries(rows, vectors))

    def _queries(self, rows: list, vectors: list) -> pd.DataFrame:
        family = self.study.retrieval.families
        found = [
            queries_of(part, None if family is None else family[of]).assign(
                query=lambda t, of=of: of[t["query"].astype(int)]
            )
            for of, part in zip(rows, vectors, strict=True)
        ]
        return pd.concat(found, ignore_index=True)

    def _correlated(self, before: Judged, after: Judged) -> dict[str, float]:
        """Return the correlation of cosine similarity with identity, and its change."""
        place, half_of = np.empty((2, len(self._block_of)), dtype=int)
        for half, rows in enumerate(before.rows):
            place[rows], half_of[rows] = np.arange(len(rows)), half
        pairs = self._pairs
        pairs = pairs[half_of[pairs["first"]] == half_of[pairs["second"]]]
        first, second = (pairs[side].to_numpy() for side in ("first", "second"))
        frame = pd.DataFrame({"identity": pairs["identity"].to_numpy()})
        for column, judged in (("before", before), ("after", after)):
            cosine = np.empty(len(pairs))
            for half, found in enumerate(judged.cosines):
                some = half_of[first] == half
                cosine[some] = found[place[first[some]], place[second[some]]]
            frame[column] = cosine
        row = {"identity_correlation": np.nan} | _NONE.named("correlation_change")
        blocks = self._block_of
        if len(np.unique(blocks)) < LEAST_BLOCKS or len(frame.dropna()) < LEAST_BLOCKS:
            return row
        entry = (("after", "identity"), ("before", "identity"))
        weights = pairs["weight"].to_numpy()
        (change,) = association.correlation_differences(
            frame, [entry], blocks[first], blocks[second], weights=weights
        )
        found = association.correlation_matrix(frame, columns=list(frame), weights=weights)
        row["identity_correlation"] = found.loc["after", "identity"]
        return row | change.named("correlation_change")


def _without_each(vectors: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines, and log effective dimensions and mean cosine: of all, without each block.

    From inner products, which rotations leave alone, and which have the covariance's eigenvalues.
    """
    products = vectors @ vectors.T
    lengths = np.sqrt(products.diagonal())
    cosines = products / np.outer(lengths, lengths).clip(np.finfo(float).tiny)
    found = [
        (np.log(dimensions_of_products(products[some])), _mean_cosine(cosines[some]))
        for block in (-1, *np.unique(blocks))
        for some in [np.ix_(blocks != block, blocks != block)]
    ]
    if np.isnan(found[0][0]):
        raise InputError("the vectors do not differ; give others.")
    return cosines, np.array(found).T


def _mean_cosine(cosines: np.ndarray) -> float:
    n = len(cosines)
    return (cosines.sum() - cosines.trace()) / (n * (n - 1) or np.nan)


def _halves(half: int, numbers: np.ndarray) -> np.ndarray:
    """Return numbers of one half of two: of all, and without each block of either half."""
    whole = np.repeat(numbers[:, :1], _N_BLOCKS, axis=1)
    own = np.concatenate([numbers[:, 1:], whole], axis=1)[:, :_N_BLOCKS]
    return np.concatenate([numbers[:, :1], *((own, whole) if half == 0 else (whole, own))], axis=1)


def _measured(before: Judged, after: Judged) -> dict[str, float]:
    """Return the measures after a remedy, and their paired changes."""
    row = {
        "effective_dimensions": np.exp(after.log_dimensions[0]),
        "mean_cosine_similarity": after.mean_cosines[0],
    }
    ratio = _over_blocks(after.log_dimensions - before.log_dimensions)
    row |= ratio.named("dimensions_ratio", np.exp)
    row |= _over_blocks(after.mean_cosines - before.mean_cosines).named("mean_cosine_change")
    for measure in MEASURES:
        change = association.paired(after.queries, before.queries, measure)
        row[measure] = association.averaged(after.queries, measure).estimate
        row |= change.named(f"{measure}_change")
    return row


def _over_blocks(values: np.ndarray) -> Interval:
    return jackknife(values, least=LEAST_BLOCKS)
