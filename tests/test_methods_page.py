"""The page of methods states the constants that the code uses, and each definition's source."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml

from plm_geometry.association import homology, lengths, nonlinear, spread
from plm_geometry.association.retrieval import N_STRANGERS
from plm_geometry.base import paths
from plm_geometry.base.settings import Settings
from plm_geometry.book import report
from plm_geometry.embedding import run as embed
from plm_geometry.experiments import remedies, retrieval, variants
from plm_geometry.isotropy import jackknife, yardsticks
from plm_geometry.models import MODELS
from plm_geometry.pairs import stratified
from plm_geometry.paper import ablation, verdicts
from plm_geometry.proteins.variants import LEAST_IDENTITY
from plm_geometry.study import correlation, scatter
from plm_geometry.study import isotropy as isotropy_study

METHODS = (paths.BOOK / "methods.md").read_text()
# On one line, without emphasis and mathematics' braces, so that a sentence can be searched for.
TEXT = " ".join(re.sub(r"[*$\\{}]", "", METHODS.replace(r"\,", "")).split())
WORDS = {"two": 2, "three": 3, "five": 5, "six": 6, "nine": 9, "ten": 10, "twenty": 20,
         "third": 3, "tenth": 0.1, "twentieth": 0.05,
         "half": 0.5, "quarter": 0.25}  # fmt: skip
GAPS = [number for gap in correlation.GAPS for number in gap]


# What the page says, with a group for each number, and what the code has.
STATED = [
    (r"(\d+) blocks of proteins for global embeddings", isotropy_study._N_BLOCKS),
    (r"for global embeddings, (\d+) for residues", embed.N_GROUPS),
    (r"no interval where fewer than (\w+) blocks have vectors", jackknife.LEAST_BLOCKS),
    (r"mean over batches of (\d+) vectors", yardsticks.BATCH_SIZE),
    (r"without overlap, (\d+) at most", yardsticks.N_BATCHES),
    (r"at zeta = (\d\.\d+)", yardsticks.ZETA),
    (r"the largest (\w+) of the ratios is left out", yardsticks._DISCARDED),
    (r"of more than ([\d,]+) vectors a random sample", yardsticks.MAX_NEIGHBOURS_OF),
    (r"unless said otherwise\).*?, (\d+) for the first residue of a gap", Settings().gap_open),
    (r"first residue of a gap and (\d+) for each further one", Settings().gap_extend),
    (r"polynomials up to degree (\d+) in the logarithms", lengths._DEGREE),
    (r"k-mers \(subsequences of (\d+) residues\)", stratified._KMER),
    (r"lets expect, from (\d\.\d+) up in steps of", stratified.EDGES[0]),
    (r"up in steps of (\d\.\d+)", np.diff(stratified.EDGES).mean()),
    (r"up to (\w+) of them from the strata", stratified.SIMILAR_SHARE),
    (r"leaving out one of (\w+) random groups of families", spread._GROUPS),
    (r"seeded sample of at most ([\d,]+) pairs", nonlinear.N_FOR_DISTANCES),
    (r"is the largest of (\w+) values", nonlinear.SHUFFLES),
    (r"of a bin of identity, at most ([\d,]+), are set", homology._MOST_PAIRS),
    (r"set against (\w+) unrelated pairs for each", homology._UNRELATED),
    (r"drawn from the (\d+) that are nearest", homology._NEAREST),
    (r"a local alignment with at least (\d+) of them", scatter._LEAST_ALIGNED),
    (r"a bin of fewer than (\w+) families has none", homology.LEAST_BLOCKS),
    (r"One protein a family is changed, of (\d+) to \d+ residues", variants.LENGTHS[0]),
    (r"One protein a family is changed, of \d+ to (\d+) residues", variants.LENGTHS[1]),
    (r"among those of \d+ to (\d+) residues whose", variants.LENGTHS[1]),
    (r"identities of (\d\.\d) to 0\.2\.", variants.IDENTITIES["pam"][0]),
    (r"identities of 0\.9 to (\d\.\d)\.", variants.IDENTITIES["pam"][-1]),
    (r"squared distance of ([\d,]+) random pairs of the run's", variants.N_RANDOM),
    (r"no gap in at least (\d+)% of its columns", 100 * variants.COVERED),
    (r"and an identity of (\d+)% or more, but", 100 * LEAST_IDENTITY),
    (r"Of more than ([\d,]+) proteins so many are drawn", retrieval._LARGEST),
    (r"Here c is 3, and (\d+) or all but one dimension", remedies._WHITENED),
    (r"leave out (\w+) blocks of families of each half", remedies._N_BLOCKS),
    (r"where less than a (\w+) of the variance is left", remedies._LEAST_LEFT),
    (r"Families are divided into (\w+) halves", retrieval._N_FOLDS),
    (r"are the (\d+) proteins of other families", N_STRANGERS),
    (r"fewer than (\w+) families, or proteins, there is no interval", homology.LEAST_BLOCKS),
    (r"each combination of (\w+) modes", len(correlation.MODES)),
    (r"n/(\d+) for a run over the pairs", verdicts._paired_proteins()),
    (r"reaches at most (\d\.\d+) \(correlations\)", verdicts.MARGIN),
    (r"a (\w+) of the printed number \(dimensions", verdicts.SHARE),
    (r"and (\w+) gap costs", len(correlation.GAPS)),
    (r"on at most ([\d,]+) of its pairs", correlation._N_FOR_SETTINGS),
    (r"(\w+) arms of two architectures", ablation.N_ARMS),
    (r"architectures, with (\w+) seeds each", ablation.SEEDS),
    (r"lies at least (\d\.\d+) nats below the entropy", ablation.BELOW_UNIGRAM),
    (r"mean losses differ by at most (\d\.\d+) nats", ablation.MATCHED),
    (r"GO multiplies k by (\d) or more in both", ablation.LARGE),
    (r"upper bound for GO is under (\d\.\d)", ablation.SMALL),
    (r"p-value is at most (\d\.\d+)", ablation.LEVEL),
]  # fmt: skip


def number(text):
    return WORDS[text] if text in WORDS else float(text.replace(",", ""))


@pytest.mark.parametrize(("sentence", "used"), STATED)
def test_the_methods_state_the_constants_of_the_code(sentence, used):
    stated = re.findall(sentence, TEXT)
    assert stated, "the page no longer says so"
    assert [number(text) for text in stated] == pytest.approx([used] * len(stated))


def test_the_methods_state_the_bins_of_identity_and_the_gap_costs():
    (bins,) = re.findall(r"Bins end at identities of ([\d., and]+?)\. Intervals", TEXT)
    edges = [float(text) for text in re.findall(r"\d(?:\.\d+)?", bins)]
    assert edges == list(scatter._IDENTITY_BINS[1:])
    (gaps,) = re.findall(r"six gap costs \(([\d/, and]+)\)", TEXT)
    assert [int(text) for text in re.findall(r"\d+", gaps)] == GAPS


def test_the_methods_state_the_shares_that_are_permuted():
    (shares,) = re.findall(r"for a share s of ([\d, and]+)%", TEXT)
    assert [int(text) / 100 for text in re.findall(r"\d+", shares)] == list(variants.DOSES)


def definitions():
    found = re.findall(r"```\{prf:definition\} (.+?)\n(.*?)\n```", METHODS, re.DOTALL)
    return dict(found)


@pytest.mark.parametrize("name", definitions())
def test_every_definition_names_its_source_or_says_that_it_is_ours(name):
    body = definitions()[name]
    assert ":label: def-" in body
    assert re.search(r"\{cite(?::t)?\}`|this project's", body)


def test_every_model_of_the_registry_is_in_the_books_table_with_size_and_licence():
    page = (paths.BOOK / "data_and_models.md").read_text()
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}
    assert set(rows) == set(MODELS)
    for key, spec in MODELS.items():
        if not spec.is_mini:
            assert f"| {spec.layers}, {spec.width:,} |" in rows[key]
            assert f"| {spec.licence} |" in rows[key]
            limit = "any" if spec.max_residues is None else f"{spec.max_residues:,}"
            assert f"| {limit} |" in rows[key]


def test_the_citation_file_is_whole_and_names_this_version():
    citation = yaml.safe_load((paths.ROOT / "CITATION.cff").read_text())
    project = (paths.ROOT / "pyproject.toml").read_text()
    assert {"cff-version", "message", "title", "authors", "version"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == re.search(r'^version = "(.+)"', project, re.MULTILINE)[1]
    for work in (citation, *citation["references"]):
        assert work["type"] in {"software", "article"}
        assert all({"name"} <= set(one) or {"family-names"} <= set(one) for one in work["authors"])


def test_every_page_says_how_little_the_minis_have_learnt():
    losses = pd.read_csv(paths.ROOT / "data" / "minis" / "checkpoints" / "losses.csv")
    said = report._KINDS["mini"]
    for column in ("Held-out: loss", "Held-out: unigram entropy"):
        assert f"{losses[column].min():.3f} to {losses[column].max():.3f}" in said
