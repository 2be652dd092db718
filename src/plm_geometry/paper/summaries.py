"""What a run says of itself in its ``summary.json``, checked when it is read."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.settings import Settings

_Kind = TypeVar("_Kind", bound=BaseModel)
_MODELS = ("models", "minis", "controls", "distance_controls")
# What runs of earlier versions were asked for besides, and no number here depends on.
_FORMER_SETTINGS = ("n_mantel", "n_choices")
# What to do where a file is none.
HINT = "give the summary.json that `plm-geometry run` wrote"


class Measured(BaseModel):
    """One quantity of one model, as `report.Report.record` keeps it.

    Attributes
    ----------
    quantity : str
        Its name in `published.numbers`, where it has been published.
    model, title, role, counterpart : str
        As in every table; ``role`` is "data" where no model is in it.
    value, low, high : float or None
        The value and the ends of its 95 % interval; None where undefined or not known.
    n : int or None
        Over how many proteins, residues or pairs.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    quantity: str = Field(pattern=r"^[a-z_]+(:[a-z_]+)*$")
    model: str = ""
    title: str = ""
    role: Literal["model", "mini", "control", "data"] = "data"
    counterpart: str = ""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _ends_in_order(self) -> "Measured":
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("its interval ends before it begins")
        return self


class ModelUsed(BaseModel):
    """One model of a run, and what identifies its weights where that is known."""

    model: str = Field(min_length=1)
    title: str
    role: Literal["model", "mini", "control"]
    counterpart: str = ""
    width: int = Field(ge=1)
    source: str = ""
    revision: str = ""
    weights: str = ""


class ProteinsUsed(BaseModel):
    """The proteins of a run: the file's name, how many, and the digest of what is in them."""

    source: str
    proteins: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{12,64}$")


class Summary(BaseModel):
    """One chapter's run.

    Attributes
    ----------
    chapter : str
        The notebook's name; "isotropy" for the command of that name.
    settings : Settings or None
        The study's parameters; None where there was no study.
    proteins, models : ProteinsUsed, list of ModelUsed
    versions, machine : dict of str to str, str
        As `provenance` says them.
    measured : list of Measured
        What can be held against published numbers.
    """

    chapter: str = Field(min_length=1)
    settings: Settings | None = None
    proteins: ProteinsUsed
    models: list[ModelUsed] = Field(min_length=1)
    versions: dict[str, str]
    machine: str = Field(min_length=1)
    measured: list[Measured] = Field(min_length=1)

    @field_validator("settings", mode="before")
    @classmethod
    def _without_former(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if name not in _FORMER_SETTINGS}
        return given

    @model_validator(mode="after")
    def _of_its_models(self) -> "Summary":
        known = {model.model for model in self.models} | {""}
        for row in self.measured:
            if row.model not in known:
                raise ValueError(f"{row.quantity} is of {row.model}, which is not among its models")
        return self


def read_summary(path: Path) -> Summary:
    """Read one ``summary.json``.

    Raises
    ------
    InputError
        If the file cannot be read, is no JSON or lacks something, saying what.
    """
    return checked(Summary, read_json(path), f"{path} is no summary of a run", HINT)


def read_json(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds, which must be named values.

    Raises
    ------
    InputError
        If it cannot be read, is no JSON, or holds something else.
    """
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # of JSON, or of the encoding
        raise InputError(f"{path} is no JSON ({error}); give a run's summary.json.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no named values; give a run's summary.json.")
    return content


def checked(kind: type[_Kind], content: dict[str, Any], what: str, hint: str) -> _Kind:
    """Return what a file holds as a `Summary` or the like.

    Parameters
    ----------
    kind : type
        What it is to be: a pydantic model.
    content : dict
        What `read_json` returned.
    what, hint : str
        The beginning and the end of the sentence that says what is wrong.

    Raises
    ------
    InputError
        If something is missing or wrong; it names the first place.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the run"
        raise InputError(f"{what} ({place}: {first['msg'].lower()}); {hint}.") from error


def summary_files(profile: str, directory: str | Path = "") -> list[Path]:
    """Return the summaries of a profile's chapters that can be held against published numbers.

    Parameters
    ----------
    profile : str
        Whose results in ``results/`` are taken.
    directory : path-like, optional
        Taken in their place; it holds one directory per chapter.
    """
    found = sorted(_place(profile, directory).glob("*/summary.json"))
    # Chapters that only read what others measured have none of their own.
    return [path for path in found if read_json(path).get("measured")]


def read_build(profile: str, directory: str | Path = "") -> list[Summary]:
    """Return what a profile's chapters have measured; see `summary_files`.

    Raises
    ------
    InputError
        If `directory` is given and does not exist, or a summary is damaged.
    """
    if str(directory) and not Path(directory).expanduser().is_dir():
        raise InputError(f"{directory} is no directory; name one with one directory per chapter.")
    return [read_summary(path) for path in summary_files(profile, directory)]


def read_table(chapter: str, name: str, profile: str, directory: str | Path = "") -> pd.DataFrame:
    """Return a table that a chapter of a build has kept; without rows where there is none.

    Parameters
    ----------
    chapter, name : str
        The chapter's name, and the table's file without ``.csv``.
    profile, directory
        As in `summary_files`.
    """
    path = _place(profile, directory) / chapter / "tables" / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def _place(profile: str, directory: str | Path) -> Path:
    return Path(directory).expanduser() if str(directory) else paths.RESULTS / profile


def measured_rows(runs: Iterable[Summary]) -> pd.DataFrame:
    """Return one row for each quantity that runs have measured, with the number of its ``run``."""
    rows = [
        {"run": number, "chapter": run.chapter} | row.model_dump()
        for number, run in enumerate(runs)
        for row in run.measured
    ]
    frame = pd.DataFrame(rows, columns=["run", "chapter", *Measured.model_fields])
    return frame.astype({"value": float, "low": float, "high": float})


def without_places(content: dict[str, Any]) -> dict[str, Any]:
    """Return a summary's content with the names of files in place of where they lie.

    Of two files of one name, the directory's name stands as well; a cluster's address is nobody's
    business. Keys and names on a hub stay as they are.
    """
    if not (settings := content.get("settings")):
        return content
    given = [settings[name] for name in ("proteins", "families", "pairs_file")]
    given += [model["model"] for model in content["models"]]
    given += [name for kind in _MODELS for name in settings[kind]]
    bare = {re.sub(r"^(untrained|shuffled):|@[\d-]+$", "", name) for name in given}
    found = [place for place in bare if "/" in place and Path(place).expanduser().exists()]
    names = [Path(place).name for place in found]
    cluster = "cluster" if settings["cluster"] else ""
    text = json.dumps(content | {"settings": settings | {"cluster": cluster}})
    for place in sorted(found, key=len, reverse=True):
        n = 1 if names.count(Path(place).name) == 1 else 2
        short = "/".join(Path(place).parts[-n:])
        text = text.replace(json.dumps(place)[1:-1], json.dumps(short)[1:-1])
    return json.loads(text)
