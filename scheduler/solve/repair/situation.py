"""What the re-planner starts from, as arrays: calls and tubes of the plan, room, the freeze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import FIXED, Flags, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.overlay import Overlay
from scheduler.domain.standing import Standing
from scheduler.solve.repair.behind import (
    Reports,
    Served,
    missing_in,
    people_in,
    restored,
    who_was_served,
    within_demand,
)
from scheduler.solve.repair.outside import open_slots, road_minutes, slot_quota
from scheduler.solve.repair.rows import Calls, Sent, calls_of, merged, sent_of


@dataclass(frozen=True)
class Situation:
    """A moment of the round.

    ``width`` slots are looked at, those before ``free_from`` are frozen. ``closed[site, slot]``
    marks slots without service, ``quota[site, slot]`` is how many may be called.
    """

    standing: Standing
    overlay: Overlay
    instance: Instance
    calls: Calls
    sent: Sent
    reports: Reports
    closed: Flags
    quota: Ints

    @staticmethod
    def of(standing: Standing, overlay: Overlay, progress: pd.DataFrame) -> Situation:
        """Read plan, events and progress (columns minute, site, slot, block, sampled)."""
        instance = overlay.instance
        calls = merged(calls_of(instance, standing.base))
        reports = Reports.of(instance, progress)
        last = int(max(calls.slot.max(initial=0), reports.slot.max(initial=0)))
        width = max(overlay.lanes.shape[1], last + 1)
        hours = _wide(open_slots(instance), width, filler=False)
        closed: Flags = _wide(overlay.closed, width, filler=True) | ~hours
        quota = np.where(closed | _stale(instance, width), 0, _wide(slot_quota(overlay), width, 0))
        return Situation(
            standing, overlay, instance, calls, sent_of(instance, standing.base), reports, closed,
            quota,
        )  # fmt: skip

    @property
    def slot_min(self) -> int:
        """Minutes per slot."""
        return self.instance.settings.round.slot_minutes

    @property
    def per_wave(self) -> int:
        """Slots per wave."""
        return self.instance.clock.slots_per_wave

    @property
    def width(self) -> int:
        """Slots that are looked at."""
        return int(self.quota.shape[1])

    @property
    def num_waves(self) -> int:
        """Waves that are looked at."""
        return -(-self.width // self.per_wave)

    @property
    def free_from(self) -> int:
        """The first slot that may be changed freely."""
        return self.standing.frozen_min // self.slot_min

    def later(self) -> Calls:
        """Return the calls after the freeze."""
        return self.calls.where(self.calls.slot >= self.free_from)

    def is_open(self) -> Flags:
        """Return the sites that may still be called to after the freeze."""
        return np.asarray(np.any(~self.closed[:, self.free_from :], axis=1))

    def served(self) -> Served:
        """Return the calls before the freeze with the people sampled in each."""
        early = self.calls.where(self.calls.slot < self.free_from)
        calls = restored(self.instance, early, self.standing.base_done)
        rules = (self.instance.settings.replan, self.standing.now_min, self.slot_min)
        before = people_in(self.calls, calls)
        served = who_was_served(calls, (before, self.shut(calls)), self.reports, rules)
        return within_demand(served, before, self.instance.demand)

    def shut(self, calls: Calls) -> Flags:
        """Return which calls stand where an event closed the site, or sealed the community."""
        closed = _wide(self.overlay.closed, self.width, filler=True)[calls.site, calls.slot]
        since = self.overlay.sealed_from[self.instance.blocks.community_index[calls.block]]
        fixed = self.instance.sites.kinds[calls.site] == FIXED
        flags: Flags = closed | (fixed & ((calls.slot + 1) * self.slot_min > since))
        return flags

    def nothing_new(self, served: Served) -> bool:
        """Return whether events and people sampled are those that the plan was made with."""
        standing = self.standing
        if standing.events != standing.base_events:
            return False
        missing = served.calls.people - served.sampled
        if (missing != missing_in(self.calls, served)).any():
            return False
        come = [e for e in standing.events if standing.base_now_min < e.minute <= standing.now_min]
        return not come

    def newly_missing(self, served: Served) -> dict[str, int]:
        """Return people by cause whom no earlier re-plan has called again yet, one by one."""
        cut = served.calls.people - served.sampled
        new = np.maximum(cut - missing_in(self.calls, served), 0)
        lost = self.shut(served.calls)
        return {"site_closed": int(new[lost].sum()), "missed": int(new[~lost].sum())}


def _wide(table: Any, width: int, filler: Any) -> Any:  # noqa: ANN401  # an array of any kind
    """Return a table with a column for every slot that any call uses."""
    more = width - table.shape[1]
    return np.pad(table, ((0, 0), (0, more)), constant_values=filler) if more else table


def _stale(instance: Instance, width: int) -> Flags:
    """Return the slots whose samples would be too old at every lab, ``[site, slot]``."""
    rounds, slot = instance.settings.round, np.arange(width)
    pickup = (slot // instance.clock.slots_per_wave + 1) * rounds.wave_minutes
    nearest = road_minutes(instance).min(axis=1, initial=1 << 30)
    age = pickup - slot * rounds.slot_minutes + nearest[:, None]
    return np.asarray(age > instance.settings.targets.max_holding_min)
