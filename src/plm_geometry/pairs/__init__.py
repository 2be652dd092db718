"""Pairs of proteins: drawing them, aligning them, distances between their embeddings."""

from plm_geometry.pairs.alignment import align_pairs, replaced_residues
from plm_geometry.pairs.distances import pair_distances
from plm_geometry.pairs.drawing import (
    all_pairs,
    count_pairs,
    draw_pairs,
    pairs_between,
    pairs_within,
)
from plm_geometry.pairs.files import read_pairs
from plm_geometry.pairs.scoring import AlignmentSettings, matrix_names
from plm_geometry.pairs.stratified import PairSample, draw_stratified
from plm_geometry.pairs.table import align_to_parquet, read_note
from plm_geometry.pairs.text import AlignedText, aligned_texts

__all__ = [
    "AlignedText",
    "AlignmentSettings",
    "PairSample",
    "align_pairs",
    "align_to_parquet",
    "aligned_texts",
    "all_pairs",
    "count_pairs",
    "draw_pairs",
    "draw_stratified",
    "matrix_names",
    "pair_distances",
    "pairs_between",
    "pairs_within",
    "read_note",
    "read_pairs",
    "replaced_residues",
]
