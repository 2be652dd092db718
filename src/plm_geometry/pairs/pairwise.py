"""The public verbs of alignment."""

from collections import Counter

import numpy as np
import pandas as pd

from plm_geometry.pairs.alignment import AlignmentSettings
from plm_geometry.pairs.job import AlignmentJob
from plm_geometry.pairs.substitution import REPLACED_LETTERS
from plm_geometry.proteins.fasta import Proteins


def align_pairs(
    proteins: Proteins,
    first: np.ndarray,
    second: np.ndarray,
    settings: AlignmentSettings | None = None,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Align pairs of proteins on all cores.

    The two proteins of a pair are aligned in the order of their accessions, so that swapping
    them changes nothing. The letters U, O and J are aligned as C, K and X (`replaced_residues`
    counts them); X with X, B with B and Z with Z are no identities.

    Parameters
    ----------
    proteins : Proteins
        The proteins.
    first, second : numpy.ndarray of int, shape ``(n_pairs,)``
        Pairs, as indices into `proteins`.
    settings : AlignmentSettings, optional
        How to align; the defaults of `AlignmentSettings` if not given.
    workers : int, optional
        Threads, or processes of a local cluster; as many as there are cores if not given.
    cluster : str, optional
        ``"local"`` or a Dask scheduler's ``"tcp://HOST:PORT"``; threads if not given.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the order given: ``accession_a``, ``accession_b``,
        ``alignment_score`` (in the matrix's units), ``identities``, ``alignment_length``
        (columns), ``sequence_identity`` (0 to 1; 0 where nothing is aligned).

    Raises
    ------
    InputError
        If there are no pairs, an index is out of range, a residue is not in the matrix, or
        the cluster cannot be reached.
    """
    job = AlignmentJob(proteins, first, second, settings or AlignmentSettings())
    every = np.arange(len(job.first))
    counts = np.empty((len(every), 4), dtype=np.int64)
    for block, found in job.run(every, workers=workers, cluster=cluster, progress=progress):
        counts[block] = found
    return job.table(every, counts)


def replaced_residues(proteins: Proteins) -> dict[str, int]:
    """Count the residues that are aligned as another letter: ``{"U as C": 3}``."""
    residues = Counter()
    for sequence in proteins.sequences:
        residues.update({letter: sequence.count(letter) for letter in REPLACED_LETTERS})
    return {f"{old} as {REPLACED_LETTERS[old]}": n for old, n in residues.items() if n}
