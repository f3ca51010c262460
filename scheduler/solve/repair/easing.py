"""Calls and laboratories brought together: blocks move until all tubes can be in time, no more.

Tubes that come late, or find no lab, are those of some site and wave; blocks called there go where
labs have room. Whoever turns out to have gone for nothing comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.domain.city import Flags, Ints
from scheduler.solve.repair.choosing import Choice
from scheduler.solve.repair.groups import Groups, groups_on
from scheduler.solve.repair.intime import InTime, Mail
from scheduler.solve.repair.keeping import Keeper, both, what_is_left
from scheduler.solve.repair.late_post import dispatch, refuse_lost
from scheduler.solve.repair.place import Item, Placer
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.room import LabRoom, Spans
from scheduler.solve.repair.rows import Calls, Sent, Stand
from scheduler.solve.repair.situation import Situation
from scheduler.solve.repair.waiting import Waiting

TRIES = 8
"""Times that blocks with late tubes look for another place."""
IN_VAIN = 25
"""Blocks in a row for which labs have no room in time, before no more are tried."""


@dataclass(frozen=True)
class Begun:
    """What was to be sent before any block moved, how that went, and the room labs have after."""

    groups: Groups
    mail: Mail
    room: LabRoom


@dataclass(frozen=True)
class Settled:
    """Tubes on their way, what they are made of, and people whom nobody can test in the round."""

    sent: Sent
    groups: Groups
    waiting: list[Item]
    past_end: set[int]


class Easing:
    """Moves blocks, on the board that ``placer`` places on."""

    def __init__(
        self, here: Situation, post: Post, placer: Placer, stand: Stand, waiting: Waiting
    ) -> None:
        self.here, self.post, self.placer, self.stand = here, post, placer, stand
        self.waiting = waiting
        self.keeper = Keeper(post, here.sent, here.num_waves)
        self.net = InTime(post, here.num_waves)
        self.spans = Spans(post, here.num_waves)
        self.away: dict[int, Calls] = {}
        self._last: tuple[Groups, Mail] | None = None

    def ease(self) -> Begun:
        """Move blocks until labs can take all tubes in time, or none can be moved any more."""
        groups = begun = self._groups()
        mail = before = self._quick(groups) or self._full(groups)
        for _ in range(TRIES):
            room = self._room(mail)
            if not mail.over.any() or not self._eased(groups, mail, room):
                return Begun(begun, before, room)
            groups = self._groups()
            mail = self._full(groups)
        return Begun(begun, before, self._room(mail))

    def settle(self) -> Settled:
        """Send the tubes; blocks whose tubes no lab takes look for another place."""
        self.ease()
        self._come_back()
        past_end: set[int] = set()
        left: list[Item] = []
        while True:
            groups = self._groups()
            mail = self._quick(groups) or self._full(groups)
            sent, lost = self._with_late(groups, mail)
            if not lost.any():
                return Settled(sent, groups, left, past_end)
            refuse_lost(groups, lost, self.here.free_from, self.here.per_wave)
            items = self._without_lost(groups, lost)
            if not items:
                refuse_lost(groups, lost, self.here.width, self.here.per_wave)
            waiting = self.placer.place_all(items, self._room(mail))
            past_end |= {item.block for item in waiting}
            left += waiting

    # What labs take

    def _groups(self) -> Groups:
        return groups_on(self.placer.board, self.post.pools, self.here.per_wave)

    def _quick(self, groups: Groups) -> Mail | None:
        """Send only what changed; None where that leaves tubes over."""
        mail = self.net.send(groups, self.keeper.keep(groups, open_too=True))
        return None if mail.over.any() else mail

    def _full(self, groups: Groups) -> Mail:
        """Send all tubes anew that are not yet picked up."""
        if self._last is None or not self._last[0].same(groups):
            mail = self.net.send(groups, self.keeper.keep(groups, open_too=False))
            self._last = (groups, mail)
        return self._last[1]

    def _room(self, mail: Mail) -> LabRoom:
        return LabRoom(self.post, mail.room, self.spans)

    def _with_late(self, groups: Groups, mail: Mail) -> tuple[Sent, Ints]:
        """Send late what cannot be in time; returns all consignments, and tubes no lab takes."""
        sent = mail.sent
        if not mail.over.any():
            return sent, mail.over
        rest = what_is_left(groups, sent)
        late, lost = dispatch(self.post, groups, rest, every_lab=False)
        if lost.any():
            late, lost = dispatch(self.post, groups, rest, every_lab=True)
        return both(sent, late), lost

    # Who moves

    def _eased(self, groups: Groups, mail: Mail, room: LabRoom) -> int:
        """Move blocks with about as many tubes as come late to where labs take them in time.

        The room that a block leaves at the labs serves others of its waves, whichever site the flow
        has left the tubes at. Where labs have no room left, blocks stay and are late. Returns the
        blocks moved.
        """
        here = self.here
        may_go = mail.tight & ((groups.wave + 1) * here.per_wave > here.free_from)
        part = mail.new.flow[2].waves_alike()[groups.wave]
        rest = np.bincount(part[may_go], mail.over[may_go], part.max(initial=0) + 1)
        shape = (here.per_wave, self.post.pools)
        choice = Choice(self.stand.calls, groups, (may_go, part), rest.astype(np.int64), shape)
        moved = failed = 0
        while failed < IN_VAIN and (block := choice.best()) is not None:
            if self._moved(block, room):
                choice.go(block)
                moved, failed = moved + 1, 0
            else:
                choice.stay(block)
                failed += 1
        return moved

    def _moved(self, block: int, room: LabRoom) -> bool:
        """Move a block to where labs take its tubes in time, or leave it; tell whether it went.

        A block of which some have a new place already, or are to find one, stays.
        """
        if block in self.placer.placed or block in self.waiting.missed:
            return False
        mine = self.stand.of(block)
        item = self._off(block)
        if self.placer.place(item, room, in_time=True):
            self.away[block] = mine
            return True
        self._back(block, mine)
        return False

    def _come_back(self) -> None:
        """Let blocks come back that have gone for nothing: labs are no later with them here."""
        if not self.away:
            return
        mail = self._full(self._groups())
        late = int(mail.over.sum())
        room, back = self._room(mail), []
        for block in sorted(self.away, key=lambda b: (-int(self.away[b].people.sum()), b)):
            mine = self.away[block]
            if self._fits(mine, room):
                item, fit = self.placer.placed[block]
                self.placer.remove(block)
                self._back(block, mine)
                back.append((item, fit))
        while back:
            excess = int(self._full(self._groups()).over.sum()) - late
            if excess <= 0:
                return
            while back and excess > 0:
                item, fit = back.pop()
                self._off(item.block)
                self.placer.put(item, fit)
                excess -= -(-item.people // int(self.post.pools[item.zone]))

    def _fits(self, mine: Calls, room: LabRoom) -> bool:
        """Return whether site and labs seem to have room for calls; takes the labs' if so."""
        if not self.placer.board.allows(mine):
            return False
        site, zone = int(mine.site[0]), int(mine.zone[0])
        people = np.bincount(mine.slot // self.here.per_wave, mine.people).astype(np.int64)
        waves = np.flatnonzero(people)
        need = -(-people[waves] // self.post.pools[zone])
        if (room.in_time(site, zone)[waves] < need).any():
            return False
        for wave in waves.tolist():
            room.take(site, zone, wave, int(people[wave]))
        return True

    def _without_lost(self, groups: Groups, lost: Ints) -> list[Item]:
        """Take blocks off whose tubes no lab takes at all, late or not."""
        items: dict[int, Item] = {}
        for row in np.flatnonzero(lost).tolist():
            site, wave, zone = (int(c[row]) for c in (groups.site, groups.wave, groups.zone))
            self.placer.closed_waves.add((site, wave))
            rest = int(lost[row]) * int(self.post.pools[zone])
            while rest > 0:
                there = self.stand.people_in(site, wave, zone) | self._new_in(site, wave, zone)
                if not there:
                    break
                item = self._off(_fitting(there, rest))
                rest -= item.people
                if item.block in items:  # those newly placed and those who stood: one again
                    item = replace(item, people=item.people + items[item.block].people, taken=())
                items[item.block] = item
        return list(items.values())

    def _off(self, block: int) -> Item:
        """Take a block off its place, and return its people."""
        if block in self.placer.placed:
            return self.placer.remove(block)
        mine = self.stand.of(block)
        self.stand.off(block)
        self.placer.board.add(mine, -1)
        self.placer.leave(block, mine)
        return self.waiting.item(block, int(mine.people.sum()))

    def _back(self, block: int, mine: Calls) -> None:
        """Put a block back where it stood."""
        self.placer.board.add(mine)
        self.placer.come(block, mine)
        self.stand.back(block)

    def _new_in(self, site: int, wave: int, zone: int) -> dict[int, int]:
        """Return block -> people newly placed at a site in a wave under a zone."""
        there = {}
        for block, (item, fit) in self.placer.placed.items():
            inside: Flags = fit.slots // self.here.per_wave == wave
            if fit.site == site and item.zone == zone and inside.any():
                there[block] = int(np.array(fit.people)[inside].sum())
        return there


def _fitting(there: dict[int, int], people: int) -> int:
    """Return the smallest block with enough people, or else the largest."""
    enough = [block for block, n in there.items() if n >= people]
    if enough:
        return min(enough, key=lambda block: (there[block], block))
    return max(there, key=lambda block: (there[block], block))
