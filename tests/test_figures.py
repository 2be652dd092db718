"""What holds of every figure: labels, numbers, colours, one style, no global state."""

import subprocess
import sys

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import figure_frames as frames
from plm_geometry import figures
from plm_geometry.figures import style


def drawn(figure, path):
    """Return the bytes of a figure, drawn in the report's style."""
    with matplotlib.rc_context(figures.STYLE):
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path.read_bytes()


def test_a_label_marks_what_is_no_model_once():
    frame = frames.MODELS.assign(title=["ProtBERT", "mini ProtBERT", "Composition"],
                                 role=["model", "mini", "control"])  # fmt: skip
    said = figures.labels(frame).tolist()
    assert said == ["ProtBERT", "mini ProtBERT", "Composition (control)"]
    controls = ["composition", "3-mers", "untrained ProtBERT", "shuffled ProtBERT"]
    frame = pd.DataFrame({"title": controls, "role": "control"})
    assert figures.labels(frame).tolist() == controls


def test_a_frame_without_rows_has_labels_too():
    assert list(figures.labels(frames.MODELS)) == frames.LABELS
    assert figures.labels(frames.MODELS[:0]).empty


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.8354, "\N{MINUS SIGN}0.835"), (-0.9998, "\N{MINUS SIGN}0.9998"), (1.0, "1.000"),
     (0.99981, "0.9998"), (0.0, "0.000"), (-1.0, "\N{MINUS SIGN}1.000"), (1 - 1e-15, "1.000"),
     (-0.0002, "0.000"), (np.nan, "–")],
)  # fmt: skip
def test_only_what_is_one_is_shown_as_one_and_zero_has_no_sign(value, text):
    assert figures.rounded(value, 3) == text


def test_an_interval_is_said_with_its_ends_and_its_lack_with_a_dash():
    said = figures.spans(frames.global_isotropy(), "mean_cosine_similarity", 2)
    assert said.tolist() == ["0.90 to 0.92", "–", "\N{MINUS SIGN}0.12 to \N{MINUS SIGN}0.08"]


@pytest.mark.parametrize(
    ("values", "said"),
    [([3, 1, 2.04], "1.0 to 3.0"), ([1.02, 0.98], "1.0"), ([np.nan, 2], "2.0"), ([np.nan], "–")],
)
def test_an_extent_has_both_ends_unless_they_read_alike(values, said):
    assert figures.extent(pd.Series(values), ".1f") == said


def test_models_differ_in_colour_and_controls_are_grey():
    assert style.labelled(frames.MODELS).colour.tolist() == [*style.PALETTE[:2], style.GREY]


def test_no_two_lines_look_alike_even_when_colours_repeat():
    titles = [f"model {i}" for i in range(8)] + ["composition", "untrained"]
    roles = ["model"] * 8 + ["control"] * 2
    frame = frames.MODELS.iloc[[0] * 10].assign(title=titles, label=titles, role=roles)
    looks = [(line["color"], line["ls"]) for line in style.looks(frame).values()]
    assert len(set(looks)) == 10
    assert [dash for _, dash in looks[:6]] == ["-"] * 6
    assert looks[8][0] == looks[9][0] == style.GREY


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 1), (5, 2)])
def test_panels_fill_rows_and_each_lowest_one_is_labelled(count, rows):
    figure, grid = style.panels(count, "", "", (2, 2), 3, sharex=True)
    assert len(grid) == len(figure.axes) == count
    assert figure.get_size_inches()[1] == 2 * rows + 0.6
    lowest = grid[-min(3, count) :]
    assert all(axes.xaxis.get_tick_params()["labelbottom"] for axes in lowest)


def test_the_same_data_make_the_same_file(tmp_path):
    frame = frames.global_isotropy()
    first = drawn(figures.global_isotropy(frame), tmp_path / "first.svg")
    assert first == drawn(figures.global_isotropy(frame), tmp_path / "second.svg")


def test_drawing_leaves_no_open_figure_and_no_changed_setting():
    before = dict(matplotlib.rcParams)
    figures.global_isotropy(frames.global_isotropy())
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_a_number_in_words_needs_no_plotting_library():
    said = (
        "import sys; from plm_geometry import figures; figures.rounded(0.5, 1); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, check=True
    )
    assert not {"matplotlib", "seaborn", "plotly"} & set(loaded.stdout.split())
    assert all(callable(getattr(figures, name)) for name in dir(figures) if name.islower())
