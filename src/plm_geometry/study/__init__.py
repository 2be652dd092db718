"""`Study`: names the proteins, models, sizes and seed; computes what is asked once.

This is the one room the chapters talk to for numbers. What it computes is kept under
``data/cache``, found again by a fingerprint of all it depends on, the code included.
"""

from plm_geometry.study.choices import ChoiceTables
from plm_geometry.study.open_questions import OpenTables
from plm_geometry.study.paired import PairedTables

__all__ = ["Study"]


class Study(PairedTables, ChoiceTables, OpenTables):
    """Proteins, models and what is asked of them; parameters are `settings.Settings`."""
