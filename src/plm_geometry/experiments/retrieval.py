"""Retrieval: whether the nearest protein is a relative, and in how few dimensions it still is."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry import association
from plm_geometry.association.retrieval import COLUMNS, components_needed
from plm_geometry.base.errors import InputError
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.remedies import Whitening
from plm_geometry.isotropy.tables import dimensions_or_nan
from plm_geometry.proteins.families import SHIPPED_REMOTE, read_remote

if TYPE_CHECKING:
    from plm_geometry.proteins.fasta import Proteins
    from plm_geometry.study import Study

# Of more proteins so many are drawn, by whole families: time and memory grow with their square.
_LARGEST = 5_000
# Components kept in turn, before all there are.
_KEPT = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300)
# Halves of whole families: components are fitted on the one, and judged on the other.
_N_FOLDS = 2
_NOTHING_KEPT = pd.DataFrame(columns=[*COLUMNS, "whitened", "components"])


class Retrieval:
    """Tables by model, over the proteins with a relative; empty where none has a known one.

    Numbers are means over families of the means over their queries, with 95 % intervals that
    leave out families. Of a control with several seeds they are means over these.
    """

    def __init__(self, study: "Study"):
        self.study = study
        self._found: dict[tuple[str, str], pd.DataFrame] = {}
        self._dimensions: dict[str, float] = {}

    @cached_property
    def chosen(self) -> np.ndarray:
        """Numbers of the study's `common` proteins: all, or 5,000, drawn by whole families."""
        return self.study.subset(_LARGEST)

    @cached_property
    def proteins(self) -> "Proteins":
        """Those that are `chosen`."""
        return self.study.common.select(self.chosen)

    @cached_property
    def families(self) -> np.ndarray | None:
        """The family of each of the `proteins`; None where no two of them are known relatives."""
        found = self.study.families_of(self.proteins)
        known = found is not None and len(set(found)) < len(found)
        return np.array(found) if known else None

    def table(self) -> pd.DataFrame:
        """Return how well each model's nearest vectors are those of relatives.

        Labels, ``queries``, ``families``, ``effective_dimensions``; ``top_1`` and
        ``average_precision`` among all proteins, ``matched_top_1`` among strangers alike in
        composition and length, ``direct_top_1`` and ``remote_top_1`` of relatives that phmmer
        finds and does not, each beside ``..._low`` and ``..._high``; ``remote_families``.
        """
        return self.study.rows(lambda name: self._row(name) if self._known else [])

    def paired(self) -> pd.DataFrame:
        """Return by how much each model exceeds each control over the same families.

        Labels, ``control``, ``control_title``, ``quantity`` ("top_1", "average_precision" or
        "matched_top_1"), ``difference``, ``difference_low``, ``difference_high``.
        """
        kinds = {"top_1": ("all", "top_1"), "average_precision": ("all", "average_precision"),
                 "matched_top_1": ("matched", "top_1")}  # fmt: skip

        def rows(model: str, control: str) -> Iterator[dict[str, object]]:
            for quantity, (kind, column) in kinds.items() if self._known else ():
                ours, theirs = self.queries(model, kind), self.queries(control, kind)
                found = association.paired(ours, theirs, column)
                yield {"quantity": quantity} | found.named("difference")

        return self.study.against_controls(rows)

    def by_components(self) -> pd.DataFrame:
        """Return retrieval in the leading principal components, raw and whitened.

        Proteins are divided into halves of whole families: components are those of one half, and
        queries and candidates are of the other.

        Returns
        -------
        DataFrame
            Labels, ``effective_dimensions``, ``whitened``, ``components`` and what
            `association.averages` returns. The last number of components is all there are.
        """
        return self.study.rows(self._curve)

    def components_needed(self, share: float = 0.9) -> pd.DataFrame:
        """Return how many components give that share of the top-1 retrieval that all give.

        Labels, ``effective_dimensions``, ``whitened``, ``components`` with ``components_low`` and
        ``components_high``: see `association.retrieval.components_needed`.
        """
        return self.study.rows(lambda name: self._needed(name, share))

    def queries(self, name: str, kind: str = "all") -> pd.DataFrame:
        """Return each query's result (`association.retrieve`), the mean over a control's copies.

        Parameters
        ----------
        name : str
            A model or control.
        kind : {"all", "matched", "direct", "remote"}
            What is looked for, and among whom: see `table`.
        """
        if (name, kind) not in self._found:
            masks = self._masks(kind)
            found = [association.retrieve(x, self.families, **masks) for x in self._vectors(name)]
            self._found[name, kind] = _mean_over_copies(found)
        return self._found[name, kind]

    def chance(self) -> float:
        """Return the top-1 retrieval of equal vectors; NaN where no relatives are known."""
        if not self._known:
            return np.nan
        equal = np.zeros((len(self.families), 1))
        return association.averaged(association.retrieve(equal, self.families)).estimate

    def vectors(self, name: str) -> np.ndarray:
        """Return one model's vectors of the `proteins`; of a control's copies, the first."""
        return next(self._vectors(name))

    def dimensions(self, name: str) -> float:
        """Return effective dimensions; the mean over the copies of a control."""
        if name not in self._dimensions:
            clouds = map(Moments.from_vectors, self._vectors(name))
            self._dimensions[name] = float(np.mean([dimensions_or_nan(cloud) for cloud in clouds]))
        return self._dimensions[name]

    @property
    def _known(self) -> bool:
        return self.families is not None

    @cached_property
    def _remote(self) -> np.ndarray | None:
        """Which pairs are remote relatives, where that is known."""
        data_set = self.study.settings.families or self.study.settings.proteins
        known = data_set in SHIPPED_REMOTE
        return read_remote(data_set, self.proteins.accessions) if known else None

    @cached_property
    def _matched(self) -> np.ndarray:
        proteins = self.proteins
        return association.matched_candidates(proteins.lengths, proteins.composition, self.families)

    def _masks(self, kind: str) -> dict[str, np.ndarray]:
        if kind == "matched":
            return {"candidates": self._matched}
        if kind == "all":
            return {}
        return {"relevant": self._remote if kind == "remote" else ~self._remote}

    def _vectors(self, name: str) -> Iterator[np.ndarray]:
        """Yield the vectors of the `proteins`, for each copy of a control."""
        for copy in self.study.settings.copies.get(name, [name]):
            yield self.study.vectors(copy)[self.chosen]

    def _row(self, name: str) -> Iterator[dict[str, object]]:
        found = self.queries(name)
        row = {"queries": len(found), "families": found["family"].nunique()}
        row["effective_dimensions"] = self.dimensions(name)
        row |= association.averages(found)
        row |= association.averaged(self.queries(name, "matched")).named("matched_top_1")
        if self._remote is not None:
            remote = self.queries(name, "remote")
            row |= association.averaged(self.queries(name, "direct")).named("direct_top_1")
            row |= association.averaged(remote).named("remote_top_1")
            row["remote_families"] = remote["family"].nunique()
        yield row

    def _curve(self, name: str) -> Iterator[dict[str, object]]:
        k = self.dimensions(name) if len(self._kept(name)) else np.nan
        for (whitened, components), found in self._kept(name).groupby(["whitened", "components"]):
            row = {"effective_dimensions": k, "whitened": whitened, "components": components}
            yield row | association.averages(found)

    def _needed(self, name: str, share: float) -> Iterator[dict[str, object]]:
        k = self.dimensions(name) if len(self._kept(name)) else np.nan
        for whitened, found in self._kept(name).groupby("whitened"):
            row = {"effective_dimensions": k, "whitened": whitened}
            yield row | components_needed(found, share).named("components")

    def _kept(self, name: str) -> pd.DataFrame:
        """Return each query's result by ``components`` and ``whitened``, the mean over copies."""
        if (name, "kept") not in self._found:
            found = [self._kept_of(vectors) for vectors in self._vectors(name) if self._known]
            most = [int(kept["components"].max()) for kept in found if len(kept)]
            # All there are may be a few more in one copy than in another.
            found = [
                kept.replace({"components": dict.fromkeys(most, min(most))})
                for kept in found
                if len(kept)
            ]
            by = ["whitened", "components"]
            self._found[name, "kept"] = _mean_over_copies(found or [_NOTHING_KEPT], by)
        return self._found[name, "kept"]

    def _kept_of(self, vectors: np.ndarray) -> pd.DataFrame:
        half_of = self.study.blocks(self.proteins, _N_FOLDS)
        parts = []
        with suppress(InputError):  # too few proteins, or equal vectors: no components
            for half in range(_N_FOLDS):
                judged = half_of == half
                fitted = Whitening().fit(vectors[~judged])
                parts.append((judged, fitted.transform(vectors[judged]), fitted.variances_))
        most = min((len(variances) for _, _, variances in parts), default=0)
        if len(parts) < _N_FOLDS:
            return _NOTHING_KEPT
        found = [
            association.retrieve(some[:, :n], self.families[judged]).assign(
                whitened=is_white, components=n
            )
            for judged, white, variances in parts
            for is_white, some in ((False, white * np.sqrt(variances)), (True, white))
            for n in sorted({*(n for n in _KEPT if n < most), most})
        ]
        return pd.concat(found)


def queries_of(vectors: np.ndarray, families: Sequence[str] | None) -> pd.DataFrame:
    """Return what `association.retrieve` finds; no queries where families are not known."""
    known = families is not None
    return association.retrieve(vectors, families) if known else pd.DataFrame(columns=COLUMNS)


def _mean_over_copies(copies: list[pd.DataFrame], by: list[str] | None = None) -> pd.DataFrame:
    """Return the mean of each query's results over the copies of a control."""
    if len(copies) == 1:
        return copies[0]
    grouped = pd.concat(copies).groupby(["query", "family", *(by or [])], sort=False)
    return grouped.mean().reset_index()
