"""What a model is called: a key, a place or an untrained copy, and what follows from the name."""

import difflib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plm_geometry.base.errors import InputError
from plm_geometry.models.configs import directory_of
from plm_geometry.models.registry import MODELS, OF_PAPER
from plm_geometry.models.spec import ModelSpec

# What makes a control of a model, and what its random choices begin with.
_CONTROL = re.compile(r"(untrained|shuffled):(.*?)(?:@(\d+))?")


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
        if self.is_untrained and self.is_control_key:
            raise InputError(f"{self.place} has no weights, so there is no untrained copy of it.")
        if self.is_shuffled and self._is_file:
            raise InputError(f"{self.place} holds embeddings, which no shuffled residues have.")

    @cached_property
    def _parts(self) -> tuple[str, str, str]:
        found = _CONTROL.fullmatch(self.text)
        return found.groups(default="") if found else ("", self.text, "")

    @property
    def is_untrained(self) -> bool:
        """Whether random weights are asked for."""
        return self._parts[0] == "untrained"

    @property
    def is_shuffled(self) -> bool:
        """Whether each protein's residues are to be shuffled."""
        return self._parts[0] == "shuffled"

    @property
    def prefix(self) -> str:
        """What stands before the model: "untrained:", "shuffled:" or nothing."""
        return f"{self._parts[0]}:" if self._parts[0] else ""

    @property
    def seed(self) -> int:
        """Of the random weights or of the shuffling."""
        return int(self._parts[2] or 0)

    @property
    def place(self) -> str:
        """The key, path or Hugging Face id."""
        return os.path.expanduser(self._parts[1])

    @cached_property
    def spec(self) -> ModelSpec | None:
        """The table's entry: of the key, or of the mini whose directory it is."""
        return MODELS.get(self.place) or mini_at(Path(self.place))

    @property
    def is_control_key(self) -> bool:
        """Whether it is a control without weights."""
        return self.spec is not None and self.spec.architecture == "control"

    @property
    def title(self) -> str:
        """What tables call it."""
        path = Path(self.place)
        own = path.resolve().name if path.exists() else self.place
        title = self.spec.title if self.spec else own
        what = {"untrained": ", untrained", "shuffled": ", shuffled residues"}
        seed = f", seed {self.seed}" if self.seed else ""
        return title + what.get(self._parts[0], "") + seed

    @property
    def role(self) -> str:
        """One of "model", "mini" and "control"."""
        if self.prefix or self.is_control_key:
            return "control"
        return "mini" if self.spec and self.spec.is_mini else "model"

    @property
    def is_embedding_file(self) -> bool:
        """Whether it is a file of embeddings, to go by its name."""
        return not self.prefix and self._is_file

    @property
    def _is_file(self) -> bool:
        # A dump of ProteinBERT may have lost its suffix on the way.
        path = Path(self.place)
        return path.is_file() and path.suffix not in ("", ".pkl")


def counterpart(name: str) -> str:
    """Return `name` if it is the key of one of the paper's models, else nothing."""
    return name if name in OF_PAPER else ""


def mini_at(path: Path) -> ModelSpec | None:
    """Return the mini whose checkpoint lies at `path`: named so, it is one all the same."""
    minis = (spec for spec in MODELS.values() if spec.is_mini)
    at = path.resolve()
    return next((spec for spec in minis if directory_of(spec).resolve() == at), None)


def unknown_model(name: str) -> InputError:
    """Return the error for a name that leads nowhere, with the keys nearest to it."""
    near = difflib.get_close_matches(name.lower(), MODELS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `plm-geometry models`."
    return InputError(f"There is no model {name!r}, and no file or directory of that name; {hint}")
