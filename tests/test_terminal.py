"""What the command reads and prints."""

import pandas as pd
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.cli.options import join_overrides, read_overrides
from plm_geometry.cli.terminal import aligned


@pytest.mark.parametrize(
    ("given", "joined"),
    [
        (["run", "-p", "seed", "3"], ["run", "-p", "seed=3"]),
        (["run", "-p", "seed=3"], ["run", "-p", "seed=3"]),
        (["--parameter", "gap_open", "-1", "x"], ["--parameter", "gap_open=-1", "x"]),
        (["-p", "seed"], ["-p", "seed"]),
        (["-p"], ["-p"]),
        (["-p", "proteins", "a=b.fasta"], ["-p", "proteins=a=b.fasta"]),
    ],
)
def test_papermills_way_of_naming_a_parameter_becomes_one_word(given, joined):
    assert join_overrides(given) == joined


def test_overrides_are_parted_at_the_first_equals_sign():
    assert read_overrides(["proteins=a=b.fasta", "n=3"]) == {"proteins": "a=b.fasta", "n": "3"}


def test_an_override_without_a_value_is_a_sentence():
    with pytest.raises(InputError, match="write -p seed VALUE"):
        read_overrides(["seed"])


def test_tables_are_flush_left():
    frame = pd.DataFrame({"key": ["a", "longer"], "value": [0.123456789, 2]})
    assert aligned(frame) == "key     value\na       0.123457\nlonger  2"
