"""What can be fetched from UniProt."""

from plm_geometry.uniprot import DOWNLOADS


def test_known_downloads_come_from_uniprot_over_https():
    for download in DOWNLOADS.values():
        assert download.url.startswith("https://ftp.uniprot.org/")
        assert download.url.endswith(download.filename)
