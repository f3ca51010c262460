"""Why a community goes where and when it goes: facts from the input and the plan's files only.

Nothing is asked of the solver. A fact here either stands in a file or is counted from files; where
they do not show why a nearer site was not used, the answer is ``Why.WHOLE`` and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from scheduler.domain.city import FIXED, Flags, Ints
from scheduler.domain.explain_labs import LabFacts, lab_facts
from scheduler.domain.explain_reach import NEAREST, Found, find_candidates
from scheduler.domain.explain_slots import (
    SiteSlots,
    minutes,
    open_slots,
    opens,
    rows_of,
    usable_slots,
)
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.profile import slot_places
from scheduler.domain.settings import ZONE_WORDS


class Why(StrEnum):
    """What the files show about a candidate site."""

    USED = "used"
    CLOSED = "closed"  # no whole slot in the round
    SHUT = "shut"  # not open in the slots of this community
    ZONE = "zone"  # then held by another zone, or being cleared
    FULL_ROUND = "full_round"  # not room for the smallest block in the whole round
    FULL = "full"  # not room for the smallest block in the slots of this community
    FARTHER = "farther"  # no nearer than the sites that are used
    CITY = "city"  # room at the site, but the whole city calls as many as it may in a slot
    ROOM = "room"  # nobody is called anywhere, and it has room: the files do not show why
    WHOLE = "whole"  # nothing in the files forbids it: the plan as a whole is cheaper


@dataclass(frozen=True)
class Candidate:
    """A site the community may use; people and places are of all communities there.

    ``walk_m`` is the mean over its people, one way, detour included; 0 where served in place.
    ``then_*`` count the slots in which this community is called anywhere (all slots where it is
    called nowhere), ``round_*`` the round. ``quota`` is that of a full slot.
    """

    site_id: str
    name: str
    district: str
    in_place: bool
    walk_m: int
    walk_min: float
    quota: int
    limit: str  # of the quota: "lanes" or "ground"
    people_here: int
    then_called: int
    then_places: int
    round_called: int
    round_places: int
    why: Why


@dataclass(frozen=True)
class Visit:
    """One stay at a site without a break: minutes since the round's start, and people."""

    site_id: str
    name: str
    start: int
    end: int
    people: int


@dataclass(frozen=True)
class Explanation:
    """Everything that is told about one community."""

    community_id: str
    name: str
    district: str
    street: str
    zone: str
    pool_size: int
    people: int
    called: int
    rest: dict[str, int]  # reason -> people without a slot
    visits: tuple[Visit, ...]
    candidates: tuple[Candidate, ...]  # the nearest, and every one that is used
    num_candidates: int  # open ones
    max_walk_m: int
    cross_district: bool
    clearing_min: int
    edge_min: int  # minutes after opening and before closing with less quota, 0 for none
    edge_share: float  # of the quota at the very edge
    city_people: int  # most people called in a slot in the whole city, 0 for no limit
    city_full: bool  # it leaves no room for one more of the community's blocks
    labs: tuple[LabFacts, ...]


def lane_quota(instance: Instance) -> Ints:
    """Return the people that the lanes of each site can swab in a slot at ``max_load``."""
    sites, settings = instance.sites, instance.settings
    rate = sites.people_per_lane_hour * settings.round.slot_minutes / 60
    people: Ints = np.floor(sites.lanes * rate * settings.targets.max_load + 1e-9).astype(np.int64)
    return people


def explain(instance: Instance, plan: Plan, community: int, quota: Ints) -> Explanation:
    """Return the facts of one community; ``quota[site]`` is people that may be called per slot."""
    towns, shape = instance.communities, instance.settings.slots
    ident = str(towns.ids[community])
    blocks = np.flatnonzero(instance.blocks.community_index == community)
    own = rows_of(plan.assignments, "community_id", {ident})
    left = rows_of(plan.unserved, "community_id", {ident})
    found = find_candidates(instance, community, blocks)
    return Explanation(
        community_id=ident,
        name=str(towns.names[community]),
        district=str(towns.districts[community]),
        street=str(towns.streets[community]),
        zone=ZONE_WORDS[towns.zone[community]],
        pool_size=instance.settings.pooling.by_zone()[towns.zone[community]],
        people=int(instance.blocks.people[blocks].sum()),
        called=int(own["people"].sum()),
        rest={
            str(k): int(v) for k, v in left.groupby("reason", observed=True)["people"].sum().items()
        },
        visits=_visits(instance, own),
        candidates=_facts(instance, plan, found, (own, blocks, quota)),
        num_candidates=int(opens(instance)[found.sites].sum()),
        max_walk_m=instance.settings.targets.max_walk_m,
        cross_district=instance.settings.targets.cross_district,
        clearing_min=instance.settings.sites.clearing_min,
        edge_min=0 if shape.profile == "flat" else shape.edge_min,
        edge_share=shape.edge_share,
        city_people=shape.city_people,
        city_full=_city_is_full(instance, plan, _smallest(instance, blocks)),
        labs=lab_facts(instance, plan, own),
    )


def _visits(instance: Instance, own: pd.DataFrame) -> tuple[Visit, ...]:
    names = dict(zip(instance.sites.ids, instance.sites.names, strict=True))
    rows = sorted(
        zip(
            own["site_id"].astype(str),
            minutes(instance, own["start"]).tolist(),
            minutes(instance, own["end"]).tolist(),
            own["people"].tolist(),
            strict=True,
        )
    )
    visits: list[Visit] = []
    for site, start, end, people in rows:
        before = visits[-1] if visits else None
        if before and before.site_id == site and start <= before.end:
            visits[-1] = Visit(
                site, before.name, before.start, max(end, before.end), before.people + people
            )
        else:
            visits.append(Visit(site, str(names[site]), start, end, people))
    return tuple(sorted(visits, key=lambda v: (v.start, v.site_id)))


def _facts(
    instance: Instance, plan: Plan, found: Found, own_rows: tuple[pd.DataFrame, Ints, Ints]
) -> tuple[Candidate, ...]:
    own, blocks, quota = own_rows
    by_slot = slot_places(instance, quota, instance.clock.num_slots)
    ids = instance.sites.ids[found.sites]
    here = own.groupby("site_id", observed=True)["people"].sum().to_dict()
    used = np.array([ident in here for ident in ids], dtype=bool)
    farthest = float(found.walk_m[used].max(initial=0))
    told = np.flatnonzero(used | (np.arange(len(ids)) < NEAREST))
    slots = SiteSlots.of(instance, rows_of(plan.assignments, "site_id", set(ids[told].tolist())))
    then = np.unique(minutes(instance, own["start"]) // instance.settings.round.slot_minutes)
    then = then if len(then) else np.arange(slots.num_slots)
    smallest = _smallest(instance, blocks)
    facts = []
    for n in told.tolist():
        site = int(found.sites[n])
        counts = _Counts.of(instance, slots, (site, by_slot[site]), found.zone, then)
        why = Why.USED if used[n] else counts.why(smallest)
        if why is Why.WHOLE and not used.any():
            full = _city_is_full(instance, plan, smallest)
            why = Why.CITY if full else Why.ROOM
        elif why is Why.WHOLE and found.walk_m[n] >= farthest:
            why = Why.FARTHER
        walk_m, people = float(found.walk_m[n]), int(here.get(ids[n], 0))
        facts.append(counts.candidate(instance, site, (walk_m, people, int(quota[site]), why)))
    return tuple(facts)


def _smallest(instance: Instance, blocks: Ints) -> int:
    """Return the people of the smallest block that is to be called."""
    demand = instance.demand[blocks]
    return int(demand[demand > 0].min(initial=np.iinfo(np.int64).max))


def _city_is_full(instance: Instance, plan: Plan, people: int) -> bool:
    """Return whether the city's most people in a slot leave so few places in the whole round."""
    most = instance.settings.slots.city_people
    if not most:
        return False
    slot = minutes(instance, plan.assignments["start"]) // instance.settings.round.slot_minutes
    called = np.bincount(slot, plan.assignments["people"], minlength=instance.clock.num_slots)
    return bool(np.maximum(most - called, 0).sum() < people)


@dataclass(frozen=True)
class _Counts:
    """Slots, places and people of one site: in the round, and in the slots of the community."""

    round_open: int
    round_places: int
    round_called: int
    then_open: int
    then_places: int
    then_called: int
    free_then: Ints  # places left in each of those slots that the zone may use

    @staticmethod
    def of(
        instance: Instance, slots: SiteSlots, about: tuple[int, Ints], zone: int, then: Ints
    ) -> _Counts:
        """Count one site, with its places by slot; ``then`` are the slots of the community."""
        site, places = about
        is_open: Flags = open_slots(instance, site)
        called = slots.called(site)
        at = then[is_open[then]]
        usable = at[usable_slots(instance, slots, site, zone)[at]]
        return _Counts(
            int(is_open.sum()), int(places[is_open].sum()), int(called.sum()),
            len(at), int(places[at].sum()), int(called[at].sum()), places[usable] - called[usable],
        )  # fmt: skip

    def why(self, smallest: int) -> Why:
        """Return what the files show for a site that the community does not use."""
        if not self.round_open:
            return Why.CLOSED
        if self.round_places - self.round_called < smallest:
            return Why.FULL_ROUND
        if not self.then_open:
            return Why.SHUT
        if not len(self.free_then):
            return Why.ZONE
        if int(self.free_then.sum()) < smallest:
            return Why.FULL
        return Why.WHOLE

    def candidate(
        self, instance: Instance, site: int, about: tuple[float, int, int, Why]
    ) -> Candidate:
        """Return the facts in the units that are told; ``about`` is walk, people, quota, why."""
        walk_m, people_here, quota, why = about
        return Candidate(
            site_id=str(instance.sites.ids[site]),
            name=str(instance.sites.names[site]),
            district=str(instance.sites.districts[site]),
            in_place=bool(instance.sites.kinds[site] != FIXED),
            walk_m=round(walk_m),
            walk_min=round(walk_m / instance.settings.walk.metres_per_min, 1),
            quota=quota,
            limit="ground" if quota < lane_quota(instance)[site] else "lanes",
            people_here=people_here,
            then_called=self.then_called,
            then_places=self.then_places,
            round_called=self.round_called,
            round_places=self.round_places,
            why=why,
        )


__all__ = ["Candidate", "Explanation", "LabFacts", "Visit", "Why", "explain", "lane_quota"]
