"""Global isotropy: how much of its space each model uses, one vector per protein."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.measures import isotropy_row, one_line
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.spectrum import eigenvalues
from plm_geometry.isotropy.tables import (
    MEASURES,
    dimensions_or_nan,
    measured,
    measures_without_each,
)
from plm_geometry.isotropy.yardsticks import yardsticks
from plm_geometry.pairs.distances import pairwise_cosines
from plm_geometry.study import paired

if TYPE_CHECKING:
    from plm_geometry.study import Study

# Blocks of proteins that the jackknife leaves out in turn.
_N_BLOCKS = 20
# Pairs whose cosine similarities are shown as a distribution.
_N_COSINES = 20_000


class Isotropy:
    """Tables of global isotropy, one row per model or more."""

    def __init__(self, study: "Study"):
        self.study = study

    def table(self) -> pd.DataFrame:
        """Return one row per model: the paper's table over this study's proteins.

        What `isotropy.tables.measured` gives, with intervals over blocks of proteins: families
        where they are known.

        Raises
        ------
        InputError
            If no model's vectors differ.
        """
        study = self.study
        table = study.rows(lambda name: [measured(study.moments(name), self.parts(name))])
        if table["isoscore"].isna().all():
            raise InputError(
                f"the vectors of the {len(study.common)} proteins do not differ, so there is no "
                "isotropy to measure; give at least two different proteins."
            )
        return table

    def on_one_line(self) -> list[str]:
        """Return a sentence for each model whose vectors lie along one direction."""
        study = self.study
        said = {name: one_line(dimensions_or_nan(study.moments(name))) for name in study.names}
        return [f"{study.models.title[name]}: {words}" for name, words in said.items() if words]

    def yardsticks(self) -> pd.DataFrame:
        """Return one row per model: every measure of `yardsticks.yardsticks`.

        TwoNN is of one protein a family where families are known: among relatives, nearest
        neighbours are a family's tree.
        """
        study, families = self.study, self.study.families_of(self.study.common)
        first = slice(None) if families is None else np.unique(families, return_index=True)[1]

        def row(name: str) -> list[dict[str, float]]:
            vectors, seed = study.vectors(name), study.settings.seed
            alone = yardsticks(vectors[first], seed=seed)["intrinsic_dimension"]
            return [yardsticks(vectors, seed=seed) | {"intrinsic_dimension": alone}]

        return study.rows(row)

    def spectra(self) -> pd.DataFrame:
        """Return each model's spectrum: ``component`` from 1, and its ``share`` of the variance."""
        return self.study.rows(
            lambda name: [
                {"component": number, "share": share}
                for number, share in enumerate(self._variances(name), start=1)
            ]
        )

    def pairwise_cosines(self) -> pd.DataFrame:
        """Return cosine similarities of random pairs of proteins, and of random pairs of residues.

        Columns ``of`` ("proteins" or "residues"), ``centred`` and ``cosine``.
        """
        seed = self.study.settings.seed
        return self.study.rows(
            lambda name: [
                {"of": of, "centred": centred, "cosine": cosine}
                for of, vectors in self._clouds(name).items()
                for centred in (False, True)
                for cosine in pairwise_cosines(vectors, _N_COSINES, seed=seed, centre=centred)
            ]
        )

    def seed_ranges(self) -> pd.DataFrame:
        """Return how far controls that were named with several seeds differ among themselves.

        Labels of the first of them; ``seeds``, how many; ``quantity``, one of
        `isotropy.tables.MEASURES`, and its ``lowest``, ``median`` and ``highest``.
        """
        study, rows = self.study, []
        for first, names in study.settings.copies.items():
            found = pd.DataFrame([isotropy_row(study.vectors(name)) for name in names])
            ends = found[list(MEASURES)].astype(float).quantile([0, 0.5, 1])
            for quantity, (lowest, median, highest) in ends.items():
                row = {"seeds": len(names), "quantity": quantity}
                row |= {"lowest": lowest, "median": median, "highest": highest}
                rows.append(study.labels(first) | row)
        return pd.DataFrame(rows)

    def paired(self) -> pd.DataFrame:
        """Return by how much each model exceeds each control over the same proteins.

        Rows of `paired.differences` in `isotropy.tables.MEASURES`.
        """
        study = self.study
        each = {n: measures_without_each(study.moments(n), self.parts(n)) for n in study.names}
        return paired.differences(study, each)

    @cached_property
    def block_of(self) -> np.ndarray:
        """The block of each of the study's `common` proteins; a family is not divided."""
        return self.study.blocks(self.study.common, _N_BLOCKS)

    def parts(self, name: str) -> list[Moments]:
        """Return the moments of one model's vectors by block of proteins that is not empty."""
        vectors, block_of = self.study.vectors(name), self.block_of
        return [Moments.from_vectors(vectors[block_of == block]) for block in np.unique(block_of)]

    def _variances(self, name: str) -> np.ndarray:
        """Return the shares of the variance that components have; equal vectors share none."""
        variances = eigenvalues(self.study.moments(name))
        return variances / (variances.sum() or np.nan)

    def _clouds(self, name: str) -> dict[str, np.ndarray]:
        """Return the vectors of proteins, and of the residues that were kept where there are."""
        residues = self.study.embeddings(name).residue_sample
        clouds = {"proteins": self.study.vectors(name), "residues": residues}
        return {of: cloud for of, cloud in clouds.items() if cloud is not None and len(cloud) > 1}
