"""The table of models as a person, or a machine, reads it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from plm_geometry.base.errors import InputError
from plm_geometry.models.cards import describe_model
from plm_geometry.models.configs import Sizes, sizes_of
from plm_geometry.models.registry import MODELS
from plm_geometry.models.spec import ModelSpec

if TYPE_CHECKING:
    import pandas as pd

# What fits a terminal; `entry` shows the rest.
_NARROW = ["key", "architecture", "layers", "width", "longest", "licence", "download"]

_NOT_PINNED = "main (no commit is known)"


def table(*, wide: bool = False) -> "pd.DataFrame":
    """Return one row a model, all cells text; all there is to say of each if `wide`."""
    import pandas as pd

    rows = pd.DataFrame([_printed(spec) for spec in MODELS.values()])
    if wide:
        return rows
    rows = rows.rename(columns={"longest protein": "longest"})[_NARROW]
    return rows.replace({"download": {"about ": "~"}}, regex=True)


def entry(name: str) -> dict[str, str]:
    """Return all that is known of one model before it is loaded, for a person.

    Parameters
    ----------
    name : str
        Whatever `load` takes.

    Raises
    ------
    InputError
        As `describe_model`.
    """
    if name in MODELS:
        return _printed(MODELS[name])
    card = describe_model(name)
    return {
        "name": card.name,
        "title": card.title,
        "role": card.role,
        "counterpart": card.counterpart or "-",
        "architecture": card.architecture,
        "width": str(card.width),
        "longest protein": _number(card.max_residues, none="any"),
    }


def records() -> list[dict[str, Any]]:
    """Return the table with numbers as numbers, and None for what is unknown or unlimited."""
    return [
        asdict(spec) | _sizes(spec)._asdict() | {"estimated_bytes": spec.estimated_bytes}
        for spec in MODELS.values()
    ]


def _printed(spec: ModelSpec) -> dict[str, str]:
    sizes = _sizes(spec)
    is_known = sizes.width is not None
    return {
        "key": spec.key,
        "title": spec.title,
        "architecture": spec.architecture,
        "layers": str(sizes.layers) if is_known else "-",
        "width": str(sizes.width) if is_known else "-",
        "longest protein": _number(sizes.max_residues, none="any" if is_known else "-"),
        "preprocessing": spec.preprocessing,
        "licence": spec.licence,
        "download": _download(spec),
        "parameters": _number(spec.parameters, none="-"),
        "source": spec.source,
        "revision": _NOT_PINNED if spec.revision == "main" else spec.revision or "-",
        "citation": spec.citation,
    }


def _sizes(spec: ModelSpec) -> Sizes:
    """Return a model's sizes; those of a mini that is yet to be made are unknown."""
    try:
        return sizes_of(spec)
    except InputError:
        return Sizes(None, None, None)


def _number(value: int | None, *, none: str) -> str:
    return none if value is None else f"{value:,}"


def _download(spec: ModelSpec) -> str:
    size = spec.estimated_bytes
    if not size:
        return "-"
    text = f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
    return text if spec.download_bytes else f"about {text}"
