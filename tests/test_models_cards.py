"""What is said of a model before it is loaded, against what is known once it is."""

import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest
import transformers

import tiny_checkpoints
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.files import EmbeddingFile
from plm_geometry.models import MODELS, counterpart, describe_model, load, said_by_file
from plm_geometry.models.cards import ModelCard
from plm_geometry.models.configs import directory_of
from plm_geometry.models.proteinbert import load_official_dump, save_directory
from plm_geometry.models.proteinbert_module import ProteinBERTConfig
from plm_geometry.models.registry import OF_PAPER
from test_models_proteinbert import dump_arrays, write_dump

SMALL = ProteinBERTConfig(n_annotations=7, local_width=6, global_width=8, n_heads=2, key_width=3)


def card_of_loaded(name, **options) -> ModelCard:
    model = load(name, **options)
    is_own_name = model.identity["architecture"] == model.name  # of the controls without weights
    role = "control" if model.is_control else "mini" if model.is_mini else "model"
    said = role, counterpart(model.name)
    if isinstance(model, EmbeddingFile):  # it knows only what it calls itself
        said = said_by_file(model.title)
    return ModelCard(
        name=model.name,
        title=model.title,
        role=said[0],
        counterpart=said[1],
        architecture="control" if is_own_name else model.identity["architecture"],
        width=model.width,
        max_residues=model.max_residues,
    )


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
    with h5py.File(root / "vectors.h5", "w") as file:
        file.attrs["model_name"] = "Rostlab/prot_bert"
        file["P1"] = file["P2"] = np.ones((1, 5), np.float16)
    found["h5"] = root / "vectors.h5"
    np.save(root / "vectors.npy", np.ones((2, 3)))
    (root / "vectors.txt").write_text("P1\nP2\n")
    found["npy"] = root / "vectors.npy"
    return found


KINDS = [*tiny_checkpoints.WRITERS, "absolute", "limited", "dump", "converted"]


@pytest.mark.parametrize("kind", [*KINDS, "h5", "npy"])
def test_a_place_is_described_as_it_loads(places, kind):
    assert describe_model(places[kind]) == card_of_loaded(places[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_untrained_copy_is_described_as_it_loads(places, kind):
    name = f"untrained:{places[kind]}"
    assert describe_model(name) == card_of_loaded(name)


@pytest.mark.parametrize("padded_length", [5, 512, "power of two"])
@pytest.mark.parametrize("name", ["mini_protein_bert", "untrained:protein_bert"])
def test_a_padded_length_limits_protein_bert_as_it_loads(name, padded_length):
    described = describe_model(name, padded_length=padded_length)
    assert described == card_of_loaded(name, padded_length=padded_length)


LOCAL = [key for key, spec in MODELS.items() if spec.is_mini or spec.layers == 0]


@pytest.mark.parametrize("key", LOCAL)
def test_a_key_is_described_as_it_loads(key):
    assert describe_model(key) == card_of_loaded(key)


@pytest.mark.parametrize("key", ["mini_prot_bert", "mini_protein_bert", "protein_bert"])
def test_a_keys_untrained_copy_is_described_as_it_loads(key):
    assert describe_model(f"untrained:{key}") == card_of_loaded(f"untrained:{key}")


def test_a_mini_named_by_its_directory_is_one_all_the_same():
    directory = str(directory_of(MODELS["mini_prot_bert"]))
    by_place = describe_model(directory)
    assert by_place == card_of_loaded(directory)
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
    card = describe_model(tmp_path / "x.h5")
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


def test_real_models_are_described_without_network_or_torch():
    code = (
        "import sys; from plm_geometry.models import MODELS, describe_model\n"
        "for key in MODELS: describe_model(key)\n"
        "print('torch' in sys.modules)"
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
        (notes, "none of the files that are read"),
    ):
        with pytest.raises(InputError, match=complaint):
            describe_model(path)
