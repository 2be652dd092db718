"""The study's proteins and models, and the vectors they give: computed once, found again."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import fingerprint
from plm_geometry.base.settings import read_settings
from plm_geometry.embedding import devices
from plm_geometry.embedding import run as embed
from plm_geometry.embedding.devices import read_padded_length
from plm_geometry.embedding.plan import cut_to, within_limit
from plm_geometry.embedding.run import Embeddings
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.isotropy.moments import Moments
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.families import SHIPPED, read_families
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, SWISSPROT_PERCENT, Proteins, sample

if TYPE_CHECKING:
    from plm_geometry.models import Embedder, EmbeddingFile, ModelCard

# Proteins, two different ones among them, without which a chapter has nothing to say.
_LEAST = {
    "01_global_isotropy": 2,
    "03_correlation": 3,
    "04_scatter": 2,
    "05_open_questions": 3,
    "06_choices": 2 * embed.N_GROUPS,
}


class EmbeddedProteins:
    """Proteins, and what each model of a study makes of them.

    Parameters
    ----------
    **parameters
        Fields of `settings.Settings`; what is not given keeps its default.

    Raises
    ------
    InputError
        As `settings.read_settings`.
    """

    def __init__(self, **parameters):
        self.settings = read_settings(parameters)
        self._embeddings: dict[str, Embeddings] = {}
        self._moments: dict[str, Moments] = {}
        self._identities: dict[str, dict[str, str]] = {}

    @property
    def names(self) -> list[str]:
        """The models, then the controls, as they were named."""
        return self.settings.names

    @cached_property
    def _drawn_from(self) -> tuple[Proteins, int]:
        """The proteins asked for, and how many there were to draw them from."""
        found = read_proteins(self.settings.proteins)
        n = min(self.settings.n_proteins, len(found))
        return sample(found, n, seed=self.settings.seed) if n else found, len(found)

    @property
    def requested(self) -> Proteins:
        """The proteins asked for, before any model's limit; all there are where these are fewer."""
        return self._drawn_from[0]

    @cached_property
    def families(self) -> dict[str, str] | None:
        """The family of each protein, by accession; None where families are not known."""
        return self._read_families()

    @cached_property
    def lowered(self) -> dict[str, str]:
        """The sizes asked for that these proteins cannot give, each with a clause that says so.

        The study takes all there are in their place.
        """
        n = len(self.proteins)
        most = {"n_proteins": self._drawn_from[1], "n_mantel": n, "n_choices": n}
        if not self.settings.pairs_file:
            among = min(self.settings.n_pair_proteins or n, n)
            most |= {"n_pair_proteins": n, "n_pairs": among * (among - 1) // 2}
        asked = self.settings.model_dump(include=self.settings.model_fields_set & most.keys())
        return {
            name: f"{name} is {wanted:,}, but there are no more than {most[name]:,}"
            for name, wanted in asked.items()
            if wanted > most[name]
        }

    def check(self, chapter: str, overrides: Container[str] = ()) -> None:
        """Refuse, before anything is embedded, what cannot be met.

        Parameters
        ----------
        chapter : str
            What these proteins are for.
        overrides : container of str
            Parameters that the user gave in so many words: no others have to be met.

        Raises
        ------
        InputError
            If there are too few proteins for the chapter, all of one sequence, or an override
            asks for more than there is.
        """
        for name, clause in self.lowered.items():
            if name in overrides:
                raise InputError(f"{clause}; ask for at most that, or leave {name} out.")
        if self.settings.pairs_file:
            _ = self._pairs_path
        n, least = len(self.proteins), _LEAST.get(chapter, 1)
        if n < least:
            raise InputError(
                f"{chapter} needs at least {least} proteins; give more than these {n}."
            )
        if least > 1 and self._computes_all and len(set(self.as_read.sequences)) == 1:
            raise InputError(
                f"{chapter} compares proteins, and these {n} have one sequence; give others too."
            )

    @property
    def _pairs_path(self) -> Path:
        path = Path(self.settings.pairs_file).expanduser()
        if not path.is_file():
            raise InputError(f"{path} is not there; make it with `plm-geometry align`.")
        return path

    @property
    def _computes_all(self) -> bool:
        """Whether every model computes its vectors, so that one sequence has one vector."""
        return not any(self._card(name).architecture == "file of embeddings" for name in self.names)

    @cached_property
    def models(self) -> pd.DataFrame:
        """One row a model or control: ``title, role, counterpart, width, max_residues``."""
        table = pd.DataFrame([vars(self._card(name)) for name in self.names], self.names)
        table = table.drop(columns=["name", "architecture"])
        # Two files of one name: figures and tables must tell them apart.
        twice = table["title"].duplicated(keep=False)
        return table.assign(
            title=table["title"].where(~twice, table["title"] + " (" + table.index + ")")
        )

    @cached_property
    def proteins(self) -> Proteins:
        """The proteins every model takes, so that each number is over the same ones."""
        limit = int(self._limits.min()) if len(self._limits) else None
        return within_limit(self.requested, limit)[0]

    @cached_property
    def as_read(self) -> Proteins:
        """The `proteins` as models read them: cut after ``max_residues`` residues, if any are."""
        most = self.settings.max_residues
        return cut_to(self.proteins, most)[0] if most else self.proteins

    def cut(self) -> pd.DataFrame:
        """Return the proteins of which models read the beginning only: ``accession, why``."""
        most = self.settings.max_residues
        reasons = cut_to(self.proteins, most)[1] if most else {}
        return pd.DataFrame(reasons.items(), columns=["accession", "why"])

    def left_out(self) -> pd.DataFrame:
        """Return the proteins without a vector: ``accession, model, why``."""
        _ = self.common  # who does not fit into memory is known when all are embedded
        rows = []
        for name, limit in self._limits.items():
            _, reasons = within_limit(self.requested, limit)
            rows += [(accession, name, why) for accession, why in reasons.items()]
        for name, found in self._embeddings.items():
            rows += [(accession, name, why) for accession, why in found.left_out.items()]
        return pd.DataFrame(rows, columns=["accession", "model", "why"])

    def data_set(self) -> pd.DataFrame:
        """Return one row that says which proteins these are."""
        lengths = self.common.lengths
        row = {
            "source": self.requested.source,
            "proteins": len(self.common),
            "left out": len(self.requested) - len(self.common),
            "residues": int(lengths.sum()),
            "median length": float(np.median(lengths)),
            "longest": int(lengths.max()),
            "normalised": _counted(self.requested.notes),
            "sha256": self.common.sha256[:12],
        }
        return pd.DataFrame([row])

    def protein_lengths(self) -> pd.DataFrame:
        """Return one row a protein: ``accession`` and ``length`` in residues."""
        return pd.DataFrame({"accession": self.common.accessions, "length": self.common.lengths})

    def composition(self) -> pd.DataFrame:
        """Return the twenty amino acids' shares of these proteins' residues, and of Swiss-Prot's.

        Columns ``residue``, ``residues`` (their number), ``share`` and ``swissprot``; other
        letters count in neither.
        """
        counts = np.zeros(128, dtype=np.int64)
        for sequence in self.common.sequences:
            counts += np.bincount(np.frombuffer(sequence.encode(), np.uint8), minlength=128)
        found = counts[[ord(residue) for residue in STANDARD_RESIDUES]]
        everywhere = np.array([SWISSPROT_PERCENT[residue] for residue in STANDARD_RESIDUES])
        shares = {"share": found / max(found.sum(), 1), "swissprot": everywhere / everywhere.sum()}
        return pd.DataFrame({"residue": list(STANDARD_RESIDUES), "residues": found, **shares})

    def identity(self, name: str) -> dict[str, str]:
        """Return what identifies a model that has been used: source, revision, weights.

        Those of them that are known; ``weights`` is a sha256, but of an untrained copy.
        """
        found = self._identities.get(name, {})
        return {key: found[key] for key in ("source", "revision", "weights") if key in found}

    def embeddings(self, name: str) -> Embeddings:
        """Return one model's embeddings of `as_read`, computed or found on disk."""
        if name not in self._embeddings:
            self._embeddings[name] = self._embed(name)
        return self._embeddings[name]

    def embed_all(self, tell: Callable[[str], None]) -> None:
        """Search for families, where asked, and embed; tell before each what it will take."""
        self.families = self._read_families(tell)
        for name in dict.fromkeys(chain(self.names, *self.settings.copies.values())):
            self._embeddings[name] = self._embed(name, tell)

    def moments(self, name: str) -> Moments:
        """Return the moments of one model's vectors of the `common` proteins."""
        if name not in self._moments:
            self._moments[name] = Moments.from_vectors(self.vectors(name))
        return self._moments[name]

    def vectors(self, name: str) -> np.ndarray:
        """Return one model's vectors of the `common` proteins, ``(n_common, width)``."""
        found = self.embeddings(name)
        row = {accession: i for i, accession in enumerate(found.accessions)}
        return found.vectors[[row[accession] for accession in self.common.accessions]]

    @cached_property
    def common(self) -> Proteins:
        """The proteins that every model has embedded: all, but for memory trouble."""
        missing = {a for name in self.names for a in self.embeddings(name).left_out}
        kept = [i for i, a in enumerate(self.proteins.accessions) if a not in missing]
        return self.proteins.select(kept)

    def rows(self, of: Callable[[str], Iterable[dict[str, object]]]) -> pd.DataFrame:
        """Put together the rows that `of` gives of each model, labelled."""
        labels = {name: self.labels(name) for name in self.names}
        return pd.DataFrame([labels[name] | row for name in self.names for row in of(name)])

    def labels(self, name: str) -> dict[str, str]:
        """Return what each row of a table says of its model."""
        return {"model": name, **self.models.loc[name, ["title", "role", "counterpart"]]}

    def families_of(self, proteins: Proteins) -> list[str] | None:
        """Return the family of each of `proteins`, where families are known."""
        if self.families is None:
            return None
        return [self.families[accession] for accession in proteins.accessions]

    def _read_families(
        self, tell: Callable[[str], None] = lambda line: None
    ) -> dict[str, str] | None:
        data_set = self.settings.proteins
        named = self.settings.families or (data_set if data_set in SHIPPED else "")
        return read_families(named, self.requested, tell=tell) if named else None

    @property
    def _limits(self) -> pd.Series:
        """The longest protein of each model that has a limit, unless proteins are cut below it."""
        limits = self.models["max_residues"].dropna()
        return limits[limits < (self.settings.max_residues or np.inf)].astype(int)

    def _card(self, name: str) -> "ModelCard":
        from plm_geometry.embedding.files import describe_source

        return describe_source(name, padded_length=read_padded_length(self.settings.padded_length))

    def _load(self, name: str) -> list["Embedder"]:
        padded = self._card(name).architecture == "proteinbert"
        return devices.load_models(
            name,
            device=self.settings.device,
            precision=self.settings.precision,
            padded_length=self.settings.padded_length if padded else "none",
        )

    def _embed(self, name: str, tell: Callable[[str], None] = lambda line: None) -> Embeddings:
        from plm_geometry.embedding.files import EmbeddingFile, ResidueFile

        models = self._load(name)
        self._identities[name] = dict(models[0].identity)
        if self.settings.max_residues and isinstance(models[0], EmbeddingFile | ResidueFile):
            raise InputError(
                f"{models[0].title} is a file of embeddings: what they were made from cannot be "
                "cut; leave max_residues at 0."
            )
        if isinstance(models[0], EmbeddingFile):
            return self._from_file(models[0])
        if isinstance(models[0], ResidueFile):
            models[0].places(self.as_read.accessions)  # who is missing is said before all work
        store = self._stored(
            name,
            models,
            self.as_read,
            pooling=self.settings.pooling,
            families=self.families_of(self.proteins),
            # Of copies only the vectors are compared.
            residue_moments=name in self.names,
            cluster=self.settings.cluster or None,
            tell=tell,
        )
        return embed.load(store, self.as_read)

    def _from_file(self, file: "EmbeddingFile") -> Embeddings:
        accessions = self.proteins.accessions
        return Embeddings(accessions, file.vectors(accessions), {})

    def _stored(
        self,
        name: str,
        models: Sequence["Embedder"],
        proteins: Proteins,
        *,
        cluster: str | None = None,
        tell: Callable[[str], None] = lambda line: None,
        **options,
    ) -> EmbeddingStore:
        """Embed with copies of a model, or find what was embedded with these options."""
        options = {"seed": self.settings.seed, **options}
        description = embed.describe(proteins, models[0], **options)
        slug = "".join(c if c.isalnum() else "_" for c in Path(name).name)
        directory = paths.CACHE / "embeddings" / f"{slug}-{fingerprint(description)[:16]}"
        return embed.embed(
            proteins,
            models[0],
            directory,
            **options,
            copies=models[1:],
            cluster=cluster,
            tell=tell,
        )


def _counted(notes: Mapping[str, int]) -> str:
    """Say what reading the proteins normalised, and how often."""
    return ", ".join(f"{what} ({count:,})" for what, count in notes.items()) or "nothing"
