"""Random proteins, and embedding them: what several test modules begin with."""

import numpy as np

from plm_geometry.embedding import run as embed
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins


def random_proteins(n, longest=100, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest, n)
    sequences = tuple("".join(rng.choice(list(STANDARD_RESIDUES + "X"), m)) for m in lengths)
    return Proteins(tuple(f"P{i:04}" for i in range(n)), sequences, "made")


def embedded(proteins, model, directory, **options):
    store = embed.embed(proteins, model, directory, progress=False, **options)
    return embed.load(store, proteins)


def relative(a, b):
    return np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1)
