"""How hard small rounds are searched in tests where the quality of their plans is not tested."""

from __future__ import annotations

import pytest

from scheduler.solve import exact, planner


def little_effort(patch: pytest.MonkeyPatch) -> None:
    """Let small rounds be searched, and give up early."""
    patch.setattr(planner, "EFFORT", 100)
    patch.setattr(exact, "EFFORT", 0.02)
    patch.setattr(exact, "MOST_MIP_EFFORT", 8_000)


def no_effort(patch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows, as for large rounds: most tests only need some plan."""
    patch.setattr(exact, "MOST_BLOCKS", 0)
    patch.setattr(planner, "SMALL_ROUND", 0)
