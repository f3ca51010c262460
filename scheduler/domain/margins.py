"""Safety margins of a plan: it is made for a tighter round than the one it will be lived in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.city import Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.opening import open_slots
from scheduler.domain.plan import PlanTables

LEAST_PROMISE_MIN, LEAST_LAB_SHARE = 30, 0.5
DELAYS = 2.0
"""Mean delays of a courier that a plan allows for."""

QUEUE_ROOM = 0.03
"""Share of a laboratory that stays free, beyond what is lost; an assumption, tried on Dalian."""


@dataclass(frozen=True)
class Margins:
    """What a plan keeps free.

    Results are planned ``promise_min`` minutes before the promise, laboratories to ``lab_share`` of
    their rate, and to less where ``labs`` says so by id; sites to a share of theirs where ``sites``
    says so by id.
    """

    promise_min: int = 0
    lab_share: float = 1.0
    labs: Mapping[str, float] = field(default_factory=dict)
    sites: Mapping[str, float] = field(default_factory=dict)

    @property
    def none(self) -> bool:
        """Whether nothing is kept free."""
        return not self.promise_min and self.lab_share == 1.0 and not self.labs and not self.sites

    def to_dict(self) -> dict[str, Any]:
        """Return the margins for ``summary.json``."""
        return {
            "promise_min": self.promise_min,
            "lab_share": round(self.lab_share, 3),
            "labs": {ident: round(self.labs[ident], 3) for ident in sorted(self.labs)},
            "sites": {ident: round(self.sites[ident], 3) for ident in sorted(self.sites)},
        }


def tighten(instance: Instance, margins: Margins) -> Instance:
    """Return the round that a plan with these margins is made for."""
    if margins.none:
        return instance
    targets, labs, sites = instance.settings.targets, instance.labs, instance.sites
    promise = max(targets.result_hours * 60 - margins.promise_min, LEAST_PROMISE_MIN)
    daily = labs.max_tubes_per_day
    share = np.array([margins.sites.get(str(ident), 1.0) for ident in sites.ids])
    of_lab = np.array([margins.labs.get(str(ident), margins.lab_share) for ident in labs.ids])
    return instance.replace(
        settings=replace(instance.settings, targets=replace(targets, result_hours=promise / 60)),
        labs=replace(
            labs,
            tubes_per_hour=_part(labs.tubes_per_hour, of_lab),
            max_tubes_per_day=np.where(daily > 0, _part(daily, of_lab), daily),
        ),
        sites=replace(sites, people_per_lane_hour=sites.people_per_lane_hour * share),
    )  # fmt: skip


def _part(tubes: Ints, share: Floats) -> Ints:
    part: Ints = np.floor(tubes * share + 1e-9).astype(np.int64)
    return part


def expected_margins(instance: Instance) -> Margins:
    """Return margins that the settings of ``[simulate]`` make likely to be needed.

    Minutes: two mean delays of a courier, and the time until a line is free. Laboratories: people
    fill tubes at random, so that a site sends on average (k - 1) / 2k tubes more in a wave
    than its people fill; no-shows fill none; lines stand still.
    """
    settings = instance.settings
    rules, per = settings.simulate, instance.clock.slots_per_wave
    people = int(instance.demand.sum())
    full = float((instance.demand / np.maximum(instance.block_pool, 1)).sum())
    pool = people / full if full else 1.0
    site_waves = float(open_slots(instance).sum()) / per
    tubes = full * (1 - settings.queue.no_show)
    part = min(site_waves * (pool - 1) / (2 * pool), tubes)
    still = min(rules.line_failure * rules.line_repair_min / rules.run_min, 1 - LEAST_LAB_SHARE)
    share = full / (tubes + part) * (1 - still) * (1 - QUEUE_ROOM) if full else 1.0
    minutes = DELAYS * rules.pickup_delay_min + rules.run_min
    return Margins(int(-(-minutes // 5) * 5), min(1.0, max(round(share, 3), LEAST_LAB_SHARE)))


def with_true_capacity(instance: Instance, tables: PlanTables) -> PlanTables:
    """Return tables whose ``lab_load`` shows all that the laboratories can do."""
    load = tables.lab_load
    number = {str(ident): at for at, ident in enumerate(instance.labs.ids)}
    capacity = [
        _hour_capacity(instance, number[str(lab)], instance.clock.minute_of_iso(str(hour)))
        for lab, hour in zip(load["lab_id"], load["hour"], strict=True)
    ]
    return replace(tables, lab_load=load.assign(capacity=pd.array(capacity, dtype="int64")))


def _hour_capacity(instance: Instance, lab: int, begin: int) -> int:
    windows = instance.clock.windows(instance.labs.hours[lab], begin, begin + 60)
    minutes = sum(min(b, begin + 60) - max(a, begin) for a, b in windows)
    return int(instance.labs.tubes_per_hour[lab]) * minutes // 60
