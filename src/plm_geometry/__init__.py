"""Isotropy and geometry of pretrained protein language models."""

from plm_geometry.isotropy import effective_dimensions, isoscore, mean_cosine_similarity
from plm_geometry.moments import Moments

__all__ = ["Moments", "effective_dimensions", "isoscore", "mean_cosine_similarity"]
__version__ = "0.1.0"
