"""The demo proteome: a simulated biosphere of protein families whose history is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from plm_geometry.errors import InputError
from plm_geometry.evolution import evolve_family
from plm_geometry.proteins import Proteins, write_fasta

SEED = 2510
N_PROTEINS = 30_000  # evolved, before identical ones are dropped
N_FAMILIES = 120
N_DEMO = 1_000
N_HELD_OUT = 300

# Family sizes fall off as (rank + SIZE_OFFSET) ** -SIZE_EXPONENT: a few large, many small.
SIZE_EXPONENT = 1.5
SIZE_OFFSET = 8
MEDIAN_LENGTH, LENGTH_SPREAD = 252.0, 0.62  # of the log-normal distribution of root lengths
SHORTEST, LONGEST = 40, 1_900  # room for insertions below the checkpoints' 2,048 residues
SHALLOWEST, DEEPEST = 0.12, 1.6  # substitutions a site, see `evolve_family`


@dataclass(frozen=True)
class Aspect:
    """One of the three aspects of annotation: its pool of terms, and how many a family has."""

    name: str
    first_term: int
    n_terms: int
    terms_per_family: int


ASPECTS = (
    Aspect("molecular_function", 1, 90, 3),
    Aspect("biological_process", 1_001, 110, 3),
    Aspect("cellular_component", 2_001, 40, 2),
)
LOST_IN_CLADE = 0.15  # chance that a clade has lost a term of its family
GAINED_IN_CLADE = 0.7  # terms a clade has gained, on average
TERM_MISSING = 0.1  # chance that nobody has annotated a term a protein has
ASPECT_MISSING = 0.12  # chance that nobody has annotated an aspect at all


@dataclass(frozen=True)
class Biosphere:
    """Proteins with a known history.

    Attributes
    ----------
    proteins : Proteins
        Accessions ``SIM00001`` and up, in random order of family.
    families, clades : tuple of str
        One entry a protein, such as ``F007`` and ``F007.2``.
    annotations : DataFrame
        One row a protein: ``accession`` and one column an aspect, terms joined by ``;``.
    """

    proteins: Proteins
    families: tuple[str, ...]
    clades: tuple[str, ...]
    annotations: pd.DataFrame

    def __len__(self) -> int:
        return len(self.proteins)

    def select(self, indices: np.ndarray) -> "Biosphere":
        """Return the proteins at `indices`, in that order."""
        return Biosphere(
            self.proteins.select(indices),
            tuple(self.families[i] for i in indices),
            tuple(self.clades[i] for i in indices),
            self.annotations.iloc[indices].reset_index(drop=True),
        )

    @property
    def truth(self) -> pd.DataFrame:
        """What is known of each protein: accession, family, clade."""
        return pd.DataFrame(
            {
                "accession": self.proteins.accessions,
                "family": self.families,
                "clade": self.clades,
            }
        )


@dataclass(frozen=True)
class Split:
    """A biosphere's three parts; no sequence is in two of them."""

    demo: Biosphere
    held_out: Biosphere
    training: Biosphere


def simulate_biosphere(
    *, seed: int = SEED, n_proteins: int = N_PROTEINS, n_families: int = N_FAMILIES
) -> Biosphere:
    """Simulate families of proteins with their annotations.

    Parameters
    ----------
    seed : int
        Same seed, same biosphere.
    n_proteins : int
        Proteins evolved; of identical ones, one is kept, so that there are slightly fewer.
    n_families : int
        Families, of heavy-tailed sizes.

    Returns
    -------
    Biosphere
        In random order: any first part of it is a random sample.

    Raises
    ------
    InputError
        If there are fewer proteins than families.
    """
    if n_proteins < n_families:
        raise InputError(
            f"{n_proteins} proteins cannot fill {n_families} families; ask for more proteins."
        )
    rng = np.random.default_rng(seed)
    members = _members(_family_sizes(n_proteins, n_families), rng)
    members = members.drop_duplicates("sequence").sample(frac=1, random_state=rng)
    accessions = [f"SIM{number:05d}" for number in range(1, len(members) + 1)]
    annotations = _annotate(members["family"], members["clade"], rng)
    annotations.insert(0, "accession", accessions)
    return Biosphere(
        Proteins(tuple(accessions), tuple(members["sequence"]), "simulated biosphere"),
        tuple(members["family"]),
        tuple(members["clade"]),
        annotations,
    )


def split_biosphere(
    biosphere: Biosphere, *, n_demo: int = N_DEMO, n_held_out: int = N_HELD_OUT
) -> Split:
    """Divide a biosphere into the demo proteome, a held-out part and what to train on."""
    parts = np.split(np.arange(len(biosphere)), [n_demo, n_demo + n_held_out])
    return Split(*(biosphere.select(part) for part in parts))


def write_demo(demo: Biosphere, folder: str | Path) -> None:
    """Write ``proteome.fasta.gz``, ``annotations.tsv`` and ``truth.tsv`` into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_fasta(demo.proteins, folder / "proteome.fasta.gz")
    demo.annotations.to_csv(folder / "annotations.tsv", sep="\t", index=False)
    demo.truth.to_csv(folder / "truth.tsv", sep="\t", index=False)


def _family_sizes(n_proteins: int, n_families: int) -> np.ndarray:
    """Return sizes of at least one that add up to `n_proteins`, largest first."""
    weight = (np.arange(1, n_families + 1) + SIZE_OFFSET) ** -SIZE_EXPONENT
    ends = np.rint(np.cumsum(weight / weight.sum()) * (n_proteins - n_families)).astype(int)
    return 1 + np.diff(ends, prepend=0)


def _members(sizes: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Evolve every family; one row a protein: sequence, family, clade."""
    lengths = np.exp(np.log(MEDIAN_LENGTH) + LENGTH_SPREAD * norm.ppf(_spread(len(sizes), 0, rng)))
    lengths = np.clip(lengths, SHORTEST, LONGEST).astype(int)
    depths = SHALLOWEST * (DEEPEST / SHALLOWEST) ** _spread(len(sizes), 1, rng)
    # Drawn here and not in turn: a family does not depend on the ones before it.
    seeds = rng.integers(2**63, size=len(sizes))
    frames = []
    for number, (size, length, depth, seed) in enumerate(
        zip(sizes, lengths, depths, seeds, strict=True), start=1
    ):
        sequences, clades = evolve_family(int(size), int(length), float(depth), seed=int(seed))
        family = f"F{number:03d}"
        clade_names = [f"{family}.{clade}" for clade in clades]
        frames.append(pd.DataFrame({"sequence": sequences, "family": family, "clade": clade_names}))
    return pd.concat(frames, ignore_index=True)


def _spread(n: int, which: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` numbers in (0, 1) of which any consecutive few are spread evenly.

    Families of like size then have unlike lengths and depths, and no large one decides the demo's
    mean. A Weyl sequence; its two steps are independent irrationals, so that lengths and depths
    are unrelated.
    """
    step = (np.sqrt(5) - 1, np.sqrt(2) - 1)[which]
    return (rng.random() + step * np.arange(n)) % 1


def _annotate(families: pd.Series, clades: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Give each protein terms by family and clade, with gaps; one column an aspect."""
    family_of = dict(zip(clades, families, strict=True))
    columns = {}
    for aspect in ASPECTS:
        terms = [f"SIM:{aspect.first_term + i:07d}" for i in range(aspect.n_terms)]
        # Common terms are shared by many families, as "ATP binding" is.
        popularity = 1 / np.arange(5, 5 + aspect.n_terms)
        popularity /= popularity.sum()
        shared = {
            family: rng.choice(terms, aspect.terms_per_family, replace=False, p=popularity)
            for family in sorted(set(families))
        }
        by_clade = {
            clade: _clade_terms(shared[family_of[clade]], terms, rng) for clade in sorted(family_of)
        }
        columns[aspect.name] = [_annotated(by_clade[clade], rng) for clade in clades]
    return pd.DataFrame(columns)


def _clade_terms(shared: np.ndarray, pool: list[str], rng: np.random.Generator) -> list[str]:
    """Return the family's terms less what the clade lost, plus what it gained."""
    kept = shared[rng.random(len(shared)) >= LOST_IN_CLADE]
    gained = rng.choice(pool, rng.poisson(GAINED_IN_CLADE))
    return sorted({*kept, *gained})


def _annotated(terms: list[str], rng: np.random.Generator) -> str:
    """Return the terms somebody has annotated, joined as in the tables."""
    if rng.random() < ASPECT_MISSING:
        return ""
    return ";".join(term for term in terms if rng.random() >= TERM_MISSING)
