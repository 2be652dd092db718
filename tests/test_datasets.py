"""Data sets by name: what they hold, and a sentence where one is missing."""

from types import SimpleNamespace

import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.proteins import datasets


def test_the_bacterium_has_its_2100_proteins_by_contig_and_gene():
    bacterium = datasets.read_proteins("bacterium")
    assert (len(bacterium), int(bacterium.lengths.sum())) == (2100, 680_484)
    assert (bacterium.lengths.min(), bacterium.lengths.max()) == (32, 4559)
    assert sum(sequence.count("X") for sequence in bacterium.sequences) == 4190
    assert bacterium.accessions[:2] == ("HG003688_1", "HG003688_2")
    assert bacterium.source == "bacterium"
    assert bacterium.notes == {"trailing *": 2099}


@pytest.mark.parametrize(("content", "state"), [(None, "not here"), (b">a\nMK\n", "altered")])
def test_a_bacterium_that_is_missing_or_altered_is_a_sentence(
    tmp_path, monkeypatch, content, state
):
    if content:
        (tmp_path / datasets._BACTERIUM).parent.mkdir(parents=True)
        (tmp_path / datasets._BACTERIUM).write_bytes(content)
    package = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(datasets, "find_spec", lambda name: package)
    with pytest.raises(InputError, match=rf"{state}; install .*pyhmmer==0\.12\.3"):
        datasets.read_proteins("bacterium")


def test_swissprot_that_was_not_fetched_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "SWISSPROT", tmp_path / "none.fasta.gz")
    with pytest.raises(InputError, match="plm-geometry fetch swissprot"):
        datasets.read_proteins("swissprot")


def test_any_other_name_is_a_file(fasta):
    assert datasets.read_proteins(str(fasta(">a\nMK\n"))).accessions == ("a",)


def test_known_downloads_come_from_uniprot_over_https():
    for download in datasets.DOWNLOADS.values():
        assert download.url.startswith("https://ftp.uniprot.org/")


def test_swissprot_is_fetched_to_where_a_study_looks_for_it():
    assert datasets.DOWNLOADS["swissprot"].url.endswith(f"/{paths.SWISSPROT.name}")
