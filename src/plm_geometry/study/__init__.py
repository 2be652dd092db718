"""`Study`: proteins, models and what chapters ask of them, one module per topic.

Chapters get all numbers of a run from here. What it computes is kept under
``data/cache``, found again by a fingerprint of all it depends on, the code included.
"""

from plm_geometry.study.study import Study

__all__ = ["Study"]
