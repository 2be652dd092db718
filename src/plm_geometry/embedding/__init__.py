"""From proteins and a model to vectors and residue moments; files of vectors."""
