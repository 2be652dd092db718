"""Random proteins, writing and embedding them: what several test modules begin with."""

import gzip
from pathlib import Path

import numpy as np

from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins


def random_proteins(n, longest=100, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest, n)
    sequences = tuple("".join(rng.choice(list(STANDARD_RESIDUES + "X"), m)) for m in lengths)
    return Proteins(tuple(f"P{i:04}" for i in range(n)), sequences, "made")


def write_fasta(proteins, path):
    """Write proteins as FASTA, gzip-compressed where `path` ends in ``.gz``."""
    named = zip(proteins.accessions, proteins.sequences, strict=True)
    data = "".join(f">{accession}\n{sequence}\n" for accession, sequence in named).encode()
    Path(path).write_bytes(gzip.compress(data) if str(path).endswith(".gz") else data)


def embedded(proteins, model, directory, **options):
    from plm_geometry.embedding import run as embed

    store = embed.embed(proteins, model, directory, progress=False, **options)
    return embed.load(store, proteins)


def relative(a, b):
    return np.linalg.norm(a - b, axis=-1) / np.linalg.norm(b, axis=-1)
