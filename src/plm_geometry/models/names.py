"""What a model is called: a key, a place or an untrained copy, and what follows from the name."""

import difflib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from plm_geometry.base.errors import InputError
from plm_geometry.models.registry import MODELS, OF_PAPER, ModelSpec

# What makes a control of a model, and what its random choices begin with.
_CONTROL = re.compile(r"(untrained|shuffled):(.*?)(?:@(\d+))?")
_SAID_OF = {"untrained": ", untrained", "shuffled": ", shuffled residues", "": ""}


@dataclass(frozen=True)
class ModelName:
    """A model's name, taken apart without opening what it names.

    Attributes
    ----------
    text : str
        As given: a model, or "untrained:MODEL" or "shuffled:MODEL", either with "@SEED" behind.

    Raises
    ------
    InputError
        If an untrained copy is asked for of what has no weights, or residues are to be shuffled
        in a file.
    """

    text: str

    def __post_init__(self) -> None:
        if self.control == "untrained" and self._is_control_key:
            raise InputError(f"{self.place} has no weights, so there is no untrained copy of it.")
        if self.control == "shuffled" and self._is_file:
            raise InputError(f"{self.place} holds embeddings, which no shuffled residues have.")

    @cached_property
    def _parts(self) -> tuple[str, str, str]:
        found = _CONTROL.fullmatch(self.text)
        return found.groups(default="") if found else ("", self.text, "")

    @property
    def control(self) -> str:
        """What makes it a control: "untrained" (random weights), "shuffled" or nothing."""
        return self._parts[0]

    @property
    def prefix(self) -> str:
        """What stands before the model: "untrained:", "shuffled:" or nothing."""
        return f"{self.control}:" if self.control else ""

    @property
    def place(self) -> str:
        """The key, path or Hugging Face id."""
        return os.path.expanduser(self._parts[1])

    @property
    def seed(self) -> int:
        """Of the random weights or of the shuffling."""
        return int(self._parts[2] or 0)

    @cached_property
    def spec(self) -> ModelSpec | None:
        """The table's entry: of the key, or of the mini whose directory it is."""
        at = Path(self.place).resolve()
        minis = (spec for spec in MODELS.values() if spec.is_mini)
        return MODELS.get(self.place) or next(
            (spec for spec in minis if spec.directory.resolve() == at), None
        )

    @property
    def title(self) -> str:
        """What tables call it."""
        path = Path(self.place)
        own = path.resolve().name if path.exists() else self.place
        seed = f", seed {self.seed}" if self.seed else ""
        return (self.spec.title if self.spec else own) + _SAID_OF[self.control] + seed

    @property
    def role(self) -> str:
        """One of "model", "mini" and "control"."""
        if self.control or self._is_control_key:
            return "control"
        return "mini" if self.spec and self.spec.is_mini else "model"

    @property
    def is_embedding_file(self) -> bool:
        """Whether it is a file of embeddings, to go by its name."""
        return not self.control and self._is_file

    @property
    def _is_control_key(self) -> bool:
        return self.spec is not None and self.spec.architecture == "control"

    @property
    def _is_file(self) -> bool:
        # A dump of ProteinBERT may have lost its suffix on the way.
        path = Path(self.place)
        return path.is_file() and path.suffix not in ("", ".pkl")


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
