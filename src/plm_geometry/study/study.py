"""A study: proteins, the models that embed them, and what is asked of both, computed once."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.base.errors import InputError
from plm_geometry.base.settings import Settings, read_settings
from plm_geometry.embedding import files
from plm_geometry.embedding.run import Embeddings
from plm_geometry.experiments.pooling import Pooling
from plm_geometry.experiments.remedies import Remedies
from plm_geometry.experiments.retrieval import Retrieval
from plm_geometry.experiments.variants import Variants
from plm_geometry.isotropy.jackknife import draw_blocks
from plm_geometry.isotropy.moments import Moments
from plm_geometry.models import ModelCard
from plm_geometry.models.loading import read_padded_length
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.families import SHIPPED, read_families
from plm_geometry.proteins.fasta import Proteins, cut_to, sample, within_limit
from plm_geometry.study.correlation import Correlation
from plm_geometry.study.embedding import embedded, read
from plm_geometry.study.isotropy import Isotropy
from plm_geometry.study.local import Local
from plm_geometry.study.pairs import Pairs
from plm_geometry.study.scatter import Scatter

if TYPE_CHECKING:
    from plm_geometry.models import Embedder


class Study:
    """Proteins and models, and one attribute for each topic that chapters ask about.

    Tables have the columns ``model, title, role, counterpart``, unless no model is in them.

    Attributes
    ----------
    settings : Settings
    pairs : Pairs
    isotropy, local, correlation, scatter, retrieval, remedies, variants, pooling
        What the chapters of these names ask.

    Parameters
    ----------
    **parameters
        Fields of `settings.Settings`; what is not given keeps its default.

    Raises
    ------
    InputError
        As `settings.read_settings`, for a setting of the alignment that does not exist, and if
        ``pairs_file`` does not.
    """

    def __init__(self, **parameters):
        self.settings = read_settings(parameters)
        self._tell: Callable[[str], None] = lambda line: None
        self._embedded: dict[str, tuple[Embeddings, dict[str, str]]] = {}
        self._moments: dict[str, Moments] = {}
        self.pairs = Pairs(self)
        self.isotropy = Isotropy(self)
        self.local = Local(self)
        self.correlation = Correlation(self)
        self.scatter = Scatter(self)
        self.retrieval = Retrieval(self)
        self.remedies = Remedies(self)
        self.pooling = Pooling(self)
        self.variants = Variants(self)

    @classmethod
    def of(cls, names: Mapping[str, object], *, least: int = 1) -> "Study":
        """Return the study of a chapter's parameters, after refusing what cannot be met.

        Parameters
        ----------
        names : mapping
            The notebook's ``globals()``, or its parameters: what is no parameter is ignored.
        least : int
            Proteins, two different ones among them, without which the chapter has nothing to say.

        Raises
        ------
        InputError
            If there are fewer proteins, or all have one sequence.
        """
        study = cls(**{name: names[name] for name in Settings.model_fields if name in names})
        study._refuse_fewer_than(least)
        return study

    @property
    def names(self) -> list[str]:
        """The models, then the controls, as they were named."""
        return self.settings.names

    @cached_property
    def _drawn_from(self) -> tuple[Proteins, int]:
        """The proteins asked for, and how many there were to draw them from."""
        found = read_proteins(self.settings.proteins)
        n, table = min(self.settings.n_proteins, len(found)), self._families_table
        if not n:
            return found, len(found)
        # What phmmer finds is found among the drawn proteins.
        known = read_families(table, found) if table not in ("", "phmmer") else None
        families = [known[accession] for accession in found.accessions] if known else None
        return sample(found, n, seed=self.settings.seed, families=families), len(found)

    @property
    def _families_table(self) -> str:
        """What families are read from: a file, a data set's name, "phmmer" or nothing."""
        data_set = self.settings.proteins
        return self.settings.families or (data_set if data_set in SHIPPED else "")

    @property
    def requested(self) -> Proteins:
        """The proteins asked for, before any model's limit; all there are where these are fewer."""
        return self._drawn_from[0]

    @cached_property
    def families(self) -> dict[str, str] | None:
        """The family of each protein, by accession; None where families are not known."""
        table = self._families_table
        return read_families(table, self.requested, tell=self._tell) if table else None

    def families_of(self, proteins: Proteins) -> list[str] | None:
        """Return the family of each of `proteins`, where families are known."""
        if self.families is None:
            return None
        return [self.families[accession] for accession in proteins.accessions]

    def blocks(self, proteins: Proteins, n_blocks: int) -> np.ndarray:
        """Return the block of each of `proteins` (`jackknife.draw_blocks`); families stay whole."""
        seed, families = self.settings.seed, self.families_of(proteins)
        return draw_blocks(len(proteins), n_blocks=n_blocks, seed=seed, families=families)

    def subset(self, n: int) -> np.ndarray:
        """Return numbers of `n` of the `common` proteins, drawn by whole families; of 0, all."""
        common = self.common
        if not 0 < n < len(common):
            return np.arange(len(common))
        families = self.families_of(common)
        drawn = set(sample(common, n, seed=self.settings.seed, families=families).accessions)
        return np.flatnonzero([accession in drawn for accession in common.accessions])

    @property
    def interval_note(self) -> str:
        """What intervals leave out, said where they stand."""
        if self.families is None:
            return "Families unknown: intervals leave out proteins; too narrow if some are related."
        return "Intervals leave out families."

    @cached_property
    def lowered(self) -> dict[str, str]:
        """The sizes asked for that these proteins cannot give, each with a clause that says so.

        The study takes all there are in their place.
        """
        n = len(self.proteins)
        most = {"n_proteins": self._drawn_from[1], "n_variants": n}
        if not self.settings.pairs_file:
            among = min(self.settings.n_pair_proteins or n, n)
            most |= {"n_pair_proteins": n, "n_pairs": among * (among - 1) // 2}
        asked = self.settings.model_dump(include=self.settings.model_fields_set & most.keys())
        return {
            name: f"{name} is {wanted:,}, but there are no more than {most[name]:,}"
            for name, wanted in asked.items()
            if wanted > most[name]
        }

    def refuse_lowered(self, overrides: Container[str]) -> None:
        """Raise InputError if one of these parameters, given by the user, had to be `lowered`."""
        for name, clause in self.lowered.items():
            if name in overrides:
                raise InputError(f"{clause}; ask for at most that, or leave {name} out.")

    def _refuse_fewer_than(self, least: int) -> None:
        n = len(self.proteins)
        if n < least:
            raise InputError(
                f"this chapter needs at least {least} proteins; give more than these {n}."
            )
        # In a file of embeddings, proteins of one sequence may have different vectors.
        is_computed = all(
            self.card(name).architecture != "file of embeddings" for name in self.names
        )
        if least > 1 and is_computed and len(set(self.as_read.sequences)) == 1:
            raise InputError(
                f"this chapter compares proteins, and these {n} have one sequence; give others too."
            )

    def card(self, name: str) -> ModelCard:
        """Return what is known of a model before it is loaded."""
        padded = read_padded_length(self.settings.padded_length)
        return files.describe_source(name, padded_length=padded)

    def load(self, name: str) -> list["Embedder"]:
        """Return copies of a model, one for each device; only ProteinBERT's proteins are padded."""
        chosen = self.settings.model_dump(include={"device", "precision", "padded_length"})
        is_padded = self.card(name).architecture == "proteinbert"
        return files.load_models(name, **chosen | ({} if is_padded else {"padded_length": "none"}))

    @cached_property
    def models(self) -> pd.DataFrame:
        """One row per model or control: ``title, role, counterpart, width, max_residues``."""
        table = pd.DataFrame([vars(self.card(name)) for name in self.names], self.names)
        table = table.drop(columns=["name", "architecture"])
        # Two files of one name: figures and tables must tell them apart.
        twice = table["title"].duplicated(keep=False)
        return table.assign(
            title=table["title"].where(~twice, table["title"] + " (" + table.index + ")")
        )

    @property
    def _limits(self) -> pd.Series:
        """The longest protein of each model that has a limit, unless proteins are cut below it."""
        limits = self.models["max_residues"].dropna()
        return limits[limits < (self.settings.max_residues or np.inf)].astype(int)

    @cached_property
    def proteins(self) -> Proteins:
        """The proteins every model takes, so that each number is over the same ones."""
        limit = int(self._limits.min()) if len(self._limits) else None
        return within_limit(self.requested, limit)[0]

    @cached_property
    def _cut(self) -> tuple[Proteins, Mapping[str, str]]:
        most = self.settings.max_residues
        return cut_to(self.proteins, most) if most else (self.proteins, {})

    @property
    def as_read(self) -> Proteins:
        """The `proteins` as models read them: cut after ``max_residues`` residues, if any are."""
        return self._cut[0]

    @cached_property
    def common_as_read(self) -> Proteins:
        """The `common` proteins as models read them."""
        place = {accession: i for i, accession in enumerate(self.as_read.accessions)}
        return self.as_read.select([place[accession] for accession in self.common.accessions])

    def cut(self) -> pd.DataFrame:
        """Return the proteins of which models read the beginning only: ``accession, why``."""
        return pd.DataFrame(self._cut[1].items(), columns=["accession", "why"])

    def left_out(self) -> pd.DataFrame:
        """Return the proteins without a vector: ``accession, model, why``."""
        _ = self.common  # who does not fit into memory is known when all are embedded
        found = [
            (name, within_limit(self.requested, limit)[1]) for name, limit in self._limits.items()
        ]
        found += [(name, embeddings.left_out) for name, (embeddings, _) in self._embedded.items()]
        rows = [
            (accession, name, why) for name, reasons in found for accession, why in reasons.items()
        ]
        return pd.DataFrame(rows, columns=["accession", "model", "why"])

    @cached_property
    def common(self) -> Proteins:
        """The proteins that every model has embedded: all, but for memory trouble."""
        missing = {a for name in self.names for a in self.embeddings(name).left_out}
        kept = [i for i, a in enumerate(self.proteins.accessions) if a not in missing]
        return self.proteins.select(kept)

    def data_set(self) -> pd.DataFrame:
        """Return one row that says which proteins these are."""
        lengths, notes = self.common.lengths, self.requested.notes.items()
        row = {
            "source": self.requested.source,
            "proteins": len(self.common),
            "left out": len(self.requested) - len(self.common),
            "residues": int(lengths.sum()),
            "median length": float(np.median(lengths)),
            "longest": int(lengths.max()),
            "normalised": ", ".join(f"{what} ({count:,})" for what, count in notes) or "nothing",
            "sha256": self.common.sha256[:12],
        }
        return pd.DataFrame([row])

    def embed_all(self, tell: Callable[[str], None]) -> None:
        """Search for families, where asked, and embed; tell before each what it will take."""
        self._tell = tell
        _ = self.families
        for name in dict.fromkeys(chain(self.names, *self.settings.copies.values())):
            self.embeddings(name)

    def embeddings(self, name: str) -> Embeddings:
        """Return one model's embeddings of `as_read`, computed or found on disk."""
        if name not in self._embedded:
            self._embedded[name] = embedded(
                self.settings,
                name,
                self.load(name),
                self.as_read,
                families=self.families_of(self.proteins),
                tell=self._tell,
            )
        return self._embedded[name][0]

    def read(
        self, name: str, proteins: Proteins, models: Sequence["Embedder"] = (), **options
    ) -> Embeddings:
        """Return embeddings of other sequences, or by other `options` of `embedding.read`.

        They are read by `models`, or by what `load` returns.
        """
        return read(self.settings, name, models or self.load(name), proteins, **options)

    def identity(self, name: str) -> dict[str, str]:
        """Return what identifies a model that has been used: source, revision, weights.

        Those of them that are known; ``weights`` is a sha256, but of an untrained copy.
        """
        found = self._embedded[name][1] if name in self._embedded else {}
        return {key: found[key] for key in ("source", "revision", "weights") if key in found}

    def poolings(self, name: str) -> tuple[str, ...]:
        """Return the poolings of which one pass of a model has kept vectors; of a file, none."""
        return self.embeddings(name).poolings

    def vectors(self, name: str, pooling: str = "") -> np.ndarray:
        """Return one model's vectors of the `common` proteins, ``(n_common, width)``.

        By the pooling of the settings, or by another of the model's `poolings`.
        """
        found = self.embeddings(name)
        vectors = found.pooled(pooling) if pooling else found.vectors
        row = {accession: i for i, accession in enumerate(found.accessions)}
        return vectors[[row[accession] for accession in self.common.accessions]]

    def moments(self, name: str) -> Moments:
        """Return the moments of one model's vectors of the `common` proteins."""
        if name not in self._moments:
            self._moments[name] = Moments.from_vectors(self.vectors(name))
        return self._moments[name]

    def rows(self, of: Callable[[str], Iterable[dict[str, object]]]) -> pd.DataFrame:
        """Put together the rows that `of` gives of each model, labelled."""
        labels = {name: self.labels(name) for name in self.names}
        return pd.DataFrame([labels[name] | row for name in self.names for row in of(name)])

    def against_controls(
        self, of: Callable[[str, str], Iterable[dict[str, object]]]
    ) -> pd.DataFrame:
        """Put together the rows that `of` gives of each model and control.

        Labels of the model, ``control`` and ``control_title`` stand before them.
        """
        titles, is_control = self.models["title"], self.models["role"] == "control"
        return pd.DataFrame(
            self.labels(model) | {"control": control, "control_title": titles[control]} | row
            for model, control in product(titles.index[~is_control], titles.index[is_control])
            for row in of(model, control)
        )

    def labels(self, name: str) -> dict[str, str]:
        """Return what each row of a table says of its model."""
        return {"model": name, **self.models.loc[name, ["title", "role", "counterpart"]]}
