"""Retrieval is drawn against dimensions and components, and says where there is none."""

import numpy as np
import pandas as pd

import figure_frames as frames
from plm_geometry import figures


def table():
    return frames.MODELS.assign(
        effective_dimensions=[3.0, 7.0, 9.0],
        top_1=[0.3, 0.5, 0.2],
        top_1_low=[0.2, 0.4, np.nan],
        top_1_high=[0.4, 0.6, np.nan],
    )


def marks(axes, shape):
    return [line.get_xydata()[0].tolist() for line in axes.lines if line.get_marker() == shape]


def test_each_model_and_control_is_a_dot_with_its_name():
    [axes] = figures.more_dimensions(table()).axes
    assert marks(axes, "o") == [[3, 0.3], [7, 0.5], [9, 0.2]]
    assert {"ProtBERT", "ESM-2 8M", "Composition"} <= {text.get_text() for text in axes.texts}


def test_arrows_go_as_far_as_after_lies_from_before():
    moved = pd.DataFrame(
        {"title": ["ESM-2 8M", "no such"], "effective_dimensions": 40, "top_1": 0.6,
         "effective_dimensions_before": 10, "top_1_before": 0.45}
    )  # fmt: skip
    recorded = pd.DataFrame(
        {"title": "ESM-2 650M", "effective_dimensions": [3, 50], "top_1": [0.8, 0.9]}
    )
    [axes] = figures.more_dimensions(table(), moved, recorded).axes
    arrows = [(text.xyann, text.xy) for text in axes.texts if text.arrow_patch is not None]
    assert np.allclose(arrows, [[[7, 0.5], [28, 0.65]], [[3, 0.8], [50, 0.9]]])
    assert marks(axes, "D") == [[3, 0.8]]


def test_the_inset_holds_a_line_a_model():
    dose = frames.for_each(share=[0.0, 1.0])
    figure = figures.more_dimensions(table(), dose=dose.assign(moved=dose.share))
    [inset] = figure.axes[0].child_axes
    assert len(inset.lines) == 3


def test_components_have_a_panel_raw_and_one_whitened_and_dots_at_the_dimensions():
    frame = frames.for_each(whitened=[False, True], components=[1, 4, 16])
    frame = frame.assign(effective_dimensions=2.0, top_1=0.1 * np.log2(frame.components))
    frame = frame.assign(top_1_low=frame.top_1 - 0.1, top_1_high=frame.top_1 + 0.1)
    raw, whitened = figures.retrieval_by_components(frame).axes
    assert (raw.get_title(), whitened.get_title()) == ("raw", "whitened")
    assert np.allclose(marks(raw, "o"), [[2, 0.1]] * 3)
    assert not marks(whitened, "o")
    assert len(raw.collections) == 2  # no band of the control


def test_where_no_relatives_are_known_the_figures_say_so():
    for figure in (
        figures.more_dimensions(table().assign(top_1=np.nan)),
        figures.more_dimensions(pd.DataFrame(columns=table().columns)),
        figures.retrieval_by_components(pd.DataFrame()),
    ):
        assert any("relatives" in said.replace("\n", " ") for said in frames.texts(figure))
