"""Sequences changed on purpose: how far a protein's vector moves when its residues are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry import pairs
from plm_geometry.association import averaged
from plm_geometry.isotropy.tables import measures_without_each, paired_difference
from plm_geometry.proteins.fasta import Proteins
from plm_geometry.proteins.variants import (
    LEAST_IDENTITY,
    dipeptide_shuffled,
    mutated,
    permuted,
)

if TYPE_CHECKING:
    from plm_geometry.study import Study

DOSES = (0.05, 0.1, 0.25, 0.5, 1.0)
IDENTITIES = {
    "pam": (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2),
    "uniform": (0.8, 0.6, 0.4, 0.2),
}
# Where each way of changing a protein begins: with nothing changed.
_UNCHANGED = {"permuted": 0.0, "pam": 1.0, "uniform": 1.0}
# Longer proteins take time, and shorter ones move far by a few residues: both are left alone
# where there are enough others.
LENGTHS = (100, 400)
# Random pairs whose median squared distance is the unit.
N_RANDOM = 20_000
# Pairs of relatives that are aligned, at most; and the share of the columns without a gap that
# lets a pair be compared with a protein whose residues were substituted only.
_N_RELATED = 5_000
COVERED = 0.8
_Rows = Iterator[dict[str, object]]
_Way = Callable[..., str]


class Variants:
    """Distances between proteins and changed copies of them, in units of each model.

    The unit is the median squared Euclidean distance of random pairs of the study's proteins.
    """

    def __init__(self, study: "Study"):
        self.study = study
        # Of each model these are asked for by several tables, and read or embed.
        self._unit, self._of = cache(self._unit), cache(self._of)
        self._relatives, self._log_ratios = cache(self._relatives), cache(self._log_ratios)

    @cached_property
    def names(self) -> list[str]:
        """The models and controls that can read changed sequences and are not to be skipped.

        Files of embeddings hold no sequences, and of shuffled residues no order is left. Minis
        stand in for models where there are none.
        """
        models, skipped = self.study.models, self.study.settings.skip_variants
        has_models = (models["role"] == "model").any()
        return [
            name
            for name, role in models["role"].items()
            if name not in skipped
            and self.study.card(name).architecture != "file of embeddings"
            and not name.startswith("shuffled:")
            and not (role == "mini" and has_models)
        ]

    @cached_property
    def chosen(self) -> np.ndarray:
        """Numbers, among the `common` proteins, of those that are changed: one a family."""
        order = self._rng().permutation(len(self._family))
        order = order[np.argsort(~self._is_usual[order], kind="stable")]
        first = np.sort(np.unique(self._family[order], return_index=True)[1])
        return np.sort(order[first[: self.study.settings.n_variants]])

    def dose(self) -> pd.DataFrame:
        """Return how far vectors move when residues are permuted.

        Labels; ``change``: "permuted", or "dipeptides" where all residues are shuffled with these
        kept; ``level``, the share permuted; ``distance``, its mean over proteins, with
        ``distance_low`` and ``_high``, a 95 % interval that leaves out a family at a time, or a
        protein where these are not known, and ``n``.
        """
        return self._averages("permuted", "dipeptides")

    def drift(self) -> pd.DataFrame:
        """Return how far vectors move when residues are substituted.

        As `dose`; ``change`` is "pam" or "uniform", ``level`` the identity that is left.
        """
        return self._averages("pam", "uniform")

    def seeds(self) -> pd.DataFrame:
        """Return how far permuting all residues moves untrained copies of several seeds.

        Labels of the first, ``seeds``, how many, and ``lowest``, ``median`` and ``highest``.
        """
        found = []
        for first, copies in self.study.settings.copies.items():
            if first in self.names:
                whole = self._changes.query("change == 'permuted' and level == 1")
                means = [self._moved(name, whole)["distance"].mean() for name in copies]
                lowest, median, highest = np.quantile(means, [0, 0.5, 1])
                row = {"lowest": lowest, "median": median, "highest": highest}
                found.append(self.study.labels(first) | {"seeds": len(copies)} | row)
        return pd.DataFrame(found)

    def against_controls(self) -> pd.DataFrame:
        """Return by how much shuffling moves each model's vectors further than each control's.

        Labels of `Study.against_controls`; ``change``: "permuted" (all residues) or "dipeptides";
        ``difference`` with ``difference_low`` and ``difference_high``, over the same proteins.
        """
        return self._paired(self._shuffled, "change", "difference")

    def order_kept(self) -> pd.DataFrame:
        """Return how much further vectors move if a shuffle does not keep dipeptides.

        Labels; ``difference`` with ``difference_low`` and ``difference_high``.
        """

        def rows(name: str) -> _Rows:
            found = self._shuffled(name)
            yield self._mean(found["permuted"] - found["dipeptides"], "difference")

        return self._rows(rows)

    def relatives(self) -> pd.DataFrame:
        """Return pairs of relatives, one a family, beside proteins mutated to their identity.

        Labels, ``family``, ``identity``, and the distance of the relatives, ``natural``, and of one
        of them from itself mutated to that identity, ``pam`` and ``uniform``. No rows where
        families are not known.
        """
        return self._rows(lambda name: self._relatives(name).to_dict("records"))

    def ratios(self) -> pd.DataFrame:
        """Return how many times as far one way of changing proteins leads as another.

        Labels; ``of``: "natural / pam" and "natural / uniform", relatives and mutants of their
        identity, over families; "uniform / pam", over proteins mutated to the same identities;
        ``ratio``, a geometric mean, with ``ratio_low`` and ``ratio_high``, and ``n``.
        """

        def rows(name: str) -> _Rows:
            for of, logs in self._log_ratios(name).items():
                known = logs.dropna()
                yield {"of": of, **self._mean(known, "ratio", np.exp), "n": len(known)}

        return self._rows(rows)

    def ratios_against_controls(self) -> pd.DataFrame:
        """Return each model's `ratios` over each control's: ``quotient`` with its ends."""
        return self._paired(self._log_ratios, "of", "quotient", np.exp)

    def dimensions(self) -> pd.DataFrame:
        """Return the effective dimensions of models beside those of their shuffled proteins.

        A row for each model whose ``shuffled:`` control is in the study: labels, ``k``,
        ``k_shuffled``, and what `isotropy.tables.paired_difference` says of the two.
        """
        study = self.study

        def rows(name: str) -> _Rows:
            for other in study.names:
                if other.partition("@")[0] == f"shuffled:{name}":
                    (counts, ours), (_, theirs) = (
                        measures_without_each(study.moments(n), study.isotropy.parts(n))
                        for n in (name, other)
                    )
                    ks = ours["effective_dimensions"], theirs["effective_dimensions"]
                    both = {"k": ks[0][0], "k_shuffled": ks[1][0]}
                    yield both | paired_difference(counts, *ks)

        return study.rows(rows)

    @cached_property
    def _family(self) -> np.ndarray:
        common = self.study.common
        return np.array(self.study.families_of(common) or common.accessions)

    @cached_property
    def _changes(self) -> pd.DataFrame:
        """One row per changed copy: ``number`` of its protein, ``change, level, sequence``."""
        ways: list[tuple[str, float, _Way]] = [
            *(("permuted", share, partial(permuted, share=share)) for share in DOSES),
            ("dipeptides", 1.0, dipeptide_shuffled),
            *((by, identity, partial(mutated, identity=identity, by=by))
              for by, identities in IDENTITIES.items() for identity in identities),
        ]  # fmt: skip
        return self._made(
            (number, place, *way)
            for number in self.chosen.tolist()
            for place, way in enumerate(ways)
        )

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        """One pair of relatives a family: ``first``, ``second`` (among `common`), ``identity``.

        Identity is that of a global alignment with this study's matrix and gap costs.
        """
        study, rng = self.study, np.random.default_rng(self.study.settings.seed)
        first, second = pairs.pairs_within(pd.factorize(self._family)[0], _N_RELATED, rng)
        found = pd.DataFrame({"first": first, "second": second, "family": self._family[first]})
        if found.empty:
            return found
        own = replace(study.pairs.alignment, mode="global", denominator="aligned_columns")
        table = study.pairs.aligned(first, second, own)
        identity = table["identities"] / table["alignment_length"]
        covered = identity / table["sequence_identity"] >= COVERED
        is_usual = self._is_usual[first] & self._is_usual[second]
        kept = covered & is_usual & identity.between(LEAST_IDENTITY, 1, inclusive="left")
        found = found.assign(identity=identity)[kept]
        found = found.sample(frac=1, random_state=study.settings.seed).drop_duplicates("family")
        return found[: 2 * study.settings.n_variants]

    @cached_property
    def _mutants(self) -> pd.DataFrame:
        """The first of each pair of relatives mutated to the pair's identity, as `_changes`."""
        return self._made(
            (pair.first, 100 + place, by, pair.identity,
             partial(mutated, identity=pair.identity, by=by))
            for pair in self._pairs.itertuples()
            for place, by in enumerate(IDENTITIES)
        )  # fmt: skip

    def _made(self, ways: Iterable[tuple[int, int, str, float, _Way]]) -> pd.DataFrame:
        """Change proteins, each by its number and the number of its way, from which chance is."""
        sequences = self.study.common_as_read.sequences
        rows = [
            (number, change, level, way(sequences[number], rng=self._rng(number, place)))
            for number, place, change, level, way in ways
        ]
        return pd.DataFrame(rows, columns=["number", "change", "level", "sequence"])

    def _rng(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.study.settings.seed, *numbers])

    @property
    def _is_usual(self) -> np.ndarray:
        lengths, (least, most) = self.study.common.lengths, LENGTHS
        return (lengths >= least) & (lengths <= most)

    def _rows(self, of: Callable[[str], Iterable[dict[str, object]]]) -> pd.DataFrame:
        return self.study.rows(lambda name: of(name) if name in self.names else ())

    def _paired(
        self, of: Callable[[str], pd.DataFrame], column: str, name: str, scale: Callable = float
    ) -> pd.DataFrame:
        """Return by how much a model's values exceed a control's in the same families."""

        def rows(model: str, control: str) -> _Rows:
            if {model, control} <= {*self.names}:
                for what, values in (of(model) - of(control)).items():
                    yield {column: what} | self._mean(values.dropna(), name, scale)

        return self.study.against_controls(rows)

    def _averages(self, *changes: str) -> pd.DataFrame:
        def rows(name: str) -> _Rows:
            for change in changes:
                n, own = len(self.chosen), self._of(name).query("change == @change")
                if change in _UNCHANGED:
                    same = dict.fromkeys(("distance", "distance_low", "distance_high"), 0.0)
                    yield {"change": change, "level": _UNCHANGED[change], **same, "n": n}
                for level, moved in own.groupby("level", sort=False):
                    row = self._mean(moved.set_index("family")["distance"], "distance")
                    yield {"change": change, "level": level, **row, "n": n}

        return self._rows(rows)

    def _shuffled(self, name: str) -> pd.DataFrame:
        """Return how far all residues' shuffles move each family's protein, a column a change."""
        return _wide(self._of(name).query("level == 1"))

    def _relatives(self, name: str) -> pd.DataFrame:
        if self._pairs.empty:
            return pd.DataFrame(columns=["family", "identity", "natural", *IDENTITIES], dtype=float)
        ends = (self._pairs[side].to_numpy() for side in ("first", "second"))
        natural = pairs.pair_distances(self.study.vectors(name), *ends)["squared_euclidean"]
        table = self._pairs[["family", "identity"]].assign(
            natural=natural.to_numpy() / self._unit(name)
        )
        return table.merge(_wide(self._moved(name, self._mutants)), on="family")

    def _log_ratios(self, name: str) -> pd.DataFrame:
        """Return logarithms of the `ratios`, a column each, by family; NaN where one is not."""
        of_pairs = self._relatives(name).set_index("family")
        shared = self._of(name)[lambda rows: rows["level"].isin(IDENTITIES["uniform"])]
        summed = shared.groupby(["family", "change"])["distance"].sum().unstack()
        found = {
            "natural / pam": of_pairs["natural"] / of_pairs["pam"],
            "natural / uniform": of_pairs["natural"] / of_pairs["uniform"],
            "uniform / pam": summed["uniform"] / summed["pam"],
        }
        ratios = pd.DataFrame({of: values for of, values in found.items() if len(values)})
        return np.log(ratios.where((ratios > 0) & np.isfinite(ratios)))

    def _of(self, name: str) -> pd.DataFrame:
        """Return the `_changes` with the ``distance`` of each from its protein."""
        return self._moved(name, self._changes)

    def _unit(self, name: str) -> float:
        study, n = self.study, len(self.study.common)
        drawn = pairs.draw_pairs(n, min(N_RANDOM, pairs.count_pairs(n)), seed=study.settings.seed)
        found = pairs.pair_distances(study.vectors(name), *drawn)
        return float(found["squared_euclidean"].median()) or np.nan  # all vectors are one

    def _moved(self, name: str, changes: pd.DataFrame) -> pd.DataFrame:
        """Return changed copies with ``family``, and ``distance`` from what they are copies of."""
        study, numbers = self.study, changes["number"].to_numpy(int)
        names, sequences = map(str, range(len(changes))), changes["sequence"]
        proteins = Proteins(tuple(names), tuple(sequences), f"changed {study.common.source}")
        advice = f"choose a smaller n_variants, or name {name} in skip_variants"
        found = study.read(name, proteins, pooling=study.settings.pooling, advice=advice)
        squared = ((found.vectors.astype(float) - study.vectors(name)[numbers]) ** 2).sum(axis=1)
        return changes.assign(family=self._family[numbers], distance=squared / self._unit(name))

    def _mean(self, values: pd.Series, name: str, scale: Callable = float) -> dict[str, float]:
        """Return the mean of values by family (the index), and the ends of its interval."""
        frame = values.rename(name).rename_axis("family").reset_index()
        return averaged(frame, name).named(name, scale)


def _wide(moved: pd.DataFrame) -> pd.DataFrame:
    """Return distances by family, a column for each change."""
    return moved.pivot(index="family", columns="change", values="distance")
