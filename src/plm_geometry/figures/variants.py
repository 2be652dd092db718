"""Figures of changed sequences: how far vectors move, by dose and by identity."""

import pandas as pd
from matplotlib.figure import Figure

from plm_geometry.figures import style

_MOVED = "squared distance moved,\nrandom pairs at the median = 1"
# Where the shuffle that keeps dipeptides stands, right of 100 %.
_BESIDE = 118
_MARKS = "os^vDPX"
_WAYS = {
    "pam": ("substituted as PAM has it", "-", "o"),
    "uniform": ("any residue for any other", "--", "s"),
}


@style.styled
def shuffling_dose(dose: pd.DataFrame) -> Figure:
    """Draw how far vectors move against the share of the residues that is permuted.

    Parameters
    ----------
    dose : DataFrame
        ``Study.variants.dose()``.

    Returns
    -------
    Figure
        One line a model or control, with intervals; on the right, all residues shuffled with
        dipeptides kept.
    """
    if dose.empty:
        return style.nothing_to_draw("no model here reads changed sequences")
    rows = style.labelled(dose)
    axes = Figure(figsize=(5.8, 4.4)).subplots()
    for place, (name, look) in enumerate(style.looks(rows).items()):
        own = rows[rows["label"] == name]
        permuted, kept = (own[own["change"] == change] for change in ("permuted", "dipeptides"))
        look = look | {"marker": _MARKS[place % len(_MARKS)]}
        style.line(axes, 100 * permuted["level"], permuted, "distance", name, look)
        beside = kept["level"] * (_BESIDE + 2 * place)
        style.line(axes, beside, kept, "distance", None, look | {"ls": ""})
    axes.axvline(109, **style.DASHED)
    ticks = [0, 10, 25, 50, 100, _BESIDE + 4]
    axes.set_xticks(ticks, [*map(str, ticks[:-1]), "all, dipep-\ntides kept"])
    axes.set(xlabel="residues permuted (%)", ylabel=_MOVED)
    axes.grid(axis="y")
    return style.key(axes.figure, ncols=2)


@style.styled
def drift(table: pd.DataFrame, relatives: pd.DataFrame) -> Figure:
    """Draw how far vectors move as residues are substituted, beside relatives of that identity.

    Parameters
    ----------
    table, relatives : DataFrame
        ``Study.variants.drift()`` and ``.relatives()``, which may be empty.

    Returns
    -------
    Figure
        One panel a model or control: lines of mutants with intervals, dots of pairs of relatives.
    """
    if table.empty:
        return style.nothing_to_draw("no model here reads changed sequences")
    look = {"size": (2.9, 2.3), "across": 2, "sharex": True, "sharey": True}
    figure, parts = style.model_panels(style.labelled(table), "identity", _MOVED, **look)
    pairs = style.labelled(relatives) if len(relatives) else pd.DataFrame({"label": []})
    for axes, rows, colour in parts:
        for way, (said, dashes, marker) in _WAYS.items():
            own = rows[rows["change"] == way]
            look = {"color": colour, "ls": dashes, "marker": marker, "lw": 1.6}
            style.line(axes, own["level"], own, "distance", said, look)
        dots = pairs[pairs["label"] == rows["label"].iloc[0]]
        if len(dots):
            look = {"marker": "D", "s": 18, "fc": style.GROUND, "ec": style.INK, "zorder": 4}
            axes.scatter(dots["identity"], dots["natural"], label="relatives", **look)
        axes.grid(visible=True)
    parts[0][0].set(xlim=(1.03, 0.15), ylim=(0, None), xticks=[1, 0.8, 0.6, 0.4, 0.2])
    return style.key(figure, ncols=2)
