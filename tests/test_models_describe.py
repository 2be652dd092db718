"""What is said of a model before it is loaded, against what is known once it is; the table."""

import json
import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest
import transformers

import tiny_checkpoints
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.files import EmbeddingFile, describe_source
from plm_geometry.models import MODELS, ModelCard, describe_model, load, said_by_file
from plm_geometry.models.describe import entry, records, table
from plm_geometry.models.proteinbert import load_official_dump, save_directory
from plm_geometry.models.proteinbert_module import ProteinBERTConfig
from plm_geometry.models.registry import OF_PAPER
from test_models_proteinbert import dump_arrays, write_dump

MINIS = [key for key, spec in MODELS.items() if spec.is_mini]
SMALL = ProteinBERTConfig(n_annotations=7, local_width=6, global_width=8, n_heads=2, key_width=3)


def sizes_of_loaded(name, **options):
    model = load(name, **options)
    is_own_name = model.identity["architecture"] == model.name  # of the controls without weights
    architecture = "control" if is_own_name else model.identity["architecture"]
    return model.name, model.title, architecture, model.width, model.max_residues


def sizes(card: ModelCard):
    return card.name, card.title, card.architecture, card.width, card.max_residues


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A checkpoint, dump or file of every kind, by a name for it."""
    root = tmp_path_factory.mktemp("places")
    found = {name: write(root / name) for name, write in tiny_checkpoints.WRITERS.items()}
    found["absolute"] = tiny_checkpoints.write_esm(
        root / "absolute", position_embedding_type="absolute"
    )
    found["limited"] = tiny_checkpoints.write_xlnet(root / "limited")
    tokenizer = transformers.AutoTokenizer.from_pretrained(found["limited"])
    tokenizer.model_max_length = 52
    tokenizer.save_pretrained(found["limited"])
    found["dump"] = write_dump(root / "dump.pkl", dump_arrays(SMALL), SMALL.n_annotations)
    found["converted"] = root / "converted"
    save_directory(load_official_dump(found["dump"])[0], found["converted"])
    return found


KINDS = [*tiny_checkpoints.WRITERS, "absolute", "limited", "dump", "converted"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_is_described_as_it_loads(places, kind):
    assert sizes(describe_model(places[kind])) == sizes_of_loaded(places[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_untrained_copy_is_described_as_it_loads(places, kind):
    name = f"untrained:{places[kind]}"
    assert sizes(describe_model(name)) == sizes_of_loaded(name)


@pytest.mark.parametrize("padded_length", [5, 512, "power of two"])
@pytest.mark.parametrize("name", ["mini_protein_bert", "untrained:protein_bert"])
def test_a_padded_length_limits_protein_bert_as_it_loads(name, padded_length):
    described = describe_model(name, padded_length=padded_length)
    assert sizes(described) == sizes_of_loaded(name, padded_length=padded_length)


@pytest.mark.parametrize("key", [*MINIS, "composition", "kmers", "unirep_64"])
def test_a_key_is_described_as_it_loads(key):
    assert sizes(describe_model(key)) == sizes_of_loaded(key)
    assert MODELS[key].layers == load(key).n_layers


@pytest.mark.parametrize("key", ["mini_prot_bert", "mini_protein_bert", "protein_bert"])
def test_a_keys_untrained_copy_is_described_as_it_loads(key):
    assert sizes(describe_model(f"untrained:{key}")) == sizes_of_loaded(f"untrained:{key}")


def test_a_mini_named_by_its_directory_is_one_all_the_same():
    directory = str(MODELS["mini_prot_bert"].directory)
    by_place = describe_model(directory)
    assert sizes(by_place) == sizes_of_loaded(directory)
    assert (by_place.role, by_place.counterpart) == ("mini", "")


@pytest.mark.parametrize(
    ("title", "role", "stands_for"),
    [
        ("Rostlab/prot_bert", "model", "prot_bert"),
        ("Rostlab/prot_bert_bfd", "model", "prot_bert_bfd"),
        ("prot_xlnet", "model", "prot_xlnet"),
        ("facebook/esm2_t33_650M_UR50D", "model", ""),
        ("somebody/prot_bert", "model", ""),
        ("mine", "model", ""),
        ("mini_prot_bert", "mini", ""),
        ("untrained:Rostlab/prot_bert", "control", ""),
        ("untrained:mini_prot_bert", "control", ""),
        ("composition", "control", ""),
    ],
)
def test_a_file_of_embeddings_is_what_it_says_it_is_of(tmp_path, title, role, stands_for):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["model_name"] = title
        file["P1"] = np.ones(5, np.float16)
    card = describe_source(tmp_path / "x.h5")
    assert (card.architecture, card.width, EmbeddingFile(tmp_path / "x.h5").width) == (
        "file of embeddings", 5, 5)  # fmt: skip
    assert (card.title, card.role, card.counterpart) == (title, role, stands_for)


def test_every_source_of_the_papers_models_is_known_by_its_name():
    found = [said_by_file(MODELS[key].source).counterpart for key in OF_PAPER]
    assert found == list(OF_PAPER)


def test_weights_are_not_read(places, tmp_path):
    directory = tiny_checkpoints.write_bert(tmp_path)
    before = describe_model(directory)
    (directory / "model.safetensors").unlink()
    assert describe_model(directory) == before
    assert before.max_residues == 128


def test_models_are_described_and_listed_without_network_or_torch():
    code = (
        "import sys; from plm_geometry.models import MODELS, describe, describe_model\n"
        "for key in MODELS: describe_model(key)\n"
        "describe.table(), describe.records(); print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("protbert", "did you mean prot_bert"),
        ("untrained:kmers", "no untrained copy"),
        ("/no/such/place", "no file or directory of that name"),
    ],
)
def test_what_does_not_load_is_not_described(name, complaint):
    for answer in (describe_model, load):
        with pytest.raises(InputError, match=complaint):
            answer(name)


def test_damaged_places_are_refused(tmp_path):
    bert = tiny_checkpoints.write_bert(tmp_path / "bert")
    (bert / "config.json").write_text('{"model_type": "bert", "hidden_size": "wide"}')
    dump = tmp_path / "dump.pkl"
    dump.write_bytes(pickle.dumps((7, [np.zeros(3)], [])))
    notes = tmp_path / "notes.txt"
    notes.write_text("not a model")
    for path, complaint in (
        (bert, "configuration cannot be read"),
        (dump, "not those of a ProteinBERT"),
        (notes, "nor ProteinBERT's dump"),
    ):
        with pytest.raises(InputError, match=complaint):
            describe_model(path)


# The table

# What issue and book promise of every model.
COLUMNS = {
    "key",
    "architecture",
    "source",
    "revision",
    "width",
    "layers",
    "preprocessing",
    "licence",
    "citation",
    "download",
}


def test_the_wide_table_has_a_row_a_model_and_says_everything_of_it():
    rows = table(wide=True)
    assert list(rows["key"]) == list(MODELS)
    assert set(rows) >= COLUMNS
    assert (rows != "").all(axis=None)


def test_the_table_fits_a_terminal():
    rows = table()
    widths = [max(map(len, [name, *rows[name]])) for name in rows]
    assert sum(widths) + 2 * (len(widths) - 1) <= 80


def test_sizes_of_downloads_are_marked_where_they_are_estimates():
    downloads = table().set_index("key")["download"]
    assert downloads["protein_bert"] == "192 MB"
    # 420 million numbers of four bytes; 1,208 million of two.
    assert downloads["prot_bert"] == "~1.7 GB"
    assert downloads["prot_t5"] == "~2.4 GB"
    assert downloads["mini_prot_bert"] == downloads["composition"] == "-"


def test_what_is_not_pinned_says_so():
    revisions = table(wide=True).set_index("key")["revision"]
    assert revisions["prot_xlnet"] == "main (no commit is known)"
    assert len(revisions["prot_bert"]) == 40


def test_a_name_that_is_no_key_is_shown_as_far_as_it_is_known():
    row = entry(describe_model("untrained:mini_prot_bert"))
    assert (row["role"], row["width"], row["longest protein"]) == ("control", "96", "5,000")


def test_records_are_json_with_numbers():
    rows = {row["key"]: row for row in json.loads(json.dumps(records()))}
    assert list(rows) == list(MODELS)
    assert rows["mini_prot_bert"]["max_residues"] == 5000
    assert rows["prot_xlnet"]["max_residues"] is None
    assert rows["prot_bert"]["download_bytes"] is None
    assert rows["prot_bert"]["estimated_bytes"] == 1_680_000_000


def test_the_command_prints_the_table_narrow_wide_and_as_json(command):
    for options, expected in (((), table()), (("--wide",), table(wide=True))):
        status, out, _ = command("models", *options)
        assert status == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == list(MODELS)
        assert out.splitlines()[0].split()[-1] == expected.columns[-1]
    status, out, _ = command("models", "--json")
    assert (status, json.loads(out)) == (0, records())


def test_the_command_shows_one_model_in_full(command, refused, tmp_path):
    status, out, _ = command("models", "show", "prot_t5")
    assert status == 0
    assert dict(line.split(maxsplit=1) for line in out.splitlines())["licence"] == "AFL-3.0"
    assert all(value in out for value in entry(MODELS["prot_t5"]).values())
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["model_name"] = "Rostlab/prot_bert"
        file["P1"] = np.ones(5, np.float16)
    status, out, _ = command("models", "show", tmp_path / "x.h5")
    shown = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (status, shown["counterpart"], shown["width"]) == (0, "prot_bert", "5")
    assert "did you mean prot_bert" in refused("models", "show", "protbert")


def test_the_books_table_says_what_the_registry_says():
    page = (paths.BOOK / "data_and_models.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    for row in table(wide=True).to_dict("records"):
        if not row["key"].startswith("mini_"):
            (line,) = [line for line in lines if f"`{row['key']}`" in line]
            assert f"| {row['longest protein']} | {row['download']} | {row['licence']} |" in line
            assert f"{int(row['width']):,}" in line
