"""How figures look and what they call things: colours, settings, labels, numbers."""

import math
import textwrap
from collections.abc import Callable
from functools import wraps

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

# Okabe and Ito's palette, in the order of the paper's models; controls are grey.
PALETTE = ("#0072B2", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
GREY = "#6B6B6B"
INK = "#1F1F1F"

# A solid, slightly warm ground: pages show figures unchanged whether they are light or dark.
STYLE = {
    "figure.facecolor": "#FCFBF8",
    "savefig.facecolor": "#FCFBF8",
    "axes.facecolor": "#FCFBF8",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": "#DDDAD2",
    "legend.frameon": False,
    # Fixed salt and outlined text: the same figure is the same file, and looks alike everywhere.
    "svg.hashsalt": "plm-geometry",
    "svg.fonttype": "path",
}

LABELS = {
    "cosine_similarity": "cosine similarity",
    "squared_euclidean": "squared Euclidean distance",
    "euclidean": "Euclidean distance",
    "alignment_score": "alignment score",
    "sequence_identity": "sequence identity",
    "isoscore": "IsoScore",
    "effective_dimensions": "effective dimensions",
    "mean_cosine_similarity": "mean cosine similarity",
}

FORMATS = {"isoscore": ".3f", "effective_dimensions": ".1f", "mean_cosine_similarity": ".3f"}


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make `draw` use the report's style, whatever the session's settings are."""

    @wraps(draw)
    def drawn(*args, **kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def label(title: str, role: str) -> str:
    """Return a model's title, marked where its numbers must not be taken for the paper's."""
    return title if role == "model" or role in title else f"{title} ({role})"


def labels(frame: pd.DataFrame) -> pd.Series:
    """Return the `label` of each row."""
    return pd.Series(map(label, frame["title"], frame["role"]), index=frame.index)


def folded(title: str, width: int = 24) -> str:
    """Break a panel's title into lines, so that neighbours do not run together."""
    return textwrap.fill(title, width, break_long_words=False)


def rounded(value: float, decimals: int) -> str:
    """Return a number with a typographic minus and so many decimals.

    What would round to 1 or -1 without being it (but for the error of arithmetic) gets one
    decimal more: a correlation of -0.9998 is not perfect.
    """
    text = f"{value:.{decimals}f}"
    if abs(float(text)) == 1 and not math.isclose(abs(value), 1, rel_tol=1e-12):
        text = f"{value:.{decimals + 1}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def colours(frame: pd.DataFrame) -> list[str]:
    """Return a colour for each row: one a model, in the order of the rows, and grey controls."""
    models = [row for row in frame.index if frame.role[row] != "control"]
    return [PALETTE[models.index(row) % len(PALETTE)] if row in models else GREY
            for row in frame.index]  # fmt: skip
