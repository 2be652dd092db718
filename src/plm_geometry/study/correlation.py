"""Correlation: how embedding distance and alignment hang together over pairs of proteins."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry import association, pairs
from plm_geometry.association.signs import variation
from plm_geometry.study.pairs import sides

if TYPE_CHECKING:
    from plm_geometry.study import Study

DISTANCES = ("cosine_similarity", "squared_euclidean")
SIMILARITIES = ("alignment_score", "sequence_identity")
# The paper does not say which: usual ones, linear ones, and free gaps.
GAPS = ((11, 1), (10, 1), (5, 1), (2, 2), (1, 1), (0, 0))
MODES = ("global", "semiglobal", "local")
# Pairs enough for two digits of a correlation, over all settings.
_N_FOR_SETTINGS = 2_000
# Biopython needs so long for each that more would cost minutes.
_N_FOR_TIES = 1_000
_LEAST_FOR_MANTEL = 3


class Correlation:
    """Correlations over pairs, of each model and of the sequences alone."""

    def __init__(self, study: "Study"):
        self.study = study

    def table(self, method: str = "pearson", *, adjusted: bool = False) -> pd.DataFrame:
        """Return every entry of each model's 4 x 4 matrix, with its interval.

        Parameters
        ----------
        method : {"pearson", "spearman"}
        adjusted : bool
            Whether to correlate what the lengths of the two proteins do not explain.

        Returns
        -------
        DataFrame
            Labels, and ``a, b, estimate, low, high, standard_error`` of
            `association.correlation_intervals`; ``pairwise_low, pairwise_high``: the interval of
            one who takes pairs for independent.
        """
        return self.study.rows(lambda name: self._entries(name, method, adjusted))

    def lengths(self) -> pd.DataFrame:
        """Return the share of each quantity's variance that the two lengths explain.

        Labels, ``quantity``, ``estimate, low, high`` of `association.r_squared_on_lengths`.
        """
        return self.study.rows(self._lengths)

    def signs(self) -> pd.DataFrame:
        """Work through the sign between cosine and squared Euclidean distance.

        Labels; ``cosine_similarity`` and ``cosine_distance``: their correlation with the squared
        Euclidean distance, which is -1 and 1 between vectors of one length; ``norm_variation``:
        standard deviation of the vectors' lengths over their mean.
        """
        return self.study.rows(lambda name: [self._signs(name)])

    def mantel(self) -> pd.DataFrame:
        """Test each distance against each similarity over all pairs of ``n_mantel`` proteins.

        Labels, ``a, b``, ``adjusted`` for lengths or not, ``r`` and ``p``; over the
        `mantel_proteins`, NaN where these are fewer than three.
        """
        study, chosen = self.study, self.mantel_proteins
        combinations = list(product((False, True), SIMILARITIES))
        if len(chosen) < _LEAST_FOR_MANTEL:
            undefined = association.MantelTest(np.nan, np.nan)
            tests = {(adjusted, b, name, a): undefined for adjusted, b in combinations
                     for name in study.names for a in DISTANCES}  # fmt: skip
        else:
            tests = self._mantel_tests(combinations)
        return study.rows(
            lambda name: [
                {"a": a, "b": b, "adjusted": adjusted, **tests[adjusted, b, name, a]._asdict()}
                for adjusted, b in combinations
                for a in DISTANCES
            ]
        )

    @cached_property
    def mantel_proteins(self) -> np.ndarray:
        """Positions of the proteins of `mantel`, drawn where every model gives a vector a length.

        Without one there is no cosine similarity: a protein of two residues has no 3-mer.
        """
        study = self.study
        lengths = [np.linalg.norm(study.vectors(name), axis=1) for name in study.names]
        known = np.flatnonzero(np.all(np.array(lengths) > 0, axis=0))
        n = min(study.settings.n_mantel, len(known))
        rng = np.random.default_rng(study.settings.seed)
        return np.sort(known[rng.choice(len(known), n, False)])

    def settings_grid(self) -> pd.DataFrame:
        """Return the correlation of score and identity under every setting of the alignment.

        ``mode, gap_open, gap_extend, denominator, estimate, low, high``, on at most 2,000 of the
        pairs.
        """
        rows = []
        for mode, (gap_open, gap_extend) in product(MODES, GAPS):
            setting = {"mode": mode, "gap_open": gap_open, "gap_extend": gap_extend}
            table = self._realigned(setting | {"denominator": "aligned_columns"}, _N_FOR_SETTINGS)
            for denominator, identity in identities(table).items():
                found = _agreement(table.assign(sequence_identity=identity))
                rows.append(setting | {"denominator": denominator, **found._asdict()})
        return pd.DataFrame(rows).drop(columns="standard_error")

    def ties(self) -> pd.DataFrame:
        """Return how far engines' own choices among optimal alignments move identities.

        ``engine, ties, differing`` (share of at most 1,000 pairs whose identities are not the
        largest possible), ``largest`` (difference of sequence identity), ``estimate`` (of
        the correlation of score and identity).
        """
        highest = self._realigned({"ties": "max"}, _N_FOR_TIES)
        rows = [("any", "max", 0.0, 0.0, _agreement(highest).estimate)]
        for engine in ("parasail", "biopython"):
            own = self._realigned({"engine": engine, "ties": "engine"}, _N_FOR_TIES)
            difference = (highest["sequence_identity"] - own["sequence_identity"]).abs()
            differing = (highest["identities"] != own["identities"]).mean()
            rows.append((engine, "engine", differing, difference.max(), _agreement(own).estimate))
        return pd.DataFrame(rows, columns=["engine", "ties", "differing", "largest", "estimate"])

    def _entries(self, name: str, method: str, adjusted: bool) -> list[dict[str, object]]:
        table = self.study.pairs.of(name)
        if adjusted:
            table = association.adjusted_for_lengths(table, weights=table["weight"])
        found = association.correlation_intervals(table, method, weights=table["weight"])
        naive = [association.pairwise_interval(r, len(table)) for r in found["estimate"]]
        found["pairwise_low"] = [interval.low for interval in naive]
        found["pairwise_high"] = [interval.high for interval in naive]
        return found.to_dict("records")

    def _lengths(self, name: str) -> list[dict[str, object]]:
        table = self.study.pairs.of(name)
        found = association.r_squared_on_lengths(table, weights=table["weight"])
        return found.rename_axis("quantity").reset_index().to_dict("records")

    def _signs(self, name: str) -> dict[str, float]:
        table = self.study.pairs.of(name)
        table = table.assign(cosine_distance=1 - table["cosine_similarity"])
        found = {
            cosine: pearson(table, cosine, "squared_euclidean")
            for cosine in ("cosine_similarity", "cosine_distance")
        }
        norms = np.linalg.norm(self.study.vectors(name), axis=1)
        return found | {"norm_variation": variation(norms)}

    def _mantel_tests(
        self, combinations: list[tuple[bool, str]]
    ) -> dict[tuple[bool, str, str, str], association.MantelTest]:
        """Return the test of each combination and of each model's distances."""
        study, chosen = self.study, self.mantel_proteins
        first, second = (chosen[side] for side in pairs.all_pairs(len(chosen)))
        lengths = study.common.lengths
        table = study.pairs.aligned(first, second, study.pairs.alignment)
        table = table.assign(length_a=lengths[first], length_b=lengths[second])
        columns = {}
        for name in study.names:
            distances = pairs.pair_distances(study.vectors(name), first, second)
            columns |= {(name, a): distances[a] for a in DISTANCES}
        table = table.assign(**{":".join(key): column for key, column in columns.items()})
        found = {}
        for adjusted, b in combinations:
            tests = self._mantel(table, [":".join(key) for key in columns], b, adjusted)
            found |= {(adjusted, b, *key): test for key, test in zip(columns, tests, strict=True)}
        return found

    def _mantel(
        self, table: pd.DataFrame, distances: list[str], similarity: str, adjusted: bool
    ) -> list[association.MantelTest]:
        """Test columns of distances against one similarity."""
        columns = [*distances, similarity]
        if adjusted:
            table = association.adjusted_for_lengths(table, columns)
        *matrices, last = (
            association.complete_matrix(table[column], *sides(table)) for column in columns
        )
        return association.mantel_tests(matrices, last, seed=self.study.settings.seed)

    def _realigned(self, setting: Mapping[str, object], most: int) -> pd.DataFrame:
        """Align some of the pairs with other settings."""
        found = self.study.pairs
        some = found.some(most)
        kept = some[["length_a", "length_b", "weight"]]
        return found.aligned(*sides(some), replace(found.alignment, **setting)).join(kept)


def _agreement(table: pd.DataFrame) -> association.Interval:
    """Return the correlation of score and identity, with its interval."""
    score, identity = (table[name] for name in SIMILARITIES)
    return association.correlation_interval(score, identity, *sides(table), weights=table["weight"])


def identities(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the identity by each denominator, of a table that holds it by aligned columns."""
    shorter = table[["length_a", "length_b"]].min(axis=1)
    return {
        "alignment_length": table["identities"] / table["alignment_length"].clip(lower=1),
        "aligned_columns": table["sequence_identity"],
        "shorter": table["identities"] / shorter,
    }


def pearson(table: pd.DataFrame, a: str, b: str) -> float:
    """Return the weighted correlation of two columns."""
    found = association.correlation_matrix(table, weights=table["weight"], columns=[a, b])
    return float(found.loc[a, b])
