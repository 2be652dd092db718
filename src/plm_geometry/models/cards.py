"""What a study must know of a model before it loads one: title, role, width, longest protein."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from plm_geometry.models.configs import longest_padded, sizes_of
from plm_geometry.models.names import ModelName, counterpart
from plm_geometry.models.registry import MODELS


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

    Keys are answered from the table and from the minis' configurations; a directory or a
    Hugging Face id from its configuration and tokenizer, which are fetched if they are not here;
    a dump or a file of embeddings from the shapes in it.

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
    architecture, width, longest = _sizes(parsed)
    if architecture == "proteinbert":
        longest = longest_padded(longest, padded_length)
    return ModelCard(
        name=parsed.text,
        title=parsed.title,
        role=parsed.role,
        counterpart=counterpart(parsed.text),
        architecture=architecture,
        width=width,
        max_residues=longest,
    )


class SaidModel(NamedTuple):
    """What a file of embeddings says it is of: role and counterpart as in `ModelCard`."""

    role: str
    counterpart: str


def said_by_file(title: str) -> SaidModel:
    """Return what is known of the model that a file of embeddings names.

    Parameters
    ----------
    title : str
        The file's ``model_name``: a key, or where the model is published, such as
        "Rostlab/prot_bert"; ``untrained:`` before it makes it a control.

    Returns
    -------
    SaidModel
        Of a name that the table does not know, a model without a counterpart.
    """
    prefix = ModelName(title).prefix
    source = title.removeprefix(prefix)
    key = next((key for key, spec in MODELS.items() if spec.source == source), source)
    name = ModelName(prefix + key)
    return SaidModel(name.role, counterpart(name.text))


def _sizes(name: ModelName) -> tuple[str, int, int | None]:
    """Return architecture, width and longest protein."""
    if name.spec is not None:
        _, width, longest = sizes_of(name.spec)
        return name.spec.architecture, width, longest
    from plm_geometry.models.loading import read_sizes

    return read_sizes(name)
