"""Settings: what is unknown or of a wrong type is a sentence that names the right ones."""

import pytest
import typer

from plm_geometry.base.errors import InputError
from plm_geometry.base.settings import Settings, read_settings
from plm_geometry.cli.app import app
from plm_geometry.pairs import AlignmentSettings


def test_what_is_not_given_keeps_its_default():
    settings = read_settings({"models": ["composition"], "seed": 7})
    assert (settings.names, settings.seed, settings.precision) == (["composition"], 7, "fp32")


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"n_protein": 3}, "parameter 'n_protein' is unknown; the parameters are profile, "),
        ({"n_proteins": "many"}, "parameter 'n_proteins' has value 'many'"),
        ({"n_proteins": -1}, "greater than or equal to 0"),
        ({"precision": "fp8"}, "'fp32', 'bf16' or 'fp16'"),
        ({"models": []}, "no model was named"),
        ({"models": ["kmers"], "controls": ["kmers"]}, "kmers is named twice"),
    ],
)
def test_wrong_parameters_are_sentences(parameters, sentence):
    with pytest.raises(InputError, match=sentence):
        read_settings(parameters)


def test_a_control_of_distances_that_is_a_control_anyway_counts_once():
    chosen = read_settings(
        {"models": ["a"], "controls": ["kmers"], "distance_controls": ["kmers", "composition"]}
    )
    assert chosen.names == ["a", "kmers", "composition"]


def test_alignments_take_the_same_defaults():
    assert vars(AlignmentSettings()) == {
        name: getattr(Settings(), name) for name in vars(AlignmentSettings())
    }


@pytest.mark.parametrize("verb", ["align", "embed"])
def test_options_of_the_command_have_the_parameters_defaults(verb):
    options = {o.name: o.default for o in typer.main.get_command(app).commands[verb].params}
    shared = {name for name in options.keys() & Settings.model_fields.keys() if options[name]}
    assert len(shared - {"proteins"}) >= 4
    for name in shared - {"proteins"}:  # what to align or embed has to be given
        assert options[name] == Settings.model_fields[name].default
