"""Counted people against the people of a plan, and the blocks that a roster makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.domain.city import Blocks, Flags, Ints, Texts
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan, Reason
from scheduler.domain.roster import Fate
from scheduler.roster.buildings import natural_order, pack_buildings
from scheduler.roster.settle import Settled


@dataclass(frozen=True)
class Planned:
    """People of a plan by block of its instance: called, visited at home, without a slot."""

    called: Ints
    visited: Ints
    left: Ints


@dataclass(frozen=True)
class Units:
    """What becomes a block each; ``of_row`` is the unit of each row of the people."""

    ids: Texts
    names: Texts
    community_index: Ints
    block: Ints  # the instance's block, -1 where only the roster knows it
    of_row: Ints


def planned_people(instance: Instance, plan: Plan) -> Planned:
    """Return what a plan does with each block."""
    place = {text: b for b, text in enumerate(instance.blocks.ids.tolist())}
    home = plan.unserved["reason"].astype(str).to_numpy() == Reason.HOME_VISIT.value

    def count(table: object, chosen: Flags | slice = slice(None)) -> Ints:
        blocks = table["block_id"].astype(str).to_numpy()[chosen]  # type: ignore[index]
        people = table["people"].to_numpy()[chosen]  # type: ignore[index]
        where = np.array([place[b] for b in blocks], dtype=np.int64)
        return np.bincount(where, people, len(instance.blocks)).astype(np.int64)

    return Planned(count(plan.assignments), count(plan.unserved, home), count(plan.unserved, ~home))


def units_of(instance: Instance, settled: Settled) -> Units:
    """Return the units that people belong to: blocks as given, buildings put together or cut.

    Buildings that a block of the plan was made of before are that block again.
    """
    places = settled.places
    made = _Made.of(instance)
    first = np.arange(len(places.community_index))
    pieces = np.ones(len(places.community_index), dtype=np.int64)
    for place in range(places.num_blocks, len(places.community_index)):
        at = place - places.num_blocks
        if not places.is_building[at]:
            first[place] = len(made.unit)
            made.add(int(places.community_index[place]), places.names[at], places.names[at])
    for c, here in _buildings_by_community(settled).items():
        words = [places.names[p - places.num_blocks] for p in here]
        people = np.bincount(settled.place, minlength=len(first))[here]
        start, cut = pack_buildings(people, instance.settings.blocks.max_people)
        first[here], pieces[here] = start + len(made.unit), cut
        for number, label in enumerate(_labels(words, start, cut), 1):
            made.add(c, f"{instance.communities.ids[c]}-R{number:03d}", label)
    position = first[settled.place] + _piece(settled, pieces)
    return made.units(position)


@dataclass
class _Made:
    """Units while they are made; ``unit`` is that of each position, one or more to a place."""

    instance: Instance
    ids: list[str]
    names: list[str]
    community: list[int]
    block: list[int]
    unit: list[int]
    of_id: dict[str, int]

    @classmethod
    def of(cls, instance: Instance) -> _Made:
        """Start with the blocks of the instance."""
        blocks = instance.blocks
        ids, every = blocks.ids.tolist(), list(range(len(blocks)))
        of_id = {text: b for b, text in enumerate(ids)}
        community = blocks.community_index.tolist()
        return cls(instance, ids, blocks.names.tolist(), community, every, every.copy(), of_id)

    def add(self, community: int, wanted: str, name: str) -> None:
        """Add a position: a block that is there already under that id and name, or a new unit."""
        found = self.of_id.get(wanted, -1)
        if found >= 0 and self.community[found] == community and self.names[found] == name:
            self.unit.append(found)
            return
        number, ident = 1, wanted
        while ident in self.of_id:
            number, ident = number + 1, f"{wanted}-{number + 1}"
        self.of_id[ident] = len(self.ids)
        self.unit.append(len(self.ids))
        self.ids.append(ident)
        self.names.append(name)
        self.community.append(community)
        self.block.append(-1)

    def units(self, position: Ints) -> Units:
        """Return the units, with that of each row by its position."""
        return Units(
            np.array(self.ids, dtype=object),
            np.array(self.names, dtype=object),
            np.array(self.community, dtype=np.int64),
            np.array(self.block, dtype=np.int64),
            np.array(self.unit, dtype=np.int64)[position],
        )


def _buildings_by_community(settled: Settled) -> dict[int, Ints]:
    """Return the places named by addresses of each community, in the order people count them."""
    places = settled.places
    grouped: dict[int, list[int]] = {}
    for at, built in enumerate(places.is_building):
        if built:
            place = at + places.num_blocks
            grouped.setdefault(int(places.community_index[place]), []).append(place)
    ordered = {}
    for c, here in grouped.items():
        order = natural_order([places.names[p - places.num_blocks] for p in here])
        ordered[c] = np.array(here, dtype=np.int64)[order]
    return ordered


def _labels(words: list[str], start: Ints, cut: Ints) -> list[str]:
    """Return the name of each block: its building, or the first and the last of them."""
    count = int((start + cut).max())
    first, last = [""] * count, [""] * count
    for word, begin, number in zip(words, start.tolist(), cut.tolist(), strict=True):
        for piece in range(number):
            name = word if number == 1 else f"{word}-{piece + 1}"
            first[begin + piece] = first[begin + piece] or name
            last[begin + piece] = name
    return [a if a == b else f"{a}~{b}" for a, b in zip(first, last, strict=True)]


def _piece(settled: Settled, pieces: Ints) -> Ints:
    """Return the piece of its building that each row is in; a household is in one piece."""
    if (pieces == 1).all():
        return np.zeros(len(settled.place), dtype=np.int64)
    first = np.searchsorted(settled.place, settled.place, side="left")
    people = np.searchsorted(settled.place, settled.place, side="right") - first
    begin = np.searchsorted(settled.household, settled.household, side="left")
    result: Ints = (begin - first) * pieces[settled.place] // np.maximum(people, 1)
    return result


@dataclass(frozen=True)
class Counts:
    """People of each unit."""

    everybody: Ints
    callable: Ints
    visits: Ints
    households: Ints
    elderly: Ints

    @property
    def due(self) -> Ints:
        """Those to be sampled: exempt people apart."""
        return self.callable + self.visits


def count_units(units: Units, settled: Settled) -> Counts:
    """Return the people of each unit by what becomes of them."""
    size = len(units.ids)

    def of(flags: Flags) -> Ints:
        return np.bincount(units.of_row[flags], minlength=size)

    due = settled.fate != Fate.EXEMPT
    begins = np.ones(len(settled.household), dtype=bool)
    begins[1:] = settled.household[1:] != settled.household[:-1]
    return Counts(
        everybody=np.bincount(units.of_row, minlength=size),
        callable=of(settled.fate == Fate.SLOT),
        visits=of(settled.fate == Fate.HOME_VISIT),
        households=of(begins),
        elderly=of(settled.elderly & due),
    )


def unlisted(instance: Instance, units: Units, counts: Counts) -> Flags:
    """Return blocks of the plan that keep its people, because the roster has nobody of them.

    A block of a community that the roster knows by other blocks alone is not one of them: the
    roster's take its place.
    """
    there = counts.everybody > 0
    size = len(instance.communities)
    known = units.block >= 0
    has_known = np.bincount(units.community_index[there & known], minlength=size) > 0
    has_new = np.bincount(units.community_index[there & ~known], minlength=size) > 0
    replaced = has_new & ~has_known
    empty: Flags = counts.everybody[: len(instance.blocks)] == 0
    return empty & ~replaced[instance.blocks.community_index]


def fits(instance: Instance, planned: Planned, units: Units, counts: Counts) -> bool:
    """Return whether the counted people are those of the plan, and its slots hold them.

    Exempt people may be among those that the plan counts, or not.
    """
    num = len(instance.blocks)
    new = counts.everybody[num:] > 0
    if new.any():
        return False
    stays = unlisted(instance, units, counts)
    people = instance.blocks.people
    same = (counts.everybody == people) | (counts.due == people)
    room = counts.callable <= planned.called + planned.left
    return bool((stays | (same & room)).all())


def counted_blocks(instance: Instance, units: Units, counts: Counts) -> Blocks:
    """Return the blocks, with counted people, of every community that the roster has people of.

    Blocks that the roster has nobody of keep the plan's people, see :func:`unlisted`.
    """
    old = instance.blocks
    stays = np.zeros(len(units.ids), dtype=bool)
    stays[: len(old)] = unlisted(instance, units, counts)
    covered = np.zeros(len(instance.communities), dtype=bool)
    covered[units.community_index[counts.everybody > 0]] = True
    kept = covered[units.community_index] & (stays | (counts.everybody > 0))
    rows = np.flatnonzero(kept)
    rows = np.array(
        sorted(rows.tolist(), key=lambda u: (units.community_index[u], units.ids[u])),
        dtype=np.int64,
    )
    block, keep = units.block[rows], stays[rows]
    at = np.maximum(block, 0)
    community = units.community_index[rows]
    new = block < 0
    return Blocks(
        ids=units.ids[rows],
        names=units.names[rows],
        community_index=community,
        people=np.where(keep, old.people[at], counts.due[rows]),
        home_visits=np.where(keep, old.home_visits[at], counts.visits[rows]),
        households=np.where(keep, old.households[at], counts.households[rows]),
        elderly=np.where(keep, old.elderly[at], counts.elderly[rows]),
        lat=np.where(new, instance.communities.lat[community], old.lat[at]),
        lng=np.where(new, instance.communities.lng[community], old.lng[at]),
    )
