"""One function a figure: data frame in, matplotlib figure out, in one colour-blind-safe style."""

from plm_geometry.figures.choices import (
    NUMBERS,
    choice_name,
    choice_shares,
    choice_words,
    specification_curves,
)
from plm_geometry.figures.clouds import constructed_clouds
from plm_geometry.figures.correlation import (
    correlation_intervals,
    correlation_matrices,
    score_against_settings,
    square,
)
from plm_geometry.figures.explorer import pair_explorer, sampled_pairs
from plm_geometry.figures.isotropy import convergence, global_isotropy
from plm_geometry.figures.labels import (
    LABELS,
    about,
    between,
    extent,
    judged,
    label,
    labels,
    rounded,
    spans,
)
from plm_geometry.figures.local import (
    local_heatmap,
    local_intervals,
    local_spread,
    local_variance,
    residue_order,
)
from plm_geometry.figures.natural_language import natural_language
from plm_geometry.figures.open_questions import (
    pair_counts,
    pooling_isotropy,
    settings_on_real_proteins,
    signs,
)
from plm_geometry.figures.pairs import Density, densities, discrimination, pair_scatter
from plm_geometry.figures.proteins import proteins
from plm_geometry.figures.spectrum import (
    after_removing,
    coordinate_shares,
    pairwise_cosines,
    spectrum,
)
from plm_geometry.figures.style import STYLE
from plm_geometry.figures.verdicts import (
    checkpoint_correlations,
    checkpoint_isotropy,
    published_and_run,
)

__all__ = [
    "LABELS",
    "NUMBERS",
    "STYLE",
    "Density",
    "about",
    "after_removing",
    "between",
    "checkpoint_correlations",
    "checkpoint_isotropy",
    "choice_name",
    "choice_shares",
    "choice_words",
    "constructed_clouds",
    "convergence",
    "coordinate_shares",
    "correlation_intervals",
    "correlation_matrices",
    "densities",
    "discrimination",
    "extent",
    "global_isotropy",
    "judged",
    "label",
    "labels",
    "local_heatmap",
    "local_intervals",
    "local_spread",
    "local_variance",
    "natural_language",
    "pair_counts",
    "pair_explorer",
    "pair_scatter",
    "pairwise_cosines",
    "pooling_isotropy",
    "proteins",
    "published_and_run",
    "residue_order",
    "rounded",
    "sampled_pairs",
    "score_against_settings",
    "settings_on_real_proteins",
    "signs",
    "spans",
    "specification_curves",
    "spectrum",
    "square",
]
