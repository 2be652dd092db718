"""Models: one registry, and one contract (`Embedder`) for everything that embeds proteins."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from plm_geometry.models.cards import ModelCard, describe_model, said_by_file
from plm_geometry.models.names import counterpart
from plm_geometry.models.registry import MODELS
from plm_geometry.models.spec import ModelSpec

if TYPE_CHECKING:
    from plm_geometry.models.base import Embedder, Output, ProteinError
    from plm_geometry.models.checking import CheckResult, check
    from plm_geometry.models.loading import load

__all__ = [
    "MODELS",
    "CheckResult",
    "Embedder",
    "ModelCard",
    "ModelSpec",
    "Output",
    "ProteinError",
    "check",
    "counterpart",
    "describe_model",
    "load",
    "said_by_file",
]


_HOMES = {"check": "checking", "CheckResult": "checking", "load": "loading"}


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch when it is first asked for: the command's help must not wait."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES.get(name, 'base')}")
    return getattr(home, name)
