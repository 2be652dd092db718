import codecs
import pickle

import numpy as np
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.models.weights import (
    read_array_pickle,
    read_config,
    sha256_of_files,
    weight_files,
)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_pickle_protocol_are_read(tmp_path, protocol):
    content = (3, [np.arange(6.0).reshape(2, 3), np.float32(2)], {"name": "x"}, None)
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    found = read_array_pickle(path)
    np.testing.assert_array_equal(found[1][0], content[1][0])
    assert (found[0], found[1][1], found[2:]) == (3, 2.0, content[2:])


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "attack",
    [
        Calls(eval, "1"),
        Calls(open, "written", "w"),
        Calls(np.load, "x"),
        Calls(codecs.encode, "x", "rot13"),
        Calls(getattr, np.ndarray, "tofile"),
    ],
)
def test_a_pickle_that_calls_anything_is_refused(tmp_path, monkeypatch, attack):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps([attack]))
    with pytest.raises(InputError, match="not a safe pickle of arrays"):
        read_array_pickle(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.pkl"]


def test_weights_are_found_in_either_format_and_safetensors_first(tmp_path):
    with pytest.raises(InputError, match="holds no weights"):
        weight_files(tmp_path)
    (tmp_path / "pytorch_model.bin").touch()
    assert [p.name for p in weight_files(tmp_path)] == ["pytorch_model.bin"]
    (tmp_path / "model.safetensors").touch()
    assert [p.name for p in weight_files(tmp_path)] == ["model.safetensors"]


def test_digests_follow_the_contents(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"weights")
    two.write_bytes(b"weights")
    assert sha256_of_files([one]) == sha256_of_files([two])
    assert sha256_of_files([one, two]) != sha256_of_files([one])
    two.write_bytes(b"weightz")
    assert sha256_of_files([one]) != sha256_of_files([two])


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "7"])
def test_a_configuration_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match="cannot be read as a configuration"):
        read_config(tmp_path)


def test_a_directory_without_configuration_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match=r"is not a checkpoint: it holds no config\.json"):
        read_config(tmp_path)
