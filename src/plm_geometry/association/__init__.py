"""How quantities of protein pairs are associated; intervals leave out whole families."""

from plm_geometry.association.correlation import correlation_matrix, pairwise_interval
from plm_geometry.association.homology import discrimination, says_nothing_below
from plm_geometry.association.intervals import (
    correlation_differences,
    correlation_interval,
    correlation_intervals,
)
from plm_geometry.association.lengths import adjusted_for_lengths, r_squared_on_lengths
from plm_geometry.association.nonlinear import distance_correlation
from plm_geometry.association.retrieval import (
    averaged,
    averages,
    matched_candidates,
    pair_auc,
    paired,
    retrieve,
)
from plm_geometry.association.spread import binned_spread, spread_at
from plm_geometry.association.values import COLUMNS
from plm_geometry.isotropy.jackknife import Interval

__all__ = [
    "COLUMNS",
    "Interval",
    "adjusted_for_lengths",
    "averaged",
    "averages",
    "binned_spread",
    "correlation_differences",
    "correlation_interval",
    "correlation_intervals",
    "correlation_matrix",
    "discrimination",
    "distance_correlation",
    "matched_candidates",
    "pair_auc",
    "paired",
    "pairwise_interval",
    "r_squared_on_lengths",
    "retrieve",
    "says_nothing_below",
    "spread_at",
]
