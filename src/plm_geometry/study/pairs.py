"""The study's pairs: drawn or read from a file, aligned, and their distances in each model."""

from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from plm_geometry import pairs
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.pairs import AlignmentSettings
from plm_geometry.study.embedded import EmbeddedProteins

_ACCESSIONS = ["accession_a", "accession_b"]


class PairTables(EmbeddedProteins):
    """Tables of pairs of the proteins that every model has embedded."""

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.alignment = AlignmentSettings(
            **self.settings.model_dump(include={f.name for f in fields(AlignmentSettings)})
        )
        self._pairs: dict[bool, pd.DataFrame] = {}
        self._distances: dict[tuple[str, bool], pd.DataFrame] = {}

    def pairs(self, *, similar: bool = False) -> pd.DataFrame:
        """Return aligned pairs of the `common` proteins.

        Parameters
        ----------
        similar : bool
            False: ``n_pairs`` pairs uniformly at random (all, of 0 or of more than there are), or
            those of ``pairs_file``. True: as many in two phases, half of them similar, for what
            random pairs hardly reach; a file with weights serves as it is.

        Returns
        -------
        DataFrame
            ``accession_a, accession_b`` (categorical), ``alignment_score, identities,
            alignment_length, sequence_identity``; ``weight``, for how many pairs each
            stands; ``length_a, length_b`` in residues.
        """
        if self.settings.pairs_file and not (similar and self._file_is_uniform()):
            similar = False
        if similar not in self._pairs:
            self._pairs[similar] = self._make_pairs(similar)
        return self._pairs[similar]

    def pair_table(self, name: str, *, similar: bool = False) -> pd.DataFrame:
        """Return `pairs` with ``cosine_similarity`` and ``squared_euclidean`` of one model."""
        table = self.pairs(similar=similar)
        if (name, similar) not in self._distances:
            first, second = (table[side].cat.codes.to_numpy(np.int64) for side in _ACCESSIONS)
            found = pairs.pair_distances(self.vectors(name), first, second)
            self._distances[name, similar] = found
        return table.join(self._distances[name, similar])

    def sampled_pairs(self, n: int = 1000) -> pd.DataFrame:
        """Return `n` of the similar ``pairs``, to be looked at one by one.

        They are drawn at random from the seed, without regard to their weights.

        Returns
        -------
        DataFrame
            The rows of `pairs` with ``alignment`` (`AlignedText`, or None where too long), and
            one column a model, under its name: the pair's cosine similarity.
        """
        table = self.pairs(similar=True)
        chosen = np.random.default_rng(self.settings.seed).permutation(len(table))[:n]
        shown = table.iloc[np.sort(chosen)]
        first, second = (shown[side].cat.codes.to_numpy(np.int64) for side in _ACCESSIONS)
        cosines = {name: self.pair_table(name, similar=True).cosine_similarity.loc[shown.index]
                   for name in self.names}  # fmt: skip
        texts = pairs.aligned_texts(self.common, first, second, self.alignment)
        return shown.assign(alignment=texts, **cosines).reset_index(drop=True)

    def aligned(
        self, first: np.ndarray, second: np.ndarray, settings: AlignmentSettings
    ) -> pd.DataFrame:
        """Align pairs, or read what an earlier call with them and the settings has written.

        Parameters
        ----------
        first, second : ndarray of int, shape (n_pairs,)
            Pairs of the `common` proteins.
        settings : AlignmentSettings
        """
        key = {
            "proteins": self.common.sha256,
            "pairs": sha256(np.stack([first, second]).tobytes()).hexdigest(),
            "settings": str(settings),
            "code": source_digest(pairs),
        }
        path = paths.CACHE / "alignments" / f"{fingerprint(key)[:16]}.parquet"
        cluster = self.settings.cluster or None
        with alone(path):  # another chapter may be aligning the same pairs
            pairs.align_to_parquet(self.common, first, second, settings, path, cluster=cluster)
        return self._read(path)

    def _make_pairs(self, similar: bool) -> pd.DataFrame:
        if self.settings.pairs_file and not similar:
            table = self._read(self._checked_file())
        else:
            first, second, weight = self._drawn(similar)
            table = self.aligned(first, second, self.alignment).assign(weight=weight)
        if "weight" not in table:
            table["weight"] = pairs.count_pairs(len(self.common)) / len(table)
        lengths = self.common.lengths
        return table.assign(
            length_a=lengths[table["accession_a"].cat.codes],
            length_b=lengths[table["accession_b"].cat.codes],
        )

    def _drawn(self, similar: bool) -> tuple[np.ndarray, np.ndarray, float | np.ndarray]:
        """Draw ``n_pairs`` pairs; return both sides, and for how many pairs each stands."""
        among, seed = self._proteins_of_pairs(), self.settings.seed
        available = pairs.count_pairs(len(among))
        wanted = min(self.settings.n_pairs, available)
        if similar and 0 < wanted < available:
            sequences = self.common.select(among).sequences
            sample = pairs.draw_stratified(sequences, wanted, seed=seed)
            return among[sample.first], among[sample.second], sample.weight
        first, second = pairs.draw_pairs(len(among), wanted or available, seed=seed)
        return among[first], among[second], available / len(first)

    def _proteins_of_pairs(self) -> np.ndarray:
        """Return the numbers of the `common` proteins that pairs are drawn from, ascending."""
        n, among = len(self.common), self.settings.n_pair_proteins
        if not 0 < among < n:
            return np.arange(n)
        drawn = np.random.default_rng(self.settings.seed).choice(n, among, replace=False)
        return np.sort(drawn)

    def _read(self, path: Path) -> pd.DataFrame:
        """Read aligned pairs; accessions become categories in the order of `common`.

        Pairs of a file with a protein that `left_out` names are left out too.
        """
        table = pq.read_table(path, read_dictionary=_ACCESSIONS).to_pandas()
        kind = pd.CategoricalDtype(self.common.accessions)
        table = table.assign(**{side: table[side].astype(kind) for side in _ACCESSIONS})
        return table.dropna(subset=_ACCESSIONS, ignore_index=True)

    def _file_is_uniform(self) -> bool:
        return "weight" not in pq.read_schema(self._pairs_path).names

    def _checked_file(self) -> Path:
        """Return ``pairs_file``, which must be of these proteins and settings."""
        path = self._pairs_path
        note = pairs.read_note(path)
        for name, here in vars(self.alignment).items():
            if note.get(name) != here:
                raise InputError(
                    f"{path} was aligned with {name} {note.get(name)!r}, and this run asks for "
                    f"{here!r}; give `-p {name} {note.get(name)}`, or another file."
                )
        pairs.read_pairs(path, self.requested.accessions)
        return path
