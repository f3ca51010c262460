"""What a re-plan stands on: an earlier plan, what was published, what has happened since."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from scheduler.domain.events import Event
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan

DONE_COLUMNS = ("block_id", "site_id", "start", "zone", "called", "sampled")
"""Columns of ``plans/<revision>/done.csv``: calls of which fewer than called were sampled."""


@dataclass(frozen=True)
class Standing:
    """What a re-plan must keep, as files of round folder and revision tell it.

    ``files`` is the instance of the round's files, without events. ``published`` maps a district,
    "" for the whole city, to the plan published for it. ``done`` and ``base_done`` have
    ``DONE_COLUMNS``: the calls cut short in this revision, and in the one it stands on;
    ``base_events`` and ``base_now_min`` are the events and the moment of the latter. Minutes count
    from the round's start: calls that start before ``frozen_min`` stay.
    """

    files: Instance
    based_on: str
    base: Plan
    base_done: pd.DataFrame
    base_events: tuple[Event, ...]
    base_now_min: int
    published: dict[str, Plan]
    events: tuple[Event, ...]
    done: pd.DataFrame
    now_min: int
    frozen_min: int

    def with_done(self, done: pd.DataFrame) -> Standing:
        """Return the same with the calls that this re-plan cuts short."""
        return replace(self, done=done)


NEVER = -(1 << 40)
"""The moment of a plan that no re-plan has made."""


def no_done() -> pd.DataFrame:
    """Return the table of a revision in which every call stands."""
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in DONE_COLUMNS})
    return frame.astype({"called": "int64", "sampled": "int64"})


def first_free_min(now_min: int, freeze_min: int, slot_min: int) -> int:
    """Return the start of the first slot that does not start within the freeze window."""
    return max(0, -(-(now_min + freeze_min) // slot_min) * slot_min)
