"""The chapters' parameters: the one place of their types, defaults and help."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from plm_geometry.base.errors import InputError

_SEEDS = re.compile(r"(.*@)(\d+)-(\d+)")


def copies_of(name: str) -> list[str]:
    """Return the names that one stands for: "untrained:KEY@0-9" is ten copies, any other itself.

    Raises
    ------
    InputError
        If the seeds do not ascend.
    """
    if not (found := _SEEDS.fullmatch(name)):
        return [name]
    stem, first, last = found[1], int(found[2]), int(found[3])
    if last < first:
        raise InputError(f"{name} names no seed: give the lower one first, as @{last}-{first}.")
    return [f"{stem}{seed}" for seed in range(first, last + 1)]


def _is(default: Any, description: str, **limits: Any) -> Any:
    return Field(default, description=description, **limits)


class _EmbeddingSettings(BaseModel):
    """What the embeddings of a study depend on, after the name of the profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = _is("offline", "where these values come from")
    proteins: str = _is("bacterium", '"bacterium", "swissprot", or a FASTA file')
    n_proteins: int = _is(
        0, "proteins drawn from it, by whole families if known; 0 takes all", ge=0
    )
    families: str = _is("", '"phmmer", or a file with columns accession and family')
    models: list[str] = _is(
        ["unirep_64"], "keys, directories, Hugging Face names or files of embeddings"
    )
    minis: list[str] = _is([], "small networks of this repository, for the tables")
    controls: list[str] = _is([], "what needs no training")
    distance_controls: list[str] = _is(
        [],
        "further ones: 3-mers, 8,000 dimensions, ask little of distances, much of covariances",
    )
    seed: int = _is(1, "of every random choice", ge=0)
    device: str = _is("auto", '"cpu", "cuda" or "auto"')
    precision: Literal["fp32", "bf16", "fp16"] = _is(
        "fp32", 'of the models: "fp32", "bf16" or "fp16"'
    )
    pooling: Literal["mean", "mean_with_special", "mean_with_start", "first", "max", "final"] = _is(
        "mean", "from residues to the protein"
    )
    padded_length: str = _is(
        "none", 'of ProteinBERT: "none", "power of two", or the number of positions'
    )
    max_residues: int = _is(0, "where longer proteins are cut; 0 cuts none", ge=0)

    @field_validator(
        *("models", "minis", "controls", "distance_controls", "skip_variants"),
        mode="before", check_fields=False,
    )  # fmt: skip
    @classmethod
    def _items_of_text(cls, value: object) -> object:
        """Read a list as one types it: "a,b", or as Python writes it."""
        if not isinstance(value, str):
            return value
        return [item.strip(" '\"") for item in value.strip(" []").split(",") if item]


EMBEDDING_PARAMETERS = tuple(_EmbeddingSettings.model_fields)[1:]


class Settings(_EmbeddingSettings):
    """Every parameter of the chapters: its type, default and help, which is its description.

    Notebooks repeat those that they declare, with the values of the profile ``offline``.
    """

    cluster: str = _is(
        "", "a Dask scheduler's address, or \"local\"; empty for this machine's cores"
    )
    n_pair_proteins: int = _is(0, "proteins that pairs are drawn from; 0 takes all", ge=0)
    n_pairs: int = _is(20_000, "protein pairs drawn at random; 0 takes all there are", ge=0)
    pairs_file: str = _is(
        "", "a file that `plm-geometry align` wrote, in place of drawing and aligning"
    )
    n_readouts: int = _is(
        250, "proteins, of those above, that further readouts are tried on; 0 takes all", ge=0
    )
    n_variants: int = _is(
        20, "proteins, of those above, whose sequences are changed; at least 2", ge=2
    )
    skip_variants: list[str] = _is(
        ["unirep_1900"],
        "models that changed sequences are not embedded with, for the time it takes",
    )
    matrix: str = _is("PAM250", "substitution matrix of the alignments")
    gap_open: float = _is(11, "cost of a gap's first residue")
    gap_extend: float = _is(1, "cost of each further one")
    mode: str = _is("global", 'of the alignments: "global", "semiglobal" or "local"')
    denominator: str = _is("alignment_length", 'of the identity: or "shorter", "aligned_columns"')
    ties: str = _is("max", 'of equally good alignments the one with most identities; or "engine"')
    engine: str = _is("parasail", 'what aligns: or "biopython", as a reference')
    summaries: str = _is(
        "", "a directory with one directory per chapter; empty takes results/ of the profile"
    )
    records: str = _is("", "a directory of runs from other machines; empty takes data/runs")

    @property
    def names(self) -> list[str]:
        """The models, the minis, then the controls, as named; a control of both kinds once.

        Of copies that differ in their seed, the first.
        """
        named = [copies_of(name)[0] for name in (*self.models, *self.minis, *self.controls)]
        further = [copies_of(name)[0] for name in self.distance_controls]
        return named + [name for name in further if name not in named]

    @property
    def copies(self) -> dict[str, list[str]]:
        """By the first of them, controls that were named with several seeds."""
        named = map(copies_of, dict.fromkeys((*self.controls, *self.distance_controls)))
        return {names[0]: names for names in named if len(names) > 1}


def read_settings(parameters: dict[str, Any]) -> Settings:
    """Return checked settings.

    Raises
    ------
    InputError
        If a parameter is unknown or has a wrong type, naming the right ones; if no model is
        named, or one twice.
    """
    try:
        settings = Settings(**parameters)
    except ValidationError as error:
        raise InputError(_parameter_sentence(error)) from error
    if not settings.models + settings.minis:
        raise InputError("no model was named; name at least one beside the controls.")
    names = settings.names
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"{twice[0]} is named twice among models and controls; name it once.")
    return settings


def _parameter_sentence(error: ValidationError) -> str:
    """Say in one sentence which parameter is wrong and which there are."""
    first = error.errors()[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        known = ", ".join(Settings.model_fields)
        return f"parameter {name!r} is unknown; the parameters are {known}."
    return f"parameter {name!r} has value {first['input']!r}: {first['msg'].lower()}."
