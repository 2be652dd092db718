"""What a model is called: a key, a place or an untrained copy, and what follows from the name."""

import difflib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from plm_geometry.errors import InputError
from plm_geometry.models.configs import directory_of
from plm_geometry.models.registry import MODELS
from plm_geometry.models.spec import ModelSpec
from plm_geometry.vector_formats import SUFFIXES

UNTRAINED = "untrained:"


@dataclass(frozen=True)
class ModelName:
    """A model's name, taken apart without opening what it names.

    Attributes
    ----------
    text : str
        As given, ``untrained:`` and all.

    Raises
    ------
    InputError
        If an untrained copy is asked for of what has no weights.
    """

    text: str

    def __post_init__(self) -> None:
        if self.is_untrained and self.is_control_key:
            raise InputError(f"{self.place} has no weights, so there is no untrained copy of it.")

    @property
    def is_untrained(self) -> bool:
        """Whether random weights are asked for."""
        return self.text.startswith(UNTRAINED)

    @property
    def place(self) -> str:
        """The key, path or Hugging Face id."""
        return os.path.expanduser(self.text.removeprefix(UNTRAINED))

    @cached_property
    def spec(self) -> ModelSpec | None:
        """The table's entry: of the key, or of the stand-in whose directory it is."""
        return MODELS.get(self.place) or stand_in_at(Path(self.place))

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
        return f"{title}, untrained" if self.is_untrained else title

    @property
    def role(self) -> str:
        """One of "model", "stand-in" and "control"."""
        if self.is_untrained or self.is_control_key:
            return "control"
        return "stand-in" if self.spec and self.spec.is_stand_in else "model"

    @property
    def is_embedding_file(self) -> bool:
        """Whether it is a file of embeddings, to go by its name."""
        is_named_so = self.place.endswith(SUFFIXES) and not self.is_untrained
        return is_named_so and Path(self.place).is_file()


def counterpart(name: str) -> str:
    """Return the key of the paper's model that `name` stands in for; itself if it is that model.

    Empty for models that the paper does not have, for untrained copies, and for checkpoints of
    one's own.
    """
    spec = ModelName(name).spec
    if spec is None or name.startswith(UNTRAINED):
        return ""
    stood_in_for = {other.counterpart for other in MODELS.values() if other.is_stand_in}
    return spec.counterpart or (name if name in stood_in_for else "")


def stand_in_at(path: Path) -> ModelSpec | None:
    """Return the stand-in whose checkpoint lies at `path`: named so, it is one all the same."""
    stand_ins = (spec for spec in MODELS.values() if spec.is_stand_in)
    at = path.resolve()
    return next((spec for spec in stand_ins if directory_of(spec).resolve() == at), None)


def unknown_model(name: str) -> InputError:
    """Return the error for a name that leads nowhere, with the keys nearest to it."""
    near = difflib.get_close_matches(name.lower(), MODELS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `plm-geometry models`."
    return InputError(f"There is no model {name!r}, and no file or directory of that name; {hint}")
