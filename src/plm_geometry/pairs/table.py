"""Alignment into a Parquet file, block by block: a killed run resumes."""

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
from plm_geometry.pairs.alignment import AlignmentJob, replaced_residues
from plm_geometry.pairs.scoring import AlignmentSettings
from plm_geometry.proteins.fasta import Proteins

_METADATA_KEY = b"plm_geometry"


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

    Until all pairs are aligned, the counts of each finished block lie in the directory
    ``<path>.parts``. Called again with the same proteins, pairs and settings, a run that was
    killed resumes; one that had finished does nothing.

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
    parts = path.with_name(f"{path.name}.parts")
    job = AlignmentJob(proteins, first, second, settings)
    made = _description(job)
    with _explained(path):
        if path.exists():
            _check_same(path, read_note(path), made)
            return
        if (manifest := parts / "made_from.json").exists():
            _check_same(parts, json.loads(manifest.read_text()), made)
        write_json(manifest, made)
        place = {block.start: parts / f"{block.start}-{block.stop}.int64" for block in job.blocks}
        missing = [block for block in job.blocks if not place[block.start].exists()]
        run = job.run(missing, workers=workers, cluster=cluster, progress=progress)
        for block, counts in run if missing else ():
            with replacing(place[block.start]) as partial:
                partial.write_bytes(counts.tobytes())
        counts = np.concatenate([np.fromfile(part, np.int64) for part in place.values()])
        table = job.table(counts.reshape(-1, 4)).assign(**(columns or {}))
        _write(path, table, made | (note or {}))
        shutil.rmtree(parts)


def read_note(path: str | Path) -> dict[str, object]:
    """Return how the alignments in a Parquet file were made: settings, proteins, what else."""
    metadata = pq.read_schema(path).metadata or {}
    return json.loads(metadata.get(_METADATA_KEY, b"{}"))


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


def _description(job: AlignmentJob) -> dict[str, object]:
    """Return how alignments are made, with the fingerprint of what decides the numbers."""
    pairs = np.stack([job.first, job.second]).astype(np.int64)
    settings = asdict(job.settings)
    made_from = {"proteins": job.proteins.sha256, "pairs": sha256(pairs.tobytes()).hexdigest()}
    return {
        "fingerprint": fingerprint(made_from | settings),
        **settings,
        "n_pairs": len(job.first),
        "proteins": job.proteins.source,
        "proteins_sha256": job.proteins.sha256,
        "replaced_residues": replaced_residues(job.proteins),
    }


def _check_same(place: Path, found: Mapping[str, object], expected: Mapping[str, object]) -> None:
    if found.get("fingerprint") != expected["fingerprint"]:
        raise InputError(
            f"{place} holds something else than these proteins, pairs and settings give; "
            "remove it, or write to another file."
        )


def _write(path: Path, table: pd.DataFrame, note: Mapping[str, object]) -> None:
    metadata = {_METADATA_KEY: json.dumps(note).encode()}
    rows = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(metadata)
    with replacing(path) as partial:
        pq.write_table(rows, partial, compression="zstd")
