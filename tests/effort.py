"""How hard small rounds are searched in tests where the quality of their plans is not tested."""

from __future__ import annotations

import pytest

from scheduler.solve import exact


def little_effort(patch: pytest.MonkeyPatch) -> None:
    """Let CP-SAT and HiGHS search small rounds, and give up early."""
    patch.setattr(exact, "EFFORT", 0.02)
    patch.setattr(exact, "MOST_MIP_EFFORT", 8_000)


def no_effort(patch: pytest.MonkeyPatch) -> None:
    """Keep the plans of the flows, as for large rounds: most tests only need some plan."""
    patch.setattr(exact, "MOST_BLOCKS", 0)
