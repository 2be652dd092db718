"""Pairs of proteins: drawing them, reading them, distances between their embeddings."""

from plm_geometry.pairs.distances import pair_distances
from plm_geometry.pairs.drawing import all_pairs, count_pairs, draw_pairs
from plm_geometry.pairs.families import pairs_between, pairs_within
from plm_geometry.pairs.files import read_pairs
from plm_geometry.pairs.stratified import PairSample, draw_stratified

__all__ = [
    "PairSample",
    "all_pairs",
    "count_pairs",
    "draw_pairs",
    "draw_stratified",
    "pair_distances",
    "pairs_between",
    "pairs_within",
    "read_pairs",
]
