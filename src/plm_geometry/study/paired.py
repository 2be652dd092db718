"""By how much each model exceeds each control over the same proteins, with intervals."""

from collections.abc import Callable, Iterator
from itertools import product

import pandas as pd

from plm_geometry import association
from plm_geometry.isotropy.tables import (
    measures_without_each,
    paired_difference,
)
from plm_geometry.study.association import DISTANCES, SIMILARITIES, AssociationTables
from plm_geometry.study.isotropy import IsotropyTables

_PAIRED = [("cosine_similarity", "squared_euclidean"), *product(DISTANCES, SIMILARITIES)]


class PairedTables(IsotropyTables, AssociationTables):
    """Paired differences, one row a model, control and quantity.

    All tables have a model's labels, ``control`` and ``control_title``, ``quantity``, and
    ``difference, difference_low, difference_high``: the model less the control, with a 95 %
    interval that leaves out blocks of proteins; families are not divided where they are known.
    """

    def paired_differences(self) -> pd.DataFrame:
        """Return the differences in `isotropy_tables.MEASURES`.

        Also ``difference_corrected``, without its bias.
        """
        found = {
            name: measures_without_each(
                self.moments(name), [p for p in self.parts(name) if p.count]
            )
            for name in self.names
        }

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            (counts, ours), (_, theirs) = found[model], found[control]
            for quantity in ours:
                row = paired_difference(counts, ours[quantity], theirs[quantity])
                yield {"quantity": quantity} | row

        return self._against_controls(rows)

    def paired_local_differences(self) -> pd.DataFrame:
        """Return the differences in ``average_dimensions``, of `local_average`.

        Without rows for what has no residues, or no spread within an amino acid.
        """
        found = {}
        for name in self.names:
            if self.embeddings(name).residue_moments:
                found[name] = self.averages_without_each(name)

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            both = [found[name] for name in (model, control) if name in found]
            if len(both) == 2 and len(both[0][1]) == len(both[1][1]) > 0:
                (counts, ours), (_, theirs) = both
                quantity = {"quantity": "average_dimensions"}
                yield quantity | paired_difference(counts, ours, theirs)

        return self._against_controls(rows)

    def paired_correlation_differences(self) -> pd.DataFrame:
        """Return the differences in the correlations of each distance, ``a`` and ``b``.

        ``quantity`` is "correlation".
        """
        pairs = self.pairs()
        first, second = (self.block_of[pairs[f"accession_{s}"].cat.codes] for s in "ab")

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            theirs = self.pair_table(control)[list(DISTANCES)].add_prefix("control_")
            frame = self.pair_table(model)[[*DISTANCES, *SIMILARITIES]].join(theirs)
            names = {name: f"control_{name}" for name in DISTANCES}
            entries = [((a, b), (names[a], names.get(b, b))) for a, b in _PAIRED]
            found = association.correlation_differences(
                frame, entries, first, second, weights=pairs["weight"]
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
        is_control = self.models["role"] == "control"
        models, controls = self.models.index[~is_control], self.models.index[is_control]
        return pd.DataFrame(
            self.labels(model)
            | {"control": control, "control_title": self.models.loc[control, "title"]}
            | row
            for model, control in product(models, controls)
            for row in of(model, control)
        )
