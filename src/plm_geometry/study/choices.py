"""Unstated choices: the chapters' numbers under every combination of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry import association, pairs
from plm_geometry.isotropy.moments import Moments, merge_all
from plm_geometry.isotropy.tables import dimensions_or_nan
from plm_geometry.proteins.fasta import STANDARD_RESIDUES
from plm_geometry.study.correlation import MODES, identities
from plm_geometry.study.readings import AS_IT_IS, OWN, UNCUT, Readings

if TYPE_CHECKING:
    from plm_geometry.study import Study

EMBEDDING = ("pooling", "truncation", "layer", "padding")
SAMPLING = ("proteins", "draw")
ALIGNMENT = ("mode", "gaps", "denominator")
AVERAGES = ("mean of twenty", "mean by residues", "one cloud")
# What each number depends on.
CHOICES_OF = {
    "effective_dimensions": (*EMBEDDING, *SAMPLING),
    "local_dimensions": ("averaging", "truncation", "layer", "padding", *SAMPLING),
    "cosine_squared": (*EMBEDDING, *SAMPLING),
    "cosine_identity": (*EMBEDDING, *SAMPLING, *ALIGNMENT),
    "score_identity": (*SAMPLING, *ALIGNMENT),
}
GAPS = ((11, 1), (5, 1), (2, 2), (0, 0))
# Pairs, half of them similar where there are so many: enough for two digits of a correlation.
_N_PAIRS = 4_000
# Of fewer pairs a correlation says nothing.
_LEAST_PAIRS = 10
# What was chosen, and a quantity of each pair.
_Chosen = tuple[dict[str, str], pd.Series]
_NO_MODEL = {"model": "", "title": "sequences alone", "role": "sequences", "counterpart": ""}


class Choices:
    """Headline numbers of the other chapters, under every combination of choices."""

    def __init__(self, study: "Study"):
        self.study = study
        self.readings = Readings(study)

    def table(self, number: str) -> pd.DataFrame:
        """Return a number under every combination of the choices it depends on.

        Parameters
        ----------
        number : str
            ``effective_dimensions`` of proteins (with their ``share`` of all);
            ``local_dimensions``, the average of amino acids, of models that have residues;
            correlations of cosine similarity with squared Euclidean distance
            (``cosine_squared``) and with identity (``cosine_identity``), and of alignment score
            with identity (``score_identity``), which has no model in it.

        Returns
        -------
        DataFrame
            One row per specification: labels of the model, the choices (`CHOICES_OF`), the number,
            and ``own``, whether these are the choices of the other chapters. Correlations over
            fewer than ten pairs are left out.
        """
        rows_of = {
            "effective_dimensions": self._global,
            "local_dimensions": self._local,
            "cosine_squared": self._cosine_squared,
            "cosine_identity": self._cosine_identity,
        }
        if number == "score_identity":
            found = pd.DataFrame([_NO_MODEL | row for row in self._score_identity()])
        else:
            found = self.study.rows(rows_of[number])
        if found.empty:
            found = pd.DataFrame(columns=[*_NO_MODEL, *CHOICES_OF[number], number])
        # What a model leaves no choice of is what every chapter takes.
        own = [
            found[choice].isin([self._own[choice], OWN, AS_IT_IS]) for choice in CHOICES_OF[number]
        ]
        return found.assign(own=np.logical_and.reduce(own))

    @cached_property
    def _own(self) -> dict[str, str]:
        """What the other chapters choose, by choice."""
        settings = self.study.settings
        return {
            "pooling": settings.pooling,
            "truncation": f"{settings.max_residues:,}" if settings.max_residues else UNCUT,
            "layer": "last",
            "padding": settings.padded_length,
            **self.readings.subsets[-1].choice,
            "mode": settings.mode,
            "gaps": _gaps(settings.gap_open, settings.gap_extend),
            "denominator": settings.denominator,
            "averaging": AVERAGES[0],
        }

    def _global(self, name: str) -> Iterator[dict[str, object]]:
        readings = chain.from_iterable(reading.vectors for reading in self.readings.of[name])
        for (choice, vectors), subset in product(readings, self.readings.subsets):
            dimensions = dimensions_or_nan(Moments.from_vectors(vectors[subset.members]))
            numbers = {"effective_dimensions": dimensions, "share": dimensions / vectors.shape[1]}
            yield choice | subset.choice | numbers

    def _local(self, name: str) -> Iterator[dict[str, object]]:
        subsets = self.readings.subsets
        layers = ["last"] * len(subsets) + ["one before"]
        for reading in self.readings.of[name]:
            averages = _averages(reading.blocks, [subset.blocks for subset in subsets])
            averages += _averages([reading.earlier], [[0]])
            for layer, subset, found in zip(layers, [*subsets, subsets[-1]], averages, strict=True):
                shared = {"layer": layer, **reading.choice, **subset.choice}
                for averaging, value in found.items():
                    yield {**shared, "averaging": averaging, "local_dimensions": value}

    @cached_property
    def _sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of the chosen proteins, by their positions among these, and their weights."""
        chosen = self.readings.chosen
        if pairs.count_pairs(len(chosen)) <= _N_PAIRS:
            first, second = pairs.all_pairs(len(chosen))
            return first, second, np.ones(len(first))
        sequences = [self.study.common.sequences[i] for i in chosen]
        sample = pairs.draw_stratified(sequences, _N_PAIRS, seed=self.study.settings.seed)
        return sample.first, sample.second, sample.weight

    @cached_property
    def _alignments(self) -> list[tuple[pd.Series, list[_Chosen]]]:
        """By mode and gap costs, the scores, and the identities by each denominator."""
        settings, found = self.study.settings, []
        first, second = (self.readings.chosen[side] for side in self._sample[:2])
        costs = dict.fromkeys([(settings.gap_open, settings.gap_extend), *GAPS])
        for mode, (gap_open, gap_extend) in product(MODES, costs):
            chosen = {"mode": mode, "gap_open": gap_open, "gap_extend": gap_extend}
            own = replace(self.study.pairs.alignment, denominator="aligned_columns", **chosen)
            table = self.study.pairs.aligned(first, second, own)
            choice = {"mode": mode, "gaps": _gaps(gap_open, gap_extend)}
            by_denominator = [
                (choice | {"denominator": name}, identity)
                for name, identity in identities(table).items()
            ]
            found.append((table["alignment_score"], by_denominator))
        return found

    def _distances(self, name: str) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
        """Yield the choices of each embedding, and the distances of its pairs."""
        for reading in self.readings.of[name]:
            for choice, vectors in reading.vectors:
                yield choice, pairs.pair_distances(vectors, *self._sample[:2])

    def _correlated(
        self, number: str, quantity: pd.Series, others: list[_Chosen], choice: dict[str, str]
    ) -> Iterator[dict[str, object]]:
        """Yield the correlation of a quantity with each of others, by their choices and sample."""
        first, second, weights = self._sample
        choices, values = zip(*others, strict=True)
        quantity, values = np.array(quantity), np.array(values)
        for subset in self.readings.subsets:
            some = np.flatnonzero(subset.members[first] & subset.members[second])
            if len(some) < _LEAST_PAIRS:
                continue
            found = association.correlations_with(
                quantity[some], values[:, some], weights=weights[some]
            )
            for other, r in zip(choices, found, strict=True):
                yield {**choice, **subset.choice, **other, number: r}

    def _cosine_identity(self, name: str) -> Iterator[dict[str, object]]:
        every = [found for _, by_denominator in self._alignments for found in by_denominator]
        for choice, table in self._distances(name):
            cosine = table["cosine_similarity"]
            yield from self._correlated("cosine_identity", cosine, every, choice)

    def _cosine_squared(self, name: str) -> Iterator[dict[str, object]]:
        for choice, table in self._distances(name):
            squared = [({}, table["squared_euclidean"])]
            cosine = table["cosine_similarity"]
            yield from self._correlated("cosine_squared", cosine, squared, choice)

    def _score_identity(self) -> Iterator[dict[str, object]]:
        for score, by_denominator in self._alignments:
            yield from self._correlated("score_identity", score, by_denominator, {})


def _gaps(gap_open: float, gap_extend: float) -> str:
    return f"{gap_open:g}/{gap_extend:g}"


def _averages(
    blocks: Sequence[Mapping[str, Moments]], samples: Sequence[Sequence[int]]
) -> list[dict[str, float]]:
    """Return, for each sample of blocks, the local dimensions by each of `AVERAGES`.

    Letters are read one at a time: the moments of all together would fill the memory.
    """
    together: list[Moments | None] = [None for _ in samples]
    amino_acids: list[list[tuple[float, int]]] = [[] for _ in samples]
    for letter in sorted(set().union(*blocks)):
        clouds = [block.get(letter) for block in blocks]
        for i, numbers in enumerate(samples):
            if found := [clouds[number] for number in numbers if clouds[number] is not None]:
                cloud = merge_all(found)
                together[i] = cloud if together[i] is None else together[i].merge(cloud)
                if letter in STANDARD_RESIDUES:
                    amino_acids[i].append((dimensions_or_nan(cloud), cloud.count))
    return [_averages_of(*both) for both in zip(amino_acids, together, strict=True)]


def _averages_of(amino_acids: list[tuple[float, int]], together: Moments) -> dict[str, float]:
    """Return each of `AVERAGES`; nothing where no amino acid has a spread."""
    known = [found for found in amino_acids if not np.isnan(found[0])]
    if not known:
        return {}
    dimensions, counts = np.array(known).T
    by_residues = np.average(dimensions, weights=counts)
    values = (dimensions.mean(), by_residues, dimensions_or_nan(together))
    return dict(zip(AVERAGES, values, strict=True))
