"""Random days: what happens while a plan is carried out, and the re-plan that answers it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from scheduler.domain.events import Event, Kind, in_order
from scheduler.domain.instance import Instance
from scheduler.domain.metrics import summarise
from scheduler.domain.overlay import lay_over
from scheduler.domain.plan import Plan
from scheduler.domain.standing import NEVER, Standing, first_free_min, no_done
from scheduler.domain.verify import Breach, verify
from scheduler.solve.repair import Repaired, repair_plan
from scheduler.solve.repair.rows import calls_of

PROGRESS_COLUMNS = ["minute", "site", "slot", "block", "sampled"]


@dataclass(frozen=True)
class Day:
    """A moment of the round, what was reported until then, and what it stands on."""

    standing: Standing
    progress: pd.DataFrame


def no_progress() -> pd.DataFrame:
    """Return progress of which nothing was reported."""
    frame = pd.DataFrame({name: pd.Series(dtype=object) for name in PROGRESS_COLUMNS})
    return frame.astype({"minute": "int64", "slot": "int64", "sampled": "int64"})


def standing_on(
    instance: Instance, plan: Plan, now: int, events: list[Event], *, published: bool = True
) -> Standing:
    """Return what a first re-plan of a plan stands on."""
    settings = instance.settings
    frozen = first_free_min(now, settings.replan.freeze_min, settings.round.slot_minutes)
    told = {"": plan} if published else {}
    return Standing(
        instance, "0001", plan, no_done(), (), NEVER, told, in_order(events), no_done(), now, frozen
    )


def mended(standing: Standing, progress: pd.DataFrame | None = None) -> tuple[Repaired, Plan]:
    """Return what the re-planner makes of it, and the plan with its summary."""
    overlay = lay_over(standing.files, standing.events, standing.now_min)
    told = no_progress() if progress is None else progress
    answer = repair_plan(standing, overlay, told, lambda _stage, _gap: None)
    summary = summarise(
        overlay.instance, answer.tables, best_bound=None, seed=0, revision="0002",
        churn=answer.churn_cost,
    )  # fmt: skip
    clock = overlay.instance.clock
    lost = int(answer.moved.dropped.sum())
    summary["replan"] = {
        "now": clock.iso(standing.now_min),
        "frozen_until": clock.iso(standing.frozen_min),
        "moved": answer.moved.people,
        "lost_place": lost,
        "must_move": max(0, sum(answer.must_leave.values()) - lost),
    }
    return answer, answer.tables.with_summary(summary)


def breaches(standing: Standing, answer: Repaired, plan: Plan) -> list[Breach]:
    """Return what the verifier finds in a re-plan."""
    own = standing.with_done(answer.done)
    return verify(standing.files, plan, revision="0002", standing=own)


def next_standing(standing: Standing, answer: Repaired, plan: Plan, later: int) -> Standing:
    """Return what the re-plan after a re-plan stands on, some minutes later."""
    settings = standing.files.settings
    now = standing.now_min + later
    frozen = first_free_min(now, settings.replan.freeze_min, settings.round.slot_minutes)
    return replace(
        standing, based_on="0002", base=plan, base_done=answer.done,
        base_events=standing.events, base_now_min=standing.now_min, done=no_done(),
        now_min=now, frozen_min=frozen,
    )  # fmt: skip


def random_events(rng: np.random.Generator, instance: Instance, now: int) -> list[Event]:
    """Return up to five events of any kind, some announced for later."""
    return [_event(rng, instance, now) for _ in range(int(rng.integers(0, 6)))]


def _event(rng: np.random.Generator, instance: Instance, now: int) -> Event:
    kind = Kind(rng.choice([k.value for k in Kind]))
    minute = int(now - rng.integers(0, 60) if rng.random() < 0.7 else now + rng.integers(1, 120))
    site, lab, community = (
        str(rng.choice(ids)) for ids in
        (instance.sites.ids, instance.labs.ids, instance.communities.ids)
    )  # fmt: skip
    end = minute + int(rng.integers(15, 300)) if rng.random() < 0.5 else None
    which = {
        Kind.SITE_CLOSED: {"site_id": site, "end": end},
        Kind.SITE_OPENED: {"site_id": site},
        Kind.LANES_CHANGED: {"site_id": site, "lanes": int(rng.integers(0, 4))},
        Kind.RATE_CHANGED: {
            "site_id": site if rng.random() < 0.7 else "",
            "people_per_lane_hour": float(rng.integers(30, 80)),
        },
        Kind.LAB_OUT: {"lab_id": lab, "end": end},
        Kind.LAB_BACK: {"lab_id": lab},
        Kind.LAB_RATE_CHANGED: {"lab_id": lab, "tubes_per_hour": int(rng.integers(1, 20))},
        Kind.COURIER_DELAY: {
            "minutes": int(rng.integers(1, 50)),
            "end": end,
            "site_id": site if rng.random() < 0.5 else "",
            "lab_id": lab if rng.random() < 0.3 else "",
        },
        Kind.ZONE_CHANGED: {"community_id": community, "zone": int(rng.integers(0, 4))},
        Kind.COMMUNITY_SEALED: {"community_id": community},
        Kind.PEOPLE_ADDED: {"community_id": community, "people": int(rng.integers(1, 400))},
        Kind.ROUND_END_MOVED: {"end": _moved_end(rng, instance)},
    }  # fmt: skip
    return Event(minute=minute, kind=kind, **which[kind])  # type: ignore[arg-type]  # as listed


def _moved_end(rng: np.random.Generator, instance: Instance) -> int:
    return max(30, instance.clock.end_min + 30 * int(rng.integers(-3, 4)))


def random_progress(
    rng: np.random.Generator, instance: Instance, plan: Plan, now: int
) -> pd.DataFrame:
    """Return reports of some past slots, of sites and of blocks, with too few and too many."""
    calls, step = calls_of(instance, plan), instance.settings.round.slot_minutes
    past = np.flatnonzero(calls.slot * step < now)
    rows = past[rng.random(len(past)) < 0.4]
    by_block = rng.random() < 0.5
    frame = pd.DataFrame({
        "minute": now - rng.integers(0, 30, len(rows)),
        "site": instance.sites.ids[calls.site[rows]],
        "slot": calls.slot[rows] * step,
        "block": instance.blocks.ids[calls.block[rows]] if by_block else "",
        "sampled": np.maximum(0, calls.people[rows] - rng.integers(-2, 30, len(rows))),
    })  # fmt: skip
    keys = ["site", "slot", "block"]
    return frame.drop_duplicates(keys, ignore_index=True) if len(frame) else no_progress()
