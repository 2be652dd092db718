"""Versions, machine, digests: enough to know a run again, and nobody's name."""

import getpass
import hashlib
import platform

import numpy as np
import pytest

from plm_geometry.base import provenance
from plm_geometry.embedding.store import write_uniprot_h5


def test_the_machine_is_described_without_its_name_or_its_users():
    line = provenance.machine()
    assert platform.python_version() in line
    assert "cores" in line
    assert platform.node() not in line.split(", ")
    assert getpass.getuser() not in line.split(", ")


def test_versions_are_of_what_decides_a_number():
    assert provenance.versions().keys() >= {"plm-geometry", "torch", "numpy", "parasail"}


def test_a_files_digest_is_the_one_that_any_tool_gives(tmp_path):
    (tmp_path / "x").write_bytes(b"some bytes")
    assert provenance.sha256_of(tmp_path / "x") == hashlib.sha256(b"some bytes").hexdigest()


def test_what_is_not_there_has_no_digest(tmp_path):
    with pytest.raises(FileNotFoundError):
        provenance.sha256_of(tmp_path / "x")


@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_a_directorys_digest_is_of_every_file_and_its_name(tmp_path, change):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_text("1")
    before = provenance.sha256_of(tmp_path / "a")
    assert before == provenance.sha256_of(tmp_path / "a")
    if change == "content":
        (tmp_path / "a" / "b" / "x").write_text("2")
    elif change == "name":
        (tmp_path / "a" / "b" / "x").rename(tmp_path / "a" / "b" / "y")
    else:
        (tmp_path / "a" / "y").write_text("")
    assert provenance.sha256_of(tmp_path / "a") != before


def test_a_file_of_vectors_says_which_model_it_is_of_if_it_says_so(tmp_path):
    write_uniprot_h5(tmp_path / "x.h5", ["P1"], [np.ones(3)], model_name="Rostlab/prot_bert")
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    assert provenance.said_by(tmp_path / "x.h5") == "Rostlab/prot_bert"
    assert provenance.said_by(tmp_path / "x.npy") == ""
    assert provenance.said_by(tmp_path) == ""
