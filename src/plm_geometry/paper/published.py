"""Published numbers, each with its source, and those of the paper beside a run's rows.

``data/published/numbers.csv`` has one line for each number that the paper or IsoScore's authors
print; the other tables there are what was measured on published embeddings. What the paper's
available text does not print is absent there: nothing is filled in.
"""

from decimal import Decimal

import numpy as np
import pandas as pd

from plm_geometry.association import COLUMNS
from plm_geometry.base.errors import InputError
from plm_geometry.base.paths import PUBLISHED

# Which proteins a number is over: a run over others neither agrees with it nor differs from it.
ALL, ANY = "all of Swiss-Prot", "any proteins"
_COLUMNS = ["part", "unit", "quantity", "counterpart", "name", "printed", "by_model", "over",
            "not_run", "source", "published", "last_digit"]  # fmt: skip


def table(name: str) -> pd.DataFrame:
    """Read one table of ``data/published``.

    Parameters
    ----------
    name : str
        The file's name without ``.csv``.

    Raises
    ------
    InputError
        If there is no such table.
    """
    known = sorted(path.stem for path in PUBLISHED.glob("*.csv"))
    if name not in known:
        raise InputError(f"There is no published table {name!r}; there are {', '.join(known)}.")
    return pd.read_csv(PUBLISHED / f"{name}.csv", dtype={"printed": str})


def numbers() -> pd.DataFrame:
    """Return every published number, in the order of the paper.

    Returns
    -------
    DataFrame
        part : str
            Of the paper, or whose numbers they are.
        unit : {"proteins and pairs", "share", "dimensions", "IsoScore", "correlation"}
        quantity, counterpart : str
            What `report.Report.record` calls it, and the key of the paper's model; empty where
            no model, or no single one, is in it.
        name : str
            What a reader calls it.
        printed : str
            As it is printed, trailing zeros included.
        by_model : bool
            Whether a model is in it.
        over : {"all of Swiss-Prot", "a sample of Swiss-Prot", "any proteins"}
            Over which proteins another value is comparable.
        not_run, source : str
            Why there may be no value of a run, and where the number stands.
        published, last_digit : float
            Its value, and the place of its last printed digit.
    """
    return _numbers()[_COLUMNS]


def last_digit(printed: str) -> float:
    """Return the place of a number's last printed digit.

    Parameters
    ----------
    printed : str
        As printed; a power of ten keeps digits that are not meant.

    Examples
    --------
    >>> last_digit("0.791"), last_digit("120"), last_digit("6.4e6")
    (0.001, 1.0, 100000.0)
    """
    return float(Decimal(1).scaleb(Decimal(printed).as_tuple().exponent))


def _numbers(part: str = "") -> pd.DataFrame:
    """As `numbers`, of one part, also with each model's ``title``, ``width``, and ``layer``."""
    frame = table("numbers").fillna({"counterpart": "", "title": ""})
    frame = frame.assign(
        published=frame["printed"].astype(float), last_digit=frame["printed"].map(last_digit)
    )
    return frame[frame["part"] == part] if part else frame


def value(quantity: str) -> float:
    """Return a number that is printed once, or once for several models, by its quantity."""
    frame = numbers()
    return float(frame.loc[frame["quantity"] == quantity, "published"].iloc[0])


def global_isotropy() -> pd.DataFrame:
    """Return the paper's table of global isotropy, one row per model.

    Returns
    -------
    DataFrame
        Indexed by model key: title, n (embedding dimensions), isoscore, printed_dimensions,
        source, and effective_dimensions, which is i (n - 1) + 1 [1]_ before the paper rounds it.

    References
    ----------
    .. [1] Rudman et al., IsoScore, Findings of ACL 2022.
    """
    rows = _numbers("global isotropy")
    found = rows.pivot(index="counterpart", columns="quantity", values="published")
    frame = rows.drop_duplicates("counterpart").set_index("counterpart").rename_axis("model")
    frame = frame.assign(n=frame["width"].astype(int), **found.astype({"printed_dimensions": int}))
    frame["effective_dimensions"] = _dimensions(frame["isoscore"], frame["n"])
    columns = ["title", "n", "isoscore", "printed_dimensions", "source", "effective_dimensions"]
    return frame[columns]


def _dimensions(isoscore: pd.Series, width: pd.Series) -> pd.Series:
    return isoscore * (width - 1) + 1


def correlation_matrix() -> pd.DataFrame:
    """Return the paper's ProtBERT matrix of Pearson correlations over protein pairs.

    Returns
    -------
    DataFrame
        Shape (4, 4), rows and columns `association.COLUMNS`; the paper's *similarity score*
        is ``sequence_identity``.
    """
    matrix = pd.DataFrame(np.eye(len(COLUMNS)), list(COLUMNS), list(COLUMNS))
    for row in _numbers("correlation").itertuples():
        _, a, b = row.quantity.split(":")
        matrix.loc[a, b] = matrix.loc[b, a] = row.published
    return matrix


def beside_correlations(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's correlations beside the rows of its ProtBERT.

    Parameters
    ----------
    frame : DataFrame
        ``study.correlation.table()``, or any frame with columns counterpart, a and b.

    Returns
    -------
    DataFrame
        The same rows with published, missing for every other model: the paper's text available
        to us prints no other matrix.
    """
    printed = correlation_matrix()
    rows = zip(frame["counterpart"], frame["a"], frame["b"], strict=True)
    found = [printed.loc[a, b] if model == "prot_bert" else np.nan for model, a, b in rows]
    return frame.assign(published=found)


def wide_models() -> list[str]:
    """Return the keys of the paper's models of 1,024 dimensions, which its local numbers are of."""
    return list(global_isotropy().query("n == 1024").index)


def beside_local(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's average of local dimensions beside the rows that it holds for.

    Parameters
    ----------
    frame : DataFrame
        ``study.local.table()``, or any frame with a column ``counterpart``.

    Returns
    -------
    DataFrame
        The same rows with published_dimensions: missing but for the paper's models of 1,024
        dimensions.
    """
    is_wide = frame["counterpart"].isin(wide_models())
    average = is_wide.map({True: value("local_dimensions"), False: np.nan})
    return frame.assign(published_dimensions=average)


def natural_language() -> pd.DataFrame:
    """Return IsoScores of the word tokens of WikiText-2, one row per model and layer [1]_.

    Returns
    -------
    DataFrame
        model, title, d, layer, isoscore, quoted_by_paper (what the paper prints of it), source,
        last (whether it is the model's last layer), and effective_dimensions, which is
        i (d - 1) + 1.

    References
    ----------
    .. [1] Rudman et al., IsoScore, Findings of ACL 2022.
    """
    key = ["counterpart", "layer"]
    quoted = _numbers("natural language, as the paper quotes it")[[*key, "published"]]
    frame = _numbers("natural language, by IsoScore's authors").astype({"layer": int})
    frame = frame.merge(quoted, on=key, how="left", suffixes=("", "_quoted"))
    columns = {"counterpart": "model", "title": "title", "width": "d", "layer": "layer",
               "published": "isoscore", "published_quoted": "quoted_by_paper",
               "source": "source"}  # fmt: skip
    frame = frame[list(columns)].rename(columns=columns)
    last = frame.groupby("model")["layer"].transform("max") == frame["layer"]
    return frame.assign(last=last, effective_dimensions=_dimensions(frame["isoscore"], frame["d"]))


def beside_language(residues: pd.DataFrame | None, proteins: pd.DataFrame) -> pd.DataFrame:
    """Put a run's clouds under those of natural-language models, like first with like.

    Parameters
    ----------
    residues : DataFrame or None
        ``study.local.table()``, of which the rows over all residues are taken; None for a
        run of files of embeddings, which have no residues.
    proteins : DataFrame
        ``study.isotropy.table()``.

    Returns
    -------
    DataFrame
        title, role ("published" for what others computed), of ("word tokens", "residues" or
        "whole proteins", in this order), d, isoscore, effective_dimensions and whose.
    """
    tokens = natural_language().query("last")
    paper = global_isotropy().rename(columns={"n": "d"})
    every = [] if residues is None else [residues[residues["residue"] == "all"]]
    parts = [
        tokens.assign(of="word tokens", role="published", whose="Rudman et al. 2022"),
        *(rows.assign(of="residues", whose="this run") for rows in every),
        proteins.assign(of="whole proteins", whose="this run"),
        paper.assign(of="whole proteins", role="published", whose="the paper"),
    ]
    columns = ["title", "role", "of", "d", "isoscore", "effective_dimensions", "whose"]
    together = pd.concat([part[columns] for part in parts], ignore_index=True)
    return together.astype({"d": "Int64"})


def beside(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the published values of global isotropy beside a run's.

    Parameters
    ----------
    frame : DataFrame
        ``study.isotropy.table()``: one row per model or control.

    Returns
    -------
    DataFrame
        The same rows with published_n, published_isoscore, published_effective_dimensions and
        published_printed_dimensions, missing where the paper has no such model.
    """
    columns = ["n", "isoscore", "effective_dimensions", "printed_dimensions"]
    found = global_isotropy()[columns].add_prefix("published_").reindex(frame["counterpart"])
    joined = frame.assign(**{name: found[name].to_numpy() for name in found})
    whole = ["published_n", "published_printed_dimensions"]
    return joined.astype(dict.fromkeys(whole, "Int64"))
