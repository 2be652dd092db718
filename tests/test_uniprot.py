"""What can be fetched from UniProt."""

from plm_geometry.base import paths
from plm_geometry.proteins.uniprot import DOWNLOADS


def test_known_downloads_come_from_uniprot_over_https():
    for download in DOWNLOADS.values():
        assert download.url.startswith("https://ftp.uniprot.org/")


def test_swissprot_is_fetched_to_where_a_study_looks_for_it():
    assert DOWNLOADS["swissprot"].url.endswith(f"/{paths.SWISSPROT.name}")
