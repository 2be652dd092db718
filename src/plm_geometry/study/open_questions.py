"""Open questions: what a study's models add to the places where the paper's numbers do not fit."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.association.signs import Sign, best_lengths, sign_of
from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.isotropy.tables import measured

if TYPE_CHECKING:
    from plm_geometry.study import Study

# Vectors whose lengths are searched for: time grows with their square.
_N_FOR_LENGTHS = 200
# Residues in a mean of residues drawn at random, and such means.
_RESIDUES_IN_A_MEAN = 100
_N_MEANS = 2_000


class OpenQuestions:
    """Tables labelled by model."""

    def __init__(self, study: "Study"):
        self.study = study

    def turned_signs(self) -> pd.DataFrame:
        """Return the sign of each model's vectors, and of its directions with other lengths.

        Labels; ``r, norm_variation, mean_cosine`` of `signs.sign_of` over all pairs of at most
        200 proteins, and the same as ``best_...`` of `signs.best_lengths`.
        """
        n = len(self.study.common)
        if n < 3:
            raise InputError(f"a correlation over pairs needs three proteins, and there are {n}.")
        rng = np.random.default_rng(self.study.settings.seed)
        some = np.sort(rng.choice(n, min(n, _N_FOR_LENGTHS), replace=False))
        return self.study.rows(lambda name: [_turned(self.study.vectors(name)[some])])

    def pooled(self) -> pd.DataFrame:
        """Return the isotropy of residues, of means of random residues, and of proteins.

        Labels, ``of`` ("residues", "means of random residues", "proteins"), and ``n, d, isoscore,
        effective_dimensions``. Proteins alone of files of embeddings, which have no residues.
        """
        return self.study.rows(self._pooled)

    def _pooled(self, name: str) -> Iterator[dict[str, object]]:
        found, clouds = self.study.embeddings(name), {}
        if found.residue_moments and found.residue_sample is not None:
            rng = np.random.default_rng(self.study.settings.seed)
            drawn = rng.integers(len(found.residue_sample), size=(_N_MEANS, _RESIDUES_IN_A_MEAN))
            means = np.stack([found.residue_sample[rows].mean(axis=0) for rows in drawn])
            clouds["residues"] = merge_all(list(found.residue_moments.values()))
            clouds["means of random residues"] = Moments.from_vectors(means)
        clouds["proteins"] = self.study.moments(name)
        for of, moments in clouds.items():
            yield {"of": of} | measured(moments, [])


def _turned(vectors: np.ndarray) -> dict[str, float]:
    """Return the sign of vectors, and of their directions with the best lengths."""
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0]  # a zero vector has no direction
    found = best = Sign(np.nan, np.nan, np.nan)
    if len(vectors) > 1:
        found, best = sign_of(vectors), best_lengths(vectors)
    return found._asdict() | {f"best_{name}": value for name, value in best._asdict().items()}
