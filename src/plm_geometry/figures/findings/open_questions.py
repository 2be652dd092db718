"""What figures and tables on the paper's open questions show, in a sentence or two each."""

import pandas as pd

from plm_geometry.figures.findings.words import by_role, number_of
from plm_geometry.figures.labels import LABELS, rounded
from plm_geometry.open_questions import ROUNDINGS

_WAYS = {"floor": "down", "nearest": "to nearest", "ceiling": "up"}


def roundings(frame: pd.DataFrame) -> str:
    """Say how many printed numbers each way of rounding gives.

    Parameters
    ----------
    frame : DataFrame
        ``open_questions.roundings(...)``.
    """
    counted = [
        f"{said} {number_of(int((frame[way] == frame['printed_dimensions']).sum()), len(frame))}"
        for way, said in _WAYS.items()
    ]
    return f"Of the printed numbers rounding gives: {', '.join(counted)}."


def pairs_needed(frame: pd.DataFrame, n_pairs: float, expected: float) -> str:
    """Say how many times too many pairs the expected proteins make, at least.

    Parameters
    ----------
    frame : DataFrame
        ``open_questions.proteins_for_pairs(...)``, with ``expected``, in million pairs.
    n_pairs, expected : float
        Pairs as printed, and the proteins said to make them.
    """
    fewest = frame["expected"].min()
    return (
        f"{expected:,.0f} proteins make at least {fewest:.1f} million pairs, "
        f"{fewest * 1e6 / n_pairs:.1f} times the printed {n_pairs / 1e6:.1f} million, which "
        f"{frame['proteins'].min():,} to {frame['proteins'].max():,} proteins make."
    )


def signs(frame: pd.DataFrame, printed: float) -> str:
    """Say how far directions can be brought to the printed sign by other lengths.

    Parameters
    ----------
    frame : DataFrame
        ``label, role, r, best_r``.
    printed : float
        The paper's correlation.
    """
    reach = number_of(int((frame["best_r"] >= printed).sum()), len(frame))
    return (
        f"Cosine with squared distance as they are, r: {by_role(frame, 'r', '.2f')}. With the best "
        f"lengths found, {reach} reach the printed {rounded(printed, 3)}; the highest is "
        f"{rounded(frame['best_r'].max(), 2)}."
    )


def positive_signs(frame: pd.DataFrame) -> str:
    """Say how many of the rows are positive, as they are and with other lengths."""
    raw, best = (number_of(int((frame[r] > 0).sum()), len(frame)) for r in ("r", "best_r"))
    return f"Positive as they are: {raw}; with the best lengths found: {best}."


def real_settings(frame: pd.DataFrame, printed: float) -> str:
    """Say which setting brings each set of proteins nearest to the printed number.

    Parameters
    ----------
    frame : DataFrame
        ``proteins, gap_open, gap_extend, denominator, estimate``.
    printed : float
        The paper's value.
    """
    away = (frame["estimate"] - printed).abs()
    nearest = frame.loc[away.groupby(frame["proteins"], sort=False).idxmin()]
    said = [
        f"{row.proteins} {rounded(row.estimate, 2)} (gaps {row.gap_open:g}/{row.gap_extend:g}, "
        f"over the {LABELS[row.denominator]})"
        for row in nearest.itertuples()
    ]
    return f"Nearest to the printed {rounded(printed, 3)} come {'; '.join(said)}."


def settings_range(frame: pd.DataFrame) -> str:
    """Say between which values the settings move each set of proteins."""
    return f"By settings alone: {_moved(frame, 2)}."


def settings_by_length(frame: pd.DataFrame) -> str:
    """Say between which values a limit on length moves each set of proteins."""
    return f"By a limit on length alone: {_moved(frame, 3)}."


def matching_layers(frame: pd.DataFrame) -> str:
    """Say how many of the quoted numbers each way of rounding gives.

    Parameters
    ----------
    frame : DataFrame
        ``open_questions.matching_layers(...)``.
    """
    counted = [
        f"{_WAYS.get(way, way)} {number_of(int((frame[way] != 'none').sum()), len(frame))}"
        for way in ROUNDINGS
    ]
    return f"Of the quoted numbers some layer gives: {', '.join(counted)}."


def pooling_isotropy(frame: pd.DataFrame) -> str:
    """Say how many times a residue's score means of random residues have, and proteins.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pooled()``.
    """
    scores = frame.pivot_table(index=["title", "role"], columns="of", values="isoscore", sort=False)
    if "residues" not in scores:
        return f"IsoScore of proteins: {by_role(frame, 'isoscore', '.2g')}."
    said = []
    for of in ("means of random residues", "proteins"):
        ratio = (scores[of] / scores["residues"]).rename("ratio").reset_index()
        said.append(f"{of} {by_role(ratio, 'ratio', '.2g')}")
    return f"Times the IsoScore of residues: {'. And '.join(said)}."


def _moved(frame: pd.DataFrame, decimals: int) -> str:
    """Return the least and the greatest estimate of each set of proteins."""
    return "; ".join(
        f"{name} {rounded(rows.min(), decimals)} to {rounded(rows.max(), decimals)}"
        for name, rows in frame.groupby("proteins", sort=False)["estimate"]
    )
