"""What all else builds on: errors, paths, atomic files, provenance, downloads, parallel work."""
