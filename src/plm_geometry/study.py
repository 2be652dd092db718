"""`Study`: names the proteins, models, sizes and seed; computes what is asked once.

This is the one room the chapters talk to for numbers. What it computes is kept under
``data/cache``, found again by a fingerprint of all it depends on, the code included.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plm_geometry import align, devices, embed, pairs, paths
from plm_geometry.align import AlignmentSettings
from plm_geometry.embed import Embeddings
from plm_geometry.errors import InputError
from plm_geometry.isotropy import isotropy_row
from plm_geometry.moments import Moments, merge_all
from plm_geometry.plan import within_limit
from plm_geometry.proteins import STANDARD_RESIDUES, Proteins, read_fasta, sample
from plm_geometry.store import fingerprint, source_digest

if TYPE_CHECKING:
    from plm_geometry.models import Embedder

# Statistics of a cloud that has no spread, or fewer than two members: shown as missing.
_NO_ISOTROPY = {
    "isoscore": np.nan,
    "effective_dimensions": np.nan,
    "printed_dimensions": pd.NA,
    "mean_cosine_similarity": np.nan,
}


class Settings(BaseModel):
    """What a study is made from; the chapters' parameters cells explain each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = "demo"
    proteins: str = "demo"
    n_proteins: int = Field(default=0, ge=0)
    models: list[str] = ["demo_prot_bert", "demo_prot_bert_bfd"]
    controls: list[str] = []
    seed: int = Field(default=1, ge=0)
    device: str = "auto"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    pooling: Literal["mean", "mean_with_special", "first", "max"] = "mean"
    n_pairs: int = Field(default=20_000, ge=0)
    matrix: str = "PAM250"
    gap_open: float = 11
    gap_extend: float = 1


class Study:
    """Proteins, models and what is asked of them.

    Parameters
    ----------
    **parameters
        Fields of `Settings`; what is not given keeps its default.

    Raises
    ------
    InputError
        If a parameter is unknown or has a wrong type, naming the right ones.
    """

    def __init__(self, **parameters):
        try:
            self.settings = Settings(**parameters)
        except ValidationError as error:
            raise InputError(_parameter_sentence(error)) from error
        _check_names(self.settings.models, self.names)
        self.alignment = AlignmentSettings(
            matrix=self.settings.matrix,
            gap_open=self.settings.gap_open,
            gap_extend=self.settings.gap_extend,
        )
        self._embeddings: dict[str, Embeddings] = {}
        self._pairs: dict[bool, pd.DataFrame] = {}

    @property
    def names(self) -> list[str]:
        """The models, then the controls, as they were named."""
        return [*self.settings.models, *self.settings.controls]

    @cached_property
    def requested(self) -> Proteins:
        """The proteins asked for, before any model's limit."""
        found = read_fasta(fasta_path(self.settings.proteins))
        n = self.settings.n_proteins
        return sample(found, n, seed=self.settings.seed) if n else found

    @cached_property
    def models(self) -> pd.DataFrame:
        """One row a model or control: ``title, role, counterpart, width, max_residues``."""
        return pd.DataFrame([_model_row(self._load(name)[0]) for name in self.names], self.names)

    @cached_property
    def proteins(self) -> Proteins:
        """The proteins every model takes, so that each number is over the same ones."""
        limits = self.models["max_residues"].dropna()
        limit = int(limits.min()) if len(limits) else None
        return within_limit(self.requested, limit)[0]

    def left_out(self) -> pd.DataFrame:
        """Return the proteins without a vector: ``accession, model, why``."""
        _ = self.common  # who does not fit into memory is known when all are embedded
        rows = []
        for name, limit in self.models["max_residues"].dropna().items():
            _, reasons = within_limit(self.requested, int(limit))
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

    def embeddings(self, name: str) -> Embeddings:
        """Return one model's embeddings of `proteins`, computed or found on disk."""
        if name not in self._embeddings:
            self._embeddings[name] = self._embed(name)
        return self._embeddings[name]

    def embed_all(self, tell: Callable[[str], None]) -> None:
        """Embed with every model, telling before each what it will take."""
        for name in self.names:
            self._embeddings[name] = self._embed(name, tell)

    def global_isotropy(self) -> pd.DataFrame:
        """Return one row a model: the paper's table over this study's proteins.

        Columns ``model, title, role, counterpart, n, d, isoscore, effective_dimensions,
        printed_dimensions, mean_cosine_similarity``.
        """
        rows = [
            self._labels(name) | _row_or_missing(Moments.from_vectors(self.vectors(name)))
            for name in self.names
        ]
        table = pd.DataFrame(rows)
        if table["isoscore"].isna().all():
            raise InputError(
                f"the vectors of the {len(self.common)} proteins do not differ, so there is no "
                "isotropy to measure; give at least two different proteins."
            )
        return table

    def local_isotropy(self) -> pd.DataFrame:
        """Return one row a model and amino acid, and ``residue = "all"`` over all residues.

        Columns as in `global_isotropy`, with ``residue``. Letters beyond the twenty are rows of
        their own. Embedding files without residues have no rows.
        """
        rows = []
        for name in self.names:
            for letter, moments in _by_letter(self.embeddings(name).residue_moments).items():
                rows.append(self._labels(name) | {"residue": letter} | _row_or_missing(moments))
        if not rows:
            raise InputError(
                "files of embeddings hold one vector a protein and no residues; "
                "name a model or a control for this."
            )
        return pd.DataFrame(rows)

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

    def _load(self, name: str) -> list["Embedder"]:
        return devices.load_models(
            name, device=self.settings.device, precision=self.settings.precision
        )

    def _labels(self, name: str) -> dict[str, str]:
        return {"model": name, **self.models.loc[name, ["title", "role", "counterpart"]]}

    def _embed(self, name: str, tell: Callable[[str], None] = lambda line: None) -> Embeddings:
        from plm_geometry.models import EmbeddingFile

        model, *copies = self._load(name)
        if isinstance(model, EmbeddingFile):
            vectors = model.vectors(self.proteins.accessions)
            return Embeddings(self.proteins.accessions, vectors, None, {})
        description = embed.describe(self.proteins, model, pooling=self.settings.pooling)
        slug = "".join(c if c.isalnum() else "_" for c in Path(name).name)
        directory = paths.CACHE / "embeddings" / f"{slug}-{fingerprint(description)[:16]}"
        store = embed.embed(
            self.proteins,
            model,
            directory,
            pooling=self.settings.pooling,
            copies=copies,
            tell=tell,
        )
        return embed.load(store, self.proteins)

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
            align.align_to_parquet(self.common, first, second, self.alignment, path)
        return pd.read_parquet(path)


def fasta_path(name: str) -> Path:
    """Return the file that "demo", "swissprot" or a path stands for.

    Raises
    ------
    InputError
        If Swiss-Prot has not been fetched.
    """
    if name == "demo":
        return paths.DEMO / "proteome.fasta.gz"
    if name != "swissprot":
        return Path(name).expanduser()
    if not paths.SWISSPROT.exists():
        raise InputError("Swiss-Prot is not here yet; run `plm-geometry fetch swissprot` first.")
    return paths.SWISSPROT


def _model_row(model: "Embedder") -> dict[str, object]:
    from plm_geometry.models import counterpart

    role = "control" if model.is_control else "stand-in" if model.is_stand_in else "model"
    return {
        "title": model.title,
        "role": role,
        "counterpart": counterpart(model.name),
        "width": model.width,
        "max_residues": model.max_residues,
    }


def _by_letter(moments: dict[str, Moments] | None) -> dict[str, Moments]:
    """Order letters, the twenty first, and add their merger as "all"."""
    if not moments:
        return {}
    letters = [a for a in STANDARD_RESIDUES if a in moments]
    letters += sorted(moments.keys() - set(letters))
    ordered = {letter: moments[letter] for letter in letters}
    return ordered | {"all": merge_all(list(ordered.values()))}


def _row_or_missing(moments: Moments) -> dict[str, object]:
    """Return the isotropy of a cloud, or missing values where it has no spread."""
    spread = np.trace(moments.scatter) > 0
    known = isotropy_row(moments) if spread else {"n": moments.count, "d": moments.dim}
    return _NO_ISOTROPY | known


def _check_names(models: list[str], names: list[str]) -> None:
    """Refuse a study of no model, or of one model twice."""
    if not models:
        raise InputError("no model was named; name at least one beside the controls.")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"{twice[0]} is named twice among models and controls; name it once.")


def _counted(notes: Mapping[str, int]) -> str:
    """Say what reading the proteins normalised, and how often."""
    return ", ".join(f"{what} ({count:,})" for what, count in notes.items()) or "nothing"


def _parameter_sentence(error: ValidationError) -> str:
    """Say in one sentence which parameter is wrong and which there are."""
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        known = ", ".join(Settings.model_fields)
        return f"parameter {name!r} is unknown; the parameters are {known}."
    return f"parameter {name!r} has value {first['input']!r}: {first['msg'].lower()}."
