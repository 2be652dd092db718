import json

import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.models import MODELS
from plm_geometry.models.configs import read_config, sizes_of


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "7"])
def test_a_configuration_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match="cannot be read as a configuration"):
        read_config(tmp_path)


def test_a_directory_without_configuration_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match=r"is not a checkpoint: it holds no config\.json"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("key", "files", "sizes"),
    [
        (
            "mini_prot_xlnet",
            {
                "config.json": {"n_layer": 3, "d_model": 8},
                "tokenizer_config.json": {"model_max_length": 12},
            },
            (3, 8, 10),
        ),
        (
            "mini_protein_bert",
            {"config.json": {"n_blocks": 2, "global_width": 6, "max_residues": 9}},
            (2, 6, 9),
        ),
    ],
)
def test_a_minis_sizes_are_its_checkpoints(tmp_path, monkeypatch, key, files, sizes):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    directory = tmp_path / MODELS[key].source
    directory.mkdir(parents=True)
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content))
    assert sizes_of(MODELS[key]) == sizes


def test_other_sizes_are_the_tables():
    assert sizes_of(MODELS["esm1b"]) == (33, 1280, 1022)
    assert sizes_of(MODELS["prot_xlnet"]) == (30, 1024, None)
