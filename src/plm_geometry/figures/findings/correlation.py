"""What figures and tables of correlations over pairs show, in a sentence or two each."""

import pandas as pd

from plm_geometry.figures.findings.words import UNKNOWN, by_role, judged, named, number_of, whose
from plm_geometry.figures.labels import LABELS, between, label, rounded

_DISTANCES = ("cosine_similarity", "squared_euclidean")
_SIMILARITIES = ("alignment_score", "sequence_identity")
# An identity from which proteins are taken for related.
_RELATED = 0.3


def pairs(frame: pd.DataFrame) -> str:
    """Say how alike the pairs are.

    Parameters
    ----------
    frame : DataFrame
        ``Study.pairs()``.
    """
    identity = frame["sequence_identity"]
    return (
        f"Half of the {len(frame):,} pairs have an identity below {identity.median():.3f}, and "
        f"{number_of(int((identity >= _RELATED).sum()), len(frame))} reach {_RELATED:g}."
    )


def correlation(frame: pd.DataFrame) -> str:
    """Say how the embedding measures hang together, and how they hang on alignments at most.

    Parameters
    ----------
    frame : DataFrame
        ``Study.correlations()``.
    """
    own = frame[(frame["a"] == _DISTANCES[0]) & (frame["b"] == _DISTANCES[1])]
    return (
        f"Cosine similarity with squared distance, r: {by_role(own, 'estimate', '.2f')}. "
        f"{strongest(frame)}"
    )


def strongest(frame: pd.DataFrame) -> str:
    """Say which embedding measure hangs most on which sequence measure."""
    across = judged(_across(frame)).dropna(subset="estimate")
    if across.empty:
        return f"How embeddings hang on alignments is {UNKNOWN}."
    top = across.loc[across["estimate"].abs().idxmax()]
    return (
        f"Furthest from zero of embedding with sequence: {rounded(top['estimate'], 2)} "
        f"({between(top['a'], top['b'])}, {named(across).loc[top.name]})."
    )


def against_ranks(pearson: pd.DataFrame, spearman: pd.DataFrame) -> str:
    """Say how far correlations of ranks are from those of values, and where furthest.

    Parameters
    ----------
    pearson, spearman : DataFrame
        ``Study.correlations()`` by either method, row by row the same entries.
    """
    apart = (pearson["estimate"] - spearman["estimate"]).abs()
    if apart.isna().all():
        return f"How ranks differ from values is {UNKNOWN}."
    place = apart.idxmax()
    row = pearson.loc[place]
    model = f" in {named(pearson).loc[place]}" if row["a"] in _DISTANCES else ""
    return (
        f"Ranks correlate within {rounded(apart.max(), 2)} of what values do; furthest off is "
        f"{between(row['a'], row['b'])}{model}."
    )


def clear_of_zero(raw: pd.DataFrame, adjusted: pd.DataFrame) -> str:
    """Say how many intervals leave out zero, as they are and adjusted for lengths.

    Parameters
    ----------
    raw, adjusted : DataFrame
        ``estimate, low, high`` of the same entries.
    """
    counted = [_count_clear(judged(frame)) for frame in (raw, adjusted)]
    return (
        f"Correlations of {whose(judged(raw))} that can be told from zero: {counted[0]} as they "
        f"are, {counted[1]} once lengths are taken out."
    )


def moved_by_lengths(raw: pd.DataFrame, adjusted: pd.DataFrame) -> str:
    """Say how far taking lengths out moves a correlation at most, and which.

    Parameters
    ----------
    raw, adjusted : DataFrame
        Labels, ``a, b, estimate`` of the same entries.
    """
    entry = ["title", "role", "a", "b"]
    both = raw.merge(adjusted[[*entry, "estimate"]], on=entry, suffixes=("", "_adjusted"))
    moved = (both["estimate_adjusted"] - both["estimate"]).dropna()
    if moved.empty:
        return f"What taking lengths out changes is {UNKNOWN}."
    row = both.loc[moved.abs().idxmax()]
    return (
        f"Taking lengths out moves no correlation further than {between(row['a'], row['b'])} in "
        f"{label(row['title'], row['role'])}, from {rounded(row['estimate'], 2)} to "
        f"{rounded(row['estimate_adjusted'], 2)}."
    )


def widening(frame: pd.DataFrame) -> str:
    """Say how much wider an interval gets that leaves out proteins.

    Parameters
    ----------
    frame : DataFrame
        Labels and ``ratio``, the width over that of independent pairs.
    """
    return (
        "Leaving out proteins makes intervals this many times as wide: "
        f"{by_role(frame, 'ratio', '.1f')}."
    )


def mantel(frame: pd.DataFrame) -> str:
    """Say how many correlations shuffling cannot reach, as they are and adjusted for lengths.

    Parameters
    ----------
    frame : DataFrame
        ``role``, ``p``, ``p_adjusted``.
    """
    models = judged(frame)
    raw, adjusted = (
        number_of(int((models[p] < 0.05).sum()), len(models)) for p in ("p", "p_adjusted")
    )
    return (
        f"Of the correlations of {whose(models)}, {raw} have p below 0.05 as they are, and "
        f"{adjusted} adjusted for lengths."
    )


def signs(frame: pd.DataFrame) -> str:
    """Say which sign cosine similarity and squared distance have with each other.

    Parameters
    ----------
    frame : DataFrame
        ``Study.signs()``.
    """
    models = judged(frame)
    negative = number_of(int((models["cosine_similarity"] < 0).sum()), len(models))
    said = by_role(frame, "cosine_similarity", ".2f")
    return f"With cosine similarity the sign is negative in {negative} ({said})."


def lengths(frame: pd.DataFrame) -> str:
    """Say which share of the embedding measures' variance the lengths explain.

    Parameters
    ----------
    frame : DataFrame
        ``Study.lengths()``.
    """
    of_embeddings = frame[frame["quantity"].isin(_DISTANCES)]
    of_sequences = frame[frame["quantity"].isin(_SIMILARITIES)].drop_duplicates("quantity")
    beside = " and ".join(
        f"{row.estimate:.0%} of {LABELS[row.quantity]}" for row in of_sequences.itertuples()
    )
    names = named(of_embeddings) + ", " + of_embeddings["quantity"].map(LABELS)
    said = by_role(of_embeddings.assign(label=names), "estimate", ".0%")
    return f"The two lengths explain {beside}; of embedding measures: {said}."


def settings(frame: pd.DataFrame, printed: float) -> str:
    """Say how many settings reach the printed number, and between which values they lie.

    Parameters
    ----------
    frame : DataFrame
        ``Study.settings_grid()``.
    printed : float
        The paper's value.
    """
    reach = int(((frame["low"] <= printed) & (frame["high"] >= printed)).sum())
    low, high = (rounded(frame["estimate"].agg(end), 2) for end in ("min", "max"))
    return (
        f"By its settings alone the correlation goes from {low} to {high}; "
        f"{number_of(reach, len(frame))} settings reach {rounded(printed, 3)}."
    )


def reaching(frame: pd.DataFrame) -> str:
    """Say in which modes the settings lie that reach the printed number."""
    counted = frame["mode"].value_counts(sort=False)
    return f"By alignment: {', '.join(f'{mode} {n}' for mode, n in counted.items())}."


def ties(frame: pd.DataFrame) -> str:
    """Say how much a library's choice among best alignments changes.

    Parameters
    ----------
    frame : DataFrame
        ``Study.ties()``: the largest number of identities first.
    """
    first, others = frame["estimate"].iloc[0], frame.iloc[1:]
    return (
        f"Libraries choose otherwise in up to {others['differing'].max():.0%} of the pairs, which "
        f"moves the correlation by at most {(others['estimate'] - first).abs().max():.4f}."
    )


def _across(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["a"].isin(_DISTANCES) & frame["b"].isin(_SIMILARITIES)]


def _count_clear(frame: pd.DataFrame) -> str:
    known = frame.dropna(subset=["low", "high"])
    clear = (known["low"] > 0) | (known["high"] < 0)
    return number_of(int(clear.sum()), len(known)) if len(known) else UNKNOWN
