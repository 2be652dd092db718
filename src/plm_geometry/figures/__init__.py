"""One function a figure: data frame in, matplotlib figure out, in one colour-blind-safe style."""

from plm_geometry.figures.clouds import constructed_clouds
from plm_geometry.figures.isotropy import convergence, global_isotropy
from plm_geometry.figures.labels import LABELS, about, extent, label, labels, rounded, spans
from plm_geometry.figures.local import (
    local_heatmap,
    local_intervals,
    local_spread,
    local_variance,
    residue_order,
)
from plm_geometry.figures.natural_language import natural_language
from plm_geometry.figures.pairs import correlation_matrices, pair_scatter
from plm_geometry.figures.spectrum import (
    after_removing,
    coordinate_shares,
    pairwise_cosines,
    spectrum,
)
from plm_geometry.figures.style import STYLE

__all__ = [
    "LABELS",
    "STYLE",
    "about",
    "after_removing",
    "constructed_clouds",
    "convergence",
    "coordinate_shares",
    "correlation_matrices",
    "extent",
    "global_isotropy",
    "label",
    "labels",
    "local_heatmap",
    "local_intervals",
    "local_spread",
    "local_variance",
    "natural_language",
    "pair_scatter",
    "pairwise_cosines",
    "residue_order",
    "rounded",
    "spans",
    "spectrum",
]
