"""Models onto devices: precision is part of what they are, mistakes are sentences."""

import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.devices import load_model


def test_precision_is_part_of_what_a_model_is(model):
    other = load_model(model.name, device="cpu", precision="bf16")
    assert other.identity != model.identity


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"precision": "fp8"}, "precision 'fp8'"), ({"device": "cuda:77"}, "device 'cuda:77'")],
)
def test_unknown_precision_and_device_are_sentences(options, sentence):
    with pytest.raises(InputError, match=sentence):
        load_model("composition", **options)
