"""Every number that was published, one row each: where it stands, and its last printed digit."""

from decimal import Decimal

import pandas as pd

from plm_geometry.paper import published

# Which proteins a number is over: a run over others neither agrees with it nor differs from it.
ALL, SAMPLE, ANY = "all of Swiss-Prot", "a sample of Swiss-Prot", "any proteins"
_COLUMNS = ["part", "unit", "quantity", "counterpart", "name", "printed", "by_model", "over",
            "not_run", "source"]  # fmt: skip
_GLOBAL = {
    "n": ("embedding_dimensions", "width of the embedding", "dimensions", ANY),
    "isoscore": ("isoscore", "IsoScore", "IsoScore", ALL),
    "printed_dimensions": ("printed_dimensions", "dimensions, rounded up", "dimensions", ALL),
}
_ABSTRACT = {
    "effective_dimensions_lowest": ("dimensions_lowest", "fewest dimensions, global and local"),
    "effective_dimensions_highest": ("dimensions_highest", "most dimensions, global and local"),
}
_NOT_MEASURED = "no chapter of this run has measured it"
_NO_LANGUAGE = "it is of a natural-language model, and this report runs none"
_OTHER_DRAW = "it is a choice that was made, not a result; the profile `paper` makes the same"


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
        published, last_digit : float
            Its value, and the place of its last printed digit.
        by_model : bool
            Whether a model is in it.
        over : {"all of Swiss-Prot", "a sample of Swiss-Prot", "any proteins"}
            Over which proteins another value is comparable.
        not_run, source : str
            Why there may be no value of a run, and where the number stands.
    """
    parts = [_data_set(), _global(), _local(), _correlations(), _quoted(), _layers()]
    frame = pd.concat(parts, ignore_index=True).fillna({"counterpart": ""})
    return frame[_COLUMNS].assign(
        published=frame["printed"].astype(float), last_digit=frame["printed"].map(last_digit)
    )


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


def _data_set() -> pd.DataFrame:
    table = published.table("data_set", dtype=str)
    is_share = table["quantity"] == "share_of_proteins"
    return table.assign(
        part="data",
        unit=is_share.map({True: "share", False: "proteins and pairs"}),
        by_model=False,
        over=ALL,
        not_run=is_share.map({True: _OTHER_DRAW, False: _NOT_MEASURED}),
    )


def _global() -> pd.DataFrame:
    table = published.table("global_isotropy", dtype=str)
    parts = [
        table.assign(quantity=quantity, name=f"{name}, " + table["title"], unit=unit, over=over,
                     printed=table[column])
        for column, (quantity, name, unit, over) in _GLOBAL.items()
    ]  # fmt: skip
    rows = pd.concat(parts).rename(columns={"model": "counterpart"})
    return rows.assign(part="global isotropy", by_model=True, not_run=_NOT_MEASURED)


def _local() -> pd.DataFrame:
    """Return one row for each model that the average is printed for, and the abstract's two."""
    table = published.table("local_isotropy", dtype=str).rename(columns={"value": "printed"})
    wide = published.global_isotropy().loc[published.wide_models(), "title"]
    average = table[table["quantity"] == "effective_dimensions_average"]
    of_models = pd.DataFrame({"counterpart": wide.index, "title": wide.to_numpy()})
    of_models = of_models.merge(average.drop(columns="quantity"), how="cross").assign(
        quantity="local_dimensions", name="dimensions of an amino acid, " + of_models["title"]
    )
    ends = table[table["quantity"].isin(_ABSTRACT)]
    quantity, name = zip(*(_ABSTRACT[end] for end in ends["quantity"]), strict=True)
    rows = pd.concat([of_models, ends.assign(quantity=quantity, name=name)])
    return rows.assign(part="local isotropy", unit="dimensions", by_model=True, over=ALL,
                       not_run=_NOT_MEASURED)  # fmt: skip


def _correlations() -> pd.DataFrame:
    """Return the matrix of ProtBERT; in one of its entries there is no model."""
    table = published.table("correlation_protbert", dtype=str)
    by_model = table["first"] != "alignment_score"
    return table.assign(
        part="correlation",
        unit="correlation",
        quantity="correlation:" + table["first"] + ":" + table["second"],
        counterpart=by_model.map({True: "prot_bert", False: ""}),
        name=table["first"].map(_spoken) + " – " + table["second"].map(_spoken),
        printed=table["pearson"],
        by_model=by_model,
        over=SAMPLE,
        not_run=_NOT_MEASURED,
    )


def _quoted() -> pd.DataFrame:
    table = published.table("natural_language", dtype=str).dropna(subset="quoted_by_paper")
    return _language(table, "natural language, as the paper quotes it").assign(
        name="IsoScore, " + table["title"],
        printed=table["quoted_by_paper"],
        source="arXiv 2510.10655, beside its table of global isotropy",
    )


def _layers() -> pd.DataFrame:
    table = published.table("natural_language", dtype=str)
    named = "IsoScore of word tokens, " + table["title"] + ", layer " + table["layer"]
    rows = _language(table, "natural language, by IsoScore's authors")
    return rows.assign(name=named, printed=table["isoscore"])


def _language(table: pd.DataFrame, part: str) -> pd.DataFrame:
    return table.assign(
        part=part,
        unit="IsoScore",
        quantity="isoscore_of_tokens",
        counterpart=table["model"],
        by_model=True,
        over=ANY,
        not_run=_NO_LANGUAGE,
    )


def _spoken(measure: str) -> str:
    spoken = measure.replace("_", " ")
    return spoken.replace("squared euclidean", "squared Euclidean distance")
