"""Most identities over all best-scoring alignments: a number that no engine's choice decides.

Many alignments share the best score, and engines pick among them differently. Weighing a score
unit above any number of identities, and an identity above any number of columns, makes one
optimum of all three: the best score, the most identities that it allows, and the fewest columns
that these allow. An engine needs to report nothing but that optimum's worth.
"""

from collections.abc import Sequence

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.pairs.engines import BEYOND, Engine
from plm_geometry.pairs.sides import lengths, taken
from plm_geometry.pairs.substitution import Weights


def most_identities(
    engine: Engine,
    reference: Engine,
    first: Sequence[bytes],
    second: Sequence[bytes],
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
    first, second : sequence of bytes
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
            found, known = attempt(able, *taken(left, first, second), count_gaps)
            counts[left[known]] = found[known]
            if not (left := left[~known]).size:
                return counts
    raise InputError(
        f"two proteins of {len(first[left[0]])} and {len(second[left[0]])} residues have too many "
        "alignments to resolve ties exactly with this matrix and these gap penalties; use "
        "ties='engine'."
    )


def _in_one_pass(
    engine: Engine, first: Sequence[bytes], second: Sequence[bytes], count_gaps: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return counts, each from one optimum that holds all three, and where these did fit."""
    n, m = lengths(first, second)
    fewest, most = _column_bounds(engine.mode, n, m, count_gaps)
    identity = _round_up(most - fewest + 1)
    score = _round_up(identity * np.minimum(n, m) + most + 1)
    worth = _optima(engine, first, second, score, identity, (1, int(count_gaps)))
    best = (worth + most) // score
    remainder = worth - best * score  # identity * identities - columns
    identities = -(-(remainder + fewest) // identity)
    counts = np.stack([best, identities, identity * identities - remainder], axis=1)
    return counts, worth != BEYOND


def _in_two_passes(
    engine: Engine, first: Sequence[bytes], second: Sequence[bytes], count_gaps: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return counts, each from two smaller optima, and where these did fit.

    Once the identities are known, an identity need outweigh only the columns that could be
    saved by giving one up. The second pass takes the largest weight that fits, and is believed
    if no alignment with an identity less can reach its worth.
    """
    n, m = lengths(first, second)
    fewest, most = _column_bounds(engine.mode, n, m, count_gaps)
    best, identities, known = _without_columns(engine, first, second, np.minimum(n, m))
    reach = np.maximum(engine.scoring.reach(n + m), 2 * np.abs(best))
    score = _round_down(engine.capacity // (reach + 2))
    identity = _round_down(np.maximum(score - most - 1, 0) // np.minimum(n, m))
    rows = np.flatnonzero(known & (identity > 0))
    worth = np.full(len(n), BEYOND)
    worth[rows] = _optima(
        engine, *taken(rows, first, second), score[rows], identity[rows], (1, int(count_gaps))
    )
    columns = identity * identities - (worth - best * score)
    known = (worth != BEYOND) & (columns - fewest < identity)
    return np.stack([best, identities, columns], axis=1), known


def _without_columns(
    engine: Engine, first: Sequence[bytes], second: Sequence[bytes], shorter: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return best scores, most identities at these, and where both fit the engine."""
    base = _round_up(shorter + 1)
    worth = _optima(engine, first, second, base, np.ones_like(base), (0, 0))
    known = worth != BEYOND
    return *np.divmod(np.where(known, worth, 0), base), known


def _optima(
    engine: Engine,
    first: Sequence[bytes],
    second: Sequence[bytes],
    score: np.ndarray,
    identity: np.ndarray,
    columns: tuple[int, int],
) -> np.ndarray:
    """Return each pair's optimum under its own weights; `columns` are those of `Weights`."""
    # As complex numbers, which sort many times faster than pairs of numbers do.
    distinct, which = np.unique(score + 1j * identity, return_inverse=True)
    weights = [Weights(int(pair.real), int(pair.imag), *columns) for pair in distinct]
    return engine.optima(first, second, weights, which)


def _column_bounds(
    mode: str, n: np.ndarray, m: np.ndarray, count_gaps: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the fewest and the most columns that alignments of n and m residues can have."""
    if not count_gaps:
        return np.zeros_like(n), np.minimum(n, m)
    return (np.maximum(n, m) if mode == "global" else np.zeros_like(n)), n + m


def _round_down(numbers: np.ndarray) -> np.ndarray:
    """Round down to three binary digits: few different weights, each with a prepared matrix."""
    unit = _unit(numbers)
    return numbers // unit * unit


def _round_up(numbers: np.ndarray) -> np.ndarray:
    """Round up to three binary digits, like `_round_down`."""
    unit = _unit(numbers)
    return -(-numbers // unit) * unit


def _unit(numbers: np.ndarray) -> np.ndarray:
    """Return the worth of each number's third binary digit, at least 1; below 2**53."""
    # The exponent of a float is the number of binary digits.
    return np.left_shift(1, np.maximum(np.frexp(numbers)[1] - 3, 0), dtype=np.int64)
