"""Small frames in the shape that `Study` returns, for the tests of figures."""

import itertools

import matplotlib
import numpy as np
import pandas as pd

from plm_geometry import published

MODELS = pd.DataFrame(
    {
        "model": ["demo_prot_bert", "esm2_8m", "composition"],
        "title": ["ProtBERT (stand-in)", "ESM-2 8M", "Composition"],
        "role": ["stand-in", "model", "control"],
        "counterpart": ["prot_bert", "", ""],
    }
)
LABELS = ["ProtBERT (stand-in)", "ESM-2 8M", "Composition (control)"]


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
    return published.beside(frame, same_proteins=False)


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


def for_each(*names, **columns):
    """Return one row a model of `MODELS` and a combination of values, in named columns."""
    combinations = list(itertools.product(*columns.values()))
    grid = pd.DataFrame(combinations, columns=list(columns))
    return MODELS[MODELS.title.isin(names or MODELS.title)].merge(grid, how="cross")


def texts(figure):
    """Return every text of a figure."""
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def titles(figure):
    """Return the panels' titles, on one line each."""
    return [axes.get_title().replace("\n", " ") for axes in figure.axes]
