"""Paired differences: by how much each model exceeds each control over the same proteins."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from plm_geometry.isotropy.tables import (
    measures_without_each,
    paired_difference,
)

if TYPE_CHECKING:
    from plm_geometry.study import Study


class Paired:
    """Paired differences, one row a model, control and quantity.

    All tables have a model's labels, ``control`` and ``control_title``, ``quantity``, and
    ``difference, difference_low, difference_high``: the model less the control, with a 95 %
    interval that leaves out blocks of proteins; families are not divided where they are known.
    """

    def __init__(self, study: "Study"):
        self.study = study

    def isotropy(self) -> pd.DataFrame:
        """Return the differences in `isotropy.tables.MEASURES`.

        Also ``difference_corrected``, without its bias.
        """
        found = {}
        for name in self.study.names:
            parts = [part for part in self.study.isotropy.parts(name) if part.count]
            found[name] = measures_without_each(self.study.moments(name), parts)
        return self._differences(found)

    def _differences(self, found: Mapping[str, tuple[Sequence[int], dict]]) -> pd.DataFrame:
        """Return the differences of what `measures_without_each` returns of some models."""

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            if not {model, control} <= found.keys():
                return
            (counts, ours), (_, theirs) = found[model], found[control]
            for quantity, values in ours.items():
                if len(values) == len(theirs[quantity]) > 0:
                    row = paired_difference(counts, values, theirs[quantity])
                    yield {"quantity": quantity} | row

        return self._against_controls(rows)

    def _against_controls(
        self, of: Callable[[str, str], Iterator[dict[str, object]]]
    ) -> pd.DataFrame:
        """Put together the rows that `of` gives of each model and control."""
        titles, is_control = self.study.models["title"], self.study.models["role"] == "control"
        return pd.DataFrame(
            self.study.labels(model) | {"control": control, "control_title": titles[control]} | row
            for model, control in product(titles.index[~is_control], titles.index[is_control])
            for row in of(model, control)
        )
