"""Constructed clouds are drawn, and under each stand its yardsticks."""

import numpy as np
import pandas as pd

import figure_frames as frames
from plm_geometry import figures


def test_each_cloud_stands_over_its_column_of_yardsticks():
    rng = np.random.default_rng(1)
    clouds = {name: rng.normal(size=(50, 3)) for name in ("ball", "cone")}
    table = pd.DataFrame(
        {"isoscore": [0.98, 0.25], "share_first_10": [np.nan, np.nan]}, index=list(clouds)
    )
    figure = figures.constructed_clouds(clouds, table)
    ball, cone, below = figure.axes
    assert [ball.get_title(), cone.get_title()] == ["ball", "cone"]
    places = {text.get_text(): text.get_position() for text in below.texts}
    assert places["0.98"][0] + 1 == places["0.25"][0]
    assert places["0.98"][1] == places["IsoScore"][1] == places["share of first 10"][1] - 1
    assert frames.texts(figure).count("–") == 2
    # The panels stand where the table's columns are.
    middle = [(axes.get_position().x0 + axes.get_position().x1) / 2 for axes in (ball, cone)]
    width = below.get_position().width
    columns = [
        below.get_position().x0 + width * places[said][0] / below.get_xlim()[1]
        for said in ("0.98", "0.25")
    ]
    assert np.allclose(middle, columns)
