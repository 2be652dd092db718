"""Alignment into a Parquet file, block by block: a killed run goes on where it was."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import replacing, write_json
from plm_geometry.base.provenance import fingerprint
from plm_geometry.pairs.alignment import AlignmentSettings
from plm_geometry.pairs.job import AlignmentJob
from plm_geometry.pairs.pairwise import replaced_residues
from plm_geometry.proteins.fasta import Proteins

METADATA_KEY = b"plm_geometry"
_NUMBERS = ("alignment_score", "identities", "alignment_length", "sequence_identity")
_ROWS_PER_GROUP = 1_000_000


def align_to_parquet(
    proteins: Proteins,
    first: np.ndarray,
    second: np.ndarray,
    settings: AlignmentSettings,
    path: str | Path,
    *,
    columns: Mapping[str, np.ndarray] | None = None,
    note: Mapping[str, object] | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = True,
) -> None:
    """Align pairs as `align_pairs` does, into a Parquet file with the same columns and rows.

    Until all pairs are aligned, those that are lie as Parquet files of their own in the
    directory ``<path>.parts``. Called again with the same proteins, pairs and settings, a run
    that was killed goes on from there; one that had finished does nothing.

    Parameters
    ----------
    proteins, first, second, settings, workers, cluster, progress
        As in `align_pairs`.
    path : path-like
        The Parquet file. `read_note` tells how its alignments were made.
    columns : mapping of str to ndarray, optional
        Further numbers of each pair, by name: written as they are.
    note : mapping, optional
        What else to record, in terms of JSON, such as the seed that drew the pairs.

    Raises
    ------
    InputError
        As in `align_pairs`; also if other alignments are in the way, or the disk is full.
    """
    path = Path(path)
    job = AlignmentJob(proteins, first, second, settings)
    identity = _identity(job)
    with _explained(path):
        if _is_whole(path, identity):
            return
        parts = _open_parts(path, identity)
        missing = np.flatnonzero(~_aligned_already(parts, len(job.first)))
    if missing.size:
        run = job.run(missing, workers=workers, cluster=cluster, progress=progress)
        for block, counts in run:
            with _explained(path):
                _write_part(parts / f"{block[0]}.parquet", job, block, counts)
    with _explained(path):
        note = {**identity, **_describe(job), **(note or {})}
        _join_parts(path, parts, job, columns or {}, note)
        shutil.rmtree(parts)


def read_note(path: str | Path) -> dict[str, object]:
    """Return how the alignments in a Parquet file were made: settings, proteins, what else."""
    metadata = pq.read_schema(path).metadata or {}
    return json.loads(metadata.get(METADATA_KEY, b"{}"))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the disk into a sentence."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path} is there already and is no Parquet file; choose another output."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); what is aligned stays beside "
            "it, and the same command goes on from there once there is room."
        ) from error


def _identity(job: AlignmentJob) -> dict[str, str]:
    """Return the fingerprint of what decides the numbers."""
    pairs = np.stack([job.first, job.second]).astype(np.int64)
    parts = {
        "proteins": job.proteins.sha256,
        "pairs": sha256(pairs.tobytes()).hexdigest(),
        **asdict(job.settings),
    }
    return {"fingerprint": fingerprint(parts)}


def _describe(job: AlignmentJob) -> dict[str, object]:
    return {
        **asdict(job.settings),
        "n_pairs": len(job.first),
        "proteins": job.proteins.source,
        "proteins_sha256": job.proteins.sha256,
        "replaced_residues": replaced_residues(job.proteins),
    }


def _is_whole(path: Path, identity: Mapping[str, str]) -> bool:
    """Return whether these alignments are there already; refuse to overwrite others."""
    if not path.exists():
        return False
    _check_same(path, read_note(path), identity)
    return True


def _open_parts(path: Path, identity: Mapping[str, str]) -> Path:
    """Return the directory of finished blocks, made or found; refuse those of other alignments."""
    parts = path.with_name(f"{path.name}.parts")
    manifest = parts / "made_from.json"
    if manifest.exists():
        _check_same(parts, json.loads(manifest.read_text()), identity)
    parts.mkdir(parents=True, exist_ok=True)
    write_json(manifest, identity)
    return parts


def _check_same(place: Path, note: Mapping[str, object], identity: Mapping[str, str]) -> None:
    if note.get("fingerprint") != identity["fingerprint"]:
        raise InputError(
            f"{place} holds something else than these proteins, pairs and settings give; "
            "remove it, or write to another file."
        )


def _aligned_already(parts: Path, n_pairs: int) -> np.ndarray:
    """Return which pairs the parts hold, as a mask."""
    found = np.zeros(n_pairs, dtype=bool)
    for part in parts.glob("*.parquet"):
        found[pd.read_parquet(part, columns=["pair"])["pair"]] = True
    return found


def _write_part(path: Path, job: AlignmentJob, block: np.ndarray, counts: np.ndarray) -> None:
    with replacing(path) as partial:
        job.table(block, counts).assign(pair=block).to_parquet(partial, index=False)


def _join_parts(
    path: Path,
    parts: Path,
    job: AlignmentJob,
    columns: Mapping[str, np.ndarray],
    note: Mapping[str, object],
) -> None:
    """Write the rows of all parts in the order of the pairs, `columns` beside them."""
    numbers = {**_numbers(parts, len(job.first)), **columns}
    accessions = pa.array(job.proteins.accessions)
    metadata = {METADATA_KEY: json.dumps(note).encode()}
    with replacing(path) as partial, _writer(partial, numbers, metadata) as writer:
        for start in range(0, len(job.first), _ROWS_PER_GROUP):
            rows = slice(start, start + _ROWS_PER_GROUP)
            columns = [accessions.take(pa.array(side[rows])) for side in (job.first, job.second)]
            columns += [pa.array(column[rows]) for column in numbers.values()]
            writer.write_table(pa.table(columns, schema=writer.schema))


def _numbers(parts: Path, n_pairs: int) -> dict[str, np.ndarray]:
    """Return the numeric columns of all parts, in the order of the pairs."""
    found: dict[str, np.ndarray] = {}
    for part in parts.glob("*.parquet"):
        table = pd.read_parquet(part, columns=["pair", *_NUMBERS])
        for name in _NUMBERS:
            values = table[name].to_numpy()
            found.setdefault(name, np.empty(n_pairs, values.dtype))[table["pair"]] = values
    return found


def _writer(
    path: Path, numbers: Mapping[str, np.ndarray], metadata: dict[bytes, bytes]
) -> pq.ParquetWriter:
    fields = [(name, pa.string()) for name in ("accession_a", "accession_b")]
    fields += [(name, pa.from_numpy_dtype(column.dtype)) for name, column in numbers.items()]
    return pq.ParquetWriter(path, pa.schema(fields, metadata=metadata), compression="zstd")
