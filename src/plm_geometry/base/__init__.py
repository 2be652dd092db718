"""What every room stands on: errors, paths, atomic files, provenance, downloads, blocks of work."""
