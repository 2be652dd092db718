"""HDF5 in UniProt's layout: written atomically, also when the disk is full."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from plm_geometry.base.provenance import said_by
from plm_geometry.embedding.store import write_uniprot_h5


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_hdf5_has_uniprots_layout(tmp_path, rng):
    vectors = rng.normal(size=(2, 4)).astype("float16")
    write_uniprot_h5(tmp_path / "x.h5", ["P1", "a/b"], vectors, model_name="prot_bert")
    with h5py.File(tmp_path / "x.h5") as file:
        assert file.attrs["model_name"] == "prot_bert"
        np.testing.assert_array_equal(file["P1"], vectors[0])
        assert file["P1"].shape == (4,)
        assert file["a_b"].attrs["original_id"] == "a/b"


def test_accessions_that_hdf5_would_take_for_one_are_both_kept(tmp_path):
    write_uniprot_h5(tmp_path / "x.h5", ["a/b", "a_b"], np.eye(2), model_name="m")
    with h5py.File(tmp_path / "x.h5") as file:
        found = {file[name].attrs["original_id"]: file[name][:].tolist() for name in file}
    assert found == {"a/b": [1, 0], "a_b": [0, 1]}


def test_the_fingerprint_is_read_back_and_nothing_from_another_file(tmp_path):
    write_uniprot_h5(tmp_path / "x.h5", ["P1"], np.eye(1), model_name="m", fingerprint="f")
    (tmp_path / "y.h5").write_text("no HDF5")
    assert said_by(tmp_path / "x.h5", "fingerprint") == "f"
    assert said_by(tmp_path / "y.h5", "fingerprint") == said_by(tmp_path / "z.h5") == ""


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from plm_geometry.embedding.store import write_uniprot_h5
path, n = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, 1_500))
try:
    write_uniprot_h5(path, [f"P{i}" for i in range(n)], np.zeros((n, 64)), model_name="m")
except OSError as error:
    print(error.filename)
"""


@pytest.mark.parametrize("n", [1, 3_000])
def test_where_there_is_no_room_an_error_names_the_file_and_nothing_is_left(tmp_path, n):
    arguments = [sys.executable, "-c", FULL, str(tmp_path / "x.h5"), str(n)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "x.h5")
    assert not list(tmp_path.iterdir())
