"""Every model that has a name: where its weights are, its sizes, licence and citation."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from plm_geometry.base import paths

# The models that the paper measures.
OF_PAPER = ("prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert")


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """What is known of a model before it is loaded.

    Attributes
    ----------
    key, title : str
        What the command and what tables call it.
    architecture : str
        "bert", "xlnet", "esm", "t5", "proteinbert", "unirep" or "control".
    source : str
        Hugging Face id, address of a file, directory below the repository, or file of an
        installed package.
    revision : str
        Commit of a Hugging Face source, or its branch where no commit is known; a package as pip
        takes it. Whichever it is, what was loaded is identified by the sha256 of its weights
        (`Embedder.identity`).
    sha256 : str
        What the file must be; empty where unknown.
    width, layers : int
        Dimensions of a global embedding, and layers.
    max_residues : int or None
        The longest protein; None if nothing limits it.
    preprocessing : str
        How a protein is written for it.
    licence, citation : str
        Of the weights.
    parameters, bytes_per_parameter : int or None, int
        How many numbers the weights are, and what each takes in the published file.
    download_bytes : int or None
        None where only an estimate is known, 0 where nothing is downloaded.
    is_mini : bool
        Whether it is one of the small networks in `data/minis`.
    reads_residues : bool
        Whether a ProteinBERT's protein is the mean of its residues, not its own global vector.
    """

    key: str
    title: str
    architecture: str
    source: str
    revision: str = ""
    sha256: str = ""
    width: int
    layers: int
    max_residues: int | None = None
    preprocessing: str
    licence: str
    citation: str
    parameters: int | None = None
    bytes_per_parameter: int = 4
    download_bytes: int | None = None
    is_mini: bool = False
    reads_residues: bool = False

    @property
    def estimated_bytes(self) -> int:
        """Size of the download: where nobody states it, that of the parameters."""
        estimate = (self.parameters or 0) * self.bytes_per_parameter
        return estimate if self.download_bytes is None else self.download_bytes

    @property
    def directory(self) -> Path:
        """Where a checkpoint that comes with the repository lies."""
        return paths.ROOT / self.source


def _read_table(path: Path) -> dict[str, ModelSpec]:
    table = tomllib.loads(path.read_text("utf-8"))
    models = {}
    for key, row in table["models"].items():
        row.setdefault("preprocessing", table["preprocessing"].get(row["architecture"]))
        row["citation"] = table["citations"][row["citation"]]
        models[key] = ModelSpec(key=key, **row)
    return models


MODELS = _read_table(Path(__file__).with_suffix(".toml"))
