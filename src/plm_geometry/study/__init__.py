"""`Study`: proteins, models and what chapters ask of them, one module a topic.

This is the one room the chapters talk to for numbers. What it computes is kept under
``data/cache``, found again by a fingerprint of all it depends on, the code included.
"""

from plm_geometry.study.study import Study

__all__ = ["Study"]
