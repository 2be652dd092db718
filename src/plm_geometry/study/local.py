"""Local isotropy: the cloud of each amino acid's residues in each model."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.tables import (
    average_dimensions,
    averages_without_each,
    local_rows,
    variance_shares,
)
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from plm_geometry.study import paired

if TYPE_CHECKING:
    from plm_geometry.study import Study


class Local:
    """Tables over residues; embedding files without residues have no rows."""

    def __init__(self, study: "Study"):
        self.study = study

    def table(self) -> pd.DataFrame:
        """Return one row per model and amino acid, and ``residue = "all"`` over all residues.

        Columns as in `Isotropy.table`, with ``residue``. Letters beyond the twenty are rows of
        their own.
        """
        every = self.study.embeddings
        return self._rows(lambda name: local_rows(every(name).residue_groups))

    def average(self) -> pd.DataFrame:
        """Return the effective dimensions of an amino acid, the mean over the twenty.

        Columns of `isotropy.tables.average_dimensions`; one row per model.
        """
        return self._rows(lambda name: [average_dimensions(*self._without_each(name))])

    def variance(self) -> pd.DataFrame:
        """Return the shares of the residues' variance ``between`` and ``within`` amino acids."""
        every = self.study.embeddings
        return self._rows(lambda name: [variance_shares(every(name).residue_moments)])

    def paired(self) -> pd.DataFrame:
        """Return by how much each model exceeds each control in ``average_dimensions``.

        Rows of `paired.differences`; none of what has no residues, or no spread within an amino
        acid.
        """
        found = {}
        for name in self.study.names:
            if any(self.study.embeddings(name).residue_groups):
                counts, values = self._without_each(name)
                found[name] = counts, {"average_dimensions": values}
        return paired.differences(self.study, found)

    def letters(self) -> pd.DataFrame:
        """Return the residue letters beyond the twenty and how often they occur.

        Columns ``letter``, ``residues`` and ``proteins``.
        """
        counted = [Counter(sequence) for sequence in self.study.common.sequences]
        beyond = sorted(set().union(*counted) - set(STANDARD_RESIDUES))
        rows = [
            (letter, sum(c[letter] for c in counted), sum(letter in c for c in counted))
            for letter in beyond
        ]
        return pd.DataFrame(rows, columns=["letter", "residues", "proteins"])

    def _without_each(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        found = self.study.embeddings(name)
        return averages_without_each(found.residue_moments, found.residue_groups)

    def _rows(self, of: Callable[[str], Iterable[dict[str, object]]]) -> pd.DataFrame:
        """As `Study.rows`, refusing a study in which no model has residues."""
        every = self.study.embeddings
        table = self.study.rows(lambda name: of(name) if any(every(name).residue_groups) else [])
        if table.empty:
            raise InputError(
                "files of one vector per protein hold no residues; name a model, a control, or a "
                "file of one matrix per protein."
            )
        return table
