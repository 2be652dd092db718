"""What a study is made from: the chapters' parameters, their types and defaults."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from plm_geometry.base.errors import InputError

# What the embeddings of a study depend on.
EMBEDDING_PARAMETERS = (
    "proteins",
    "n_proteins",
    "families",
    "models",
    "minis",
    "controls",
    "distance_controls",
    "seed",
    "device",
    "precision",
    "pooling",
    "padded_length",
    "max_residues",
)


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


class Settings(BaseModel):
    """Parameters of a study; the chapters' parameters cells explain each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str = "offline"
    proteins: str = "bacterium"
    n_proteins: int = Field(default=0, ge=0)
    families: str = ""
    models: list[str] = ["unirep_64"]
    minis: list[str] = []
    controls: list[str] = []
    distance_controls: list[str] = []
    seed: int = Field(default=1, ge=0)
    device: str = "auto"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    pooling: Literal["mean", "mean_with_special", "mean_with_start", "first", "max", "final"] = (
        "mean"
    )
    padded_length: str = "none"
    max_residues: int = Field(default=0, ge=0)
    cluster: str = ""
    n_pair_proteins: int = Field(default=0, ge=0)
    n_pairs: int = Field(default=20_000, ge=0)
    pairs_file: str = ""
    n_mantel: int = Field(default=1_000, ge=3)
    n_choices: int = Field(default=120, ge=20)
    matrix: str = "PAM250"
    gap_open: float = 11
    gap_extend: float = 1
    mode: str = "global"
    denominator: str = "alignment_length"
    ties: str = "max"
    engine: str = "parasail"
    summaries: str = ""
    records: str = ""

    @field_validator("models", "minis", "controls", "distance_controls", mode="before")
    @classmethod
    def _items_of_text(cls, value: object) -> object:
        """Read a list as one types it: "a,b", or as Python writes it."""
        if not isinstance(value, str):
            return value
        return [item.strip(" '\"") for item in value.strip(" []").split(",") if item]

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
