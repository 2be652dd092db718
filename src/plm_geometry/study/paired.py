"""Paired differences: by how much each model exceeds each control over the same proteins.

What both find alike in the proteins drops out of the intervals, which leave out blocks of proteins;
families are not divided where they are known.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.isotropy.tables import paired_difference

if TYPE_CHECKING:
    from plm_geometry.study import Study


def against_controls(
    study: "Study", of: Callable[[str, str], Iterable[dict[str, object]]]
) -> pd.DataFrame:
    """Put together the rows that `of` gives of each model and control.

    Labels of the model, ``control`` and ``control_title`` stand before them.
    """
    titles, is_control = study.models["title"], study.models["role"] == "control"
    return pd.DataFrame(
        study.labels(model) | {"control": control, "control_title": titles[control]} | row
        for model, control in product(titles.index[~is_control], titles.index[is_control])
        for row in of(model, control)
    )


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

    return against_controls(study, rows)
