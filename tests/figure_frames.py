"""Small frames in the shape that `Study` returns, for the tests of figures."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.collections import PathCollection

from plm_geometry.paper import published

MODELS = pd.DataFrame(
    {
        "model": ["prot_bert", "esm2_8m", "composition"],
        "title": ["ProtBERT", "ESM-2 8M", "Composition"],
        "role": ["model", "model", "control"],
        "counterpart": ["prot_bert", "", ""],
    }
)
LABELS = ["ProtBERT", "ESM-2 8M", "Composition (control)"]


def global_isotropy():
    """Return three models with intervals, the second of them without any."""
    frame = MODELS.assign(
        d=[96, 320, 20],
        isoscore=[0.1, 0.2, 0.3],
        effective_dimensions=[7.3, 64.8, 6.7],
        effective_dimensions_corrected=[7.4, np.nan, 6.8],
        effective_dimensions_low=[7.0, np.nan, 6.5],
        effective_dimensions_high=[7.9, np.nan, 7.2],
        mean_cosine_similarity=[0.91, 0.72, -0.1],
        mean_cosine_similarity_low=[0.90, np.nan, -0.12],
        mean_cosine_similarity_high=[0.92, np.nan, -0.08],
    )
    return published.beside(frame)


def local_isotropy():
    """Return 21 letters by model and all together; of the control only the latter has spread."""
    letters = pd.DataFrame({"residue": [*"ACDEFGHIKLMNPQRSTVWYX", "all"]})
    frame = MODELS.merge(letters, how="cross").assign(d=96, isoscore=0.2)
    value = np.random.default_rng(5).uniform(2, 20, len(frame))
    alike = (frame.role == "control") & (frame.residue != "all")
    value[alike] = np.nan
    return frame.assign(
        effective_dimensions=value,
        effective_dimensions_low=0.9 * value,
        effective_dimensions_high=1.1 * value,
    )


def correlations():
    """Return two entries of each model's matrix, with both kinds of interval."""
    entries = {"a": ["cosine_similarity"], "b": ["alignment_score", "sequence_identity"]}
    frame = for_each(**entries)
    estimate = np.linspace(-0.2, 0.4, len(frame))
    return frame.assign(
        estimate=estimate,
        low=estimate - 0.1,
        high=estimate + 0.1,
        pairwise_low=estimate - 0.02,
        pairwise_high=estimate + 0.02,
    )


def settings_grid():
    """Return the correlation of score and identity under twelve settings."""
    combinations = itertools.product(
        ["global", "local"], [11, 0], ["alignment_length", "aligned_columns", "shorter", "longer"]
    )
    frame = pd.DataFrame(combinations, columns=["mode", "gap_open", "denominator"])
    estimate = np.linspace(-0.8, 0.9, len(frame))
    return frame.assign(
        gap_extend=np.where(frame.gap_open == 11, 1, 0),
        estimate=estimate,
        low=estimate - 0.05,
        high=estimate + 0.05,
    )


def discrimination():
    """Return three bins of identity by model and distance, the first of them without pairs."""
    bins = {"bin_low": [0.0, 0.2, 0.35]}
    frame = for_each(distance=["cosine_similarity", "squared_euclidean"], **bins)
    value = np.where(frame.bin_low > 0, np.linspace(0.5, 0.95, len(frame)), np.nan)
    columns = {
        f"{measure}{end}": value + shift
        for measure in ("auc", "average_precision")
        for end, shift in (("", 0), ("_low", -0.05), ("_high", 0.05))
    }
    return frame.assign(bin_high=frame.bin_low + 0.15, **columns)


def for_each(*names, **columns):
    """Return one row per model of `MODELS` and a combination of values, in named columns."""
    combinations = list(itertools.product(*columns.values()))
    grid = pd.DataFrame(combinations, columns=list(columns))
    return MODELS[MODELS.title.isin(names or MODELS.title)].merge(grid, how="cross")


def texts(figure):
    """Return every text of a figure."""
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def titles(figure):
    """Return the panels' titles, on one line each."""
    return [axes.get_title().replace("\n", " ") for axes in figure.axes]


def dots(axes):
    """Return the values of each kind of dot in a panel, in the order in which they were drawn."""
    kinds = [marks for marks in axes.collections if isinstance(marks, PathCollection)]
    return [np.ma.filled(marks.get_offsets()[:, 0].astype(float), np.nan) for marks in kinds]
