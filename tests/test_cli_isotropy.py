"""`plm-geometry isotropy` as a person meets it: tables, JSON, figures, and bad input."""

import json

import h5py
import numpy as np
import pytest

from plm_geometry.isotropy.measures import isoscore
from vector_writers import write_store

MEASURES = ("isoscore", "effective_dimensions", "mean_cosine_similarity")


@pytest.fixture
def npy(tmp_path):
    def write(array):
        np.save(tmp_path / "vectors.npy", array)
        return tmp_path / "vectors.npy"

    return write


def cloud(n=50, d=4, kind="float64"):
    return (np.random.default_rng(0).normal(size=(n, d)) * 3 + 5).astype(kind)


def test_json_holds_each_measure_with_its_interval(command, npy):
    vectors = cloud()
    status, out, err = command("isotropy", npy(vectors), "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert (found["n"], found["d"], found["blocks"], found["seed"]) == (50, 4, 20, 0)
    assert found["isoscore"] == pytest.approx(isoscore(vectors), rel=1e-12)
    assert found["warnings"] == []
    for name in MEASURES:
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
    assert found["effective_dimensions_corrected"] > found["effective_dimensions"]


def test_the_draw_of_blocks_follows_seed_and_number(command, npy):
    path = npy(cloud())
    rows = [
        json.loads(command("isotropy", path, "--json", *options)[1])
        for options in ([], [], ["--seed", "7"], ["--blocks", "10"])
    ]
    assert rows[0] == rows[1]
    assert rows[0]["isoscore"] == pytest.approx(rows[2]["isoscore"], rel=1e-12)
    assert len({row["isoscore_low"] for row in rows}) == 3
    assert [row["blocks"] for row in rows] == [20, 20, 20, 10]


def test_the_table_explains_every_measure(command, npy):
    lines = command("isotropy", npy(cloud()))[1].splitlines()
    assert lines[0] == "50 vectors of 4 dimensions"
    assert lines[2].endswith("  meaning")
    for line, name in zip(lines[3:6], ("IsoScore", "effective dimensions", "mean cosine"),
                          strict=True):  # fmt: skip
        assert line.startswith(name)
        assert " to " in line
    assert "20 blocks of vectors drawn with seed 0" in lines[-1]


def test_the_table_of_few_vectors_has_dashes_for_intervals(command, npy):
    status, out, err = command("isotropy", npy(cloud(n=5)))
    assert status == 0
    assert "no intervals" in err
    assert " to " not in out.replace("1 to 4", "")
    assert "blocks" not in out


def test_transposing_gives_what_the_right_orientation_gives(command, npy):
    right = json.loads(command("isotropy", npy(cloud()), "--json")[1])
    turned = json.loads(command("isotropy", npy(cloud().T.copy()), "--transpose", "--json")[1])
    assert turned.pop("warnings") == right.pop("warnings") == []
    assert turned.pop("versions") == right.pop("versions")
    assert turned.pop("sha256") != right.pop("sha256")  # another file
    assert turned.pop("machine") == right.pop("machine")
    for name, value in right.items():
        same = value if isinstance(value, str) else pytest.approx(value, rel=1e-12)
        assert turned.pop(name) == same, name
    assert not turned


def test_the_wrong_orientation_is_computed_with_a_warning(command, npy):
    status, out, err = command("isotropy", npy(cloud().T), "--json")
    assert status == 0
    assert (json.loads(out)["n"], json.loads(out)["d"]) == (4, 50)
    assert err.startswith("warning: there are fewer vectors (4) than dimensions (50)")
    assert "--transpose" in err


def test_zero_vectors_leave_the_cosine_empty_with_a_warning(command, npy):
    vectors = cloud()
    vectors[3] = 0
    status, out, err = command("isotropy", npy(vectors), "--json")
    assert status == 0
    assert json.loads(out)["mean_cosine_similarity"] is None
    assert json.loads(out)["isoscore"] > 0
    assert "1 of the 50 vectors are zero" in err


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float16", "float32"])
def test_integers_and_narrow_floats_are_vectors_too(command, npy, kind):
    vectors = cloud(kind=kind)
    found = json.loads(command("isotropy", npy(vectors), "--json")[1])
    assert found["isoscore"] == pytest.approx(isoscore(vectors.astype(float)), rel=1e-5)


def test_a_layer_of_a_store_is_chosen_by_its_number(command, refused, tmp_path):
    write_store(tmp_path / "store", cloud(n=100).astype("float32"), layers=(0, 6, -1))
    assert "layers [0, 6, -1]; choose one of them with --layer" in refused(
        "isotropy", tmp_path / "store"
    )
    found = json.loads(command("isotropy", tmp_path / "store", "--layer", "-1", "--json")[1])
    assert found["n"] == 100


def test_a_dataset_is_chosen_by_its_key(command, refused, tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["train"], file["test"] = cloud(), cloud(n=30)
    assert "--key" in refused("isotropy", tmp_path / "two.h5")
    found = json.loads(command("isotropy", tmp_path / "two.h5", "--key", "test", "--json")[1])
    assert found["n"] == 30


# Figures


@pytest.mark.parametrize(
    ("suffix", "first_bytes"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_the_figure_has_the_format_of_its_name(command, npy, tmp_path, suffix, first_bytes):
    path = tmp_path / "figures" / f"spectrum{suffix}"
    status, out, _ = command("isotropy", npy(cloud()), "--plot", path)
    assert status == 0
    assert "IsoScore" in out
    assert path.read_bytes().startswith(first_bytes)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_figure_of_another_kind_is_refused_before_anything_is_computed(refused, tmp_path):
    said = refused("isotropy", tmp_path / "missing.npy", "--plot", tmp_path / "spectrum.jpg")
    assert "spectrum.jpg has none of the endings .svg, .png, .pdf" in said


# Bad input


def with_value(value, kind="float64"):
    vectors = cloud(kind=kind)
    vectors[7, 2] = value
    return vectors


BAD = {
    "NaN": (with_value(np.nan), "row 7 holds NaN"),
    "infinity": (with_value(-np.inf), "row 7 holds infinity; mend or remove it"),
    "float16 overflow": (with_value(np.inf, "float16"), "row 7 holds infinity (float16 ends"),
    "squares that overflow": (with_value(1e200), "row 7 has a squared length beyond"),
    "constant": (np.ones((9, 4)), "all 9 vectors are the same"),
    "one vector": (np.ones((1, 4)), "1 vector has no covariance; give at least two"),
    "one dimension": (cloud(d=1), "at least two dimensions"),
    "no vectors": (np.ones((0, 4)), "holds no vectors"),
    "text": (np.array([["a", "b"], ["c", "d"]]), "holds <U1 and no numbers"),
    "complex": (np.ones((9, 4)) * 1j, "holds complex128 and no numbers"),
    "a cube": (np.ones((2, 3, 4)), "give a matrix with one vector a row"),
}


@pytest.mark.parametrize("case", BAD)
def test_vectors_without_isotropy_are_refused(refused, npy, case):
    vectors, sentence = BAD[case]
    assert sentence in refused("isotropy", npy(vectors))


def test_empty_and_missing_files_are_refused(refused, tmp_path):
    (tmp_path / "empty.npy").touch()
    assert "empty.npy is empty; give .npy, .npz, HDF5" in refused(
        "isotropy", tmp_path / "empty.npy"
    )
    assert "none.h5 cannot be read: No such file" in refused("isotropy", tmp_path / "none.h5")


def test_a_dataset_of_text_is_refused(refused, tmp_path):
    with h5py.File(tmp_path / "text.h5", "w") as file:
        file["P12345"], file["P67890"] = "MKV", "MKL"
    assert "dataset P12345, holds object and no numbers" in refused(
        "isotropy", tmp_path / "text.h5"
    )


def test_a_row_is_named_by_its_accession(refused, tmp_path):
    with h5py.File(tmp_path / "nan.h5", "w") as file:
        for number, vector in enumerate(with_value(np.nan)):
            file[f"P{number:05}"] = vector
    assert "row 7 (P00007) holds NaN" in refused("isotropy", tmp_path / "nan.h5")


# A store as the embedding command leaves it


def test_a_store_is_read_as_it_was_embedded(command, refused, fasta, tmp_path):
    proteins = fasta(">a\nMKVLAAGIW\n>b\nMKVLSAGIWH\n>c\nGGSTPLKDE\n")
    store = tmp_path / "store"
    assert command("embed", "mini_prot_bert", proteins, "--out", store, "--layers", "0,-1")[0] == 0
    assert "choose one of them with --layer" in refused("isotropy", store)
    first, last = (
        json.loads(command("isotropy", store, "--layer", layer, "--json")[1]) for layer in (0, -1)
    )
    assert first["n"] == last["n"] == 3
    assert first["isoscore"] != last["isoscore"]


# A file with one matrix per protein


@pytest.fixture
def residues(tmp_path):
    """Residues of twelve proteins: alanines vary in two directions, cysteines in one."""
    rng = np.random.default_rng(0)
    sequences = {f"P{i}": "ACAAC" * (i + 1) for i in range(12)}
    with h5py.File(tmp_path / "r.h5", "w") as file:
        for name, sequence in sequences.items():
            vectors = rng.normal(size=(len(sequence), 4)) * [1, 1, 0, 0] + [0, 0, 5, 5]
            vectors[np.array(list(sequence)) == "C", 1] = 0
            file[name] = vectors
    return tmp_path / "r.h5", "".join(f">{name}\n{s}\n" for name, s in sequences.items())


def test_residues_are_measured_together_and_by_amino_acid(command, fasta, residues):
    path, text = residues
    together = json.loads(command("isotropy", path, "--per", "residue", "--json")[1])
    apart = json.loads(command("isotropy", path, "--fasta", fasta(text), "--json")[1])
    with h5py.File(path) as file:
        stacked = np.concatenate([file[name][()] for name in file])
        letters = "".join("A" if row[1] else "C" for row in stacked)
    of = np.array(list(letters))
    dimensions = {row["residue"]: row["effective_dimensions"] for row in apart["residues"]}
    scores = {name: isoscore(stacked[of == name]) * 3 + 1 for name in "AC"}
    assert dimensions == pytest.approx(scores | {"all": isoscore(stacked) * 3 + 1}, rel=1e-5)
    assert [row["residue"] for row in together["residues"]] == ["all"]
    assert together["residues"][0]["isoscore"] == pytest.approx(isoscore(stacked), rel=1e-5)
    mean = apart["average"]
    assert mean["average_dimensions"] == pytest.approx(np.mean(list(scores.values())), rel=1e-5)
    assert mean["average_dimensions_low"] < mean["average_dimensions_high"]


def test_residues_are_refused_where_they_do_not_fit(command, refused, fasta, residues, npy):
    path, text = residues
    assert "--per residue" in refused("isotropy", path)
    assert "leave --per residue out" in refused("isotropy", npy(cloud()), "--per", "residue")
    cut = text.replace(">P3\nACAAC", ">P3\nAC")
    said = refused("isotropy", path, "--fasta", fasta(cut))
    assert "P3 has 17 residues" in said
    assert "20 in" in said
    assert "lacks 1 of 13 proteins, first Q" in refused(
        "isotropy", path, "--fasta", fasta(text + ">Q\nMK\n")
    )
