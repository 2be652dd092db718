"""Tables and archives of vectors as people have them: read exactly, or refused in one sentence."""

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.formats import open_vectors
from vector_writers import NAMED, NAMES


@pytest.fixture
def vectors():
    return np.random.default_rng(3).standard_normal((100, 12))


def read(path, **options):
    return np.concatenate(list(open_vectors(path, **options).blocks(30)))


@pytest.mark.parametrize("name", ["v.csv", "v.tsv", "v.csv.gz", "v.tsv.xz"])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_has_names_in_its_first_column(name, header, vectors, tmp_path):
    separator = "\t" if "tsv" in name else ","
    frame = pd.DataFrame(vectors, index=pd.Index(NAMES, name="protein"))
    frame.to_csv(tmp_path / name, sep=separator, header=header)
    opened = open_vectors(tmp_path / name)
    assert list(opened.accessions) == NAMES
    np.testing.assert_allclose(read(tmp_path / name), vectors, rtol=1e-15)


def test_names_that_look_like_numbers_or_nothing_stay_what_they_are(tmp_path):
    (tmp_path / "v.csv").write_text("id,x,y\n007,0.5,1\nNA,2.5,0\n")
    assert list(open_vectors(tmp_path / "v.csv").accessions) == ["007", "NA"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0.5,0.1\n0.25,0.3\n", "the first column holds numbers"),
        ("id,family,x\na,f,0.5\nb,g,0.1\n", "column family, holds .* and no numbers"),
        ("id\na\nb\n", "holds no vectors"),
        ("id,x\na,0.5\nb,0.5,0.7\n", "cannot be read as a table"),
    ],
)
def test_a_table_of_something_else_is_refused(text, sentence, tmp_path):
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        open_vectors(tmp_path / "v.csv")
    assert "\n" not in str(caught.value)


def archive_of_objects(path):
    with path.open("wb") as handle:
        np.savez(handle, a=np.array([{}], dtype=object))


def code_in_torch(path):
    torch.save({"a": print}, path)


def torch_of_other_things(path):
    torch.save({"label": "P1", "mean_representations": {33: torch.ones(4)}}, path)


def text_among_vectors(path):
    with path.open("wb") as handle:
        np.savez(handle, a=np.ones(3), b=np.ones(3), ids=np.array(["x", "y", "z"]))


def half(write):
    def write_half(path):
        write(path, np.ones((100, 12), np.float32))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return write_half


REFUSED = {
    "objects": (archive_of_objects, "Object arrays cannot be loaded"),
    "code": (code_in_torch, "holds more than tensors, which is not loaded"),
    "ESM's own": (torch_of_other_things, "dataset label, holds <U2 and no numbers"),
    "text among vectors": (text_among_vectors, "dataset ids, holds <U1 and no numbers"),
} | {f"half of {write.__name__}": (half(write), "cannot be read") for write in NAMED[:7]}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_file_of_vectors_is_one_sentence(case, tmp_path):
    write, sentence = REFUSED[case]
    write(tmp_path / "file")
    with pytest.raises(InputError, match=sentence) as caught:
        open_vectors(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_half_precision_of_either_kind_is_read(tmp_path):
    tensors = {"a": torch.tensor([1.5, 2.0]).bfloat16(), "b": torch.tensor([0.5, 1.0]).half()}
    torch.save(tensors, tmp_path / "v.pt")
    np.testing.assert_array_equal(read(tmp_path / "v.pt"), [[1.5, 2.0], [0.5, 1.0]])


def test_anndata_is_read_where_its_package_is(vectors, tmp_path):
    with h5py.File(tmp_path / "v.h5ad", "w") as file:
        file.attrs["encoding-type"] = "anndata"
    try:
        import anndata
    except ImportError:
        with pytest.raises(InputError, match="package anndata is not installed"):
            open_vectors(tmp_path / "v.h5ad")
        return
    table = anndata.AnnData(vectors, obs=pd.DataFrame(index=NAMES), obsm={"half": vectors / 2})
    table.write_h5ad(tmp_path / "v.h5ad")
    assert list(open_vectors(tmp_path / "v.h5ad").accessions) == NAMES
    np.testing.assert_array_equal(read(tmp_path / "v.h5ad"), vectors)
    np.testing.assert_array_equal(read(tmp_path / "v.h5ad", key="half"), vectors / 2)


@pytest.mark.parametrize("write", NAMED)
@given(places=st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=20))
def test_vectors_are_taken_in_the_order_asked(write, places, tmp_path_factory):
    path = tmp_path_factory.mktemp("taken") / "file"
    vectors = np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    write(path, vectors)
    taken = open_vectors(path).take(np.array(places, dtype=int))
    np.testing.assert_array_equal(taken.reshape(-1, 3), vectors[places])
