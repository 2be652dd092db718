"""What a chapter computes with: its parameters cell, a profile's values, a caller's overrides."""

import ast
import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.settings import read_settings


class Parameter(NamedTuple):
    """One line of a chapter's parameters cell: annotation, value and comment."""

    type_name: str
    default: object
    help: str


def chapter_names() -> list[str]:
    """Return the chapters in their order: the notebooks' names without suffix."""
    return sorted(path.stem for path in paths.NOTEBOOKS.glob("[0-9][0-9]_*.md"))


def profile_names() -> list[str]:
    """Return the names of the profiles."""
    return sorted(path.stem for path in paths.PROFILES.glob("*.yaml"))


def read_notebook(chapter: str):
    """Return a chapter as a notebook without outputs, from its text, which is the source.

    Raises
    ------
    InputError
        If there is no such chapter.
    """
    import jupytext

    _check(chapter, chapter_names(), f"There is no chapter {chapter!r}")
    return jupytext.read(paths.NOTEBOOKS / f"{chapter}.md")


def read_parameters(chapter: str) -> dict[str, Parameter]:
    """Return what a chapter declares, by name, in the order of its parameters cell."""
    import papermill

    declared = papermill.inspect_notebook(read_notebook(chapter))
    return {
        name: Parameter(
            found["inferred_type_name"], ast.literal_eval(found["default"]), found["help"].strip()
        )
        for name, found in declared.items()
    }


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
        Values that go before the profile's, typed or as text. Own models leave out the profile's
        minis, and its controls that are copies of other models.

    Raises
    ------
    InputError
        If a name or a type is wrong; for a name, the sentence lists the right ones.
    """
    declared = read_parameters(chapter)
    for name in overrides or {}:
        _check(name, declared, f"Chapter {chapter} has no parameter {name!r}")
        if name == "profile":
            raise InputError("The profile is chosen by --profile, not as a parameter.")
    values = {name: parameter.default for name, parameter in declared.items()}
    values |= {name: value for name, value in _read_profile(profile).items() if name in declared}
    given = _typed(overrides or {})
    if "models" in given:
        values |= _beside_own_models(given["models"], values)
    return _typed(values | given)


def _typed(values: Mapping[str, object]) -> dict[str, object]:
    """Return parameters in the types that `Settings` gives them, read from text where they are."""
    settings = read_settings(dict(values))
    return {name: getattr(settings, name) for name in values}


def _beside_own_models(models: list[str], values: Mapping[str, object]) -> dict[str, object]:
    """Return what a profile has beside a user's own models: no minis, no other models' controls."""
    copied = {name: name.partition(":")[2].partition("@")[0] for name in values.get("controls", ())}
    kept = [name for name, model in copied.items() if not model or model in models]
    return {name: own for name, own in {"minis": [], "controls": kept}.items() if name in values}


def _read_profile(profile: str) -> dict[str, object]:
    """Return a profile's values; each key must be declared by some chapter."""
    path = Path(profile).expanduser()
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        _check(profile, profile_names(), f"There is no profile {profile!r}")
        path = paths.PROFILES / f"{profile}.yaml"
    try:
        chosen = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        why = " ".join(str(error).split())
        raise InputError(f"Profile {profile} is no YAML: {why}.") from error
    if not isinstance(chosen, dict):
        raise InputError(f"Profile {profile} is no list of 'name: value' lines; see offline.yaml.")
    known = dict.fromkeys(name for chapter in chapter_names() for name in read_parameters(chapter))
    for name in chosen:
        _check(name, known, f"Profile {profile} sets {name!r}")
    return chosen


def _check(name: str, known: Collection[str], wrong: str) -> None:
    """Refuse an unknown name, in a sentence with the nearest and all there are."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"{wrong}{guess}; there are {', '.join(known)}.")
