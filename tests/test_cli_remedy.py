"""`plm-geometry remedy` as a person meets it."""

import h5py
import numpy as np
import pytest

from plm_geometry.embedding.files import EmbeddingFile
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.isotropy.remedies import METHODS, named
from vector_writers import NAMES, write_pt


def vectors(d=12, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(100, d)) * np.arange(1, d + 1) + 3).astype(np.float32)


@pytest.fixture
def h5(tmp_path):
    def write(name="some.h5", model_name="unirep_64", **kind):
        write_uniprot_h5(tmp_path / name, NAMES, vectors(**kind), model_name=model_name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("method", METHODS)
def test_the_file_written_is_read_as_any_other_and_holds_what_python_computes(
    command, h5, tmp_path, method
):
    out, number = tmp_path / "new.h5", [] if method != "components" else ["--components", 4]
    status, printed, _ = command(
        "remedy", h5(), "--method", method, *number, "--fit", h5("b.h5", seed=1), "--out", out
    )
    assert (status, printed.strip()) == (0, str(out))
    file, remedy = EmbeddingFile(out), named(method, *number[1:])
    assert list(file.accessions) == NAMES
    expected = remedy.fit(vectors(seed=1)).transform(vectors())
    np.testing.assert_allclose(file.vectors(NAMES), expected, rtol=1e-6, atol=1e-6)
    assert file.title.startswith(f"unirep_64, {method}")
    with h5py.File(out) as written:
        assert written[NAMES[0]].dtype == np.float32


def test_without_fit_it_is_fitted_on_the_file_itself(command, h5, tmp_path):
    command("remedy", h5(), "--method", "centring", "--out", tmp_path / "new.h5")
    found = EmbeddingFile(tmp_path / "new.h5").vectors(NAMES)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


def test_other_formats_are_read(command, tmp_path):
    write_pt(tmp_path / "some.pt", vectors())
    out = tmp_path / "new.h5"
    status, _, _ = command("remedy", tmp_path / "some.pt", "--method", "centring", "--out", out)
    assert status == 0
    assert EmbeddingFile(out).width == 12


def test_what_is_there_is_left_and_anything_else_refused(command, refused, h5, tmp_path):
    out = tmp_path / "new.h5"
    asked = ["remedy", h5(), "--method", "centring", "--out", out]
    command(*asked)
    written = out.read_bytes()
    assert "is there already" in command(*asked)[2]
    assert "holds something else" in refused(*asked[:3], "whitening", *asked[4:])
    assert "holds something else" in refused(*asked, "--fit", h5("b.h5", seed=1))
    assert out.read_bytes() == written


def test_bad_input_is_one_sentence(refused, h5, tmp_path):
    def said(file, method, *more, out="new.h5"):
        return refused("remedy", file, "--method", method, *more, "--out", tmp_path / out)

    some, wide = h5(), h5("wide.h5", d=20)
    assert "did you mean whitening" in said(some, "whitning")
    assert "have 12 to give" in said(some, "whitening", "--components", 13)
    assert "takes no number" in said(some, "centring", "--components", 2)
    assert "20 dimensions and cannot be applied to those of 12" in said(
        some, "centring", "--fit", wide
    )
    assert "ending .h5" in said(some, "centring", out="new.npy")
    assert "cannot be read" in said(tmp_path / "none.h5", "centring")
    write_uniprot_h5(tmp_path / "residues.h5", NAMES, [vectors()] * 100)
    assert "one matrix per protein" in said(tmp_path / "residues.h5", "centring")
    assert not (tmp_path / "new.h5").exists()
