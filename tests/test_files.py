"""Atomic writes: files that are complete or do not exist."""

import json
import os
from contextlib import suppress

from plm_geometry.base.files import replacing, write_json


def test_a_file_takes_its_name_only_when_whole(tmp_path):
    target = tmp_path / "table.json"
    write_json(target, {"a": 1})
    with suppress(RuntimeError), replacing(target) as partial:
        partial.write_text("half of it")
        raise RuntimeError
    assert target.read_text() == '{\n  "a": 1\n}\n'
    assert os.listdir(tmp_path) == ["table.json"]


def test_json_keeps_letters_of_every_language(tmp_path):
    write_json(tmp_path / "x.json", {"title": "প্রোটিন"})
    assert "প্রোটিন" in (tmp_path / "x.json").read_text()
    assert json.loads((tmp_path / "x.json").read_text()) == {"title": "প্রোটিন"}
