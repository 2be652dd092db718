"""Most identities over all best-scoring alignments: a number that no engine's choice decides.

Many alignments share the best score, and engines pick among them differently. Weighing a score
unit above any number of identities, and an identity above any number of columns, makes one
optimum of all three: the best score, the most identities that it allows, and the fewest columns
that these allow. An engine needs to report nothing but that optimum's worth.
"""

from collections.abc import Sequence

import numpy as np

from plm_geometry.align.engines import BEYOND, Engine
from plm_geometry.align.substitution import Weights
from plm_geometry.errors import InputError

# An identity's weight is at most about twice the residues of a pair, and fits into these.
_IDENTITY_BITS = 24


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
    counts, known = _in_one_pass(engine, first, second, count_gaps)
    for row in np.flatnonzero(~known):
        counts[row] = _of_large(engine, reference, first[row], second[row], count_gaps)
    return counts


def _of_large(
    engine: Engine, reference: Engine, first: bytes, second: bytes, count_gaps: bool
) -> tuple[int, int, int]:
    """Return the counts of a pair whose numbers do not fit into one pass of `engine`."""
    if (counts := _in_two_passes(engine, first, second, count_gaps)) is not None:
        return counts
    counts, known = _in_one_pass(reference, [first], [second], count_gaps)
    if known.all():
        return tuple(counts[0])
    if (counts := _in_two_passes(reference, first, second, count_gaps)) is not None:
        return counts
    raise InputError(
        f"two proteins of {len(first)} and {len(second)} residues have too many alignments to "
        "resolve ties exactly with this matrix and these gap penalties; use ties='engine'."
    )


def _in_one_pass(
    engine: Engine, first: Sequence[bytes], second: Sequence[bytes], count_gaps: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return counts, each from one optimum that holds all three, and where these did fit."""
    n, m = (np.fromiter(map(len, side), np.int64, len(side)) for side in (first, second))
    fewest, most = _column_bounds(engine.mode, n, m, count_gaps)
    identity = _round_up(most - fewest + 1)
    score = _round_up(identity * np.minimum(n, m) + most + 1)
    worth, known = _optima(engine, first, second, score, identity, int(count_gaps))
    best = (worth + most) // score
    remainder = worth - best * score  # identity * identities - columns
    identities = -(-(remainder + fewest) // identity)
    return np.stack([best, identities, identity * identities - remainder], axis=1), known


def _optima(
    engine: Engine,
    first: Sequence[bytes],
    second: Sequence[bytes],
    score: np.ndarray,
    identity: np.ndarray,
    column: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each pair's optimum under its own weights, and whether it fits the engine."""
    # One number for both weights: sorting it is many times faster than sorting pairs of numbers.
    key = score << _IDENTITY_BITS | identity
    order = np.argsort(key, kind="stable")
    worth = np.empty(len(order), dtype=np.int64)
    for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        given = Weights(int(score[rows[0]]), int(identity[rows[0]]), 1, column)
        numbers = rows.tolist()
        worth[rows] = engine.optima(
            [first[i] for i in numbers], [second[i] for i in numbers], given
        )
    return worth, worth != BEYOND


def _in_two_passes(
    engine: Engine, first: bytes, second: bytes, count_gaps: bool
) -> tuple[int, int, int] | None:
    """Return the counts from two smaller optima, None where these do not fit either.

    Once the identities are known, an identity need outweigh only the columns that could be
    saved by giving one up. The second pass takes the largest weight that fits, and is believed
    if no alignment with an identity less can reach its worth.
    """
    fewest, most = _column_bounds(engine.mode, len(first), len(second), count_gaps)
    shorter = min(len(first), len(second))
    base = int(_round_up(shorter + 1))
    (worth,) = engine.optima([first], [second], Weights(base, identity=1))
    if worth == BEYOND:
        return None
    best, identities = divmod(worth, base)
    reach = max(engine.scoring.reach(len(first) + len(second)), 2 * abs(best))
    score = _round_down(engine.capacity // (reach + 2))
    identity = _round_down(max(score - int(most) - 1, 0) // shorter)
    if identity == 0:
        return None
    (worth,) = engine.optima([first], [second], Weights(score, identity, 1, int(count_gaps)))
    if worth == BEYOND:
        return None
    columns = identity * identities - (worth - best * score)
    return (best, identities, columns) if columns - fewest < identity else None


def _column_bounds(
    mode: str, n: int | np.ndarray, m: int | np.ndarray, count_gaps: bool
) -> tuple[int | np.ndarray, int | np.ndarray]:
    """Return the fewest and the most columns that alignments of n and m residues can have."""
    if not count_gaps:
        return 0 * n, np.minimum(n, m)
    return (np.maximum(n, m) if mode == "global" else 0 * n), n + m


def _round_down(number: int) -> int:
    """Round down to three binary digits: few different weights, each with a prepared matrix."""
    unit = 1 << max(number.bit_length() - 3, 0)
    return number // unit * unit


def _round_up(numbers: int | np.ndarray) -> np.ndarray:
    """Round up to three binary digits, like `_round_down`; below 2**53."""
    # The exponent of a float is the number of binary digits.
    unit = np.left_shift(1, np.maximum(np.frexp(numbers)[1] - 3, 0), dtype=np.int64)
    return -(-np.asarray(numbers) // unit) * unit
