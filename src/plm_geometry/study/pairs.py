"""The study's pairs: drawn or read from a file, aligned, and their distances in each model."""

from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from plm_geometry import pairs
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.pairs import AlignmentSettings

if TYPE_CHECKING:
    from plm_geometry.study import Study

_ACCESSIONS = ["accession_a", "accession_b"]
_FAMILIES = ["family_a", "family_b"]


class Pairs:
    """Pairs of the proteins that every model has embedded.

    Attributes
    ----------
    alignment : AlignmentSettings
        How this study aligns them.
    """

    def __init__(self, study: "Study"):
        self.study = study
        named = {field.name for field in fields(AlignmentSettings)}
        self.alignment = AlignmentSettings(**study.settings.model_dump(include=named))
        self._file = Path(study.settings.pairs_file).expanduser()
        if study.settings.pairs_file and not self._file.is_file():
            raise InputError(f"{self._file} does not exist; make it with `plm-geometry align`.")
        self._tables: dict[bool, pd.DataFrame] = {}
        self._distances: dict[tuple[str, bool], pd.DataFrame] = {}

    def table(self, *, similar: bool = False) -> pd.DataFrame:
        """Return aligned pairs of the study's `common` proteins.

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
            stands; ``length_a, length_b`` in residues; ``family_a, family_b`` where known.
        """
        if similar and self.study.settings.pairs_file:
            similar = "weight" not in pq.read_schema(self._file).names
        if similar not in self._tables:
            self._tables[similar] = self._make(similar)
        return self._tables[similar]

    def of(self, name: str, *, similar: bool = False) -> pd.DataFrame:
        """Return the `table` with ``cosine_similarity`` and ``squared_euclidean`` of one model."""
        table = self.table(similar=similar)
        if (name, similar) not in self._distances:
            found = pairs.pair_distances(self.study.vectors(name), *self.sides(table))
            self._distances[name, similar] = found
        return table.join(self._distances[name, similar])

    def some(self, most: int) -> pd.DataFrame:
        """Return at most so many of them, drawn at random: a file's order may mean something."""
        table = self.table()
        drawn = table.sample(min(most, len(table)), random_state=self.study.settings.seed)
        return drawn.reset_index(drop=True)

    def sampled(self, n: int) -> pd.DataFrame:
        """Return `n` of the similar ones, to be looked at one by one.

        They are drawn at random from the seed, without regard to their weights.

        Returns
        -------
        DataFrame
            The rows of `table` with ``alignment`` (`AlignedText`, or None where too long), and
            one column per model, under its name: the pair's cosine similarity.
        """
        study, table = self.study, self.table(similar=True)
        chosen = np.random.default_rng(study.settings.seed).permutation(len(table))[:n]
        shown = table.iloc[np.sort(chosen)]
        cosines = {name: self.of(name, similar=True).cosine_similarity.loc[shown.index]
                   for name in study.names}  # fmt: skip
        texts = pairs.aligned_texts(study.common, *self.sides(shown), self.alignment)
        return shown.assign(alignment=texts, **cosines).reset_index(drop=True)

    def aligned(
        self, first: np.ndarray, second: np.ndarray, settings: AlignmentSettings
    ) -> pd.DataFrame:
        """Align pairs, or read what an earlier call with them and the settings has written.

        Parameters
        ----------
        first, second : ndarray of int, shape (n_pairs,)
            Pairs of the study's `common` proteins.
        settings : AlignmentSettings

        Returns
        -------
        DataFrame
            As `table`, without ``weight``.
        """
        common = self.study.common
        key = {
            "proteins": common.sha256,
            "pairs": sha256(np.stack([first, second]).tobytes()).hexdigest(),
            "settings": str(settings),
            "code": source_digest(pairs),
        }
        path = paths.CACHE / "alignments" / f"{fingerprint(key)[:16]}.parquet"
        cluster = self.study.settings.cluster or None
        with alone(path):  # another chapter may be aligning the same pairs
            pairs.align_to_parquet(common, first, second, settings, path, cluster=cluster)
        return self._read(path)

    def _make(self, similar: bool) -> pd.DataFrame:
        if self.study.settings.pairs_file and not similar:
            table = self._read(self._checked_file())
        else:
            first, second, weight = self._drawn(similar)
            table = self.aligned(first, second, self.alignment).assign(weight=weight)
        if "weight" not in table:
            table["weight"] = pairs.count_pairs(len(self.study.common)) / len(table)
        if (families := self.study.families) is not None:
            for side, accession in zip(_FAMILIES, _ACCESSIONS, strict=True):
                table[side] = table[accession].astype(object).map(families)
        return table

    @property
    def units(self) -> list[str]:
        """Columns of what intervals leave out: families; where they are not known, proteins."""
        return _ACCESSIONS if self.study.families is None else _FAMILIES

    @staticmethod
    def sides(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers, among the `common` proteins, of each pair's two proteins."""
        first, second = (table[side].cat.codes.to_numpy(np.int64) for side in _ACCESSIONS)
        return first, second

    def _drawn(self, similar: bool) -> tuple[np.ndarray, np.ndarray, float | np.ndarray]:
        """Draw ``n_pairs`` pairs; return both sides, and for how many pairs each stands."""
        among, settings = self._among(), self.study.settings
        available = pairs.count_pairs(len(among))
        wanted = min(settings.n_pairs, available)
        if similar and 0 < wanted < available:
            sequences = self.study.common.select(among).sequences
            sample = pairs.draw_stratified(sequences, wanted, seed=settings.seed)
            return among[sample.first], among[sample.second], sample.weight
        first, second = pairs.draw_pairs(len(among), wanted or available, seed=settings.seed)
        return among[first], among[second], available / len(first)

    def _among(self) -> np.ndarray:
        """Return the numbers of the `common` proteins that pairs are drawn from, ascending."""
        n, settings = len(self.study.common), self.study.settings
        if not 0 < settings.n_pair_proteins < n:
            return np.arange(n)
        rng = np.random.default_rng(settings.seed)
        return np.sort(rng.choice(n, settings.n_pair_proteins, replace=False))

    def _read(self, path: Path) -> pd.DataFrame:
        """Read aligned pairs; accessions become categories in the order of `common`.

        Pairs of a file with a protein that `left_out` names are left out too.
        """
        table = pq.read_table(path, read_dictionary=_ACCESSIONS).to_pandas()
        kind = pd.CategoricalDtype(self.study.common.accessions)
        table = table.assign(**{side: table[side].astype(kind) for side in _ACCESSIONS})
        table = table.dropna(subset=_ACCESSIONS, ignore_index=True)
        first, second = self.sides(table)
        lengths = self.study.common.lengths
        return table.assign(length_a=lengths[first], length_b=lengths[second])

    def _checked_file(self) -> Path:
        """Return ``pairs_file``, which must be of these proteins and settings."""
        note = pairs.read_note(self._file)
        for name, here in vars(self.alignment).items():
            if note.get(name) != here:
                raise InputError(
                    f"{self._file} was aligned with {name} {note.get(name)!r}, and this run asks "
                    f"for {here!r}; give `-p {name} {note.get(name)}`, or another file."
                )
        pairs.read_pairs(self._file, self.study.requested.accessions)
        return self._file
