"""Paired differences: by how much each model exceeds each control over the same proteins."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from plm_geometry import association
from plm_geometry.isotropy.tables import (
    averages_without_each,
    measures_without_each,
    paired_difference,
)
from plm_geometry.study.correlation import DISTANCES, SIMILARITIES
from plm_geometry.study.pairs import sides

if TYPE_CHECKING:
    from plm_geometry.study import Study

_PAIRED = [("cosine_similarity", "squared_euclidean"), *product(DISTANCES, SIMILARITIES)]


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

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            (counts, ours), (_, theirs) = found[model], found[control]
            for quantity in ours:
                row = paired_difference(counts, ours[quantity], theirs[quantity])
                yield {"quantity": quantity} | row

        return self._against_controls(rows)

    def local(self) -> pd.DataFrame:
        """Return the differences in ``average_dimensions``, of `Local.average`.

        Without rows for what has no residues, or no spread within an amino acid.
        """
        every = {name: self.study.embeddings(name) for name in self.study.names}
        found = {
            name: averages_without_each(embeddings.residue_moments, embeddings.residue_groups)
            for name, embeddings in every.items()
            if embeddings.residue_moments
        }

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            both = [found[name] for name in (model, control) if name in found]
            if len(both) == 2 and len(both[0][1]) == len(both[1][1]) > 0:
                (counts, ours), (_, theirs) = both
                quantity = {"quantity": "average_dimensions"}
                yield quantity | paired_difference(counts, ours, theirs)

        return self._against_controls(rows)

    def correlation(self) -> pd.DataFrame:
        """Return the differences in the correlations of each distance, ``a`` and ``b``.

        ``quantity`` is "correlation".
        """
        pairs = self.study.pairs
        first, second = (self.study.isotropy.block_of[side] for side in sides(pairs.table()))

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            theirs = pairs.of(control)[list(DISTANCES)].add_prefix("control_")
            frame = pairs.of(model)[[*DISTANCES, *SIMILARITIES]].join(theirs)
            names = {name: f"control_{name}" for name in DISTANCES}
            entries = [((a, b), (names[a], names.get(b, b))) for a, b in _PAIRED]
            weights = pairs.table()["weight"]
            found = association.correlation_differences(
                frame, entries, first, second, weights=weights
            )
            for (a, b), interval in zip(_PAIRED, found, strict=True):
                ends = {"difference_low": interval.low, "difference_high": interval.high}
                row = {"quantity": "correlation", "a": a, "b": b}
                yield row | {"difference": interval.estimate} | ends

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
