"""Small constructed sets of pairs of proteins for the tests of `association`."""

import numpy as np
import pandas as pd

from plm_geometry.association import COLUMNS


def complete_set(rng: np.random.Generator, n_proteins: int = 60) -> pd.DataFrame:
    """Return all pairs; what they share is their proteins' and a rare similarity's."""
    first, second = np.triu_indices(n_proteins, 1)
    effects = rng.standard_normal((n_proteins, 4)) @ rng.standard_normal((4, 4))
    own = rng.standard_normal((len(first), 4))
    is_similar = rng.random(len(first)) < 0.1
    values = effects[first] + effects[second] + own + 4 * is_similar[:, None] * [1, -1, 1, 2]
    names = np.array([f"P{i:05d}" for i in range(n_proteins)])
    frame = pd.DataFrame(values, columns=list(COLUMNS)).round(1)  # rounded: ties for the ranks
    return frame.assign(accession_a=names[first], accession_b=names[second], is_similar=is_similar)


def two_phase_sample(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Keep all similar pairs and a fifth of the others, with their weights."""
    others = np.flatnonzero(~frame["is_similar"])
    drawn = rng.choice(others, len(others) // 5, replace=False)
    kept = np.append(np.flatnonzero(frame["is_similar"]), drawn)
    weight = np.where(frame["is_similar"], 1.0, len(others) / len(drawn))
    return frame.assign(weight=weight).iloc[kept]
