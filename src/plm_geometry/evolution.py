"""How a simulated protein family comes about: a root with local structure, and its tree.

Substitutions are msprime's PAM process; insertions and deletions, which it lacks, are added here.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import msprime
    import tskit

# Composition in percent of the whole database, from the UniProtKB/Swiss-Prot release statistics.
SWISSPROT_PERCENT = {
    "A": 8.25, "R": 5.53, "N": 4.06, "D": 5.46, "C": 1.38, "Q": 3.93, "E": 6.72, "G": 7.07,
    "H": 2.27, "I": 5.91, "L": 9.65, "K": 5.80, "M": 2.41, "F": 3.86, "P": 4.74, "S": 6.64,
    "T": 5.35, "W": 1.10, "Y": 2.92, "V": 6.86,
}  # fmt: skip
# In the order of msprime's PAM alleles.
LETTERS = np.array(list(SWISSPROT_PERCENT))
SWISSPROT = np.array(list(SWISSPROT_PERCENT.values()))
SWISSPROT /= SWISSPROT.sum()

FAVOUR = 9.0  # how much likelier a segment makes the residues it favours
RATE_SHAPE = 0.7  # of the gamma distribution of rates over sites: a few fast, many slow
INDELS_PER_SUBSTITUTION = 0.03
MEAN_INDEL = 3.5  # residues
CLADE_HEIGHT = 0.35  # lineages alive at this share of the tree's height found the clades


@dataclass(frozen=True)
class Segment:
    """A kind of local structure: the residues it favours, position after position, cyclically."""

    mean_length: float
    favoured: tuple[str, ...]


SEGMENTS = (
    Segment(21, ("LIVFAGM",)),  # membrane-spanning core
    Segment(18, ("LIVM", "EKRQ", "EKRQA", "LIMA", "EKRQ", "DEKRS", "KREQA")),  # heptads of a helix
    Segment(10, ("VIYFT", "STKRQE")),  # strand: one face in, one face out
    Segment(8, ("GPNDS",)),  # turn
    Segment(14, ("EDK",)),  # charged linker
    Segment(14, ("SPTQ",)),  # polar linker
    Segment(12, ("C", "GNDK", "HWY", "FHRP")),  # metal-binding knuckle
    Segment(16, ("GA", "VA", "G", "RAPD")),  # nucleotide-binding loop and its like
)


@cache
def segment_states() -> tuple[np.ndarray, np.ndarray]:
    """Return the share of time and the residue distribution of each (segment, phase).

    Scaling rows and columns in turn (Sinkhorn, 1964) keeps each segment's taste while the mixture
    over all states has exactly Swiss-Prot's composition.

    Returns
    -------
    share : ndarray, shape (n_states,)
    emission : ndarray, shape (n_states, 20)
        Rows sum to one; ``share @ emission`` is `SWISSPROT`.
    """
    share = np.concatenate(
        [np.full(len(s.favoured), s.mean_length / len(s.favoured)) for s in SEGMENTS]
    )
    share /= share.sum()
    patterns = [letters for s in SEGMENTS for letters in s.favoured]
    joint = np.array([np.where(np.isin(LETTERS, list(p)), FAVOUR, 1.0) for p in patterns])
    for _ in range(500):
        joint *= (share / joint.sum(axis=1))[:, None]
        joint *= SWISSPROT / joint.sum(axis=0)
    return share, joint / joint.sum(axis=1, keepdims=True)


def root_sequence(length: int, rng: np.random.Generator) -> str:
    """Draw a protein of `length` residues from a chain of segments, beginning with methionine."""
    periods = [len(s.favoured) for s in SEGMENTS]
    first_state = np.cumsum([0, *periods])
    states: list[int] = []
    while len(states) < length:
        kind = rng.integers(len(SEGMENTS))
        # A random first phase gives every phase the same share, which the composition relies on.
        phases = rng.integers(periods[kind]) + np.arange(rng.poisson(SEGMENTS[kind].mean_length))
        states.extend(first_state[kind] + phases % periods[kind])
    cumulative = np.cumsum(segment_states()[1], axis=1)[states[:length]]
    letters = (rng.random((length, 1)) > cumulative[:, :-1]).sum(axis=1)
    return "M" + "".join(LETTERS[letters[1:]])


@cache
def substitution_model() -> tuple["msprime.MatrixMutationModel", float]:
    """Return Dayhoff's PAM process with Swiss-Prot's composition, and its changes an event.

    The exchangeabilities are PAM's (Dayhoff et al., 1978), the equilibrium frequencies
    Swiss-Prot's ("PAM+F"), so that evolving for long does not shift the composition.
    """
    import msprime

    pam = msprime.PAM()
    transitions = pam.transition_matrix * (SWISSPROT / pam.root_distribution)
    np.fill_diagonal(transitions, 0)
    transitions /= transitions.sum(axis=1).max()
    changes = float(SWISSPROT @ transitions.sum(axis=1))
    np.fill_diagonal(transitions, 1 - transitions.sum(axis=1))
    return msprime.MatrixMutationModel(pam.alleles, SWISSPROT, transitions), changes


def evolve_family(
    n_members: int, length: int, depth: float, *, seed: int
) -> tuple[list[str], np.ndarray]:
    """Simulate a family: a coalescent tree, substitutions, insertions and deletions along it.

    Parameters
    ----------
    n_members : int
        Proteins in the family.
    length : int
        Residues of the root.
    depth : float
        Expected substitutions a site from the common ancestor of two members, on average, to one
        of them; sites differ by gamma-distributed rates.
    seed : int
        Same seed, same family.

    Returns
    -------
    sequences : list of str
        Unaligned, one a member.
    clades : ndarray of int, shape (n_members,)
        Clade of each member, counted from 1.
    """
    import msprime

    rng = np.random.default_rng(seed)
    tree = msprime.sim_ancestry(
        n_members, ploidy=1, population_size=1, random_seed=_msprime_seed(rng)
    ).first()
    present = _present_columns(tree, length, depth, rng)
    aligned = _substitute(tree, root_sequence(present.shape[1], rng), depth, rng)
    letters = np.frombuffer("".join(aligned).encode(), dtype="S1").reshape(present.shape)
    sequences = [row[kept].tobytes().decode() for row, kept in zip(letters, present, strict=True)]
    return sequences, _clades(tree)


def _msprime_seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1, 2**31))


def _present_columns(
    tree: "tskit.Tree", length: int, depth: float, rng: np.random.Generator
) -> np.ndarray:
    """Place indels on the tree; return which alignment columns each member has.

    A column is of the root or of one insertion. Applying the events from old to young makes what
    is inserted into a deleted stretch survive, and what is deleted stay so in all descendants.
    """
    rate = depth * INDELS_PER_SUBSTITUTION / 2
    insertions = _events_on_tree(tree, rate * length, rng)
    sizes = rng.geometric(1 / MEAN_INDEL, size=len(insertions))
    at = np.sort(rng.integers(1, length + 1, size=len(insertions)))
    origin = np.insert(
        np.full(length, -1), np.repeat(at, sizes), np.repeat(np.arange(len(at)), sizes)
    )
    gains = [(*event, origin == i, True) for i, event in enumerate(insertions)]
    # By column, present or not: then each residue is lost as often as one is gained.
    losses = [
        (*event, _stretch(len(origin), rng), False)
        for event in _events_on_tree(tree, rate * len(origin), rng)
    ]
    present = np.tile(origin == -1, (tree.num_samples(), 1))
    for _, node, columns, value in sorted(gains + losses, key=lambda event: -event[0]):
        present[np.ix_(list(tree.samples(node)), columns)] = value
    return present


def _stretch(n_columns: int, rng: np.random.Generator) -> np.ndarray:
    """Return the columns a deletion takes, never the first one: the start codon stays."""
    start = rng.integers(1, n_columns)
    size = rng.geometric(1 / MEAN_INDEL)
    columns = np.arange(n_columns)
    return (columns >= start) & (columns < start + size)


def _events_on_tree(
    tree: "tskit.Tree", rate: float, rng: np.random.Generator
) -> list[tuple[float, int]]:
    """Draw a Poisson process along the branches: (time, node below) of each event."""
    time, parent = tree.tree_sequence.nodes_time, tree.parent_array
    nodes = tree.preorder()[1:]
    lengths = time[parent[nodes]] - time[nodes]
    n_events = rng.poisson(rate * lengths.sum())
    if n_events == 0:
        return []
    hit = rng.choice(nodes, size=n_events, p=lengths / lengths.sum())
    above = rng.random(n_events) * (time[parent[hit]] - time[hit])
    return [(time[node] + up, int(node)) for node, up in zip(hit, above, strict=True)]


def _substitute(tree: "tskit.Tree", root: str, depth: float, rng: np.random.Generator) -> list[str]:
    """Return `root` as it has become in each member."""
    import msprime

    model, changes_per_event = substitution_model()
    rates = rng.gamma(RATE_SHAPE, 1 / RATE_SHAPE, size=len(root))
    rates[0] = 0  # the start codon does not change
    mutated = msprime.sim_mutations(
        _with_sites(tree, root),
        rate=msprime.RateMap(
            position=np.arange(len(root) + 1), rate=rates * depth / changes_per_event
        ),
        model=model,
        random_seed=_msprime_seed(rng),
        # Keeps the sites' own ancestral states, where msprime would draw them anew.
        keep=True,
    )
    return list(mutated.alignments(reference_sequence=root, missing_data_character="-"))


def _with_sites(tree: "tskit.Tree", root: str) -> "tskit.TreeSequence":
    """Return the tree with one site a residue of `root`."""
    tables = tree.tree_sequence.dump_tables()
    tables.sequence_length = len(root)
    tables.edges.right = np.full(len(tables.edges), float(len(root)))
    for position, residue in enumerate(root):
        tables.sites.add_row(position, residue)
    return tables.tree_sequence()


def _clades(tree: "tskit.Tree") -> np.ndarray:
    """Cut the tree at `CLADE_HEIGHT` of its height and number the members by the piece."""
    time, parent = tree.tree_sequence.nodes_time, tree.parent_array
    root = tree.root
    cut = CLADE_HEIGHT * time[root]
    founders = [
        node
        for node in tree.preorder()
        if time[node] <= cut and (node == root or time[parent[node]] > cut)
    ]
    clades = np.zeros(tree.num_samples(), dtype=int)
    for number, node in enumerate(founders, start=1):
        clades[list(tree.samples(node))] = number
    return clades
