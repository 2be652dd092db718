"""What the command does: hand proteins to a room, write what comes back to a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone
from plm_geometry.base.provenance import fingerprint
from plm_geometry.embedding.formats import HDF5_SUFFIXES
from plm_geometry.embedding.h5 import read_fingerprint, write_uniprot_h5
from plm_geometry.proteins.fasta import Proteins

if TYPE_CHECKING:
    from plm_geometry.embedding.store import EmbeddingStore
    from plm_geometry.models import Embedder
    from plm_geometry.pairs import AlignmentSettings

_USUAL_PAIRS = 10_000
# Indices of so many pairs, and the columns of their alignments, take some tens of GB.
_MOST_PAIRS = 500_000_000


@dataclass
class EmbedJob:
    """Proteins to embed, and where the result goes.

    Attributes
    ----------
    model : str
        Whatever `models.load` takes.
    out : Path
        ``.h5`` for UniProt's layout, else a directory for the store.
    layers : str
        "last", "all", or numbers as ``0,6,-1``.
    residues : Path or None
        An HDF5 file for every residue's embedding, too.
    max_residues : int or None
        Where longer proteins are cut; None never cuts.
    device, precision, pooling, residues_per_batch, padded_length, cluster
        As in `devices.load_models` and `embed.embed`.
    cut, left_out : dict of str to str
        After `run`: accessions that were cut, or have no vector, and why.
    ran_out_of_memory : bool
        After `run`: whether memory was the reason for any.
    """

    model: str
    out: Path
    layers: str = "last"
    residues: Path | None = None
    max_residues: int | None = None
    device: str = "auto"
    precision: str = "fp32"
    pooling: str = "mean"
    residues_per_batch: int | None = None
    padded_length: str = "none"
    cluster: str | None = None
    cut: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    ran_out_of_memory: bool = False

    def run(self, proteins: Proteins, tell: Callable[[str], None] = lambda line: None) -> None:
        """Embed `proteins`, taking up what an earlier run has left.

        Raises
        ------
        InputError
            As `embed.embed`, and if several layers are asked of one HDF5 file.
        """
        from plm_geometry.embedding import run as embed

        model, *copies = self._load()
        options = {
            "layers": tuple(self._layers(model)),
            "pooling": self.pooling,
            "keep_residues": self.residues is not None,
        }
        proteins = self._fitting(proteins, model.max_residues)
        mark = fingerprint(embed.describe(proteins, model, **options))
        with alone(self.out, tell):
            if self._is_there_already(mark):
                tell(f"{self.out} is there already, of the same proteins and model")
                return
            store = embed.embed(
                proteins,
                model,
                self._directory,
                **options,
                residues_per_batch=self.residues_per_batch,
                copies=copies,
                cluster=self.cluster,
                tell=tell,
            )
            self._write(store, proteins, model, mark)

    def _load(self) -> list["Embedder"]:
        """Load the model, a copy for each device, refusing what computes nothing."""
        from plm_geometry.embedding.devices import load_models
        from plm_geometry.embedding.files import EmbeddingFile

        models = load_models(
            self.model,
            device=self.device,
            precision=self.precision,
            padded_length=self.padded_length,
        )
        if self.residues == self.out:
            raise InputError(f"{self.out} cannot take both proteins and residues; name two files.")
        if isinstance(models[0], EmbeddingFile):
            raise InputError(
                f"{self.model} holds embeddings already; name a model to compute them."
            )
        return models

    def _fitting(self, proteins: Proteins, limit: int | None) -> Proteins:
        """Return the proteins that a model takes, cut where that is asked for, and keep count."""
        from plm_geometry.embedding.plan import cut_to, within_limit

        if self.max_residues is not None:
            proteins, self.cut = cut_to(proteins, self.max_residues)
        proteins, self.left_out = within_limit(proteins, limit)
        return proteins

    @property
    def _is_h5(self) -> bool:
        return self.out.suffix in HDF5_SUFFIXES

    @property
    def _directory(self) -> Path:
        # Until an HDF5 file is whole its work lies in a store beside it, which a next run takes up.
        return self.out.with_name(f"{self.out.name}.store") if self._is_h5 else self.out

    def _layers(self, model: "Embedder") -> list[int]:
        """Read `layers`, refusing what the model does not have."""
        if self.layers == "all":
            chosen = list(range(model.n_layers + 1))
        elif self.layers == "last":
            chosen = [-1]
        else:
            chosen = _integers(self.layers)
        if self._is_h5 and len(chosen) > 1:
            raise InputError(
                f"{self.out} holds one layer, and {len(chosen)} were asked for; "
                "give a directory as output, which keeps them all."
            )
        model.layer_indices(chosen)
        return chosen

    def _is_there_already(self, mark: str) -> bool:
        """Tell whether the HDF5 file is finished; refuse to replace one that holds other things."""
        if not self._is_h5 or not self.out.exists():
            return False
        if read_fingerprint(self.out) != mark:
            raise InputError(
                f"{self.out} holds something else; choose another output, or remove that file."
            )
        # A store beside it waits for proteins that there was no memory for.
        finished = not self._directory.exists()
        return finished and (self.residues is None or self.residues.exists())

    def _write(
        self, store: "EmbeddingStore", proteins: Proteins, model: "Embedder", mark: str
    ) -> None:
        from plm_geometry.embedding import run as embed

        found = embed.load(store, proteins, layer=-1)
        self.ran_out_of_memory = bool(found.left_out)
        self.left_out |= found.left_out
        if self.residues is not None:
            store.gather_residues(self.residues, model_name=model.name)
        if self._is_h5:
            write_uniprot_h5(
                self.out,
                found.accessions,
                found.vectors,
                model_name=model.name,
                fingerprint=mark,
            )
        if self._is_h5 and not self.ran_out_of_memory:
            store.remove()


@dataclass(frozen=True)
class PairChoice:
    """Which pairs of proteins to align: drawn, all, or named in a file.

    Attributes
    ----------
    n_pairs : int or None
        Pairs to draw; None is 10,000 where neither of the next two is given.
    every : bool
        All pairs there are.
    file : Path or None
        Of two accessions a line (`pairs.read_pairs`).
    stratified : bool
        Draw half of them among similar pairs (`pairs.draw_stratified`).
    seed : int
        Of the draw.
    """

    n_pairs: int | None = None
    every: bool = False
    file: Path | None = None
    stratified: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if (self.n_pairs is not None) + self.every + (self.file is not None) > 1:
            raise InputError(
                "pairs are chosen twice; give one of --pairs, --all-pairs, --pairs-from."
            )
        if self.stratified and (self.every or self.file):
            raise InputError("--stratified is a way to draw pairs; it goes with --pairs alone.")

    def of(self, proteins: Proteins) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Return both sides of the pairs, and columns that belong to them."""
        from plm_geometry import pairs

        n = len(proteins)
        if self.file is not None:
            return *pairs.read_pairs(self.file, proteins.accessions), {}
        if self.every:
            if pairs.count_pairs(n) > _MOST_PAIRS:
                raise InputError(
                    f"{n:,} proteins make {pairs.count_pairs(n):,} pairs, more than fit into "
                    f"memory ({_MOST_PAIRS:,}); draw some with --pairs."
                )
            return *pairs.all_pairs(n), {}
        n_pairs = self.n_pairs or _USUAL_PAIRS
        if self.stratified:
            sample = pairs.draw_stratified(proteins.sequences, n_pairs, seed=self.seed)
            return sample.first, sample.second, {"weight": sample.weight}
        return *pairs.draw_pairs(n, n_pairs, seed=self.seed), {}


def align_file(
    proteins: Proteins,
    out: Path,
    choice: PairChoice,
    settings: "AlignmentSettings",
    workers: int | None = None,
    cluster: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Align pairs of proteins into a Parquet file, taking up an earlier run.

    Parameters
    ----------
    proteins : Proteins
    out : Path
    choice : PairChoice
    settings : AlignmentSettings
    workers, cluster
        As in `align.align_pairs`.
    tell : callable
        Takes the line that says that another run is waited for.

    Raises
    ------
    InputError
        If there are not two proteins, fewer pairs than asked for, or as `align_to_parquet`.
    """
    from plm_geometry.pairs import align_to_parquet

    first, second, columns = choice.of(proteins)
    with alone(out, tell):
        align_to_parquet(
            proteins,
            first,
            second,
            settings,
            out,
            columns=columns,
            note={"seed": choice.seed},
            workers=workers,
            cluster=cluster,
        )


def _integers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"layers {text!r} cannot be read; write last, all, or numbers such as 0,6,-1."
        ) from None
