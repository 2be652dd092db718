"""What figures and tables of global isotropy show, in a sentence or two each."""

import pandas as pd

from plm_geometry.figures.findings.words import (
    UNKNOWN,
    by_role,
    controls_above,
    ends,
    judged,
    named,
    number_of,
    whose,
)
from plm_geometry.figures.labels import about, extent, rounded

# Yardsticks that rank clouds from narrow to isotropic, and the sign that makes high isotropic.
_RANKING = {
    "isoscore": 1,
    "partition_isotropy": 1,
    "mean_cosine_similarity": -1,
    "intrinsic_dimension": 1,
}
_NAMED_COORDINATES = 10


def proteins(lengths: pd.DataFrame, composition: pd.DataFrame) -> str:
    """Say how long half of the proteins are, and which amino acid is least like Swiss-Prot.

    Parameters
    ----------
    lengths, composition : DataFrame
        As of `figures.proteins`.
    """
    low, median, high = lengths["length"].quantile([0.25, 0.5, 0.75])
    half = " to ".join(dict.fromkeys(f"{end:,.0f}" for end in (low, high)))
    away = composition["share"] - composition["swissprot"]
    furthest = composition.loc[away.abs().idxmax()]
    direction = "above" if furthest["share"] > furthest["swissprot"] else "below"
    return (
        f"Half of the proteins have {half} residues (median {median:,.0f}); no amino acid is "
        f"further from its share in Swiss-Prot than {furthest['residue']}, "
        f"{100 * away.abs().max():.1f} percentage points {direction} it."
    )


def used_space(frame: pd.DataFrame) -> str:
    """Say which share of their space models and controls use, from `Study.global_isotropy`."""
    shares = frame.assign(share=frame["effective_dimensions"] / frame["d"])
    return f"Share of the space in use: {by_role(shares, 'share', '.1%')}."


def global_isotropy(frame: pd.DataFrame) -> str:
    """Say how many dimensions are used, and whether controls use more."""
    column = "effective_dimensions"
    return f"Dimensions in use: {by_role(frame, column, '.2f')}.{controls_above(frame, column)}"


def uncertainty(frame: pd.DataFrame) -> str:
    """Say how wide the intervals of the effective dimensions are, beside their values."""
    width = frame["effective_dimensions_high"] - frame["effective_dimensions_low"]
    half = frame.assign(half=width.astype(float) / 2 / frame["effective_dimensions_corrected"])
    if half["half"].isna().all():
        return "No interval is known: there are too few proteins for one."
    return f"Half the interval of k is this share of it: {by_role(half, 'half', '.1%')}."


def convergence(enough: pd.DataFrame, n_proteins: int) -> str:
    """Say of how many models the run has proteins enough, and how many it takes.

    Parameters
    ----------
    enough : DataFrame
        As of `figures.convergence`.
    n_proteins : int
        Of the run, which may be more than the largest subset that was drawn.
    """
    models = judged(enough)
    settled = number_of(int((models["plain"] <= n_proteins).sum()), len(models))
    takes = " to ".join(dict.fromkeys(about(models["plain"].agg(end)) for end in ("min", "max")))
    return (
        f"The third digit of the plain estimate takes about {takes} proteins; the "
        f"{n_proteins:,} of this run settle it in {settled} {whose(models)}."
    )


def constructed_clouds(table: pd.DataFrame) -> str:
    """Say what a shift does to the two yardsticks that a ball is measured by.

    Parameters
    ----------
    table : DataFrame
        `yardsticks.yardsticks` of `clouds.constructed`, indexed by the clouds' names.
    """
    scores, cosines = (
        [rounded(table.loc[cloud, column], 2) for cloud in ("ball", "shifted ball")]
        for column in ("isoscore", "mean_cosine_similarity")
    )
    return (
        f"Moving the ball away from the origin takes its mean cosine from {' to '.join(cosines)} "
        f"and its IsoScore from {' to '.join(scores)}."
    )


def yardsticks(frame: pd.DataFrame) -> str:
    """Say whether yardsticks name the same model as the most isotropic."""
    models = judged(frame).set_axis(named(judged(frame)).to_numpy())
    if len(models) == 1:
        return f"{models.index[0]} has an IsoScore of {models['isoscore'].iloc[0]:.3f}."
    signed = {column: sign * models[column].astype(float) for column, sign in _RANKING.items()}
    winners = {column: values.idxmax() for column, values in signed.items() if values.notna().any()}
    firsts = list(dict.fromkeys(winners.values()))
    said = (
        f"the same one of {len(models)}" if len(firsts) == 1 else f"{len(firsts)} of {len(models)}"
    )
    return f"Most isotropic by {len(winners)} yardsticks of rank: {said} ({', '.join(firsts)})."


def spectrum(frame: pd.DataFrame) -> str:
    """Say which share of the variance the first component holds."""
    first = frame[frame["component"] == 1]
    return (
        f"The first component holds this share of the variance: {by_role(first, 'share', '.0%')}."
    )


def after_removing(frame: pd.DataFrame) -> str:
    """Say by which factor IsoScore changes without the strongest components.

    Parameters
    ----------
    frame : DataFrame
        ``Study.after_removing()``.
    """
    components = frame[frame["kind"] == "component"]
    isoscore = components.set_index(["removed", "title", "role"])["isoscore"]
    before, after = isoscore[0], isoscore[components["removed"].max()]
    table = after.div(before.where(before > 0)).rename("factor").reset_index()
    return (
        f"Without its strongest {components['removed'].max()} components, a cloud has this many "
        f"times its IsoScore: {by_role(table, 'factor', '.2g')}."
    )


def coordinate_shares(frame: pd.DataFrame) -> str:
    """Say which part of the mean cosine the ten strongest coordinates make."""
    kept = frame.dropna(subset="share")
    rows = [
        (title, role, model.nlargest(_NAMED_COORDINATES).sum() / model.sum())
        for (title, role), model in kept.groupby(["title", "role"], sort=False)["share"]
    ]
    parts = pd.DataFrame(rows, columns=["title", "role", "part"])
    return f"Ten coordinates make this part of the mean cosine: {by_role(parts, 'part', '.0%')}."


def pairwise_cosines(frame: pd.DataFrame) -> str:
    """Say what the median cosine of two proteins is, with and without the common mean."""
    of_proteins = frame[frame["of"] == "proteins"]
    keys = ["title", "role", "centred"]
    medians = of_proteins.groupby(keys, sort=False)["cosine"].median().reset_index()
    raw = medians[~medians["centred"]]
    centred = judged(medians[medians["centred"]])["cosine"]
    left = UNKNOWN if centred.isna().all() else rounded(centred.abs().max(), 2)
    return (
        f"Median cosine of two proteins: {by_role(raw, 'cosine', '.3f')}. Less the common mean, "
        f"the largest in size is {left}."
    )


def language_layers(layers: pd.DataFrame) -> str:
    """Say between which scores the layers of natural-language models lie.

    Parameters
    ----------
    layers : DataFrame
        ``published.natural_language()``.
    """
    names = layers["title"] + ", layer " + layers["layer"].astype(int).astype(str)
    return f"Over all layers, word tokens score {ends(layers['isoscore'], names, '.4f')}."


def beside_language(frame: pd.DataFrame) -> str:
    """Say what word tokens, residues and proteins score in last layers.

    Parameters
    ----------
    frame : DataFrame
        ``published.beside_language(...)``.
    """
    scored = frame[frame["role"] != "control"].dropna(subset="isoscore")
    said = [
        f"{of} {extent(rows['isoscore'], '.3g')}" for of, rows in scored.groupby("of", sort=False)
    ]
    return f"IsoScores in last layers, controls apart: {'; '.join(said)}."
