"""A Chromium is found by name, by path, or missed in one sentence."""

import shutil
import sys
from types import SimpleNamespace

import browser
import pytest

from plm_geometry.base.errors import InputError

# What playwright would have downloaded, on a machine where it has not.
DRIVER = SimpleNamespace(chromium=SimpleNamespace(executable_path="/nowhere/chrome"))


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch, tmp_path):
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def executable(path):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_an_installed_chromium_is_found_by_its_usual_names(tmp_path):
    found = executable(tmp_path / "google-chrome")
    assert browser._chromium(DRIVER) == found
    other = executable(tmp_path / "chromium")
    assert browser._chromium(DRIVER) == other


def test_the_one_that_is_named_goes_before_an_installed_one(tmp_path, monkeypatch):
    executable(tmp_path / "chromium")
    named = executable(tmp_path / "mine")
    monkeypatch.setenv(browser.VARIABLE, named)
    assert browser._chromium(DRIVER) == named


def test_a_named_one_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(browser.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(InputError, match="none, which is no file"):
        browser._chromium(DRIVER)


def test_playwrights_own_is_the_last_resort(tmp_path):
    driver = SimpleNamespace(
        chromium=SimpleNamespace(executable_path=executable(tmp_path / "chrome"))
    )
    assert browser._chromium(driver).endswith("chrome")


def test_without_any_one_sentence_says_how_to_get_one():
    assert shutil.which("chromium") is None
    with pytest.raises(InputError, match=r"Chromium, which was not found; install it .*chromium`"):
        browser._chromium(DRIVER)


def test_without_the_package_that_drives_it_one_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with (
        pytest.raises(InputError, match=r"pip install 'plm-geometry\[site\]'"),
        browser.open_chromium(),
    ):
        raise AssertionError("opened")
