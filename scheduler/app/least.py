"""The least lanes and the least laboratory capacity that a round needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scheduler.app.remedies import MOST_FACTOR, Search
from scheduler.app.variant import vary
from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.opening import open_slots
from scheduler.solve.pricing import short_of, site_quota

THOUSAND = 1000
UNLIMITED = 1000
MOST_PERCENT = 300


def least_labs(instance: Instance) -> dict[str, Any]:
    """Return the least tubes per hour, all laboratories in proportion to what they have.

    ``least`` is a proof: with less no plan can. ``advised`` has the margins of ``[simulate]``.
    Lanes are taken to suffice.
    """
    search = Search(instance, _enough_lanes(instance))
    rate = int(instance.labs.tubes_per_hour.sum())
    found: dict[str, Any] = {"tubes_per_hour": rate}
    for name, surely in (("least", False), ("advised", True)):
        thousandths = search.least(
            lambda n: (f"labs.tubes_per_hour*={n / THOUSAND:g}",), int(MOST_FACTOR * THOUSAND),
            surely=surely,
        )  # fmt: skip
        found[name] = None if thousandths is None else -(-rate * thousandths // THOUSAND)
    return found


def least_lanes(instance: Instance) -> list[dict[str, Any]]:
    """Return lanes that are there and least lanes that swab everybody in time, by district.

    Laboratories are taken to keep up, and every district to swab its own people: with neighbours'
    lanes the least would be arbitrary. None where no number of lanes suffices, as where a district
    has no site. One network confirms all districts together.
    """
    alone = vary(_unlimited_labs(instance), ("targets.cross_district=false",))
    quota = site_quota(alone)
    sites = alone.sites
    places = quota * open_slots(alone)
    names = sites.districts.astype(str)
    people = _people_of(alone)
    need = {name: people.get(name, 0) / max(int(places[names == name].sum()), 1)
            for name in np.unique(names).tolist()}  # fmt: skip
    enough = _confirmed(alone, quota, np.array([need[name] for name in names]))
    return [
        {
            "district": name, "sites": int((names == name).sum()),
            "lanes": int(sites.lanes[names == name].sum()),
            "least": None if enough is None or not places[names == name].any()
            else int(np.ceil(sites.lanes[names == name].sum() * need[name] * enough)),
        }
        for name in np.unique(names).tolist()
    ]  # fmt: skip


def _confirmed(instance: Instance, quota: Ints, need: np.ndarray) -> float | None:
    """Return the factor, from 1 in steps of 1 %, with which the flow swabs everybody in time."""
    people = int(instance.demand.sum())
    hopeless = short_of(instance, quota * UNLIMITED).people
    if hopeless >= people:
        return None
    for percent in range(100, MOST_PERCENT):
        tried = np.ceil(quota * need * percent / 100 - 1e-9).astype(np.int64)
        if short_of(instance, tried).people <= hopeless:
            return percent / 100
    return None


def _people_of(instance: Instance) -> dict[str, int]:
    district = instance.communities.districts.astype(str)[instance.blocks.community_index]
    names, index = np.unique(district, return_inverse=True)
    people = np.bincount(index, instance.demand, len(names))
    return dict(zip(names.tolist(), people.astype(int).tolist(), strict=True))


def _unlimited_labs(instance: Instance) -> Instance:
    labs = instance.labs
    rate = np.maximum(labs.tubes_per_hour, 1) * UNLIMITED
    return instance.replace(
        labs=replace(labs, tubes_per_hour=rate, max_tubes_per_day=np.full(len(labs), -1))
    )


def _enough_lanes(instance: Instance) -> Ints:
    """Return people per slot, multiplied where the lanes there cannot swab everybody at all."""
    free, quota, factor = _unlimited_labs(instance), site_quota(instance), 1
    while factor < UNLIMITED and not short_of(free, quota * factor).kept:
        factor *= 2
    return quota * factor
