"""What chapters ask about isotropy: one table a question, one row a model or more."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.convergence import convergence, enough_for_third_digit
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.measures import isotropy_row, one_line
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.spectrum import (
    after_removing,
    coordinate_shares,
    eigenvalues,
)
from plm_geometry.isotropy.tables import (
    MEASURES,
    average_dimensions,
    averages_without_each,
    dimensions_or_nan,
    local_rows,
    measured,
    variance_shares,
)
from plm_geometry.isotropy.yardsticks import yardsticks
from plm_geometry.pairs.distances import pairwise_cosines
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from plm_geometry.study.embedded import EmbeddedProteins

# Blocks of proteins that the jackknife of a global measure leaves out in turn.
_N_BLOCKS = 20
# From fewer proteins than these no law of convergence can be read.
_LEAST_TO_CONVERGE = 64
# Pairs whose cosine similarities are shown as a distribution.
_N_COSINES = 20_000


class IsotropyTables(EmbeddedProteins):
    """Tables of isotropy, each with the columns ``model, title, role, counterpart``."""

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self._convergences: dict[str, pd.DataFrame] = {}
        self._averages: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def global_isotropy(self) -> pd.DataFrame:
        """Return one row a model: the paper's table over this study's proteins.

        Columns ``model, title, role, counterpart``, and what `isotropy_tables.measured` gives,
        with intervals over blocks of proteins: families where they are known.
        """
        table = self.rows(lambda name: [measured(self.moments(name), self.parts(name))])
        if table["isoscore"].isna().all():
            raise InputError(
                f"the vectors of the {len(self.common)} proteins do not differ, so there is no "
                "isotropy to measure; give at least two different proteins."
            )
        return table

    def on_one_line(self) -> list[str]:
        """Return a sentence for each model whose vectors lie along one direction."""
        said = {name: one_line(dimensions_or_nan(self.moments(name))) for name in self.names}
        return [f"{self.models.title[name]}: {words}" for name, words in said.items() if words]

    def yardsticks(self) -> pd.DataFrame:
        """Return one row a model: every measure of `yardsticks.yardsticks`."""
        seed = self.settings.seed
        return self.rows(lambda name: [yardsticks(self.vectors(name), seed=seed)])

    def spectra(self) -> pd.DataFrame:
        """Return each model's spectrum: ``component`` from 1, and its ``share`` of the variance."""
        return self.rows(lambda name: _numbered("component", _shares(self.moments(name))))

    def coordinates(self) -> pd.DataFrame:
        """Return what each ``coordinate`` adds to a model's mean cosine similarity, ``share``."""
        return self.rows(
            lambda name: _numbered("coordinate", coordinate_shares(self.moments(name)))
        )

    def after_removing(self) -> pd.DataFrame:
        """Return what is left without the strongest components or coordinates.

        Columns of `spectrum.after_removing`.
        """
        return self.rows(lambda name: after_removing(self.moments(name)).to_dict("records"))

    def convergence(self) -> pd.DataFrame:
        """Return each model's effective dimensions over random subsets, by their size.

        Columns of `convergence.convergence`; no rows where there are fewer than 64 proteins.
        """
        if len(self.common) < _LEAST_TO_CONVERGE:
            return pd.DataFrame()
        return self.rows(lambda name: self._convergence(name).to_dict("records"))

    def enough(self) -> pd.DataFrame:
        """Return how many proteins settle the third digit, as `enough_for_third_digit` says.

        No rows where there are fewer than 64.
        """
        if len(self.common) < _LEAST_TO_CONVERGE:
            return pd.DataFrame()
        return self.rows(lambda name: [enough_for_third_digit(self._convergence(name))._asdict()])

    def pairwise_cosines(self) -> pd.DataFrame:
        """Return cosine similarities of random pairs of proteins, and of random pairs of residues.

        Columns ``of`` ("proteins" or "residues"), ``centred`` and ``cosine``.
        """
        return self.rows(
            lambda name: [
                {"of": of, "centred": centred, "cosine": cosine}
                for of, vectors in self._clouds(name).items()
                for centred in (False, True)
                for cosine in pairwise_cosines(
                    vectors, _N_COSINES, seed=self.settings.seed, centre=centred
                )
            ]
        )

    def local_isotropy(self) -> pd.DataFrame:
        """Return one row a model and amino acid, and ``residue = "all"`` over all residues.

        Columns as in `global_isotropy`, with ``residue``. Letters beyond the twenty are rows of
        their own. Embedding files without residues have no rows.
        """
        return self._of_residues(self._local_rows)

    def local_average(self) -> pd.DataFrame:
        """Return the effective dimensions of an amino acid, the mean over the twenty.

        Columns of `isotropy_tables.average_dimensions`; one row a model.
        """
        return self._of_residues(lambda name: [self._average(name)])

    def local_variance(self) -> pd.DataFrame:
        """Return the shares of the residues' variance ``between`` and ``within`` amino acids."""
        return self._of_residues(
            lambda name: [variance_shares(self.embeddings(name).residue_moments)]
        )

    def letters(self) -> pd.DataFrame:
        """Return the residue letters beyond the twenty and how often they occur.

        Columns ``letter``, ``residues`` and ``proteins``.
        """
        counted = [Counter(sequence) for sequence in self.common.sequences]
        beyond = sorted(set().union(*counted) - set(STANDARD_RESIDUES))
        rows = [
            (letter, sum(c[letter] for c in counted), sum(letter in c for c in counted))
            for letter in beyond
        ]
        return pd.DataFrame(rows, columns=["letter", "residues", "proteins"])

    def seed_ranges(self) -> pd.DataFrame:
        """Return how far controls that were named with several seeds differ among themselves.

        Labels of the first of them; ``seeds``, how many; ``quantity``, one of
        `isotropy_tables.MEASURES`, and its ``lowest``, ``median`` and ``highest``.
        """
        rows = []
        for first, names in self.settings.copies.items():
            found = pd.DataFrame([isotropy_row(self.vectors(name)) for name in names])
            for quantity in MEASURES:
                lowest, median, highest = found[quantity].astype(float).quantile([0, 0.5, 1])
                ends = {"lowest": lowest, "median": median, "highest": highest}
                row = {"seeds": len(names), "quantity": quantity}
                rows.append(self.labels(first) | row | ends)
        return pd.DataFrame(rows)

    @cached_property
    def block_of(self) -> np.ndarray:
        """The block of each of the `common` proteins; a family is not divided."""
        return draw_blocks(
            len(self.common),
            n_blocks=_N_BLOCKS,
            seed=self.settings.seed,
            families=self.families_of(self.common),
        )

    def parts(self, name: str) -> list[Moments]:
        """Return the moments of one model's vectors by block of proteins."""
        vectors = self.vectors(name)
        return [Moments.from_vectors(vectors[self.block_of == b]) for b in range(_N_BLOCKS)]

    def _of_residues(self, of: Callable[[str], Iterable[dict[str, object]]]) -> pd.DataFrame:
        """As `rows`, refusing a study in which no model has residues."""
        table = self.rows(lambda name: of(name) if self.embeddings(name).residue_moments else [])
        if table.empty:
            raise InputError(
                "files of one vector per protein hold no residues; name a model, a control, or a "
                "file of one matrix per protein."
            )
        return table

    def _local_rows(self, name: str) -> Iterator[dict[str, object]]:
        found = self.embeddings(name)
        return local_rows(found.residue_moments, found.residue_groups)

    def _average(self, name: str) -> dict[str, float]:
        return average_dimensions(*self.averages_without_each(name))

    def averages_without_each(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """As `isotropy_tables.averages_without_each` of one model: moments are read only once."""
        if name not in self._averages:
            found = self.embeddings(name)
            groups = found.residue_groups
            self._averages[name] = averages_without_each(found.residue_moments, groups)
        return self._averages[name]

    def _convergence(self, name: str) -> pd.DataFrame:
        if name not in self._convergences:
            self._convergences[name] = convergence(self.vectors(name), seed=self.settings.seed)
        return self._convergences[name]

    def _clouds(self, name: str) -> dict[str, np.ndarray]:
        """Return the vectors of proteins, and of the residues that were kept where there are."""
        residues = self.embeddings(name).residue_sample
        clouds = {"proteins": self.vectors(name), "residues": residues}
        return {of: cloud for of, cloud in clouds.items() if cloud is not None and len(cloud) > 1}


def _shares(moments: Moments) -> np.ndarray:
    variances = eigenvalues(moments)
    return variances / (variances.sum() or np.nan)  # equal vectors share no variance


def _numbered(name: str, values: np.ndarray) -> list[dict[str, float]]:
    return [{name: number, "share": value} for number, value in enumerate(values, start=1)]
