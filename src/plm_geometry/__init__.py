"""Isotropy and geometry of pretrained protein language models."""

from importlib import import_module

__all__ = ["Moments", "effective_dimensions", "isoscore", "mean_cosine_similarity", "remedies"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import what is asked for by then: the command starts without NumPy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "remedies":
        return import_module(f"{__name__}.isotropy.remedies")
    home = "isotropy.moments" if name == "Moments" else "isotropy.measures"
    return getattr(import_module(f"{__name__}.{home}"), name)
