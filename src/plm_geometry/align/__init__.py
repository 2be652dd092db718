"""Pairwise alignment of proteins: score, identical residues and sequence identity of each pair."""

from plm_geometry.align.pairwise import align_pairs, replaced_residues
from plm_geometry.align.settings import AlignmentSettings
from plm_geometry.align.substitution import matrix_names
from plm_geometry.align.table import align_to_parquet, read_note
from plm_geometry.align.text import AlignedText, aligned_texts

__all__ = [
    "AlignedText",
    "AlignmentSettings",
    "align_pairs",
    "align_to_parquet",
    "aligned_texts",
    "matrix_names",
    "read_note",
    "replaced_residues",
]
