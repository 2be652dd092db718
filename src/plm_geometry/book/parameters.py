"""What a chapter can be asked: its parameters cell, a profile's values, a caller's overrides."""

import ast
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError

# Annotations a parameters cell may use; papermill hands them over as text.
_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list[str]": list[str]}


@dataclass(frozen=True)
class Parameter:
    """One line of a chapter's parameters cell.

    Attributes
    ----------
    name : str
        What it is called.
    type_name : str
        Its annotation, one of int, float, str, bool, list[str].
    default : object
        The value it has in the notebook.
    help : str
        The comment behind it.
    """

    name: str
    type_name: str
    default: object
    help: str

    def parse(self, value: object) -> object:
        """Return `value` in this parameter's type, read from text if it is text.

        Raises
        ------
        InputError
            If it cannot be read as that type.
        """
        adapter = TypeAdapter(_TYPES[self.type_name])
        try:
            if isinstance(value, str) and self.type_name == "list[str]":
                return [item.strip(" '\"") for item in value.strip(" []").split(",") if item]
            if isinstance(value, str):
                return adapter.validate_strings(value)
            return adapter.validate_python(value, strict=True)
        except ValidationError as error:
            raise InputError(
                f"Parameter {self.name} is {value!r}, which is no {self.type_name} "
                f"({self.help}); give, for example, {_as_text(self.default)}."
            ) from error


def chapter_names() -> list[str]:
    """Return the chapters in their order: the notebooks' names without suffix."""
    return sorted(path.stem for path in paths.NOTEBOOKS.glob("[0-9][0-9]_*.md"))


def profile_names() -> list[str]:
    """Return the profiles there are."""
    return sorted(path.stem for path in paths.PROFILES.glob("*.yaml"))


def read_parameters(chapter: str) -> dict[str, Parameter]:
    """Return what a chapter declares, by name, in the order of its parameters cell.

    Raises
    ------
    InputError
        If there is no such chapter.
    """
    import papermill

    declared = papermill.inspect_notebook(read_notebook(chapter))
    return {
        name: Parameter(
            name,
            found["inferred_type_name"],
            ast.literal_eval(found["default"]),
            found["help"].strip(),
        )
        for name, found in declared.items()
    }


def read_notebook(chapter: str):
    """Return a chapter as a notebook without outputs, from its text, which is the source."""
    import jupytext

    names = chapter_names()
    if chapter not in names:
        raise InputError(f"There is no chapter {chapter!r}{_meant(chapter, names)}")
    return jupytext.read(paths.NOTEBOOKS / f"{chapter}.md")


def resolve_parameters(
    chapter: str, profile: str, overrides: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return every parameter of a chapter: its default, the profile's value, the override.

    Parameters
    ----------
    chapter : str
        Its name.
    profile : str
        Its name, or the path of a YAML file.
    overrides : mapping, optional
        Values that go before the profile's; text is read as the parameter's type
        (a list's items are separated by commas). Own models leave out the profile's minis, and
        its controls that are copies of other models.

    Raises
    ------
    InputError
        If a name or a type is wrong; the sentence lists the right ones.
    """
    declared = read_parameters(chapter)
    chosen = _read_profile(profile)
    for name in overrides or {}:
        if name not in declared:
            raise InputError(f"Chapter {chapter} has no parameter {name!r}{_meant(name, declared)}")
        if name == "profile":
            raise InputError("The profile is chosen by --profile, not as a parameter.")
    values = {name: parameter.default for name, parameter in declared.items()}
    values |= {name: value for name, value in chosen.items() if name in declared}
    given = {name: declared[name].parse(value) for name, value in (overrides or {}).items()}
    if "models" in given:
        values |= _beside_own_models(given["models"], values)
    values |= given
    return {name: declared[name].parse(value) for name, value in values.items()}


def _beside_own_models(models: list[str], values: Mapping[str, object]) -> dict[str, object]:
    """Return what a profile has beside a user's own models: no minis, no other models' controls."""
    copied = {name: name.partition(":")[2].partition("@")[0] for name in values.get("controls", ())}
    kept = [name for name, model in copied.items() if not model or model in models]
    return {name: own for name, own in {"minis": [], "controls": kept}.items() if name in values}


def _read_profile(profile: str) -> dict[str, object]:
    """Return a profile's values; each key must be declared by some chapter."""
    try:
        chosen = yaml.safe_load(_profile_path(profile).read_text())
    except yaml.YAMLError as error:
        raise InputError(
            f"Profile {profile} is no YAML: {' '.join(str(error).split())}."
        ) from error
    if not isinstance(chosen, dict):
        raise InputError(f"Profile {profile} is no list of 'name: value' lines; see offline.yaml.")
    known = dict.fromkeys(name for chapter in chapter_names() for name in read_parameters(chapter))
    for name in chosen:
        if name not in known:
            raise InputError(f"Profile {profile} sets {name!r}{_meant(name, known)}")
    return chosen


def _profile_path(profile: str) -> Path:
    """Return the file of a profile given by its name, or by the path of a YAML file."""
    given = Path(profile).expanduser()
    if given.suffix in {".yaml", ".yml"} and given.is_file():
        return given
    names = profile_names()
    if profile not in names:
        raise InputError(f"There is no profile {profile!r}{_meant(profile, names)}")
    return paths.PROFILES / f"{profile}.yaml"


def _meant(wrong: str, right: Mapping | list[str]) -> str:
    """Return the end of a sentence: the name that is nearest, and all there are."""
    near = difflib.get_close_matches(wrong, right, n=1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    return f"{guess}; there are {', '.join(right)}."


def _as_text(value: object) -> str:
    """Return a value as one would type it after ``-p NAME``."""
    return ",".join(value) if isinstance(value, list) else str(value)
