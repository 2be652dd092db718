"""Most identities over all best-scoring alignments: a number that no engine's choice decides.

Many alignments share the best score, and engines pick among them differently. Weighing a score
unit above any number of identities, and an identity above any number of columns, makes one
optimum of all three: the best score, the most identities that it allows, and the fewest columns
that these allow. An engine needs to report nothing but that optimum's worth.
"""

from plm_geometry.align.engines import Counts, Engine
from plm_geometry.align.substitution import Weights
from plm_geometry.errors import InputError


def most_identities(
    engine: Engine, reference: Engine, first: bytes, second: bytes, *, count_gaps: bool = True
) -> Counts:
    """Return the best score, the most identities among its alignments, and the fewest columns.

    Parameters
    ----------
    engine : Engine
        Asked first.
    reference : Engine
        Asked where the numbers exceed `engine`'s capacity.
    first, second : bytes
        The proteins.
    count_gaps : bool
        Whether columns with a gap count as columns.

    Returns
    -------
    Counts
        `length` is the fewest columns of an alignment with that score and those identities;
        `aligned_columns` is known in global mode only, where it follows.

    Raises
    ------
    InputError
        If the numbers exceed what `reference` can hold.
    """
    for able in (engine, reference):
        for resolve in (_in_one_pass, _in_two_passes):
            if (counts := resolve(able, first, second, count_gaps)) is not None:
                return _with_aligned_columns(counts, engine.mode, first, second)
    raise InputError(
        f"two proteins of {len(first)} and {len(second)} residues have too many alignments to "
        "resolve ties exactly with this matrix and these gap penalties; use ties='engine'."
    )


def _in_one_pass(engine: Engine, first: bytes, second: bytes, count_gaps: bool) -> Counts | None:
    """Return the counts from one optimum that holds all three, None where it does not fit."""
    fewest, most = _column_bounds(engine.mode, first, second, count_gaps)
    shorter = min(len(first), len(second))
    identity = _round_up(most - fewest + 1)
    score = _round_up(identity * shorter + most + 1)
    worth = engine.optimum(first, second, Weights(score, identity, 1, int(count_gaps)))
    if worth is None:
        return None
    best = (worth + most) // score
    remainder = worth - best * score  # identity * identities - columns
    identities = -(-(remainder + fewest) // identity)
    return Counts(best, identities, identity * identities - remainder)


def _in_two_passes(engine: Engine, first: bytes, second: bytes, count_gaps: bool) -> Counts | None:
    """Return the counts from two smaller optima, None where these do not fit either.

    Once the identities are known, an identity need outweigh only the columns that could be
    saved by giving one up. The second pass takes the largest weight that fits, and is believed
    if no alignment with an identity less can reach its worth.
    """
    fewest, most = _column_bounds(engine.mode, first, second, count_gaps)
    shorter = min(len(first), len(second))
    base = _round_up(shorter + 1)
    worth = engine.optimum(first, second, Weights(base, identity=1))
    if worth is None:
        return None
    best, identities = divmod(worth, base)
    reach = max(engine.scoring.reach(len(first) + len(second)), 2 * abs(best))
    score = _round_down(engine.capacity // (reach + 2))
    identity = _round_down(max(score - most - 1, 0) // shorter)
    if identity == 0:
        return None
    worth = engine.optimum(first, second, Weights(score, identity, 1, int(count_gaps)))
    if worth is None:
        return None
    columns = identity * identities - (worth - best * score)
    return Counts(best, identities, columns) if columns - fewest < identity else None


def _with_aligned_columns(counts: Counts, mode: str, first: bytes, second: bytes) -> Counts:
    """Add the aligned columns of a global alignment: each takes a residue from both proteins."""
    if mode != "global":
        return counts
    return counts._replace(aligned_columns=len(first) + len(second) - counts.length)


def _column_bounds(mode: str, first: bytes, second: bytes, count_gaps: bool) -> tuple[int, int]:
    """Return the fewest and the most columns that an alignment can have."""
    n, m = len(first), len(second)
    if not count_gaps:
        return 0, min(n, m)
    return (max(n, m) if mode == "global" else 0), n + m


def _round_down(number: int) -> int:
    """Round down to three binary digits: few different weights, each with a prepared matrix."""
    unit = 1 << max(number.bit_length() - 3, 0)
    return number // unit * unit


def _round_up(number: int) -> int:
    """Round up to three binary digits, like `_round_down`."""
    unit = 1 << max(number.bit_length() - 3, 0)
    return -(-number // unit) * unit
