"""Proteins: FASTA files validated and sampled, data sets, families."""
