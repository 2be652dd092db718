import json
import subprocess
import sys

import pytest

from plm_geometry.base import paths
from plm_geometry.models import MODELS, load
from plm_geometry.models.listing import entry, records, table

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


@pytest.mark.parametrize("key", [key for key, spec in MODELS.items() if spec.is_mini])
def test_a_minis_sizes_are_those_it_loads_with(key):
    row, model = entry(key), load(key)
    assert row["longest protein"] == f"{model.max_residues:,}" == "5,000"
    assert (row["layers"], row["width"]) == (str(model.n_layers), str(model.width))


def test_a_mini_that_is_yet_to_be_made_has_no_sizes(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    row = entry("mini_prot_bert")
    assert (row["layers"], row["width"], row["longest protein"]) == ("-", "-", "-")


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
    row = entry("untrained:mini_prot_bert")
    assert (row["role"], row["width"], row["longest protein"]) == ("control", "96", "5,000")


def test_records_are_json_with_numbers():
    rows = {row["key"]: row for row in json.loads(json.dumps(records()))}
    assert list(rows) == list(MODELS)
    assert rows["mini_prot_bert"]["max_residues"] == 5000
    assert rows["prot_xlnet"]["max_residues"] is None
    assert rows["prot_bert"]["download_bytes"] is None
    assert rows["prot_bert"]["estimated_bytes"] == 1_680_000_000


def test_listing_models_does_not_import_torch():
    code = (
        "import sys; from plm_geometry.models.listing import records, table\n"
        "table(), records(); print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_the_command_prints_the_table_narrow_wide_and_as_json(command):
    for options, expected in (((), table()), (("--wide",), table(wide=True))):
        status, out, _ = command("models", *options)
        assert status == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == list(MODELS)
        assert out.splitlines()[0].split()[-1] == expected.columns[-1]
    status, out, _ = command("models", "--json")
    assert (status, json.loads(out)) == (0, records())


def test_the_command_shows_one_model_in_full(command, refused):
    status, out, _ = command("models", "show", "prot_t5")
    assert status == 0
    assert dict(line.split(maxsplit=1) for line in out.splitlines())["licence"] == "AFL-3.0"
    assert all(value in out for value in entry("prot_t5").values())
    assert "did you mean prot_bert" in refused("models", "show", "protbert")


def test_the_books_table_says_what_the_registry_says():
    page = (paths.BOOK / "data_and_models.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    for row in table(wide=True).to_dict("records"):
        if not row["key"].startswith("mini_"):
            (line,) = [line for line in lines if f"`{row['key']}`" in line]
            assert f"| {row['longest protein']} | {row['download']} | {row['licence']} |" in line
            assert f"{int(row['width']):,}" in line
