"""What chapters ask about pairs: aligned, and their distances in each model."""

from hashlib import sha256

import numpy as np
import pandas as pd
from filelock import FileLock

from plm_geometry import align, pairs, paths
from plm_geometry.errors import InputError
from plm_geometry.store import fingerprint, source_digest
from plm_geometry.study.embedded import EmbeddedProteins


class PairTables(EmbeddedProteins):
    """Tables of pairs of the proteins that every model has embedded."""

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.alignment = self.settings.alignment
        self._pairs: dict[bool, pd.DataFrame] = {}

    def pairs(self, *, similar: bool = False) -> pd.DataFrame:
        """Return aligned pairs of the `common` proteins.

        Parameters
        ----------
        similar : bool
            False: ``n_pairs`` pairs uniformly at random (0: all there are), for correlations.
            True: with as many pairs again that share many k-mers, for the right-hand side
            of the scatter, which random pairs hardly reach.

        Returns
        -------
        DataFrame
            ``accession_a, accession_b, alignment_score, identities, alignment_length,
            sequence_identity, stratum``, the last "random" or "similar".
        """
        if similar not in self._pairs:
            self._pairs[similar] = self._make_pairs(similar)
        return self._pairs[similar]

    def _make_pairs(self, similar: bool) -> pd.DataFrame:
        first, second = self._random_pairs()
        n_random = len(first)
        if similar:
            more = pairs.similar_pairs(self.common.sequences, n_random, seed=self.settings.seed)
            both = np.concatenate([(first, second), more], axis=1)
            # A similar pair that was drawn at random too stays where it was.
            _, where = np.unique(both, axis=1, return_index=True)
            first, second = both[:, np.sort(where)]
        stratum = np.where(np.arange(len(first)) < n_random, "random", "similar")
        return self._aligned(first, second).assign(stratum=stratum)

    def pair_table(self, name: str, *, similar: bool = False) -> pd.DataFrame:
        """Return `pairs` with ``cosine_similarity`` and ``squared_euclidean`` of one model."""
        table = self.pairs(similar=similar)
        row = {accession: i for i, accession in enumerate(self.common.accessions)}
        distances = pairs.pair_distances(
            self.vectors(name),
            table["accession_a"].map(row).to_numpy(),
            table["accession_b"].map(row).to_numpy(),
        )
        return table.join(distances)

    def _random_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        n = len(self.common)
        wanted, available = self.settings.n_pairs, n * (n - 1) // 2
        if wanted > available > 0:
            raise InputError(
                f"n_pairs is {wanted:,}, but {n:,} proteins make {available:,} pairs; "
                "ask for at most that, or for 0, which takes them all."
            )
        return pairs.draw_pairs(n, wanted or available, seed=self.settings.seed)

    def _aligned(self, first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
        """Align, or read what an earlier call with the same pairs and settings has written."""
        key = {
            "proteins": self.common.sha256,
            "pairs": sha256(np.stack([first, second]).tobytes()).hexdigest(),
            "settings": str(self.alignment),
            "code": source_digest(align),
        }
        path = paths.CACHE / "alignments" / f"{fingerprint(key)[:16]}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):  # another chapter may be aligning the same pairs
            align.align_to_parquet(
                self.common,
                first,
                second,
                self.alignment,
                path,
                cluster=self.settings.cluster or None,
            )
        return pd.read_parquet(path)
