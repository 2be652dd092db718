"""Tables, boxes and figures to point at are sound HTML, whatever text is put into them."""

import base64
import json

import pandas as pd
from bs4 import BeautifulSoup

from plm_geometry.book.markup import ShownTable, interactive_figure, note, picture


def parsed(shown):
    return BeautifulSoup(shown._repr_html_(), "html.parser")


def test_a_table_has_its_caption_as_name_and_can_be_linked_to_and_scrolled_by_keys():
    cells = pd.DataFrame({"a <b>": ["1 & 2", "<i>"]})
    shown = ShownTable(cells, 'The "first" <table>.', "table-one")
    (scrolling,) = parsed(shown).find_all("div")
    assert scrolling["id"] == "table-one"
    assert scrolling["tabindex"] == "0"
    assert scrolling["aria-label"] == scrolling.caption.text == 'The "first" <table>.'
    assert [cell.text for cell in scrolling.find_all(["th", "td"])] == ["a <b>", "1 & 2", "<i>"]


def test_a_name_in_a_table_may_break_and_is_copied_whole():
    shown = ShownTable(pd.DataFrame({"run": ["a_long_name"]}), "A_caption.", "table-a_name")
    (cell,) = parsed(shown).find_all("td")
    assert (cell.text, len(cell.find_all("wbr"))) == ("a_long_name", 2)
    assert len(parsed(shown).find_all("wbr")) == 2
    assert parsed(shown).div["id"] == "table-a_name"


def test_a_table_is_aligned_text_where_no_html_is_shown():
    shown = ShownTable(pd.DataFrame({"value": ["1", "100"]}), "Values.", "table-values")
    assert repr(shown) == "value\n    1\n  100"


def test_a_box_names_models_whatever_their_names_hold():
    page = parsed(note("Title", {"These are {}.": ["<b>", "a & b", "c"], "No {}.": []}))
    title, body = page.find("div", class_="admonition note").find_all("p")
    assert (title.text, body.text) == ("Title", "These are <b>, a & b, and c.")


def test_a_figure_to_point_at_carries_its_data_and_says_where_it_is_kept():
    import plotly.graph_objects as go

    drawn = go.Figure(go.Scatter(x=[1], y=[2], customdata=["</script><b>P1</b>"]))
    page = parsed(interactive_figure(drawn, "points.html", "fig-points"))
    (place,) = page.find_all("div", class_="interactive-figure")
    assert place["data-in-place-of"] == "fig-points"
    assert place.code.text == "figures/points.html"
    assert json.loads(place.script.text)["data"][0]["customdata"] == ["</script><b>P1</b>"]


def test_a_picture_for_another_page_is_whole_in_itself_and_says_what_it_shows():
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
    image = parsed(picture(svg, 'Dots & "arrows".')).figure.img
    assert image["alt"] == 'Dots & "arrows".'
    kind, _, inside = image["src"].partition(",")
    assert (kind, base64.b64decode(inside)) == ("data:image/svg+xml;base64", svg)
