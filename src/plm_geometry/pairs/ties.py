"""Most identities over all best-scoring alignments: a number that no engine's choice decides.

Many alignments share the best score, and engines pick among them differently. Weighing a score
unit above any number of identities, and an identity above any number of columns, makes one
optimum of all three: the best score, the most identities that it allows, and the fewest columns
that these allow. An engine needs to report nothing but that optimum's worth.
"""

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.pairs.engines import BEYOND, Engine
from plm_geometry.pairs.kernels import lengths

Found = tuple[np.ndarray, np.ndarray]


def most_identities(
    engine: Engine,
    reference: Engine,
    first: np.ndarray,
    second: np.ndarray,
    *,
    count_gaps: bool = True,
) -> np.ndarray:
    """Return of each pair the best score, the most identities at that score, the fewest columns.

    Parameters
    ----------
    engine : Engine
        Asked first.
    reference : Engine
        Asked where the numbers exceed `engine`'s capacity.
    first, second : numpy.ndarray of bytes objects, shape ``(n_pairs,)``
        The proteins of each pair.
    count_gaps : bool
        Whether columns with a gap count as columns.

    Returns
    -------
    numpy.ndarray of int64, shape ``(n_pairs, 3)``
        The columns are the fewest of an alignment with that score and those identities.

    Raises
    ------
    InputError
        If the numbers exceed what `reference` can hold.
    """
    counts = np.empty((len(first), 3), dtype=np.int64)
    left = np.arange(len(first))
    for able in (engine, reference):
        for attempt in (_in_one_pass, _in_two_passes):
            found, known = attempt(able, first[left], second[left], count_gaps)
            counts[left[known]] = found[known]
            if not (left := left[~known]).size:
                return counts
    raise InputError(
        f"two proteins of {len(first[left[0]])} and {len(second[left[0]])} residues have too many "
        "alignments to resolve ties exactly with this matrix and these gap penalties; use "
        "ties='engine'."
    )


def _in_one_pass(engine: Engine, first: np.ndarray, second: np.ndarray, count_gaps: bool) -> Found:
    """Return counts, each from one optimum that holds all three, and where these did fit."""
    n, m = lengths(first), lengths(second)
    fewest, most = _column_bounds(engine.mode, n, m, count_gaps)
    identity = _rounded_up(most - fewest + 1)
    score = _rounded_up(identity * np.minimum(n, m) + most + 1)
    worth = engine.optima(first, second, score, identity, (1, int(count_gaps)))
    best = (worth + most) // score
    remainder = worth - best * score  # identity * identities - columns
    identities = -(-(remainder + fewest) // identity)
    counts = np.stack([best, identities, identity * identities - remainder], axis=1)
    return counts, worth != BEYOND


def _in_two_passes(
    engine: Engine, first: np.ndarray, second: np.ndarray, count_gaps: bool
) -> Found:
    """Return counts, each from two smaller optima, and where these did fit.

    Once the identities are known, an identity need outweigh only the columns that could be
    saved by giving one up. The second pass takes the largest weight that fits, and is believed
    if no alignment with an identity less can reach its worth.
    """
    n, m = lengths(first), lengths(second)
    fewest, most = _column_bounds(engine.mode, n, m, count_gaps)
    base = _rounded_up(np.minimum(n, m) + 1)
    worth = engine.optima(first, second, base, np.ones_like(base), (0, 0))
    known = worth != BEYOND
    best, identities = np.divmod(np.where(known, worth, 0), base)
    reach = np.maximum(engine.scoring.reach(n + m), 2 * np.abs(best))
    score = _rounded_down(engine.capacity // (reach + 2))
    identity = _rounded_down(np.maximum(score - most - 1, 0) // np.minimum(n, m))
    rows = np.flatnonzero(known & (identity > 0))
    worth = np.full(len(n), BEYOND)
    worth[rows] = engine.optima(
        first[rows], second[rows], score[rows], identity[rows], (1, int(count_gaps))
    )
    columns = identity * identities - (worth - best * score)
    known = (worth != BEYOND) & (columns - fewest < identity)
    return np.stack([best, identities, columns], axis=1), known


def _column_bounds(
    mode: str, n: np.ndarray, m: np.ndarray, count_gaps: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the fewest and the most columns that alignments of n and m residues can have."""
    if not count_gaps:
        return np.zeros_like(n), np.minimum(n, m)
    return (np.maximum(n, m) if mode == "global" else np.zeros_like(n)), n + m


def _rounded_down(numbers: np.ndarray) -> np.ndarray:
    """Round down to three binary digits: few different weights, each with a prepared matrix."""
    # The exponent of a float is the number of binary digits; numbers are below 2**53.
    unit = np.left_shift(1, np.maximum(np.frexp(numbers)[1] - 3, 0), dtype=np.int64)
    return numbers // unit * unit


def _rounded_up(numbers: np.ndarray) -> np.ndarray:
    """Round up to three binary digits, as `_rounded_down` rounds down."""
    return -_rounded_down(-numbers)
