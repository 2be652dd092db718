"""How quantities of protein pairs hang together, with intervals that know pairs share proteins."""

from plm_geometry.association.correlation import (
    correlation_matrix,
    correlations_with,
    pairwise_interval,
)
from plm_geometry.association.homology import discrimination, silent_below
from plm_geometry.association.intervals import (
    correlation_differences,
    correlation_interval,
    correlation_intervals,
)
from plm_geometry.association.lengths import adjusted_for_lengths, r_squared_on_lengths
from plm_geometry.association.nonlinear import (
    distance_correlation,
    informational_correlation,
    mutual_information,
)
from plm_geometry.association.permutation import MantelTest, complete_matrix, mantel_tests
from plm_geometry.association.spread import binned_spread, spread_at
from plm_geometry.association.values import COLUMNS
from plm_geometry.isotropy.jackknife import Interval

__all__ = [
    "COLUMNS",
    "Interval",
    "MantelTest",
    "adjusted_for_lengths",
    "binned_spread",
    "complete_matrix",
    "correlation_differences",
    "correlation_interval",
    "correlation_intervals",
    "correlation_matrix",
    "correlations_with",
    "discrimination",
    "distance_correlation",
    "informational_correlation",
    "mantel_tests",
    "mutual_information",
    "pairwise_interval",
    "r_squared_on_lengths",
    "silent_below",
    "spread_at",
]
