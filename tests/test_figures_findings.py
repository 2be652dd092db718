"""Captions say what the numbers say: other numbers, another sentence, and never a wrong name."""

import numpy as np
import pandas as pd
import pytest

from finding_frames import CONTROLS, ONE, models
from plm_geometry.figures import findings

isotropy, local, words = findings.isotropy, findings.local, findings.words


# Words


def test_a_range_names_whose_its_ends_are():
    names = pd.Series(["A", "B", "C"])
    assert words.ends(pd.Series([2.0, 1.0, 3.0]), names, ".1f") == "1.0 in B to 3.0 in C"
    assert words.ends(pd.Series([2.0, np.nan, np.nan]), names, ".1f") == "2.0 in A"
    assert words.ends(pd.Series([2.0, 2.01, 2.0]), names, ".1f") == "2.0 in each of 3"
    assert words.ends(pd.Series([np.nan] * 3), names, ".1f") == words.UNKNOWN


def test_models_come_before_controls_which_are_called_so():
    assert (
        words.by_role(models(x=[2, 1, 3]), "x", "g")
        == "1 in B to 2 in A; controls, 3 in C (control)"
    )
    assert words.by_role(models(x=[2, 1, 3])[ONE], "x", "g") == "2 in A"
    assert words.by_role(models(x=[2, 1, 3])[CONTROLS], "x", "g") == "controls, 3 in C (control)"
    assert words.by_role(models(x=[np.nan] * 3), "x", "g") == words.UNKNOWN


def test_controls_are_counted_only_where_there_are_models_to_compare_with():
    assert words.controls_above(models(x=[2, 1, 3]), "x") == " Controls above every model: 1 of 1."
    assert words.controls_above(models(x=[4, 1, 3]), "x") == " Controls above every model: 0 of 1."
    assert words.controls_above(models(x=[4, 1, 3])[CONTROLS], "x") == ""
    assert words.controls_above(models(x=[4, 1, np.nan]), "x") == ""


def test_controls_are_judged_where_there_is_nothing_else():
    assert list(words.judged(models(x=[1, 2, 3])).title) == ["A", "B"]
    assert list(words.judged(models(x=[1, 2, 3])[CONTROLS]).title) == ["C"]


def test_the_greatest_value_has_its_name():
    names = pd.Series(["A", "B"])
    assert words.most(pd.Series([1, 2]), names, "d") == "2 in B"
    assert words.most(pd.Series([np.nan, np.nan]), names, "d") == words.UNKNOWN


def test_what_only_rounds_to_one_gets_a_decimal_more():
    said = words.ends(pd.Series([-0.998, 1.0]), pd.Series(["A", "B"]), ".2f")
    assert said == "−0.998 in A to 1.00 in B"


def test_counts_read_as_a_person_would_write_them():
    said = [words.number_of(count, 4000) for count in (4000, 1200, 0)]
    assert said == ["all 4,000", "1,200 of 4,000", "none of 4,000"]


# Global isotropy


@pytest.mark.parametrize(
    ("lengths", "shares", "said"),
    [
        ([100, 200, 300], [0.10, 0.05], "150 to 250 residues (median 200); no amino acid is "
         "further from its share in Swiss-Prot than A, 2.0 percentage points above it."),
        ([50, 50, 50], [0.08, 0.01], "50 residues (median 50); no amino acid is further from "
         "its share in Swiss-Prot than W, 3.0 percentage points below it."),
    ],
)  # fmt: skip
def test_proteins(lengths, shares, said):
    composition = pd.DataFrame({"residue": ["A", "W"], "share": shares, "swissprot": [0.08, 0.04]})
    found = isotropy.proteins(pd.DataFrame({"length": lengths}), composition)
    assert found == f"Half of the proteins have {said}"


def test_used_space_and_dimensions():
    few, many = (models(effective_dimensions=k, d=[10, 100, 20]) for k in ([5, 20, 6], [5, 80, 90]))
    assert isotropy.used_space(few) == (
        "Share of the space in use: 20.0% in B to 50.0% in A; controls, 30.0% in C (control)."
    )
    assert isotropy.used_space(many).startswith(
        "Share of the space in use: 50.0% in A to 80.0% in B"
    )
    assert isotropy.global_isotropy(few) == (
        "Dimensions in use: 5.00 in A to 20.00 in B; controls, 6.00 in C (control). Controls above "
        "every model: 0 of 1."
    )
    assert isotropy.global_isotropy(many).endswith("every model: 1 of 1.")
    assert isotropy.global_isotropy(many[ONE]) == "Dimensions in use: 5.00 in A."


def test_uncertainty():
    column = "effective_dimensions"
    ends = {f"{column}_low": [9, 8, 1], f"{column}_high": [11, 12, 3]}
    frame = models(**{f"{column}_corrected": [10, 10, 2]}, **ends)
    assert isotropy.uncertainty(frame) == (
        "Half the interval of k is this share of it: 10.0% in A to 20.0% in B; controls, 50.0% in "
        "C (control)."
    )
    unknown = frame.assign(**dict.fromkeys(ends, np.nan))
    assert isotropy.uncertainty(unknown).startswith("No interval is known")


def test_convergence():
    enough = models(plain=[500, 80_000, 10])
    assert isotropy.convergence(enough, 1000) == (
        "The third digit of the plain estimate takes about 500 to 80,000 proteins; the 1,000 of "
        "this run settle it in 1 of 2 models."
    )
    assert isotropy.convergence(enough, 100_000).endswith(
        "100,000 of this run settle it in all 2 models."
    )
    assert isotropy.convergence(enough[CONTROLS], 1000).endswith("settle it in 1 of 1 controls.")


def test_constructed_clouds():
    table = pd.DataFrame(
        {"isoscore": [0.98, 0.98], "mean_cosine_similarity": [0.0, 0.93]},
        index=["ball", "shifted ball"],
    )
    assert isotropy.constructed_clouds(table) == (
        "Moving the ball away from the origin takes its mean cosine from 0.00 to 0.93 and its "
        "IsoScore from 0.98 to 0.98."
    )
    assert "from 0.00 to −0.20" in isotropy.constructed_clouds(table.replace(0.93, -0.2))


def yardsticks(**columns):
    names = ("isoscore", "partition_isotropy", "mean_cosine_similarity", "intrinsic_dimension")
    return models(**{name: [0.1, 0.2, 0.3] for name in names} | columns)


def test_yardsticks_agree_or_do_not():
    assert isotropy.yardsticks(yardsticks()) == (
        "Most isotropic by 4 yardsticks of rank: 2 of 2 (B, A)."  # a low cosine is isotropic
    )
    agreeing = yardsticks(mean_cosine_similarity=[0.9, 0.1, 0.1])
    assert isotropy.yardsticks(agreeing) == (
        "Most isotropic by 4 yardsticks of rank: the same one of 2 (B)."
    )
    assert isotropy.yardsticks(yardsticks()[ONE]) == "A has an IsoScore of 0.100."


def test_spectrum():
    frame = models(component=1, share=[0.5, 0.25, 0.1])
    frame = pd.concat([frame, models(component=2, share=0.01)])
    assert isotropy.spectrum(frame).endswith(
        ": 25% in B to 50% in A; controls, 10% in C (control)."
    )
    assert isotropy.spectrum(frame.replace(0.5, 0.05)).endswith(
        "5% in A to 25% in B; controls, 10% in C (control)."
    )


def test_after_removing():
    frames = [
        models(kind="component", removed=n, isoscore=s)
        for n, s in ((0, [0.1, 0.2, 0]), (3, [0.4, 0.3, 0]))
    ]
    coordinates = models(kind="coordinate", removed=3, isoscore=9)
    frame = pd.concat([*frames[::-1], coordinates], ignore_index=True)
    assert isotropy.after_removing(frame) == (
        "Without its strongest 3 components, a cloud has this many times its IsoScore: 1.5 in B to "
        "4 in A."
    )
    less = frame.assign(isoscore=frame.isoscore.replace(0.4, 0.05))
    assert isotropy.after_removing(less).endswith("0.5 in A to 1.5 in B.")
    gone = frame.assign(isoscore=frame.isoscore.replace(0.4, np.nan))  # nothing varies any more
    assert isotropy.after_removing(gone).endswith("IsoScore: 1.5 in B.")


def test_coordinate_shares():
    frame = pd.concat([models(coordinate=n, share=[0.1, 1 / n**2, np.nan]) for n in range(1, 21)])
    assert isotropy.coordinate_shares(frame) == (
        "Ten coordinates make this part of the mean cosine: 50% in A to 97% in B."
    )
    assert isotropy.coordinate_shares(frame[frame.title == "A"]).endswith(": 50% in A.")


def test_pairwise_cosines():
    rows = [
        models(of="proteins", centred=c, cosine=v)
        for c, v in ((False, [0.9, 0.5, 0.7]), (True, [-0.1, 0, 0]))
    ]
    frame = pd.concat([*rows, models(of="residues", centred=False, cosine=0.99)])
    assert isotropy.pairwise_cosines(frame) == (
        "Median cosine of two proteins: 0.500 in B to 0.900 in A; controls, 0.700 in C (control). "
        "Less the common mean, the largest in size is 0.10."
    )
    assert isotropy.pairwise_cosines(frame[frame.title == "C"]).endswith("largest in size is 0.00.")


def test_natural_language():
    layers = pd.DataFrame({"title": ["BERT", "GPT"], "layer": [1.0, 12.0], "isoscore": [0.2, 0.1]})
    assert isotropy.language_layers(layers) == (
        "Over all layers, word tokens score 0.1000 in GPT, layer 12 to 0.2000 in BERT, layer 1."
    )
    assert "to 0.3000 in GPT, layer 12" in isotropy.language_layers(layers.replace(0.1, 0.3))
    clouds = models(of=["word tokens", "residues", "residues"], isoscore=[0.1, 0.02, 0.5])
    assert isotropy.beside_language(clouds) == (
        "IsoScores in last layers, controls apart: word tokens 0.1; residues 0.02."
    )
    assert isotropy.beside_language(clouds.replace(0.02, 0.3)).endswith("residues 0.3.")


# Amino acids


def residues(**changed):
    """Return three amino acids of two models and a control, which has no spread."""
    values = {"A": [2.0, 4.0, np.nan], "G": [6.0, 8.0, np.nan], "W": [3.0, 1.0, np.nan]} | changed
    frames = [models(residue=r, effective_dimensions=v, isoscore=v) for r, v in values.items()]
    frame = pd.concat(frames, ignore_index=True)
    k = frame.effective_dimensions
    return frame.assign(effective_dimensions_low=k - 1, effective_dimensions_high=k + 1)


def test_averages():
    frame = models(average_dimensions=[3, 5, 9], published_dimensions=[14, np.nan, np.nan])
    assert local.averages(frame) == (
        "An amino acid uses on average, in dimensions (the paper prints about 14): 3.0 in A to 5.0 "
        "in B; controls, 9.0 in C (control)."
    )
    assert local.averages(frame[1:2]).endswith("in dimensions: 5.0 in B.")


def test_local_spread():
    assert local.local_spread(residues()) == (
        "Amino acids lie furthest apart in B: from 1.0 in W to 8.0 in G dimensions."
    )
    assert local.local_spread(residues(A=[0.5, 4, np.nan], G=[9, 8, np.nan])).startswith(
        "Amino acids lie furthest apart in A: from 0.5 in A to 9.0 in G"
    )
    assert "not known" in local.local_spread(residues()[lambda f: f.role == "control"])


def test_local_intervals():
    assert local.local_intervals(residues()).endswith("lie apart in all 2 models.")
    close = residues(A=[5, 4, np.nan], W=[5.5, 1, np.nan])
    assert local.local_intervals(close).endswith("lie apart in 1 of 2 models.")
    unknown = close.assign(effective_dimensions_low=np.nan)
    assert local.local_intervals(unknown).startswith("No interval")


def test_by_residue():
    assert local.by_residue(residues()) == (
        "Most often with the fewest dimensions A (1 of 2 models) and with the most dimensions G "
        "(all 2 models)."
    )
    assert local.by_residue(residues(A=[2, 0.5, np.nan])).startswith(
        "Most often with the fewest dimensions A (all 2 models)"
    )


def test_local_heatmap():
    assert local.local_heatmap(residues(), "isoscore") == (
        "IsoScore by amino acid: 1.000 in W of B to 8.000 in G of B."
    )
    assert local.local_heatmap(residues(A=[9, 4, np.nan]), "isoscore").endswith("9.000 in A of A.")


def test_local_variance_and_letters():
    assert local.local_variance(models(between=[0.9, 0.5, 0.1])) == (
        "Between amino acids lies this share of the variance: 50% in B to 90% in A; controls, 10% "
        "in C (control)."
    )
    assert local.local_variance(models(between=[0.2, 0.5, 0.1])).endswith(
        "20% in A to 50% in B; controls, 10% in C (control)."
    )
    letters = pd.DataFrame({"letter": ["U", "X"], "residues": [3, 1200]})
    assert local.letters(letters) == (
        "Beyond the twenty amino acids there are 1,203 residues, of U, X."
    )
    assert "3 residues, of U." in local.letters(letters[:1])
    beyond = models(residue="X", effective_dimensions=[2, 3, 4])
    assert local.clouds_of_letters(beyond).endswith("2.0 in X of A to 3.0 in X of B.")
    assert local.clouds_of_letters(beyond[:1]).endswith(": 2.0 in X of A.")
