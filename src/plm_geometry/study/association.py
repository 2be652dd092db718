"""What chapters ask about pairs: how embedding distance and alignment hang together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from plm_geometry import association, pairs
from plm_geometry.association.signs import variation
from plm_geometry.study.pairs import PairTables

DISTANCES = ("cosine_similarity", "squared_euclidean")
SIMILARITIES = ("alignment_score", "sequence_identity")
# The paper does not say which: usual ones, linear ones, and free gaps.
GAPS = ((11, 1), (10, 1), (5, 1), (2, 2), (1, 1), (0, 0))
MODES = ("global", "semiglobal", "local")
# Pairs enough for two digits of a correlation, over all settings.
_N_FOR_SETTINGS = 2_000
# Biopython needs so long for each that more would cost minutes.
_N_FOR_TIES = 1_000
_LEAST_FOR_MANTEL = 3
# Pairs of one family, and of two, in the comparison of homologous with unrelated ones.
_N_HOMOLOGOUS = 10_000
_N_UNRELATED = 30_000
# Rost (1999): identity means something over at least so many aligned residues.
_LEAST_ALIGNED = 80
_IDENTITY_BINS = (0, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5, 0.7, 0.9, 1)


class AssociationTables(PairTables):
    """Tables of association over pairs, most with ``model, title, role, counterpart``."""

    def correlations(self, method: str = "pearson", *, adjusted: bool = False) -> pd.DataFrame:
        """Return every entry of each model's 4 x 4 matrix, with its interval.

        Parameters
        ----------
        method : {"pearson", "spearman"}
        adjusted : bool
            Whether to correlate what the lengths of the two proteins do not explain.

        Returns
        -------
        DataFrame
            Labels, and ``a, b, estimate, low, high, standard_error`` of
            `association.correlation_intervals`; ``pairwise_low, pairwise_high``: the interval of
            one who takes pairs for independent.
        """
        return self.rows(lambda name: self._correlations(name, method, adjusted))

    def lengths(self) -> pd.DataFrame:
        """Return the share of each quantity's variance that the two lengths explain.

        Labels, ``quantity``, ``estimate, low, high`` of `association.r_squared_on_lengths`.
        """
        return self.rows(self._lengths)

    def signs(self) -> pd.DataFrame:
        """Work through the sign between cosine and squared Euclidean distance.

        Labels; ``cosine_similarity`` and ``cosine_distance``: their correlation with the squared
        Euclidean distance, which is -1 and 1 between vectors of one length; ``norm_variation``:
        standard deviation of the vectors' lengths over their mean.
        """
        return self.rows(lambda name: [self._signs(name)])

    def mantel(self) -> pd.DataFrame:
        """Test each distance against each similarity over all pairs of ``n_mantel`` proteins.

        Labels, ``a, b``, ``adjusted`` for lengths or not, ``r`` and ``p``; over the
        `mantel_proteins`, NaN where these are fewer than three.
        """
        chosen = self.mantel_proteins
        if len(chosen) < _LEAST_FOR_MANTEL:
            undefined = association.MantelTest(np.nan, np.nan)._asdict()
            entries = [
                {"a": a, "b": b, "adjusted": adjusted, **undefined}
                for adjusted, b, a in product((False, True), SIMILARITIES, DISTANCES)
            ]
            return self.rows(lambda name: entries)
        first, second = (chosen[side] for side in pairs.all_pairs(len(chosen)))
        lengths = {"length_a": self.common.lengths[first], "length_b": self.common.lengths[second]}
        aligned = self.aligned(first, second, self.alignment).assign(**lengths)
        distances = {
            name: pairs.pair_distances(self.vectors(name), first, second) for name in self.names
        }
        found = {name: [] for name in self.names}
        for adjusted, b in product((False, True), SIMILARITIES):
            tests = self._mantel(aligned, distances, b, adjusted)
            for (name, a), test in zip(product(self.names, DISTANCES), tests, strict=True):
                found[name].append({"a": a, "b": b, "adjusted": adjusted, **test._asdict()})
        return self.rows(found.__getitem__)

    @cached_property
    def mantel_proteins(self) -> np.ndarray:
        """Positions of the proteins of `mantel`, drawn where every model gives a vector a length.

        Without one there is no cosine similarity: a protein of two residues has no 3-mer.
        """
        lengths = [np.linalg.norm(self.vectors(name), axis=1) for name in self.names]
        known = np.flatnonzero(np.all(np.array(lengths) > 0, axis=0))
        n = min(self.settings.n_mantel, len(known))
        rng = np.random.default_rng(self.settings.seed)
        return np.sort(known[rng.choice(len(known), n, False)])

    def settings_grid(self) -> pd.DataFrame:
        """Return the correlation of score and identity under every setting of the alignment.

        ``mode, gap_open, gap_extend, denominator, estimate, low, high``, on at most 2,000 of the
        pairs.
        """
        rows = []
        for mode, (gap_open, gap_extend) in product(MODES, GAPS):
            setting = {"mode": mode, "gap_open": gap_open, "gap_extend": gap_extend}
            table = self._realigned(setting | {"denominator": "aligned_columns"}, _N_FOR_SETTINGS)
            for denominator, identity in identities(table).items():
                found = _agreement(table.assign(sequence_identity=identity))
                rows.append(setting | {"denominator": denominator, **found._asdict()})
        return pd.DataFrame(rows).drop(columns="standard_error")

    def ties(self) -> pd.DataFrame:
        """Return how far engines' own choices among optimal alignments move identities.

        ``engine, ties, differing`` (share of at most 1,000 pairs whose identities are not the
        largest possible), ``largest`` (difference of sequence identity), ``estimate`` (of
        the correlation of score and identity).
        """
        highest = self._realigned({"ties": "max"}, _N_FOR_TIES)
        rows = [("any", "max", 0.0, 0.0, _agreement(highest).estimate)]
        for engine in ("parasail", "biopython"):
            own = self._realigned({"engine": engine, "ties": "engine"}, _N_FOR_TIES)
            difference = (highest["sequence_identity"] - own["sequence_identity"]).abs()
            differing = (highest["identities"] != own["identities"]).mean()
            rows.append((engine, "engine", differing, difference.max(), _agreement(own).estimate))
        return pd.DataFrame(rows, columns=["engine", "ties", "differing", "largest", "estimate"])

    def some_pairs(self, most: int) -> pd.DataFrame:
        """Return at most so many of `pairs`, drawn at random: a file's order may mean something."""
        table = self.pairs()
        drawn = table.sample(min(most, len(table)), random_state=self.settings.seed)
        return drawn.reset_index(drop=True)

    def dependence(self) -> pd.DataFrame:
        """Return how much each distance depends on identity, by measures that see any form.

        Labels, ``distance, pearson, distance_correlation, distance_correlation_null,
        mutual_information, mutual_information_null`` (bits).
        """
        return self.rows(self._dependence)

    def spread(self, edges: np.ndarray) -> pd.DataFrame:
        """Return the spread of each distance within bins of identity, with intervals.

        Labels, ``distance`` (with ``euclidean``), and the columns of `association.spread_at`.
        """
        return self.rows(lambda name: self._spread(name, edges))

    @cached_property
    def family_pairs(self) -> pd.DataFrame:
        """Pairs of one family (``is_homologous``) and of two, with accessions and lengths.

        ``identity`` is that of homologous pairs over the aligned columns of a local alignment,
        NaN where it has fewer than 80; ``first`` and ``second`` count the `common` proteins.
        """
        family = pd.factorize(np.array(self.families_of(self.common)))[0]
        rng = np.random.default_rng(self.settings.seed)
        homologous = pairs.pairs_within(family, _N_HOMOLOGOUS, rng)
        unrelated = pairs.pairs_between(family, _N_UNRELATED, rng)
        first, second = np.concatenate([homologous, unrelated], axis=1)
        identity = np.full(len(first), np.nan)
        identity[: homologous.shape[1]] = self._local_identity(*homologous)
        accessions, lengths = np.array(self.common.accessions), self.common.lengths
        return pd.DataFrame(
            {
                "first": first,
                "second": second,
                "accession_a": accessions[first],
                "accession_b": accessions[second],
                "length_a": lengths[first],
                "length_b": lengths[second],
                "is_homologous": np.arange(len(first)) < homologous.shape[1],
                "identity": identity,
            }
        )

    def discrimination(self) -> pd.DataFrame:
        """Return how well each distance parts homologous from unrelated pairs, by identity.

        Labels, ``distance``, and the columns of `association.discrimination`. No rows where
        families are not known, or there are no pairs of one or no pairs of two.
        """
        if self.families is None:
            return pd.DataFrame()
        frame = self.family_pairs
        if frame["is_homologous"].all() or not frame["is_homologous"].any():
            return pd.DataFrame()
        return self.rows(lambda name: self._discrimination(name, frame))

    def _correlations(self, name: str, method: str, adjusted: bool) -> list[dict[str, object]]:
        table = self.pair_table(name)
        if adjusted:
            table = association.adjusted_for_lengths(table, weights=table["weight"])
        found = association.correlation_intervals(table, method, weights=table["weight"])
        naive = [association.pairwise_interval(r, len(table)) for r in found["estimate"]]
        found["pairwise_low"] = [interval.low for interval in naive]
        found["pairwise_high"] = [interval.high for interval in naive]
        return found.to_dict("records")

    def _lengths(self, name: str) -> list[dict[str, object]]:
        table = self.pair_table(name)
        found = association.r_squared_on_lengths(table, weights=table["weight"])
        return found.rename_axis("quantity").reset_index().to_dict("records")

    def _signs(self, name: str) -> dict[str, float]:
        table = self.pair_table(name)
        norms = np.linalg.norm(self.vectors(name), axis=1)
        table = table.assign(cosine_distance=1 - table["cosine_similarity"])
        return {
            "cosine_similarity": _pearson(table, "cosine_similarity", "squared_euclidean"),
            "cosine_distance": _pearson(table, "cosine_distance", "squared_euclidean"),
            "norm_variation": variation(norms),
        }

    def _mantel(
        self,
        aligned: pd.DataFrame,
        distances: Mapping[str, pd.DataFrame],
        similarity: str,
        adjusted: bool,
    ) -> list[association.MantelTest]:
        """Test every model's distances against one similarity."""
        columns = {f"{name}:{a}": distances[name][a] for name in distances for a in DISTANCES}
        frame = aligned.assign(**columns)
        if adjusted:
            frame = association.adjusted_for_lengths(frame, [*columns, similarity])
        sides = frame["accession_a"].cat.codes, frame["accession_b"].cat.codes
        *matrices, last = (
            association.complete_matrix(frame[column], *sides) for column in [*columns, similarity]
        )
        return association.mantel_tests(matrices, last, seed=self.settings.seed)

    def _realigned(self, setting: Mapping[str, object], most: int) -> pd.DataFrame:
        """Align some of the pairs with other settings."""
        some = self.some_pairs(most)
        first, second = (some[f"accession_{side}"].cat.codes.to_numpy(np.int64) for side in "ab")
        kept = some[["length_a", "length_b", "weight"]]
        return self.aligned(first, second, replace(self.alignment, **setting)).join(kept)

    def _dependence(self, name: str) -> Iterator[dict[str, object]]:
        table = self.pair_table(name)
        identity = table["sequence_identity"]
        for distance in DISTANCES:
            values = table[distance]
            pearson = _pearson(table, distance, "sequence_identity")
            row = {"distance": distance, "pearson": pearson}
            for measure in (association.distance_correlation, association.mutual_information):
                found = measure(values, identity, weights=table["weight"], seed=self.settings.seed)
                row |= {measure.__name__: found.estimate, f"{measure.__name__}_null": found.null}
            yield row

    def _spread(self, name: str, edges: np.ndarray) -> Iterator[dict[str, object]]:
        table = self.pair_table(name, similar=True)
        table = table.assign(euclidean=np.sqrt(table["squared_euclidean"]))
        for distance in (*DISTANCES, "euclidean"):
            found = association.spread_at(
                table, "sequence_identity", distance, edges,
                weights=table["weight"], seed=self.settings.seed,
            )  # fmt: skip
            yield from found.assign(distance=distance).to_dict("records")

    def _local_identity(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return identities over the aligned columns of local alignments; NaN of short ones."""
        if not len(first):  # of no two proteins are relatives known
            return np.empty(0)
        settings = replace(self.alignment, mode="local", denominator="aligned_columns")
        table = self.aligned(first, second, settings)
        columns = table["identities"] / table["sequence_identity"].replace(0, np.nan)
        return table["sequence_identity"].where(columns.round() >= _LEAST_ALIGNED).to_numpy()

    def _discrimination(self, name: str, frame: pd.DataFrame) -> Iterator[dict[str, object]]:
        found = pairs.pair_distances(
            self.vectors(name), frame["first"].to_numpy(), frame["second"].to_numpy()
        )
        near_first = {"cosine_similarity": -found["cosine_similarity"],
                      "squared_euclidean": found["squared_euclidean"]}  # fmt: skip
        for distance, values in near_first.items():
            table = association.discrimination(
                frame.assign(distance=values), np.array(_IDENTITY_BINS),
                families=self.families, seed=self.settings.seed,
            )  # fmt: skip
            yield from table.assign(distance=distance).to_dict("records")


def _agreement(table: pd.DataFrame) -> association.Interval:
    """Return the correlation of score and identity, with its interval."""
    return association.correlation_interval(
        table["alignment_score"],
        table["sequence_identity"],
        table["accession_a"].cat.codes,
        table["accession_b"].cat.codes,
        weights=table["weight"],
    )


def identities(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the identity by each denominator, of a table that holds it by aligned columns."""
    shorter = table[["length_a", "length_b"]].min(axis=1)
    return {
        "alignment_length": table["identities"] / table["alignment_length"].clip(lower=1),
        "aligned_columns": table["sequence_identity"],
        "shorter": table["identities"] / shorter,
    }


def _pearson(table: pd.DataFrame, a: str, b: str) -> float:
    """Return the weighted correlation of two columns."""
    found = association.correlation_matrix(table, weights=table["weight"], columns=[a, b])
    return float(found.loc[a, b])
