"""Correlation of embedding distance with alignment over pairs of proteins."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from plm_geometry import association

if TYPE_CHECKING:
    from plm_geometry.study import Study

DISTANCES = ("cosine_similarity", "squared_euclidean")
SIMILARITIES = ("alignment_score", "sequence_identity")
_PAIRED = [("cosine_similarity", "squared_euclidean"), *product(DISTANCES, SIMILARITIES)]
# The paper does not say which: usual ones, linear ones, and free gaps.
GAPS = ((11, 1), (10, 1), (5, 1), (2, 2), (1, 1), (0, 0))
MODES = ("global", "semiglobal", "local")
# Pairs enough for two digits of a correlation, over all settings.
_N_FOR_SETTINGS = 2_000


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
            `association.correlation_intervals`; ``pairwise_low, pairwise_high``: the
            interval that assumes independent pairs.
        """
        return self.study.rows(lambda name: self._entries(name, method, adjusted))

    def paired(self) -> pd.DataFrame:
        """Return by how much each model's correlations exceed each control's over the same pairs.

        Labels of `Study.against_controls`; ``quantity``, "correlation", of ``a`` and ``b``; and
        ``difference, difference_low, difference_high``.
        """
        study, table = self.study, self.study.pairs.table()
        first, second = (study.isotropy.block_of[side] for side in study.pairs.sides(table))

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            theirs = study.pairs.of(control)[list(DISTANCES)].add_prefix("control_")
            frame = study.pairs.of(model)[[*DISTANCES, *SIMILARITIES]].join(theirs)
            names = {name: f"control_{name}" for name in DISTANCES}
            entries = [((a, b), (names[a], names.get(b, b))) for a, b in _PAIRED]
            found = association.correlation_differences(
                frame, entries, first, second, weights=table["weight"]
            )
            for (a, b), difference in zip(_PAIRED, found, strict=True):
                yield {"quantity": "correlation", "a": a, "b": b} | difference.named("difference")

        return study.against_controls(rows)

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

    def settings_grid(self) -> pd.DataFrame:
        """Return the correlation of score and identity under every setting of the alignment.

        ``mode, gap_open, gap_extend, denominator, estimate, low, high``, on at most 2,000 of the
        pairs.
        """
        found, rows = self.study.pairs, []
        some = found.some(_N_FOR_SETTINGS)
        units = [some[side] for side in found.units]
        for mode, (gap_open, gap_extend) in product(MODES, GAPS):
            setting = {"mode": mode, "gap_open": gap_open, "gap_extend": gap_extend}
            own = replace(found.alignment, denominator="aligned_columns", **setting)
            table = found.aligned(*found.sides(some), own)
            for denominator, identity in identities(table).items():
                r = association.correlation_interval(
                    table["alignment_score"], identity, *units, weights=some["weight"]
                )
                rows.append(setting | {"denominator": denominator, **r._asdict()})
        return pd.DataFrame(rows).drop(columns="standard_error")

    def _entries(self, name: str, method: str, adjusted: bool) -> list[dict[str, object]]:
        table = self.study.pairs.of(name)
        if adjusted:
            table = association.adjusted_for_lengths(table, weights=table["weight"])
        found = association.correlation_intervals(
            table, method, weights=table["weight"], units=self.study.pairs.units
        )
        naive = [association.pairwise_interval(r, len(table)) for r in found["estimate"]]
        found["pairwise_low"] = [interval.low for interval in naive]
        found["pairwise_high"] = [interval.high for interval in naive]
        return found.to_dict("records")

    def _lengths(self, name: str) -> list[dict[str, object]]:
        table = self.study.pairs.of(name)
        found = association.r_squared_on_lengths(
            table, weights=table["weight"], units=self.study.pairs.units
        )
        return found.rename_axis("quantity").reset_index().to_dict("records")

    def _signs(self, name: str) -> dict[str, float]:
        table = self.study.pairs.of(name)
        table = table.assign(cosine_distance=1 - table["cosine_similarity"])
        cosines, squared = ["cosine_similarity", "cosine_distance"], "squared_euclidean"
        weights = table["weight"]
        r = association.correlation_matrix(table, weights=weights, columns=[*cosines, squared])
        norms = np.linalg.norm(self.study.vectors(name), axis=1)
        return r.loc[cosines, squared].to_dict() | {"norm_variation": float(stats.variation(norms))}


def identities(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the identity by each denominator, of a table that holds it by aligned columns."""
    both = table[["length_a", "length_b"]]
    return {
        "alignment_length": table["identities"] / table["alignment_length"].clip(lower=1),
        "aligned_columns": table["sequence_identity"],
        "shorter": table["identities"] / both.min(axis=1),
        "longer": table["identities"] / both.max(axis=1),
    }
