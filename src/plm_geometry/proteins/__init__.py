"""Proteins in: FASTA validated and sampled, data sets, families."""
