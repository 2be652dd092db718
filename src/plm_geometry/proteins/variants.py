"""Sequences changed on purpose: residues permuted, dipeptides kept, residues substituted."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
from Bio.Align import substitution_matrices
from scipy.linalg import logm

from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import STANDARD_RESIDUES

# Two unrelated proteins agree in up to a tenth of their positions by chance: much nearer to that,
# substitutions undo one another and the identity stops falling.
LEAST_IDENTITY = 0.15
# The PAM matrix nearest to single substitutions that Biopython has, in units of half a bit.
_MATRIX, _UNIT = "PAM30", 2**0.5


def permuted(sequence: str, share: float, rng: np.random.Generator) -> str:
    """Return a protein with some of its positions, drawn at random, permuted among themselves.

    Parameters
    ----------
    sequence : str
    share : float
        Of the positions, from 0 to 1. Where a residue falls on an equal one, or back on its own
        place, nothing is seen of it.
    rng : numpy.random.Generator

    Returns
    -------
    str
        The same residues, each as often.

    Raises
    ------
    InputError
        If `share` is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise InputError(f"a share of {share:g} of the positions is none; give one from 0 to 1.")
    letters = np.array(list(sequence))
    drawn = rng.choice(len(letters), round(share * len(letters)), replace=False)
    letters[np.sort(drawn)] = letters[drawn]
    return "".join(letters)


def dipeptide_shuffled(sequence: str, rng: np.random.Generator) -> str:
    """Return a protein shuffled so that each pair of neighbours occurs exactly as often as before.

    Every such sequence is equally likely. The first and the last residue stay what they are.

    Parameters
    ----------
    sequence : str
    rng : numpy.random.Generator

    References
    ----------
    Altschul and Erickson, "Significance of nucleotide sequence alignments", Molecular Biology and
    Evolution 2 (1985), 526-538: sequences with the same pairs are the paths over all edges of one
    graph. Each letter's last exit is drawn by random walks without their loops (Wilson 1996),
    which gives every tree of last exits the same chance, as in uShuffle (Jiang et al. 2008).
    """
    exits: dict[str, list[str]] = defaultdict(list)
    for letter, following in pairwise(sequence):
        exits[letter].append(following)
    last = _last_exits(exits, sequence[-1:], rng)
    ways = {letter: _in_random_order(exits[letter], last.get(letter), rng) for letter in exits}
    path = list(sequence[:1])
    while len(path) < len(sequence):
        path.append(next(ways[path[-1]]))
    return "".join(path)


def mutated(sequence: str, identity: float, rng: np.random.Generator, *, by: str = "pam") -> str:
    """Return a protein with residues substituted, one at a time, until so many are left.

    Each step draws a position at random and gives its residue the next one of a Markov chain:
    a position may change more than once, and back.

    Parameters
    ----------
    sequence : str
    identity : float
        Share of the standard residues that are the original's in the end, to the nearest
        residue; at least `LEAST_IDENTITY`. Other letters stay as they are and do not count.
    rng : numpy.random.Generator
    by : {"pam", "uniform"}
        Exchange residues as often as related proteins do (`exchanges`), or each for any other
        alike.

    Raises
    ------
    InputError
        If `identity` is out of range, or there is no such way.
    """
    if not LEAST_IDENTITY <= identity <= 1:
        raise InputError(
            f"an identity of {identity:g} cannot be reached by substitutions; give one from "
            f"{LEAST_IDENTITY:g} to 1."
        )
    cumulative = _cumulative(by)
    letters = list(sequence)
    places = [i for i, letter in enumerate(letters) if letter in STANDARD_RESIDUES]
    original = [STANDARD_RESIDUES.index(letters[i]) for i in places]
    residues, n_same, wanted = original.copy(), len(places), round(identity * len(places))
    while n_same > wanted:
        n = len(places)
        for i, drawn in zip(rng.integers(n, size=n).tolist(), rng.random(n).tolist(), strict=True):
            found = bisect(cumulative[residues[i]], drawn)
            n_same += (found == original[i]) - (residues[i] == original[i])
            residues[i] = found
            if n_same == wanted:
                break
    for place, residue in zip(places, residues, strict=True):
        letters[place] = STANDARD_RESIDUES[residue]
    return "".join(letters)


@cache
def exchanges(by: str = "pam") -> tuple[np.ndarray, np.ndarray]:
    """Return how likely a step makes one residue another, and the frequencies that this keeps.

    Parameters
    ----------
    by : {"pam", "uniform"}
        "pam": Dayhoff's model, from Biopython's PAM30. Its scores are half bits,
        ``s_ab = 2 log2(P_ab / p_b)``, so that ``sum_b p_b 2**(s_ab / 2) = 1`` for each a gives the
        frequencies p, and with them the probabilities P over 30 PAM. Rates are the logarithm of P;
        what rounded scores make negative in it, a thousandth of all, is 0. A step is so short that
        the residue that changes most (asparagine) always does.

    Returns
    -------
    probabilities : ndarray, shape (20, 20)
        Row by row, of `STANDARD_RESIDUES`.
    frequencies : ndarray, shape (20,)

    Raises
    ------
    InputError
        If there is no such way.

    References
    ----------
    Dayhoff, Schwartz and Orcutt 1978, Atlas of Protein Sequence and Structure 5, suppl. 3, 345-352.
    Frequencies behind a matrix: Yu, Wootton and Altschul, PNAS 100 (2003), 15688-15693.
    """
    n = len(STANDARD_RESIDUES)
    if by == "uniform":
        return (1 - np.eye(n)) / (n - 1), np.full(n, 1 / n)
    if by != "pam":
        raise InputError(f"there is no substitution by {by!r}; choose pam or uniform.")
    matrix = substitution_matrices.load(_MATRIX)
    ratios = _UNIT ** np.array(
        [[matrix[a, b] for b in STANDARD_RESIDUES] for a in STANDARD_RESIDUES]
    )
    frequencies = np.linalg.solve(ratios, np.ones(n))
    frequencies /= frequencies.sum()
    joint = frequencies[:, None] * ratios * frequencies
    rates = logm(joint / joint.sum(axis=1, keepdims=True)).real
    rates = np.maximum(rates, 0) * (1 - np.eye(n))
    # Rows were divided by unlike sums: as many exchanges of b for a as of a for b.
    flows = frequencies[:, None] * rates
    rates = (flows + flows.T) / (2 * frequencies[:, None])
    rates /= rates.sum(axis=1).max()
    return rates + np.diag(1 - rates.sum(axis=1)), frequencies


@cache
def _cumulative(by: str) -> list[list[float]]:
    sums = np.cumsum(exchanges(by)[0], axis=1)
    sums[:, -1] = 1
    return sums.tolist()


def _in_random_order(
    letters: list[str], last: str | None, rng: np.random.Generator
) -> Iterator[str]:
    """Yield letters in random order, one of them in the end if it is named."""
    ends = [] if last is None else [last]
    kept = [*letters]
    for letter in ends:
        kept.remove(letter)
    yield from (kept[i] for i in rng.permutation(len(kept)))
    yield from ends


def _last_exits(exits: dict[str, list[str]], end: str, rng: np.random.Generator) -> dict[str, str]:
    """Return the letter that each letter is last followed by: a tree towards the `end`."""
    last: dict[str, str] = {}
    reached = {end}
    for start in exits:
        letter = start
        while letter not in reached:  # a walk that comes back takes another way: no loop is left
            last[letter] = exits[letter][rng.integers(len(exits[letter]))]
            letter = last[letter]
        letter = start
        while letter not in reached:
            reached.add(letter)
            letter = last[letter]
    return last
