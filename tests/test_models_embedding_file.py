import h5py
import numpy as np
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.files import EmbeddingFile, load_models
from plm_geometry.embedding.forward import residue_vectors
from plm_geometry.models.pooling import pool
from plm_geometry.proteins.fasta import Proteins
from small_proteins import embedded
from vector_writers import NAMED, NAMES

ACCESSIONS = ["P00001", "Q00002", "A0A003"]


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(3, 5)).astype(np.float16)


def write_uniprot(path, vectors, dtype="f4", shape=(-1,)):
    with h5py.File(path, "w") as file:
        for accession, vector in zip(ACCESSIONS, vectors, strict=True):
            file[accession] = vector.astype(dtype).reshape(shape)
    return path


def write_bio_embeddings(path, vectors):
    with h5py.File(path, "w") as file:
        for number, (accession, vector) in enumerate(zip(ACCESSIONS, vectors, strict=True)):
            file[f"remapped{9 - number}"] = vector
            header = f"sp|{accession}|NAME_HUMAN Some protein" if number else f"{accession} more"
            file[f"remapped{9 - number}"].attrs["original_id"] = header
    return path


def write_numpy(path, vectors):
    np.save(path, vectors)
    path.with_suffix(".txt").write_text("\n".join(ACCESSIONS) + "\n")
    return path


@pytest.mark.parametrize("dtype", ["f2", "f4"])
@pytest.mark.parametrize("shape", [(-1,), (1, -1)])
def test_uniprots_layout_is_read_in_the_order_asked(tmp_path, vectors, dtype, shape):
    file = EmbeddingFile(write_uniprot(tmp_path / "x.h5", vectors, dtype, shape))
    found = file.vectors(["A0A003", "P00001"])
    assert (file.width, found.dtype) == (5, np.float32)
    np.testing.assert_array_equal(found, vectors[[2, 0]].astype(np.float32))


def test_bio_embeddings_layout_is_read_by_accession(tmp_path, vectors):
    file = EmbeddingFile(write_bio_embeddings(tmp_path / "x.h5", vectors))
    np.testing.assert_array_equal(file.vectors(ACCESSIONS), vectors.astype(np.float32))


def test_numpy_with_accessions_beside_it_is_read(tmp_path, vectors):
    file = EmbeddingFile(write_numpy(tmp_path / "x.npy", vectors))
    np.testing.assert_array_equal(file.vectors(["Q00002"]), vectors[[1]].astype(np.float32))


def test_headers_name_proteins_whatever_the_layout(tmp_path, vectors):
    headers = [f"sp|{accession}|NAME_HUMAN" for accession in ACCESSIONS]
    path = write_numpy(tmp_path / "x.npy", vectors)
    path.with_suffix(".txt").write_text("\n".join(headers))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for header, vector in zip(headers, vectors, strict=True):
            file[header] = vector
    with h5py.File(tmp_path / "bytes.h5", "w") as file:
        for number, (header, vector) in enumerate(zip(headers, vectors, strict=True)):
            file[str(number)] = vector
            file[str(number)].attrs["original_id"] = np.bytes_(header)
    for name in ("x.npy", "x.h5", "bytes.h5"):
        found = EmbeddingFile(tmp_path / name).vectors(ACCESSIONS)
        np.testing.assert_array_equal(found, vectors.astype(np.float32))


def test_a_protein_that_is_there_twice_is_refused(tmp_path, vectors):
    path = write_numpy(tmp_path / "x.npy", vectors)
    path.with_suffix(".txt").write_text("P1\nP2\nP1\n")
    with pytest.raises(InputError, match=r"x\.txt holds two embeddings of P1"):
        EmbeddingFile(path).vectors(["P1"])
    bio = write_bio_embeddings(tmp_path / "x.h5", vectors)
    with h5py.File(bio, "a") as file:
        file["again"] = vectors[0]
        file["again"].attrs["original_id"] = ACCESSIONS[2]
    with pytest.raises(InputError, match="holds two embeddings of A0A003"):
        EmbeddingFile(bio).vectors(ACCESSIONS)


def test_a_file_that_breaks_further_on_is_refused(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(3, 2000))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for accession, vector in zip(ACCESSIONS, vectors, strict=True):
            file.create_dataset(accession, data=vector, compression="gzip")
        start = file[ACCESSIONS[1]].id.get_chunk_info(0).byte_offset
    content = bytearray((tmp_path / "x.h5").read_bytes())
    content[start : start + 200] = bytes(200)
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as HDF5"):
        EmbeddingFile(tmp_path / "x.h5").vectors(ACCESSIONS)


def test_load_takes_a_file_of_embeddings(tmp_path, vectors):
    path = write_uniprot(tmp_path / "x.h5", vectors)
    with h5py.File(path, "a") as file:
        file.attrs["model_name"] = "Rostlab/prot_bert"
    [model] = load_models(str(path))
    assert isinstance(model, EmbeddingFile)
    assert model.title == "Rostlab/prot_bert"


def test_identity_is_the_contents(tmp_path, vectors):
    one = EmbeddingFile(write_numpy(tmp_path / "one.npy", vectors)).identity
    same = EmbeddingFile(write_numpy(tmp_path / "same.npy", vectors)).identity
    other = EmbeddingFile(write_numpy(tmp_path / "other.npy", vectors + 1)).identity
    assert one == same != other


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_uniprot, "x.h5"), (write_bio_embeddings, "x.h5"), (write_numpy, "x.npy")],
)
def test_missing_and_broken_vectors_are_named(tmp_path, vectors, write, name):
    vectors[1, 2] = np.nan
    file = EmbeddingFile(write(tmp_path / name, vectors))
    assert file.vectors(["P00001"]).shape == (1, 5)
    with pytest.raises(InputError, match="embedding of Q00002 is not finite"):
        file.vectors(ACCESSIONS)
    with pytest.raises(InputError, match="lacks 1 of 2 proteins, first NEVER1"):
        file.vectors(["P00001", "NEVER1"])


def test_another_width_is_named(tmp_path, vectors):
    path = write_uniprot(tmp_path / "x.h5", vectors)
    with h5py.File(path, "a") as file:
        del file["Q00002"]
        file["Q00002"] = np.zeros(4, np.float32)
    with pytest.raises(InputError, match=r"Q00002, has shape \(4,\) where .* of 5 dimensions"):
        EmbeddingFile(path).vectors(ACCESSIONS)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (np.zeros((7, 5), np.float32), r"x\.txt is missing"),
        ("MKV", "P00001, holds object and no numbers"),
        (np.zeros((2, 3, 4)), r"has shape \(2, 3, 4\); give one vector"),
        (None, "holds no dataset"),
    ],
)
def test_datasets_that_are_no_vectors_are_refused(tmp_path, content, complaint):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        if content is None:
            file.create_group("P00001")
        else:
            file["P00001"] = content
    with pytest.raises(InputError, match=complaint):
        EmbeddingFile(tmp_path / "x.h5")


def test_an_empty_file_of_embeddings_is_refused(tmp_path):
    h5py.File(tmp_path / "x.h5", "w").close()
    with pytest.raises(InputError, match="holds no dataset"):
        EmbeddingFile(tmp_path / "x.h5")


@pytest.mark.parametrize("name", ["x.h5", "x.npy"])
def test_a_damaged_file_is_refused(tmp_path, vectors, name):
    write = write_uniprot if name == "x.h5" else write_numpy
    path = write(tmp_path / name, vectors)
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(InputError, match=r"cannot be read as (HDF5|a NumPy array)"):
        EmbeddingFile(path)


def test_pickled_arrays_are_not_read(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[print]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as a NumPy array"):
        EmbeddingFile(tmp_path / "x.npy")


def test_numpy_without_its_accessions_is_refused(tmp_path, vectors):
    path = write_numpy(tmp_path / "x.npy", vectors)
    path.with_suffix(".txt").unlink()
    with pytest.raises(InputError, match=r"x\.txt is missing"):
        EmbeddingFile(path)


def test_a_transposed_array_is_noticed(tmp_path, vectors):
    path = write_numpy(tmp_path / "x.npy", vectors.T)
    with pytest.raises(InputError, match=r"names 3 proteins, so it may be transposed"):
        EmbeddingFile(path)


@pytest.mark.parametrize("write", NAMED)
def test_every_format_stands_in_a_models_place(write, tmp_path):
    given = np.random.default_rng(1).normal(size=(100, 4)).astype(np.float32)
    write(tmp_path / "file", given)
    file = EmbeddingFile(tmp_path / "file")
    np.testing.assert_array_equal(file.vectors([NAMES[60], NAMES[7]]), given[[60, 7]])


def test_double_precision_is_not_cut(tmp_path):
    given = np.random.default_rng(1).normal(size=(3, 4)) + 1e6
    file = EmbeddingFile(write_numpy(tmp_path / "x.npy", given))
    np.testing.assert_array_equal(file.vectors(ACCESSIONS), given)


# One matrix per protein

SEQUENCES = ("MKVLA", "M", "MKVLAAGIWH")


@pytest.fixture
def residues(tmp_path):
    """A file of the residues of three proteins, named as in UniProt."""
    rng = np.random.default_rng(2)
    with h5py.File(tmp_path / "r.h5", "w") as file:
        for accession, sequence in zip(ACCESSIONS, SEQUENCES, strict=True):
            file[accession] = rng.normal(size=(len(sequence), 6)).astype(np.float16)
    return tmp_path / "r.h5"


def test_a_file_of_residues_is_a_model_that_looks_its_proteins_up(residues):
    model = EmbeddingFile(residues)
    assert model.has_residues
    proteins = Proteins(tuple(ACCESSIONS[::-1]), SEQUENCES[::-1], "made")
    output = model.read(proteins)
    pooled = pool(output, ("mean",))[0]
    with h5py.File(residues) as file:
        for row, accession in zip(pooled, ACCESSIONS[::-1], strict=True):
            expected = file[accession][()].astype(float).mean(axis=0)
            np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-6)
    assert residue_vectors(output)[0].shape == (16, 6)


def test_a_protein_of_another_length_is_named_with_both_lengths(residues, tmp_path):
    proteins = Proteins(tuple(ACCESSIONS), ("MKVLA", "M", "MKVL"), "made.fasta")
    with pytest.raises(InputError, match=r"A0A003 has 4 residues in made\.fasta and 10 in .*r\.h5"):
        embedded(proteins, EmbeddingFile(residues), tmp_path / "store")


def test_the_moments_of_residues_are_those_of_their_letters(residues, tmp_path):
    proteins = Proteins(tuple(ACCESSIONS), SEQUENCES, "made")
    found = embedded(proteins, EmbeddingFile(residues), tmp_path / "store").residue_moments
    with h5py.File(residues) as file:
        stacked = np.concatenate([file[accession][()].astype(float) for accession in ACCESSIONS])
    letters = np.array(list("".join(SEQUENCES)))
    assert set(found) == set(letters)
    for letter in found:
        np.testing.assert_allclose(found[letter].mean, stacked[letters == letter].mean(axis=0))


def test_residues_that_turn_into_one_vector_are_refused(residues):
    with h5py.File(residues, "a") as file:
        file["Z"] = np.ones(6)
    model = EmbeddingFile(residues)
    with pytest.raises(
        InputError, match=r"Z, has shape \(6,\) where A0A003 has one vector per res"
    ):
        model.read(Proteins(("Z",), ("MKV",), "made"))
