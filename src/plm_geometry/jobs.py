"""What the command does: hand proteins to a room, write what comes back to a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from plm_geometry.errors import InputError
from plm_geometry.proteins import Proteins
from plm_geometry.store import fingerprint
from plm_geometry.uniprot_h5 import read_fingerprint, write_uniprot_h5

if TYPE_CHECKING:
    from plm_geometry.models import Embedder
    from plm_geometry.store import EmbeddingStore


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
        from plm_geometry import embed
        from plm_geometry.devices import load_models
        from plm_geometry.models import EmbeddingFile
        from plm_geometry.plan import cut_to, within_limit

        model, *copies = load_models(
            self.model,
            device=self.device,
            precision=self.precision,
            padded_length=self.padded_length,
        )
        if self.residues == self.out:
            raise InputError(f"{self.out} cannot take both proteins and residues; name two files.")
        if isinstance(model, EmbeddingFile):
            raise InputError(
                f"{self.model} holds embeddings already; name a model to compute them."
            )
        layers = self._layers(model)
        if self.max_residues is not None:
            proteins, self.cut = cut_to(proteins, self.max_residues)
        proteins, self.left_out = within_limit(proteins, model.max_residues)
        options = {
            "layers": tuple(layers),
            "pooling": self.pooling,
            "keep_residues": self.residues is not None,
        }
        mark = fingerprint(embed.describe(proteins, model, **options))
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

    @property
    def _is_h5(self) -> bool:
        return self.out.suffix in (".h5", ".hdf5")

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
        from plm_geometry import embed

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


def align_file(proteins: Proteins, out: Path, *, n_pairs: int, seed: int, **settings) -> None:
    """Draw pairs of proteins and align them into a Parquet file, taking up an earlier run.

    Raises
    ------
    InputError
        If there are not two proteins, or fewer pairs than asked for.
    """
    from plm_geometry.align import AlignmentSettings, align_to_parquet
    from plm_geometry.pairs import draw_pairs

    chosen = AlignmentSettings(**settings)
    first, second = draw_pairs(len(proteins), n_pairs, seed=seed)
    align_to_parquet(proteins, first, second, chosen, out, note={"seed": seed})


def _integers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"layers {text!r} cannot be read; write last, all, or numbers such as 0,6,-1."
        ) from None
