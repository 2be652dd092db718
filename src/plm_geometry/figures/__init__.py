"""One function per figure: data frame in, matplotlib figure out, in one colour-blind-safe style.

Each name is imported when first asked for: words and numbers require no plotting library.
"""

from importlib import import_module

_CONTENTS = {
    "words": "LABELS between extent judged labels rounded spans with_spans",
    "style": "STYLE nothing_to_draw",
    "isotropy": "global_isotropy",
    "spectra": "constructed_clouds spectrum",
    "residues": "local_spread local_variance residue_order",
    "pairs": "density discrimination pair_explorer pair_scatter sampled_pairs",
    "correlation": "correlation_intervals correlation_matrices score_against_settings signs square",
    "pooling": "pooling_ladder readout_forest readout_name widths",
    "retrieval": "more_dimensions retrieval_by_components",
    "variants": "drift shuffling_dose",
    "published": "natural_language under_choices",
}
_MODULES = {name: module for module, names in _CONTENTS.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return list(_MODULES)
