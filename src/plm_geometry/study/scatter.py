"""Scatter: dependence that is no straight line, and distances of homologous pairs."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry import association, pairs
from plm_geometry.study.correlation import DISTANCES

if TYPE_CHECKING:
    from plm_geometry.study import Study

# Pairs of one family, and of two, in the comparison of homologous with unrelated ones.
_N_HOMOLOGOUS = 10_000
_N_UNRELATED = 30_000
# The control that discrimination is compared with.
_AGAINST = "composition"
# Rost (1999): identity means something over at least so many aligned residues.
_LEAST_ALIGNED = 80
_IDENTITY_BINS = (0, 0.25, 0.3, 0.35, 0.5, 1)


class Scatter:
    """Distances against identity: dependence, spread, and discrimination."""

    def __init__(self, study: "Study"):
        self.study = study

    def spread(self, edges: np.ndarray) -> pd.DataFrame:
        """Return the spread of each distance within bins of identity, with intervals.

        Labels, ``distance`` (``cosine_similarity`` or ``euclidean``), and the columns of
        `association.spread_at`. Pairs of equal sequences, at distance 0 in any model, are left out.
        """
        return self.study.rows(lambda name: self._spread(name, edges))

    def discrimination(self) -> pd.DataFrame:
        """Return how well each distance separates homologous from unrelated pairs.

        Labels, ``distance``, and the columns of `association.discrimination`, with
        ``auc_difference`` from composition's where that is a control. No rows where families are
        not known, or there are no pairs of one or no pairs of two.
        """
        if self.study.families is None or self.family_pairs["is_homologous"].nunique() < 2:
            return pd.DataFrame()
        return self.study.rows(self._discrimination)

    @cached_property
    def family_pairs(self) -> pd.DataFrame:
        """Pairs of one family (``is_homologous``) and of two, with accessions and lengths.

        ``identity`` is that of homologous pairs over the aligned columns of a local alignment,
        NaN where it has fewer than 80; ``first`` and ``second`` count the `common` proteins.
        """
        common = self.study.common
        family = pd.factorize(np.array(self.study.families_of(common)))[0]
        rng = np.random.default_rng(self.study.settings.seed)
        homologous = pairs.pairs_within(family, _N_HOMOLOGOUS, rng)
        unrelated = pairs.pairs_between(family, _N_UNRELATED, rng)
        first, second = np.concatenate([homologous, unrelated], axis=1)
        identity = np.full(len(first), np.nan)
        identity[: homologous.shape[1]] = self._local_identity(*homologous)
        accessions, lengths = np.array(common.accessions), common.lengths
        return pd.DataFrame(
            {
                "first": first,
                "second": second,
                "accession_a": accessions[first],
                "accession_b": accessions[second],
                "length_a": lengths[first],
                "length_b": lengths[second],
                "is_homologous": np.arange(len(first)) < homologous.shape[1],
                "identity": identity,
            }
        )

    def _spread(self, name: str, edges: np.ndarray) -> Iterator[dict[str, object]]:
        table = self.study.pairs.of(name, similar=True)
        table = table[table["sequence_identity"] < 1]
        table = table.assign(euclidean=np.sqrt(table["squared_euclidean"]))
        for distance in ("cosine_similarity", "euclidean"):
            found = association.spread_at(
                table, "sequence_identity", distance, edges,
                weights=table["weight"], units=self.study.pairs.units,
                seed=self.study.settings.seed,
            )  # fmt: skip
            yield from found.assign(distance=distance).to_dict("records")

    def _discrimination(self, name: str) -> Iterator[dict[str, object]]:
        study, near_first = self.study, self._near_first(name)
        for distance in DISTANCES:
            frame = self.family_pairs.assign(distance=near_first[distance])
            if _AGAINST in study.names and name != _AGAINST:
                frame["against"] = self._near_first(_AGAINST)[distance]
            table = association.discrimination(
                frame, np.array(_IDENTITY_BINS), families=study.families, seed=study.settings.seed
            )
            yield from table.assign(distance=distance).to_dict("records")

    def _near_first(self, name: str) -> pd.DataFrame:
        """Return one model's distances of the family pairs, small where proteins are alike."""
        ends = (self.family_pairs[side].to_numpy() for side in ("first", "second"))
        found = pairs.pair_distances(self.study.vectors(name), *ends)
        return found.assign(cosine_similarity=-found["cosine_similarity"])

    def _local_identity(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return identities over the aligned columns of local alignments; NaN of short ones."""
        if not len(first):  # of no two proteins are relatives known
            return np.empty(0)
        found = self.study.pairs
        settings = replace(found.alignment, mode="local", denominator="aligned_columns")
        table = found.aligned(first, second, settings)
        columns = table["identities"] / table["sequence_identity"].replace(0, np.nan)
        return table["sequence_identity"].where(columns.round() >= _LEAST_ALIGNED).to_numpy()
