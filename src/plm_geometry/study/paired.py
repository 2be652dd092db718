"""Paired differences: by how much each model exceeds each control over the same proteins.

What both find alike in the proteins drops out of the intervals, which leave out blocks of proteins;
families are not divided where they are known.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.isotropy.tables import paired_difference

if TYPE_CHECKING:
    from plm_geometry.study import Study


def differences(
    study: "Study", found: Mapping[str, tuple[Sequence[int], Mapping[str, np.ndarray]]]
) -> pd.DataFrame:
    """Return the paired differences of measures, one row per model, control and ``quantity``.

    Parameters
    ----------
    study : Study
    found : mapping of str to (counts, values)
        By model, what `isotropy.tables.measures_without_each` returns. What is missing, and what
        has no values, gives no rows.
    """

    def rows(model: str, control: str) -> Iterator[dict[str, object]]:
        if not {model, control} <= found.keys():
            return
        (counts, ours), (_, theirs) = found[model], found[control]
        for quantity, values in ours.items():
            if len(values) == len(theirs[quantity]) > 0:
                yield {"quantity": quantity} | paired_difference(counts, values, theirs[quantity])

    return study.against_controls(rows)
