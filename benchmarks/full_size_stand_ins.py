"""Load and run full-size checkpoints with random weights, as one would the real ones.

    python benchmarks/full_size_stand_ins.py [prot_bert prot_xlnet protein_bert] [--long 5000]

Each is written as its page on the hub holds it (a directory with ``pytorch_model.bin`` alone; for
ProteinBERT the official pickle of model and optimiser), loaded through the package, and given
short proteins and a long one. Printed: seconds, and peak memory beyond the weights (Linux).
"""

import argparse
import pickle
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import transformers

from plm_geometry.models import load
from plm_geometry.models.proteinbert_module import ProteinBERT, ProteinBERTConfig

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import tiny_checkpoints

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def write_prot_bert(directory: Path) -> Path:
    tiny_checkpoints.write_bert(
        directory,
        hidden_size=1024,
        num_hidden_layers=30,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=40_000,
    )
    return tiny_checkpoints.as_pytorch_bin(directory)


def write_prot_xlnet(directory: Path) -> Path:
    tiny_checkpoints.write_xlnet(directory, d_model=1024, n_head=16, n_layer=30, d_inner=4096)
    return tiny_checkpoints.as_pytorch_bin(directory)


def write_protein_bert(directory: Path) -> Path:
    directory.mkdir()
    generator = np.random.default_rng(0)
    arrays = []
    for name, parameter in ProteinBERT(ProteinBERTConfig()).named_parameters():
        is_kernel = name.endswith(".weight") and parameter.ndim > 1 and name != "embedding.weight"
        shape = parameter.shape[::-1] if is_kernel else parameter.shape
        arrays.append(generator.normal(0, 0.05, tuple(shape)).astype(np.float32))
    dump = directory / "dump.pkl"
    # Copies: the optimiser's two moments are arrays of their own in the official file.
    optimiser = [np.int64(0), *(array.copy() for array in arrays * 2)]
    dump.write_bytes(pickle.dumps((8943, arrays, optimiser), protocol=4))
    return dump


WRITERS = {
    "prot_bert": write_prot_bert,
    "prot_xlnet": write_prot_xlnet,
    "protein_bert": write_protein_bert,
}


def memory(field: str) -> float:
    """Return a field of this process's status in GB: VmRSS (now) or VmHWM (peak)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) * 1024 / 1e9


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def random_protein(n: int) -> str:
    return "".join(np.random.default_rng(n).choice(list(RESIDUES), n))


def measure(key: str, long: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        source = WRITERS[key](Path(root) / key)
        size = sum(f.stat().st_size for f in source.parent.rglob("*") if f.is_file()) / 1e9
        began = time.perf_counter()
        model = load(source)
        seconds = time.perf_counter() - began
        print(f"{key}: {size:.3f} GB on disk, loaded in {seconds:.1f} s, width {model.width}")
        batch = [random_protein(n) for n in (120, 350, 60)]
        together, alone = model.forward(batch), model.forward(batch[:1])
        found = together.hidden[0][0][together.is_residue[0]]
        expected = alone.hidden[0][alone.is_residue]
        difference = (found - expected).norm(dim=-1) / expected.norm(dim=-1)
        print(f"  a residue in a batch and alone differ by at most {difference.max():.1e}")
        weights = memory("VmRSS")
        reset_peak()
        began = time.perf_counter()
        model.forward([random_protein(long)])
        seconds = time.perf_counter() - began
        print(
            f"  {long:,} residues: {seconds:.0f} s on {torch.get_num_threads()} thread(s), "
            f"{memory('VmHWM') - weights:.2f} GB beyond the {weights:.2f} GB held before"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(WRITERS))
    parser.add_argument("--long", type=int, default=5000, help="residues of the long protein")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    for key in options.models:
        measure(key, options.long)


if __name__ == "__main__":
    main()
