"""Every published number is listed as it is printed, once, with the place of its last digit."""

import csv
import re

import pytest

from plm_geometry.base import paths
from plm_geometry.paper import published
from plm_geometry.paper.printed import last_digit, numbers


@pytest.fixture(scope="module")
def table():
    return numbers()


def cells(name, *columns):
    """Return the cells of a table's columns as they lie in the file."""
    with (paths.PUBLISHED / f"{name}.csv").open() as file:
        return [row[column] for row in csv.DictReader(file) for column in columns if row[column]]


def test_every_number_of_every_table_is_listed(table):
    expected = (
        cells("data_set", "printed")
        + cells("global_isotropy", "n", "isoscore", "printed_dimensions")
        # The average is printed for three models.
        + cells("local_isotropy", "value") + ["14", "14"]
        + cells("correlation_protbert", "pearson")
        + cells("natural_language", "isoscore", "quoted_by_paper")
    )  # fmt: skip
    assert sorted(table["printed"]) == sorted(expected)
    assert len(table) == 70


def test_values_are_those_that_are_printed(table):
    assert (table["published"] == table["printed"].astype(float)).all()
    isoscores = table[table["quantity"] == "isoscore"].set_index("counterpart")["published"]
    assert isoscores.to_dict() == published.global_isotropy()["isoscore"].to_dict()


@pytest.mark.parametrize(
    ("printed", "place"),
    [("0.001658", 1e-6), ("0.15260", 1e-5), ("-0.011", 1e-3), ("0.11", 0.01), ("14", 1),
     ("120", 1), ("5.7e5", 1e4), ("6.4e6", 1e5)],
)  # fmt: skip
def test_the_last_digit_is_that_of_the_text(printed, place):
    assert last_digit(printed) == place


def test_each_number_has_a_name_of_its_own_and_says_where_it_stands(table):
    assert not table.duplicated("name").any()
    assert table["source"].str.contains("arXiv 2510.10655|Rudman et al. 2022").all()
    assert not table.isna().any(axis=None)
    # A run's value must find exactly one number; no chapter measures word tokens.
    found = table[table["quantity"] != "isoscore_of_tokens"]
    assert not found.duplicated(["quantity", "counterpart"]).any()


def test_one_correlation_has_no_model_in_it(table):
    free = table[(table["unit"] == "correlation") & ~table["by_model"]]
    assert free["printed"].tolist() == ["0.847"]
    assert free["counterpart"].tolist() == [""]


def test_numbers_of_data_are_as_the_paper_rounds_them(table):
    data = table[table["part"] == "data"].set_index("quantity")["published"]
    assert data.to_dict() == {"proteins": 570_000, "share_of_proteins": 0.01, "pairs": 6_400_000}


def test_names_are_words_for_readers(table):
    assert not [name for name in table["name"] if re.search("_|euclidean", name)]
