"""Fixtures of the solver's tests."""

from __future__ import annotations

import pytest

from scheduler.solve import exact


@pytest.fixture
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let CP-SAT give up early, where its answers are not what is tested."""
    monkeypatch.setattr(exact, "EFFORT", 0.02)
