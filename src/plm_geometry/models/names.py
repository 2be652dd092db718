"""What a model is called: a key, a place or an untrained copy, and what follows from the name."""

import difflib
import os
import re
from pathlib import Path
from typing import NamedTuple

from plm_geometry.base.errors import InputError
from plm_geometry.models.registry import MODELS, OF_PAPER, ModelSpec

# What makes a control of a model, and what its random choices begin with.
_CONTROL = re.compile(r"(untrained|shuffled):(.*?)(?:@(\d+))?")


class ModelName:
    """A model's name, taken apart without opening what it names.

    Parameters
    ----------
    text : str
        A model, or "untrained:MODEL" or "shuffled:MODEL", either with "@SEED" behind.

    Attributes
    ----------
    control : str
        What makes it a control: "untrained" (random weights), "shuffled" or nothing.
    prefix : str
        How such a name begins: "untrained:", "shuffled:" or nothing.
    place : str
        The key, path or Hugging Face id.
    seed : int
        Of the random weights or of the shuffling.
    spec : ModelSpec or None
        The table's entry: of the key, or of the mini whose directory it is.
    is_embedding_file : bool
        Whether it is a file of embeddings, to go by its name.
    title : str
        What tables call it.
    role : str
        "model", "mini" or "control".

    Raises
    ------
    InputError
        If an untrained copy is asked for of what has no weights, or residues are to be shuffled
        in a file.
    """

    def __init__(self, text: str) -> None:
        found = _CONTROL.fullmatch(text)
        self.control, place, seed = found.groups(default="") if found else ("", text, "")
        self.text, self.place, self.seed = text, os.path.expanduser(place), int(seed or 0)
        self.prefix = f"{self.control}:" if self.control else ""
        path = Path(self.place)
        self.spec = MODELS.get(self.place) or _mini_at(path)
        has_no_weights = self.spec is not None and self.spec.architecture == "control"
        # A dump of ProteinBERT may have lost its suffix on the way.
        is_file = path.is_file() and path.suffix not in ("", ".pkl")
        self.is_embedding_file = is_file and not self.control
        if self.control == "untrained" and has_no_weights:
            raise InputError(f"{self.place} has no weights, so there is no untrained copy of it.")
        if self.control == "shuffled" and is_file:
            raise InputError(f"{self.place} holds embeddings, which no shuffled residues have.")
        own = path.resolve().name if path.exists() else self.place
        seed = f", seed {self.seed}" if self.seed else ""
        self.title = f"{self.control} {self.spec.title if self.spec else own}{seed}".lstrip()
        is_mini = self.spec is not None and self.spec.is_mini
        is_control = bool(self.control) or has_no_weights
        self.role = "control" if is_control else "mini" if is_mini else "model"


def _mini_at(path: Path) -> ModelSpec | None:
    """Return the mini whose checkpoint lies at `path`: named so, it is one all the same."""
    minis = (spec for spec in MODELS.values() if spec.is_mini)
    return next((mini for mini in minis if mini.directory.resolve() == path.resolve()), None)


def counterpart(name: str) -> str:
    """Return `name` if it is the key of one of the paper's models, else nothing."""
    return name if name in OF_PAPER else ""


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
    return SaidModel(ModelName(prefix + key).role, counterpart(prefix + key))


def unknown_model(name: str) -> InputError:
    """Return the error for a name that leads nowhere, with the keys nearest to it."""
    near = difflib.get_close_matches(name.lower(), MODELS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `plm-geometry models`."
    return InputError(f"There is no model {name!r}, and no file or directory of that name; {hint}")
