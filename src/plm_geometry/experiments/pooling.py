"""Pooling or multi-modality: what the readout, and the width, do to dimensions and retrieval."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from plm_geometry.association.retrieval import averaged, paired
from plm_geometry.experiments.retrieval import queries_of
from plm_geometry.isotropy.jackknife import LEAST_BLOCKS, jackknife
from plm_geometry.isotropy.measures import dimensions_interval
from plm_geometry.isotropy.tables import dimensions_without_each
from plm_geometry.models.names import ModelName, counterpart
from plm_geometry.models.pooling import n_sampled
from plm_geometry.models.registry import MODELS

if TYPE_CHECKING:
    from plm_geometry.study import Study

MEAN, OWN = "mean", "own"
# Of these the paper compares one's mean with the other's own vector.
_ARCHITECTURES = ("bert", "proteinbert")
OFFICIAL = "protein_bert"
# Models of more layers than these are not read layer by layer: ProtBERT's 30 take too long.
_MOST_LAYERS = 12
_N_BLOCKS = 20
N_PROJECTIONS = 3


class Readout(NamedTuple):
    """What is known of one set of vectors, so that it can be set against another of it.

    Attributes
    ----------
    d : int
    counts : list of int
    values : ndarray
        Effective dimensions of all vectors, and of those outside each block of families.
    queries : DataFrame
        Of `retrieval.retrieve`; empty where families are not known.
    """

    d: int
    counts: list[int]
    values: np.ndarray
    queries: pd.DataFrame

    def row(self) -> dict[str, object]:
        """Return n, d, dimensions and top-1 with their intervals, and IsoScore."""
        k, n = self.values[0], self.counts[0]
        ends = dimensions_interval(1 / self.values, self.counts, self.d, least=LEAST_BLOCKS)
        return {
            "n": n,
            "d": self.d,
            "effective_dimensions": k,
            **{f"effective_dimensions_{end}": value for end, value in ends.items()},
            "isoscore": (k - 1) / (self.d - 1),
            **averaged(self.queries).named("top_1"),
        }

    def against(self, other: "Readout") -> dict[str, float]:
        """Return by what factor its dimensions exceed another's, and its top-1 by how much.

        Paired: what both find alike in the proteins drops out of the intervals.
        """
        logs = np.log(self.values / other.values)
        found = jackknife(logs, self.counts, least=LEAST_BLOCKS)
        if np.isnan(found.estimate):
            found = found._replace(estimate=logs[0])
        more = paired(self.queries, other.queries)
        return found.named("ratio", np.exp) | more.named("top_1_more")


class Pooling:
    """Readouts of models and minis, and projections of one model to other widths."""

    def __init__(self, study: "Study"):
        self.study = study
        self._found: dict[tuple[str, str], Readout] = {}

    def ladder(self, pooling: str | None = None) -> pd.DataFrame:
        """Return one row per model or control and pooling, of all proteins; or of one pooling.

        Labels, ``readout``, ``residues``, those that the mean is over (infinity: all; NaN where it
        is no mean), what `Readout.row` returns, and what `Readout.against` says of it beside the
        mean of all. Minis are in `readouts`.
        """
        return pd.DataFrame(
            [
                self.study.labels(name)
                | {"readout": way, "residues": _residues(way)}
                | self._pooled(name, way).row()
                | self._pooled(name, way).against(self._pooled(name, MEAN))
                for name in self._pooling_models()
                for way in self.study.poolings(name)
                if pooling in (None, way)
            ]
        )

    def layers(self) -> pd.DataFrame:
        """Return one row per model of several layers, layer and readout, of the `subset`."""
        rows = []
        for name in self._layered():
            models = self.study.load(name)
            numbers = range(1, models[0].n_layers + 1)
            poolings = [p for p in ("mean", "first", "final") if p in self.study.poolings(name)]
            options = {"layers": tuple(numbers), "pooling": ",".join(poolings)}
            for place, layer in enumerate(numbers):
                found = self._read(name, models=models, layer=place, **options)
                for pooling, vectors in found.items():
                    labels = self.study.labels(name) | {"readout": pooling, "layer": layer}
                    rows.append(labels | self._readout(vectors, self.subset).row())
        return pd.DataFrame(rows)

    def readouts(self) -> pd.DataFrame:
        """Return one row per network, readout and version (see below), of the `subset`.

        Labels, ``network``, ``readout`` ("mean", "first", the classification token, or "own", the
        vector that ProteinBERT makes), ``trained``, ``norm``, whether the last LayerNorm is there,
        and what `Readout.row` returns. Of the minis, and of ProteinBERT: untrained, and trained
        where it is among the models.
        """
        rows = []
        for (network, name, readout, norm), found in self._networks.items():
            called = ModelName(name)
            labels = {"model": name, "title": called.title, "role": called.role}
            labels |= {"counterpart": counterpart(name), "network": network, "readout": readout}
            rows.append(labels | {"trained": not called.control, "norm": norm} | found.row())
        return pd.DataFrame(rows)

    def contrasts(self) -> pd.DataFrame:
        """Return what `Readout.against` says of readouts that differ in one thing alone.

        ``network``; ``contrast``: "readout" (the own vector or [CLS] against the mean), "norm"
        (the last LayerNorm against none) or "training"; the ``readout``, ``trained`` and ``norm``
        of the first of the two.
        """
        by = {
            (network, readout, not ModelName(name).control, norm): found
            for (network, name, readout, norm), found in self._networks.items()
        }
        rows = []
        for key, found in by.items():
            network, readout, trained, norm = key
            others = {
                "readout": (network, MEAN, trained, norm) if readout != MEAN else key,
                "norm": (network, readout, trained, False),
                "training": (network, readout, False, norm),
            }
            named = {"network": network, "readout": readout, "trained": trained, "norm": norm}
            rows += [
                {"contrast": contrast} | named | found.against(by[other])
                for contrast, other in others.items()
                if other != key and other in by
            ]
        return pd.DataFrame(rows)

    def widths(self, name: str) -> pd.DataFrame:
        """Return one row per projection of a model's centred vectors to other widths.

        ``how``: "random" (`N_PROJECTIONS` Gaussian matrices), "components" (the leading ones) or
        "all"; ``width``; ``expected``, the dimensions that a random projection leaves, by
        `projected_dimensions`; and what `Readout.row` returns.
        """
        vectors = self.study.vectors(name).astype(np.float64)
        vectors -= vectors.mean(axis=0)
        everyone, d = np.arange(len(vectors)), vectors.shape[1]
        left, lengths, _ = np.linalg.svd(vectors, full_matrices=False)
        # As good as the vectors to project from: turned, a Gaussian matrix is one again.
        components, rng = left * lengths, np.random.default_rng(self.study.settings.seed)
        clouds = [("all", d, vectors)]
        for width in 2 ** np.arange(3, np.log2(d), dtype=int):
            drawn = rng.standard_normal((N_PROJECTIONS, len(lengths), width))
            clouds += [("random", width, components @ projection) for projection in drawn]
            if width < len(lengths):
                clouds.append(("components", width, components[:, :width]))
        rows = [
            {"how": how, "width": int(width)} | self._readout(cloud, everyone).row()
            for how, width, cloud in clouds
        ]
        whole = rows[0]["effective_dimensions"]
        return pd.DataFrame(rows).assign(
            expected=lambda frame: projected_dimensions(whole, frame["width"])
        )

    @cached_property
    def subset(self) -> np.ndarray:
        """Positions, among the study's `common` proteins, of those read in further ways."""
        return self.study.subset(self.study.settings.n_readouts)

    def _pooling_models(self) -> list[str]:
        """Return those of which one pass has kept several poolings; minis are in `readouts`."""
        models, poolings = self.study.models, self.study.poolings
        names = models.index[models["role"] != "mini"]
        return [name for name in names if len(poolings(name)) > 1 and MEAN in poolings(name)]

    def _pooled(self, name: str, pooling: str) -> Readout:
        """Return a readout of all proteins that one pass has kept."""
        if (name, pooling) not in self._found:
            everyone = np.arange(len(self.study.common))
            vectors = self.study.vectors(name, pooling)
            self._found[name, pooling] = self._readout(vectors, everyone)
        return self._found[name, pooling]

    def _readout(self, vectors: np.ndarray, chosen: np.ndarray) -> Readout:
        """Return what is known of the vectors of `chosen` proteins."""
        proteins = self.study.common.select(chosen)
        block_of = self.study.blocks(proteins, _N_BLOCKS)
        counts, values = dimensions_without_each(vectors, block_of)
        queries = queries_of(vectors, self.study.families_of(proteins))
        return Readout(vectors.shape[1], counts, values, queries)

    @cached_property
    def _networks(self) -> dict[tuple[str, str, str, bool], Readout]:
        """By network, model, readout and whether the last LayerNorm is there."""
        return {
            (network, name, readout, norm): self._readout(vectors, self.subset)
            for network, keys in self._keys().items()
            for name, norm in self._versions(keys)
            for readout, vectors in self._vectors(name, norm).items()
        }

    def _keys(self) -> dict[str, list[str]]:
        """By network, its registry keys: of ProteinBERT the own vector's and the residues'."""
        minis = [MODELS[name] for name in self.study.settings.minis if name in MODELS]
        firsts = [next((m for m in minis if m.architecture == a), None) for a in _ARCHITECTURES]
        keys = [spec.key for spec in firsts if spec] + [OFFICIAL]
        return {MODELS[key].title: [key, *_local(key)] for key in keys}

    def _versions(self, keys: list[str]) -> Iterator[tuple[str, bool]]:
        """Yield a network's models, trained where they are at hand, and whether with their norm."""
        is_mini = MODELS[keys[0]].is_mini
        is_here = is_mini or keys[0] in self.study.names
        for key in keys:
            for norm in (True, False):
                if is_here:
                    yield key, norm
                if norm or is_mini:  # the 16 million weights of ProteinBERT take their time
                    yield f"untrained:{key}", norm

    def _vectors(self, name: str, norm: bool) -> dict[str, np.ndarray]:
        """Return the subset's vectors by readout, from the study's own pass where it has them."""
        study, spec = self.study, ModelName(name).spec
        makes_own = spec.architecture == "proteinbert" and not spec.reads_residues
        wanted = [OWN] if makes_own else ["mean"] if spec.reads_residues else ["mean", "first"]
        if norm and name in study.names and (makes_own or {*wanted} <= {*study.poolings(name)}):
            of = {OWN: ""} if makes_own else {readout: readout for readout in wanted}
            return {r: study.vectors(name, pooling)[self.subset] for r, pooling in of.items()}
        models = self.study.load(name)
        if not norm:
            models = [model.without_last_norm() for model in models]
        pooling = "mean" if makes_own else ",".join(wanted)
        found = self._read(name, models=models, pooling=pooling)
        return {OWN: found["mean"]} if makes_own else found

    def _layered(self) -> list[str]:
        """Return the models that are read layer by layer."""
        names = self.study.settings.models
        n_layers = {name: spec.layers for name in names if (spec := ModelName(name).spec)}
        return [
            name
            for name, n in n_layers.items()
            if 1 < n <= _MOST_LAYERS and MEAN in self.study.poolings(name)
        ]

    def _read(self, name: str, **options) -> Mapping[str, np.ndarray]:
        """Return the subset's vectors of one layer by pooling, computed or found on disk."""
        proteins = self.study.common_as_read.select(self.subset)
        advice = "choose a smaller n_readouts"
        found = self.study.read(name, proteins, advice=advice, **options)
        return {pooling: found.pooled(pooling) for pooling in found.poolings}


def projected_dimensions(dimensions: float, width: object) -> object:
    """Return the effective dimensions of vectors after a Gaussian projection to `width`.

    With entries of variance 1/m, ``E tr(S)**2 = tr(C)**2 + 2 |C|**2 / m`` and
    ``E |S|**2 = (1 + 1/m) |C|**2 + tr(C)**2 / m`` for the projected covariance S: their ratio is
    ``(m k + 2) / (m + k + 1)``, near the harmonic sum of k and m.
    """
    return (width * dimensions + 2) / (width + dimensions + 1)


def _local(key: str) -> list[str]:
    """Return the key under which a ProteinBERT of the same weights is the mean of its residues."""
    source = MODELS[key].source
    return [other for other, s in MODELS.items() if s.source == source and s.reads_residues]


def _residues(pooling: str) -> float:
    return np.inf if pooling == MEAN else n_sampled(pooling) or np.nan
