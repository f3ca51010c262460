"""The browser that takes pictures, found or told to be missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scheduler.errors import CannotRunError
from scheduler.publish.notices.pictures import BROWSER_VARIABLE, find_browser, take_pictures


def test_a_missing_browser_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rule: without a browser the way out is told, with root and without."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(BROWSER_VARIABLE, raising=False)
    with pytest.raises(CannotRunError) as caught:
        find_browser()
    assert "apt-get install chromium" in caught.value.hint
    assert BROWSER_VARIABLE in caught.value.hint


def test_the_browser_named_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: NAT_SCHEDULER_BROWSER wins; one that does not start is named in the error."""
    monkeypatch.setenv(BROWSER_VARIABLE, "/nowhere/chrome")
    assert find_browser() == "/nowhere/chrome"
    with pytest.raises(CannotRunError, match="/nowhere/chrome"):
        list(take_pictures([Path("a.html")]))


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: the package that drives the browser is optional, and its name is told."""
    monkeypatch.setenv(BROWSER_VARIABLE, "chromium")
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(CannotRunError) as caught:
        list(take_pictures([Path("a.html")]))
    assert "nat-scheduler[pictures]" in caught.value.hint
