"""Models: one registry, and one contract (`Embedder`) for everything that embeds proteins."""

from importlib import import_module
from typing import Any

from plm_geometry.models.describe import ModelCard, describe_model
from plm_geometry.models.names import ModelName, counterpart, said_by_file
from plm_geometry.models.registry import MODELS

_LAZY = dict.fromkeys(("Embedder", "Output", "ProteinError"), "base")
_LAZY |= {"check": "checking", "load": "loading"}
__all__ = ["MODELS", "ModelCard", "ModelName", "counterpart", "describe_model", "said_by_file"]
__all__ += _LAZY


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch when it is first asked for: the command's help must not wait."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
