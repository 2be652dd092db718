"""What each figure and table shows, in a sentence or two made of its numbers: for captions.

Functions are called as the figures that they speak of; they take the same tables, and say what
holds whatever a run is of: own proteins, one model, controls alone.
"""

from plm_geometry.figures.findings import (
    choices,
    correlation,
    isotropy,
    local,
    open_questions,
    pairs,
    verdicts,
    words,
)

__all__ = [
    "choices",
    "correlation",
    "isotropy",
    "local",
    "open_questions",
    "pairs",
    "verdicts",
    "words",
]
