"""The two sides of a block of pairs: lists of sequences, pair by pair."""

from collections.abc import Sequence

import numpy as np


def lengths(*sides: Sequence[bytes]) -> list[np.ndarray]:
    """Return the residues of each side's proteins, arrays of int64, shape ``(n_pairs,)``."""
    return [np.fromiter(map(len, side), np.int64, len(side)) for side in sides]


def taken(pairs: np.ndarray, *sides: Sequence[bytes]) -> list[list[bytes]]:
    """Return some of the pairs, by their positions, side by side."""
    return [[side[k] for k in pairs.tolist()] for side in sides]
