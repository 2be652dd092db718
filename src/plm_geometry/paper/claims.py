"""The paper's eleven claims: its 26 printed numbers say no more, and what each rests on here."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from plm_geometry.isotropy.measures import one_line
from plm_geometry.paper import published
from plm_geometry.paper.records import Record
from plm_geometry.paper.summaries import Summary, measured_rows
from plm_geometry.paper.verdicts import (
    AGREES,
    DIFFERS,
    INCONCLUSIVE,
    MARGIN,
    allowed,
    judge,
    said,
    verdicts,
)

HOLDS, TURNED, FAILS = "holds", "holds in size but not in sign", "does not hold"
UNDECIDED, UNTESTED = "undecided", "not tested here"
STATES = (HOLDS, TURNED, FAILS, UNDECIDED, UNTESTED)
# How near a number is to the paper's: by this the evidence for each claim is chosen.
ITS_OWN, OTHER_PROTEINS, OTHER_MODEL, NONE = (
    "its model, its proteins", "its model, other proteins", "another model", "nothing yet"
)  # fmt: skip
# Of the smaller profile's models two are the paper's; its proteins are a sample of Swiss-Prot.
_IN_LAPTOP = ("prot_bert", "protein_bert")
_CHAPTERS = {"global isotropy": "01_global_isotropy", "local isotropy": "02_local_isotropy",
             "correlation": "03_correlation"}  # fmt: skip
# What is shown of a claim, where that is another quantity than the one that is judged.
_SHOWN = {"isoscore": "effective_dimensions"}


class _Source(NamedTuple):
    """Runs over the same proteins, and what these are, where the runs do not say it."""

    runs: Sequence[Summary]
    sample: str = ""

    def words(self, run: int) -> str:
        """Return what the proteins of one of its runs are, for a reader."""
        of = self.runs[run].proteins
        name = {"bacterium": "a bacterium", "swissprot": "Swiss-Prot"}.get(of.source, of.source)
        return self.sample or f"{of.proteins:,} proteins of {name}"


def claims(build: Sequence[Summary], records: Sequence[Record] = ()) -> pd.DataFrame:
    """Return the paper's claims, the nearest number measured for each, and their state.

    Parameters
    ----------
    build : sequence of Summary
        The chapters of one build.
    records : sequence of Record
        Runs from other machines.

    Returns
    -------
    DataFrame
        One row per claim: ``claim``, ``printed`` (as a reader reads it) and ``source``; ``near``
        (how near the evidence is to the paper's), its ``model``, ``proteins``, ``quantity``,
        ``value, low, high`` and ``n``; ``state`` (one of `STATES`), ``why`` (a clause), and
        ``command``, which tests the claim.
    """
    sources = [_Source(build)] + [_Source(one.runs, one.sample) for one in records]
    return pd.DataFrame([_row(claim, sources) for claim in _claims()])


def state(near: str, found: Sequence[str], turned: str | None) -> str:
    """Say how a claim stands.

    Parameters
    ----------
    near : str
        How near the evidence is: `ITS_OWN`, `OTHER_PROTEINS`, `OTHER_MODEL` or `NONE`.
    found : sequence of str
        The verdicts on it, of each model that the claim is about, where the model is the paper's
        and so are the proteins.
    turned : str or None
        Where the sign is contradicted, the verdict on the number with its sign turned.

    Returns
    -------
    str
        With the paper's models and proteins: `HOLDS` if all agree, `FAILS` if one differs, and
        else `UNDECIDED`. With its model and other proteins only a sign can be contradicted. In
        both, a turned sign is `TURNED` where the size agrees and `FAILS` where it differs. Another
        model decides nothing: `UNTESTED`.
    """
    if near in (OTHER_MODEL, NONE):
        return UNTESTED
    if turned:
        return {AGREES: TURNED, DIFFERS: FAILS}.get(turned, UNDECIDED)
    if near == OTHER_PROTEINS:
        return UNDECIDED
    if DIFFERS in found:
        return FAILS
    return HOLDS if set(found) == {AGREES} else UNDECIDED


def sign_turned(low: float, high: float, number: float, last_digit: float) -> str | None:
    """Return the verdict on a correlation's size where its sign is contradicted, else None.

    Parameters
    ----------
    low, high : float
        What the run allows; see `verdicts.allowed`.
    number, last_digit : float
        The printed correlation. One within `verdicts.MARGIN` of 0 claims no sign.
    """
    if abs(number) < MARGIN or not (high < 0 < number or number < 0 < low):
        return None
    return judge(-high, -low, number, last_digit, MARGIN)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return `claims` as a page shows them, in text."""
    return pd.DataFrame(
        {
            "the paper's claim": table["claim"],
            "printed": table["printed"],
            "rests on": [_rests_on(row) for row in table.itertuples()],
            "here (95% interval)": [_here(row) for row in table.itertuples()],
            "state": [
                f"{row.state} ({row.why})" if row.why else row.state for row in table.itertuples()
            ],
            "tested by": table["command"],
        }
    )


def _claims() -> list[dict[str, object]]:
    """Return the eleven, as they follow from the printed numbers."""
    numbers = published.numbers()
    isotropy = published.global_isotropy()
    # Dimensions are IsoScores times a width, and the three models share one local number.
    is_local = (numbers["quantity"] == "local_dimensions") & ~numbers["quantity"].duplicated()
    judged = (numbers["quantity"] == "isoscore") | numbers["quantity"].str.startswith("correlation")
    rows = []
    for row in numbers[judged | is_local].to_dict("records"):
        models, printed = [row["counterpart"]], said(row["published"], row["last_digit"])
        claim = f"r, {row['name']}" + (" (ProtBERT)" if row["counterpart"] else " (no model)")
        if row["quantity"] == "isoscore":
            of = isotropy.loc[row["counterpart"]]
            claim = f"dimensions of proteins, {of.title}"
            printed = f"{of.printed_dimensions} of {of.n:,} (IsoScore {printed})"
        if row["quantity"] == "local_dimensions":
            models = published.wide_models()
            claim, printed = "dimensions of an amino acid, average", f"about {printed} of 1,024"
        rows.append(row | {"claim": claim, "printed": printed, "models": models})
    return rows


def _row(claim: dict[str, object], sources: Sequence[_Source]) -> dict[str, object]:
    """Return a claim with its evidence, state and command."""
    near, rows = _nearest(claim, sources)
    best = next(rows.itertuples(), None)
    turned = None
    if near in (ITS_OWN, OTHER_PROTEINS) and claim["unit"] == "correlation":
        turned = sign_turned(*best.allows, claim["published"], claim["last_digit"])
    verdicts_on = [] if near != ITS_OWN else list(rows["verdict"])
    if verdicts_on and len(rows["counterpart"].unique()) < len(claim["models"]):
        verdicts_on.append(INCONCLUSIVE)  # of some of its models nothing is known
    kept = ("title", "proteins", "quantity", "value", "low", "high", "n")
    profile = "laptop" if {*claim["models"]} <= {*_IN_LAPTOP, ""} else "paper"
    return {
        **{name: claim[name] for name in ("claim", "printed", "source")},
        "near": near,
        **{name: getattr(best, name, None) for name in kept},
        "state": state(near, verdicts_on, turned),
        "why": _why(claim, near, rows, turned),
        "command": f"plm-geometry run {_CHAPTERS[claim['part']]} --profile {profile}",
    }


def _nearest(claim: dict[str, object], sources: Sequence[_Source]) -> tuple[str, pd.DataFrame]:
    """Return how near the nearest evidence is, and its rows, the build's before others."""
    own = pd.concat([_own(claim, source) for source in sources], ignore_index=True)
    judged = own[own["verdict"].isin([AGREES, DIFFERS, INCONCLUSIVE])]
    if len(judged):
        return ITS_OWN, judged
    if len(own):
        return OTHER_PROTEINS, own
    # ProteinBERT alone is not trained on sequences alone: no model here is like it.
    others = pd.concat([_others(claim, source) for source in sources], ignore_index=True)
    is_like = "protein_bert" not in claim["models"]
    return (OTHER_MODEL, others) if is_like and len(others) else (NONE, own)


def _own(claim: dict[str, object], source: _Source) -> pd.DataFrame:
    """Return what a source has of the claim's own models, as it is to be shown."""
    table = verdicts(source.runs).dropna(subset="run")
    rows = table[(table["quantity"] == claim["quantity"])
                 & table["counterpart"].isin(claim["models"])]  # fmt: skip
    allows = [allowed(row, source.runs[int(row.run)]) for row in rows.itertuples()]
    rows = rows.assign(allows=pd.Series(allows, rows.index, dtype=object))
    return _as_shown(rows, source)


def _others(claim: dict[str, object], source: _Source) -> pd.DataFrame:
    """Return what a source has of other models, the widest first."""
    found = measured_rows(source.runs)
    widths = {used.model: used.width for run in source.runs for used in run.models}
    rows = found[(found["quantity"] == claim["quantity"]) & (found["role"] == "model")]
    rows = rows.assign(width=rows["model"].map(widths)).sort_values("width", ascending=False)
    rows = _as_shown(rows, source)
    # Vectors on one line are no embedding: pooler outputs are not shown beside others.
    on_a_line = [claim["unit"] != "correlation" and bool(one_line(k)) for k in rows["value"]]
    return rows[~np.array(on_a_line, dtype=bool)]


def _as_shown(rows: pd.DataFrame, source: _Source) -> pd.DataFrame:
    """Name the proteins; put dimensions in place of the IsoScores that they follow from."""
    words = [source.words(int(run)) for run in rows["run"]]
    rows = rows.assign(proteins=words, quantity=rows["quantity"].replace(_SHOWN))
    found = measured_rows(source.runs).drop_duplicates(["quantity", "model"])
    numbers = found.set_index(["quantity", "model"])[["value", "low", "high", "n"]]
    if rows.empty or (rows["role"] == "data").any():
        return rows
    shown = numbers.reindex(pd.MultiIndex.from_frame(rows[["quantity", "model"]]))
    return rows.assign(**{name: shown[name].to_numpy() for name in shown})


def _why(claim: dict[str, object], near: str, rows: pd.DataFrame, turned: str | None) -> str:
    """Say in a clause what is against deciding; nothing where that was decided."""
    if near in (ITS_OWN, NONE):
        return ""
    if near == OTHER_MODEL or not claim["by_model"]:
        digit = 0.1 if claim["unit"] != "correlation" else 0.01
        ends = dict.fromkeys(said(rows["value"].agg(end), digit) for end in ("min", "max"))
        of, n = "other models", rows["title"].nunique()
        if not claim["by_model"]:
            of, n = "sets of proteins", rows["proteins"].nunique()
        return f"{' to '.join(ends)} in {n} {of}" if n > 1 else ""
    if claim["unit"] != "correlation":
        return "few vectors, of other proteins"
    if turned:
        return "the other sign"
    return "the same sign" if abs(claim["published"]) >= MARGIN else "printed too near 0 for a sign"


def _rests_on(row: tuple) -> str:
    if row.near == NONE:
        return "–"
    model = f"{row.title}, " if row.title else ""
    other = " (another model)" if row.near == OTHER_MODEL else ""
    return f"{model}{row.proteins}{other}"


def with_interval(rows: pd.DataFrame) -> list[str]:
    """Return each row's ``value`` with its interval, as a page shows a measured ``quantity``."""
    return [_here(row) for row in rows.assign(near=ITS_OWN).itertuples()]


def _here(row: tuple) -> str:
    if row.near == NONE:
        return "–"
    digit = 0.1 if row.quantity.endswith("dimensions") else 0.01
    ends = [said(end, digit) for end in (row.low, row.high)]
    interval = "no interval" if pd.isna(row.low) else " to ".join(ends)
    return f"{said(row.value, digit)} ({interval})"
