"""The figure of global isotropy: dimensions and mean cosines, with intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from plm_geometry.figures import style
from plm_geometry.figures.words import FORMATS, LABELS


@style.styled
def global_isotropy(frame: pd.DataFrame) -> Figure:
    """Draw effective dimensions and mean cosine similarity of each model, with intervals.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside(Study.isotropy.table())``.

    Returns
    -------
    Figure
        Left: effective dimensions (logarithmic), corrected ones as a tick on their interval, the
        paper's as open diamonds. Right: mean cosine similarity, which the paper does not print.
    """
    rows = style.labelled(frame).assign(mean_cosine_similarity_corrected=np.nan)
    figure = Figure(figsize=(8, 0.5 * len(rows) + 1.8))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    interval = {"below": 0.25, "marker": "|", "label": "corrected, with its 95% interval"}
    for axes, name in ((left, "effective_dimensions"), (right, "mean_cosine_similarity")):
        style.forest(axes, rows, name, None, label="this run")
        # An interval is often narrower than the dot it belongs to: it stands under it.
        style.forest(axes, rows, f"{name}_corrected", (f"{name}_low", f"{name}_high"), **interval)
        for place, value in rows[name].dropna().items():
            style.say(axes, f"{value:{FORMATS[name]}}", (value, place), (0, 8), ha="center")
        axes.set_xlabel(LABELS[name])
        axes.margins(x=0.15)
    paper = {"label": "published (the paper's own model)", **style.PRINTED}
    style.forest(left, rows, "published_effective_dimensions", None, **paper)
    left.set_xscale("log")
    return style.key(figure)
