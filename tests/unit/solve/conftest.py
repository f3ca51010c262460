"""Fixtures of the solver's tests."""

from __future__ import annotations

import pytest

from tests import effort


@pytest.fixture
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up small rounds early, where the answers are not what is tested."""
    effort.little_effort(monkeypatch)
