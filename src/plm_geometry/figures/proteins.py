"""The figure of a run's proteins: how long they are, and what they are made of."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from plm_geometry.figures.local import name_classes, residue_order
from plm_geometry.figures.style import GREY, INK, PALETTE, mark_decades, styled

_BINS = 30


@styled
def proteins(lengths: pd.DataFrame, composition: pd.DataFrame) -> Figure:
    """Draw the lengths and the amino-acid composition of a set of proteins.

    Parameters
    ----------
    lengths : DataFrame
        ``Study.protein_lengths()``: one row a protein, with ``length`` in residues.
    composition : DataFrame
        ``Study.composition()``: ``residue``, ``share``, and its share in ``swissprot``.

    Returns
    -------
    Figure
        Left: a histogram of lengths (logarithmic), the middle half shaded. Right: the share of
        each amino acid, by the chemistry of side chains, with Swiss-Prot's as a tick. Each
        title says what its panel shows.
    """
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    _histogram(left, lengths["length"])
    _shares(right, composition.set_index("residue"))
    figure.legend(loc="outside upper right", ncols=2, fontsize=8)
    return figure


def _histogram(axes: Axes, lengths: pd.Series) -> None:
    """Draw lengths on a logarithmic axis, with the quartiles and the median."""
    low, median, high = lengths.quantile([0.25, 0.5, 0.75])
    # Wider than the lengths, so that proteins of one length have a bin of some width, too.
    edges = np.geomspace(lengths.min() / 1.05, lengths.max() * 1.05, _BINS + 1)
    axes.axvspan(low, high, color=GREY, alpha=0.2, lw=0)
    axes.hist(lengths, bins=edges, color=PALETTE[0])
    axes.axvline(median, color=INK, ls="--", lw=1)
    axes.set_xscale("log")
    mark_decades(axes.xaxis)
    axes.set(xlabel="residues in a protein", ylabel="proteins")
    axes.set_title(f"Half have {low:,.0f} to {high:,.0f}, median {median:,.0f}", pad=14)


def _shares(axes: Axes, composition: pd.DataFrame) -> None:
    """Draw each amino acid's share as a bar, and Swiss-Prot's as a tick."""
    shown = composition.loc[residue_order(composition.index)]
    places = np.arange(len(shown))
    axes.bar(places, shown["share"], color=PALETTE[0], label="these proteins")
    axes.scatter(places, shown["swissprot"], marker="_", s=130, lw=2, color=PALETTE[2], zorder=3,
                 label="Swiss-Prot")  # fmt: skip
    axes.set_xticks(places, shown.index, fontsize=8)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(ylabel="share of the residues")
    axes.margins(x=0.02)
    furthest = (shown["share"] - shown["swissprot"]).abs().max()
    axes.set_title(f"At most {100 * furthest:.1f} percentage points from Swiss-Prot", pad=14)
    name_classes(axes, list(shown.index))
