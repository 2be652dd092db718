"""What is known of a model before it is loaded: role, width, longest protein; the table of all."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plm_geometry.models.names import ModelName, counterpart
from plm_geometry.models.registry import MODELS, ModelSpec

if TYPE_CHECKING:
    import pandas as pd

# What fits a terminal, and what it is called there; `entry` shows the rest.
_NARROW = ["key", "architecture", "layers", "width", "longest", "licence", "download"]


@dataclass(frozen=True)
class ModelCard:
    """A model, as far as its weights need not be read.

    Attributes
    ----------
    name, title : str
        What it is called on the command line, and in tables.
    role : str
        "model", "mini" or "control".
    counterpart : str
        Key of the paper's model that it is; empty if it is none.
    architecture : str
        As in the table; "file of embeddings" for one.
    width : int
        Dimensions of a global embedding.
    max_residues : int or None
        The longest protein it reads; None if nothing limits it.
    """

    name: str
    title: str
    role: str
    counterpart: str
    architecture: str
    width: int
    max_residues: int | None


def describe_model(
    name: str | Path, *, padded_length: int | Literal["power of two"] | None = None
) -> ModelCard:
    """Return what `load` would say of a model, without loading it.

    Keys are answered from the table; a directory or a Hugging Face id from its configuration and
    tokenizer, which are fetched if they are not here; a dump from the shapes in it.

    Parameters
    ----------
    name : str or Path
        Whatever `load` takes.
    padded_length : int or "power of two", optional
        See `ProteinBERTEmbedder`; the other architectures have no use for it.

    Raises
    ------
    InputError
        If there is no such model, or its configuration cannot be had or read.
    """
    parsed = ModelName(str(name))
    if spec := parsed.spec:
        architecture, width, longest = spec.architecture, spec.width, spec.max_residues
    else:
        from plm_geometry.models.loading import read_sizes

        architecture, width, longest = read_sizes(parsed)
    if architecture == "proteinbert" and padded_length is not None:
        from plm_geometry.models.proteinbert import longest_padded

        longest = longest_padded(longest, padded_length)
    called = parsed.text, parsed.title, parsed.role, counterpart(parsed.text)
    return ModelCard(*called, architecture, width, longest)


def table(*, wide: bool = False) -> "pd.DataFrame":
    """Return one row a model, all cells text; all there is to say of each if `wide`."""
    import pandas as pd

    rows = pd.DataFrame([entry(spec) for spec in MODELS.values()])
    if wide:
        return rows
    rows = rows.rename(columns={"longest protein": "longest"})[_NARROW]
    return rows.replace({"download": {"about ": "~"}}, regex=True)


def records() -> list[dict[str, Any]]:
    """Return the table with numbers as numbers, and None for what is unknown or unlimited."""
    return [asdict(spec) | {"estimated_bytes": spec.estimated_bytes} for spec in MODELS.values()]


def entry(model: ModelSpec | ModelCard) -> dict[str, str]:
    """Return all that is known of one model before it is loaded, for a person."""
    longest = "any" if model.max_residues is None else f"{model.max_residues:,}"
    if isinstance(model, ModelCard):
        shown = asdict(model) | {"counterpart": model.counterpart or "-", "width": str(model.width)}
        del shown["max_residues"]
        return shown | {"longest protein": longest}
    is_pinned = model.revision != "main"
    return {
        "key": model.key,
        "title": model.title,
        "architecture": model.architecture,
        "layers": str(model.layers),
        "width": str(model.width),
        "longest protein": longest,
        "preprocessing": model.preprocessing,
        "licence": model.licence,
        "download": _download(model),
        "parameters": f"{model.parameters:,}" if model.parameters else "-",
        "source": model.source,
        "revision": (model.revision or "-") if is_pinned else "main (no commit is known)",
        "citation": model.citation,
    }


def _download(spec: ModelSpec) -> str:
    size = spec.estimated_bytes
    if not size:
        return "-"
    text = f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
    return text if spec.download_bytes else f"about {text}"
