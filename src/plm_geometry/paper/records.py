"""Runs from other machines, kept in ``data/runs``: what they measured, and from what."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.base.files import write_json
from plm_geometry.models import said_by_file
from plm_geometry.models.names import ModelName
from plm_geometry.paper.summaries import HINT, Summary, checked, measured_rows, read_json
from plm_geometry.paper.verdicts import NOT_COMPARABLE, verdicts

_NAME = r"^[a-z0-9][a-z0-9_-]*$"
_DIGEST = re.compile(r"[0-9a-f]{40,64}")
_FROM_VECTORS = ("isoscore", "effective_dimensions", "mean_cosine_similarity")


class Record(BaseModel):
    """One run from another machine.

    Attributes
    ----------
    name : str
        Of its file in ``data/runs``.
    sample : str
        What its proteins are, for a reader: "70 human proteins".
    note : str
        What whoever added it says of it.
    runs : list of Summary
        Its chapters, all over the same proteins.
    """

    name: str = Field(pattern=_NAME)
    sample: str = Field(min_length=1)
    note: str = ""
    runs: list[Summary] = Field(min_length=1)


def add(
    files: Sequence[Path], name: str = "", note: str = "", model: str = "", sample: str = ""
) -> Path:
    """Import a run from another machine.

    Parameters
    ----------
    files : sequence of Path
        ``summary.json`` of its chapters, or what ``plm-geometry isotropy FILE --json`` printed.
    name : str
        Of the record; by default the proteins' file and the model. One that is there is replaced.
    note : str
        What to say of it: which proteins, who computed the embeddings.
    model : str
        What the run's one model is: a key, or words where that would not say it all.
    sample : str
        As of `Record`; by default how many proteins of which file.

    Returns
    -------
    Path
        The file in ``data/runs``.

    Raises
    ------
    InputError
        If a file is not what is expected, does not say what its models are, if files are over
        different proteins, or two of them of the same chapter.
    """
    runs = [_called(_identified(_read(path), path), model) for path in files]
    _check_together(runs, files)
    name = name or _default_name(runs[0])
    if not re.fullmatch(_NAME, name):
        raise InputError(f"{name!r} is no name for a record; use a-z, 0-9, - and _ alone.")
    note = " ".join([note, *_licences(runs[0])]).strip()
    proteins = runs[0].proteins
    sample = sample or f"{proteins.proteins:,} proteins of {proteins.source}"
    record = Record(name=name, sample=sample, note=note, runs=runs)
    path = paths.RECORDS / f"{name}.json"
    write_json(path, record.model_dump(mode="json"))
    return path


def read_records(directory: str | Path = "") -> list[Record]:
    """Return the records in a directory, by name; ``data/runs`` if none is given.

    Raises
    ------
    InputError
        If a record is damaged.
    """
    place = Path(directory).expanduser() if str(directory) else paths.RECORDS
    hint = "add the run again by `plm-geometry verdict --add`"
    return [
        checked(Record, read_json(path), f"{path} is no record of a run", hint)
        for path in sorted(place.glob("*.json"))
    ]


def sources(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row per record and model: what was run on what, and what identifies it."""
    rows = [
        {
            "record": record.name,
            "sample": record.sample,
            "proteins": record.runs[0].proteins.proteins,
            "of": record.runs[0].proteins.source,
            "model": model.title,
            "role": model.role,
            "weights": _brief(model.weights),
            "revision": _brief(model.revision),
            "data": _brief(record.runs[0].proteins.sha256),
            "machine": record.runs[0].machine,
        }
        for record in records
        for model in record.runs[0].models
    ]
    return pd.DataFrame(rows)


def measured(records: Sequence[Record]) -> pd.DataFrame:
    """Return what records have measured: `summaries.measured_rows`, ``record`` and ``sample``."""
    return _of_each(records, measured_rows)


def record_verdicts(records: Sequence[Record]) -> pd.DataFrame:
    """Return the rows of `verdicts.verdicts` that records have a value for, as `measured` does.

    What is not comparable is so for itself, and not by a profile.
    """
    table = _of_each(records, verdicts).dropna(subset="model").reset_index(drop=True)
    return table.replace({"verdict": {NOT_COMPARABLE: "not comparable"}})


def _of_each(
    records: Sequence[Record], of: Callable[[Sequence[Summary]], pd.DataFrame]
) -> pd.DataFrame:
    tables = [of(record.runs).assign(record=record.name, sample=record.sample)
              for record in records]  # fmt: skip
    return pd.concat(tables or [of([])[:0].assign(record="", sample="")], ignore_index=True)


def _brief(identity: str) -> str:
    """Return the first digits of a digest or a commit, and what is neither in full."""
    return (identity[:12] if _DIGEST.fullmatch(identity) else identity) or "–"


def _read(path: Path) -> Summary:
    content = read_json(path)
    if "chapter" not in content and {"isoscore", "d"} <= content.keys():
        content = _of_vectors(content)
    return checked(Summary, content, f"{path} is no summary of a run", HINT)


def _of_vectors(row: dict[str, Any]) -> dict[str, Any]:
    """Return what ``plm-geometry isotropy FILE --json`` printed in the form of a summary."""
    file = row.get("file")
    title = str(row.get("model_name") or file)
    said = said_by_file(title)
    labels = {"model": file, "title": title, "role": said.role, "counterpart": said.counterpart}
    values = [
        labels
        | {"quantity": name, "value": row.get(name), "n": row.get("n")}
        | {end: row.get(f"{name}_{end}") for end in ("low", "high")}
        for name in _FROM_VECTORS
    ]
    whole = {"embedding_dimensions": "d", "printed_dimensions": "printed_dimensions"}
    values += [labels | {"quantity": name, "value": row.get(key)} for name, key in whole.items()]
    return {
        "chapter": "isotropy",
        "proteins": {"source": file, "proteins": row.get("n"), "sha256": row.get("sha256")},
        "models": [labels | {"width": row["d"], "weights": row.get("sha256")}],
        "versions": row.get("versions"),
        "machine": row.get("machine"),
        "measured": values,
    }


def _identified(run: Summary, path: Path) -> Summary:
    """Refuse a run that does not say which weights it is of."""
    for model in run.models:
        is_known = model.weights or model.revision not in ("", "local")
        if model.role != "control" and not is_known:
            raise InputError(
                f"{path} gives neither a revision nor the sha256 of the weights of {model.title}; "
                "run the chapter again."
            )
    return run


def _called(run: Summary, model: str) -> Summary:
    """Give a run's one model the name that was given for it."""
    if not model:
        return run
    if (n := sum(used.role == "model" for used in run.models)) != 1:
        raise InputError(f"{model!r} is to name the run's model, but it has {n}; leave it out.")
    said = said_by_file(model)
    for row in (*run.models, *run.measured):
        if row.role == "model":
            row.title, row.role, row.counterpart = ModelName(model).title, *said
    return run


def _check_together(runs: Sequence[Summary], files: Sequence[Path]) -> None:
    """Refuse chapters that are not of one run."""
    if not runs:
        raise InputError("nothing was given to add; name a summary.json behind --add.")
    for run, path in zip(runs[1:], files[1:], strict=True):
        if run.proteins.sha256 != runs[0].proteins.sha256:
            raise InputError(
                f"{path} is over other proteins than {files[0]}; add them under two names."
            )
    chapters = [run.chapter for run in runs]
    if twice := [name for name in dict.fromkeys(chapters) if chapters.count(name) > 1]:
        raise InputError(f"two files are of {twice[0]}; add them under two names.")


def _licences(run: Summary) -> list[str]:
    """Say of which models the weights may not be used for everything."""
    specs = [ModelName(model.model).spec for model in run.models]
    limited = {spec.key: spec for spec in specs if spec and "NC" in spec.licence}
    return [f"Weights of {spec.title}: {spec.licence}." for spec in limited.values()]


def _default_name(run: Summary) -> str:
    words = f"{run.proteins.source.partition('.')[0]}-{run.models[0].title}".lower()
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")
