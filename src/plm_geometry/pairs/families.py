"""Pairs within families of proteins, and between them."""

from itertools import combinations

import numpy as np
import pandas as pd

from plm_geometry.pairs.drawing import count_pairs, draw_pairs


def pairs_within(family: np.ndarray, n_most: int, rng: np.random.Generator) -> np.ndarray:
    """Return pairs of one family, a random sample where there are more than `n_most`.

    Parameters
    ----------
    family : ndarray of int, shape (n_proteins,)
        The family of each protein.
    n_most : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape ``(2, n_pairs)``
        Indices of the proteins of each pair; empty where each family has one member.
    """
    members = pd.Series(np.arange(len(family))).groupby(family)
    listed = [pair for _, group in members for pair in combinations(group, 2)]
    found = np.array(listed, dtype=np.int64).reshape(-1, 2)
    if len(found) > n_most:
        found = found[rng.choice(len(found), n_most, replace=False)]
    return found.T


def pairs_between(family: np.ndarray, n_most: int, rng: np.random.Generator) -> np.ndarray:
    """Return random pairs of different families, at most `n_most`; shapes as `pairs_within`."""
    n_pairs = min(n_most, count_pairs(len(family)))
    drawn = np.stack(draw_pairs(len(family), n_pairs, seed=int(rng.integers(2**31))))
    return drawn[:, family[drawn[0]] != family[drawn[1]]]
