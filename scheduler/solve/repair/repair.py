"""The re-planner: a published plan, mended where it no longer holds, and left alone elsewhere.

1. what was sampled, and who was missed;  2. calls that may not stand leave their place;  3. tubes
picked up stay on their way;  4. the people without a place find one, at least objective and churn;
5. all tubes that changed are sent by one flow, and where that makes results late, all tubes not yet
picked up;  6. blocks whose tubes come late or find no lab try another time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.churn import Call, Churn, churn
from scheduler.domain.city import FIXED, Flags, Floats, Ints
from scheduler.domain.instance import Instance
from scheduler.domain.overlay import FOREVER, Overlay
from scheduler.domain.plan import Plan, PlanTables, Reason
from scheduler.domain.settings import Zone
from scheduler.domain.standing import Standing
from scheduler.solve.repair import answer
from scheduler.solve.repair.behind import Reports, Served, restored, who_was_served, within_demand
from scheduler.solve.repair.board import Board
from scheduler.solve.repair.clear import Clearing, clear
from scheduler.solve.repair.intime import send_in_time
from scheduler.solve.repair.outside import candidate_pairs, open_slots, road_minutes, slot_quota
from scheduler.solve.repair.place import Grounds, Item, Placer, Prices, push_aside
from scheduler.solve.repair.post import (
    Groups,
    LabRoom,
    Mail,
    Post,
    both,
    dispatch,
    groups_of,
    keep,
    refuse_lost,
    what_is_left,
)
from scheduler.solve.repair.rows import (
    Calls,
    Sent,
    Stand,
    calls_of,
    known_calls_of,
    merged,
    sent_of,
)
from scheduler.solve.repair.shortage import Shortage, late_tubes

Report = Callable[[str, float | None], None]

TRIES = 8
"""Times that blocks with late tubes look for another place."""
UNPUBLISHED = 0.2
"""What moving people costs who were told nothing yet, as a share of the weights of churn: enough to
leave them alone, and not part of the objective."""
MOST_PUSHES = 200
IN_VAIN = 25
"""Blocks in a row for which labs have no room in time, before no more are tried."""


@dataclass(frozen=True)
class Repaired:
    """A mended plan: its tables, who was cut short, what moved and what had to.

    ``must_leave`` are people by cause who cannot stay where they are in any plan with as few late
    tubes: a lower bound of people moved or without a place (``moved``). ``moved`` is counted
    against the plan that was mended, ``churn_cost`` in person-minutes against what was published.
    """

    tables: PlanTables
    done: pd.DataFrame
    must_leave: dict[str, int]
    moved: Churn
    churn_cost: float
    changed: bool


class Repair:
    """One re-plan; see the module."""

    def __init__(
        self, standing: Standing, overlay: Overlay, progress: pd.DataFrame, report: Report
    ) -> None:
        self.standing, self.overlay, self.report = standing, overlay, report
        self.instance: Instance = overlay.instance
        settings = self.instance.settings
        self.slot_min = settings.round.slot_minutes
        self.per_wave = self.instance.clock.slots_per_wave
        self.free_from = standing.frozen_min // self.slot_min
        self.base_calls = merged(calls_of(self.instance, standing.base))
        self.base_sent = sent_of(self.instance, standing.base)
        self.reports = Reports.of(self.instance, progress)
        last = int(max(self.base_calls.slot.max(initial=0), self.reports.slot.max(initial=0)))
        self.width = max(overlay.lanes.shape[1], last + 1)
        self.closed = self._closed()
        self.quota = self._quota()
        self.labs_short = Shortage()
        self.missed: set[int] = set()

    def _wide(self, table: Any, filler: Any) -> Any:  # noqa: ANN401  # an array of any kind
        """Return a table with columns for every slot that any call uses."""
        more = self.width - table.shape[1]
        return np.pad(table, ((0, 0), (0, more)), constant_values=filler) if more else table

    def _closed(self) -> Flags:
        hours = self._wide(open_slots(self.instance), filler=False)
        closed: Flags = self._wide(self.overlay.closed, filler=True) | ~hours
        return closed

    def _quota(self) -> Ints:
        """Return people per site and slot that may be called, of samples fresh enough for a lab."""
        quota = self._wide(slot_quota(self.overlay), filler=0)
        slot = np.arange(self.width)
        wave_min = self.instance.settings.round.wave_minutes
        pickup = (slot // self.per_wave + 1) * wave_min
        age = (
            pickup
            - slot * self.slot_min
            + road_minutes(self.instance).min(axis=1, initial=1 << 30)[:, None]
        )
        stale = age > self.instance.settings.targets.max_holding_min
        result: Ints = np.where(self.closed | stale, 0, quota)
        return result

    # Who was served

    def served(self) -> Served:
        """Return the calls before the freeze with the people sampled in each."""
        base = self.base_calls
        early = base.where(base.slot < self.free_from)
        calls = restored(self.instance, early, self.standing.base_done)
        lost = self.overlay_closed(calls) | self._sealed(calls)
        rules = (self.instance.settings.replan, self.standing.now_min, self.slot_min)
        before = self._people_in_base(calls)
        served = who_was_served(calls, (before, lost), self.reports, rules)
        return within_demand(served, before, self.instance.demand)

    def overlay_closed(self, calls: Calls) -> Flags:
        """Return which calls stand at a site that an event closed then."""
        closed = self._wide(self.overlay.closed, filler=True)
        flags: Flags = closed[calls.site, calls.slot]
        return flags

    def _sealed(self, calls: Calls) -> Flags:
        """Return the calls to a fixed site of communities that were sealed by then."""
        since = self.overlay.sealed_from[self.instance.blocks.community_index[calls.block]]
        fixed = self.instance.sites.kinds[calls.site] == FIXED
        flags: Flags = fixed & ((calls.slot + 1) * self.slot_min > since)
        return flags

    # The whole

    def run(self) -> Repaired:
        """Return the mended plan."""
        self.report("who was sampled", None)
        served = self.served()
        if self._nothing_new(served):
            none = np.zeros(len(self.instance.blocks), dtype=np.int64)
            table = answer.done_table(self.instance, served)
            return Repaired(
                self.standing.base, table, {}, Churn(none, none, none), 0.0, changed=False
            )
        self.missed = set(served.calls.block[served.cut].tolist())
        done = served.done.where(served.sampled > 0)
        self.report("what must move", None)
        board = Board(self.instance, self.quota, self.free_from)
        board.add(done)
        base = self.base_calls
        later = base.where(base.slot >= self.free_from)
        clearing = clear(self.instance, board, later, self.closed)
        standing = self._trimmed(board, done, clearing.standing)
        self.report("places", None)
        calls, sent, groups, reasons = self._placed(board, done, standing)
        moved = churn(_call(base), _call(calls), len(self.instance.blocks))
        must = self._must(served, clearing, sent)
        changed = not (_same(calls, base) and _same(sent, self.base_sent))
        self.report("tables", None)
        post = Post(self.overlay, self.standing.now_min, _horizon(self.instance, sent))
        tables = answer.tables(self.instance, calls, (sent, groups), post.hours, reasons)
        changed = changed or self._unserved_changed(tables)
        done_table = answer.done_table(self.instance, served)
        cost = self._churn_cost(calls, moved)
        return Repaired(tables, done_table, must, moved, cost, changed)

    def _churn_cost(self, calls: Calls, moved: Churn) -> float:
        """Return person-minutes of churn against what each district was told last."""
        weights = self.instance.settings.weights.churn
        districts = self.instance.communities.districts[self.instance.blocks.community_index]
        published, cost = self.standing.published, 0.0
        own = [district for district in published if district]
        for district, plan in published.items():
            told = districts == district if district else ~np.isin(districts, own)
            against = moved
            if plan is not self.standing.base:
                old = known_calls_of(self.instance, plan)
                against = churn(_call(old), _call(calls), len(self.instance.blocks))
            cost += float(against.cost(weights.site, weights.time)[told].sum())
        return cost

    def _nothing_new(self, served: Served) -> bool:
        """Return whether events and people sampled are those that the plan was made with."""
        standing = self.standing
        if standing.events != standing.base_events:
            return False
        missing = served.calls.people - served.sampled
        if (missing != self._known_missing(served)).any():
            return False
        come = [e for e in standing.events if standing.base_now_min < e.minute <= standing.now_min]
        return not come

    def _unserved_changed(self, tables: PlanTables) -> bool:
        columns = ["block_id", "people", "reason"]
        new, old = (
            frame[columns].astype({"block_id": str, "reason": str}).sort_values(columns).to_numpy()
            for frame in (tables.unserved, self.standing.base.unserved)
        )
        return new.shape != old.shape or bool((new != old).any())

    def _must(self, served: Served, clearing: Clearing, sent: Sent) -> dict[str, int]:
        """Return people who must leave by cause; those missed or shut out count one by one."""
        cut = served.calls.people - served.sampled
        before = self._known_missing(served)
        lost = self.overlay_closed(served.calls) | self._sealed(served.calls)
        must = dict(clearing.must_leave)
        shut = int(np.maximum(cut - before, 0)[lost].sum())
        if shut:
            must["site_closed"] = must.get("site_closed", 0) + shut
        no_lab = self.labs_short.people(late_tubes(self.instance, sent))
        if no_lab:
            must["no_lab_in_time"] = no_lab
        missed = int(np.maximum(cut - before, 0)[~lost].sum())
        return must | ({"missed": missed} if missed else {})

    def _known_missing(self, served: Served) -> Ints:
        """Return the people of each early call that the base plan has moved already."""
        missing: Ints = served.calls.people - self._people_in_base(served.calls)
        return missing

    def _people_in_base(self, calls: Calls) -> Ints:
        """Return the people that each call has in the plan that is mended."""
        base, num = self.base_calls, len(self.instance.sites)
        keys = [(c.block * num + c.site) * self.width + c.slot for c in (calls, base)]
        now = pd.Series(base.people, index=keys[1])
        people = now[~now.index.duplicated()].reindex(keys[0]).fillna(0)
        return people.to_numpy(dtype=np.int64)

    def _trimmed(self, board: Board, done: Calls, standing: Calls) -> Calls:
        """Take off calls of people who were sampled after all: more are called than there are."""
        count = len(self.instance.blocks)
        called = np.bincount(np.concatenate((done.block, standing.block)),
                             np.concatenate((done.people, standing.people)), count)  # fmt: skip
        over = (called - self.instance.demand).astype(np.int64)
        if not (over > 0).any():
            return standing
        people = standing.people.copy()
        for row in np.lexsort((standing.slot, standing.block))[::-1].tolist():
            less = min(int(over[standing.block[row]]), int(people[row]))
            if less > 0:
                people[row] -= less
                over[standing.block[row]] -= less
        board.add(standing, -1)
        fewer = replace(standing, people=people).where(people > 0)
        board.add(fewer)
        return fewer

    # Places and tubes

    def _placed(
        self, board: Board, done: Calls, standing: Calls
    ) -> tuple[Calls, Sent, Groups, dict[int, Reason]]:
        items = self._items(done, standing)
        post = Post(self.overlay, self.standing.now_min, _horizon(self.instance, self.base_sent))
        every = np.arange(len(self.instance.blocks))
        grounds = Grounds(candidate_pairs(self.instance, self._is_open(), every))
        placer = Placer(self.instance, board, grounds, self._prices(), done.joined(standing))
        stand = Stand(standing, self.per_wave, -(-self.width // self.per_wave))
        room = self._ease(post, placer, (done, stand), first=True)
        left = placer.place_all(items, room)
        left = self._pushed(placer, stand, left, room)
        self.report("tubes", None)
        return self._settled(post, placer, (done, stand), left)

    def _ease(
        self, post: Post, placer: Placer, stays: tuple[Calls, Stand], *, first: bool
    ) -> LabRoom:
        """Move blocks until labs can take all tubes in time, or none can be moved any more.

        ``first`` is before anybody has a new place: then it tells what labs are short of.
        Returns the room that labs have left.
        """
        turn = 0
        while True:
            groups = self._groups(post, self._now(placer, stays))
            mail = self._in_time(post, groups, at_once=not turn)
            if first and not turn:
                free = self.free_from / self.per_wave
                self.labs_short = Shortage.of(groups, mail, post.pools, free)
            room = self._room(post, mail.sent)
            turn += 1
            if not mail.over.any() or turn == TRIES:
                return room
            if not self._eased(post, placer, stays[1], (groups, mail.over), room):
                return room

    def _now(self, placer: Placer, stays: tuple[Calls, Stand]) -> Calls:
        return stays[0].joined(stays[1].calls).joined(placer.calls())

    def _settled(
        self, post: Post, placer: Placer, stays: tuple[Calls, Stand], left: list[Item]
    ) -> tuple[Calls, Sent, Groups, dict[int, Reason]]:
        """Send the tubes; blocks whose tubes no lab takes look for another place."""
        past_end: set[int] = set()
        self._ease(post, placer, stays, first=False)
        while True:
            calls = self._now(placer, stays)
            groups = self._groups(post, calls)
            mail = self._in_time(post, groups, at_once=True)
            sent, lost = self._with_late(post, groups, mail)
            if not lost.any():
                return calls, sent, groups, self._reasons(left, past_end)
            refuse_lost(groups, lost, self.free_from, self.per_wave)
            items = self._without_lost(post, placer, stays[1], (groups, lost))
            if not items:
                refuse_lost(groups, lost, self.width, self.per_wave)
            waiting = placer.place_all(items, self._room(post, mail.sent))
            past_end |= {item.block for item in waiting}
            left += waiting

    def _room(self, post: Post, sent: Sent) -> LabRoom:
        return LabRoom(post, sent, -(-self.width // self.per_wave))

    def _groups(self, post: Post, calls: Calls) -> Groups:
        return groups_of(calls, post.pools, self.per_wave)

    def _in_time(self, post: Post, groups: Groups, *, at_once: bool) -> Mail:
        """Send what labs can take in time.

        ``at_once`` tries to send only what changed; where that fails, and without it, all tubes
        that are not yet picked up are sent anew.
        """
        if at_once:
            kept = keep(post, groups, self.base_sent, open_too=True)
            new, over, tight = send_in_time(post, groups, kept)
            if not over.any():
                return Mail(both(kept.sent, new), over, tight)
        kept = keep(post, groups, self.base_sent, open_too=False)
        new, over, tight = send_in_time(post, groups, kept)
        return Mail(both(kept.sent, new), over, tight)

    def _with_late(self, post: Post, groups: Groups, mail: Mail) -> tuple[Sent, Ints]:
        """Send late what cannot be in time; returns all consignments, and tubes no lab takes."""
        if not mail.over.any():
            return mail.sent, mail.over
        rest = what_is_left(groups, mail.sent)
        late, lost = dispatch(post, groups, rest, every_lab=False)
        if lost.any():
            late, lost = dispatch(post, groups, rest, every_lab=True)
        return both(mail.sent, late), lost

    def _without_lost(
        self, post: Post, placer: Placer, stand: Stand, lost: tuple[Groups, Ints]
    ) -> list[Item]:
        """Take blocks off whose tubes no lab takes at all, late or not."""
        items: list[Item] = []
        groups, tubes = lost
        for row in np.flatnonzero(tubes).tolist():
            site, wave, zone = (int(c[row]) for c in (groups.site, groups.wave, groups.zone))
            placer.closed_waves.add((site, wave))
            rest = int(tubes[row]) * int(post.pools[zone])
            while rest > 0:
                there = stand.people_in(site, wave, zone) | self._new_in(placer, site, wave, zone)
                if not there:
                    break
                items.append(self._off(placer, stand, _fitting(there, rest)))
                rest -= items[-1].people
        return items

    def _eased(
        self, post: Post, placer: Placer, stand: Stand, over: tuple[Groups, Ints], room: LabRoom
    ) -> int:
        """Move blocks with about as many tubes as come late to where labs take them in time.

        The room that a block leaves at the labs serves others near it, so that all its tubes
        count, whichever site the flow has left the tubes at. Where labs have no room left, blocks
        stay and are late. Returns the blocks moved.
        """
        groups, tubes = over
        free = (groups.wave + 1) * self.per_wave > self.free_from
        rows = np.flatnonzero((tubes > 0) & free)
        rest, moved, failed = int(tubes[rows].sum()), 0, 0
        for row in rows[np.argsort(-tubes[rows], kind="stable")].tolist():
            if rest <= 0 or failed >= IN_VAIN:
                break
            site, wave, zone = (int(c[row]) for c in (groups.site, groups.wave, groups.zone))
            pool = int(post.pools[zone])
            there = stand.people_in(site, wave, zone)
            if not there:
                continue
            block = _inside(there, stand)
            mine = stand.of(block)
            item = self._off(placer, stand, block)
            if placer.place(item, room, in_time=True):
                rest -= max(1, item.people // pool)
                moved, failed = moved + 1, 0
                continue
            failed += 1
            placer.board.add(mine)
            placer.come(block, mine)
            stand.back(block)
        return moved

    def _off(self, placer: Placer, stand: Stand, block: int) -> Item:
        """Take a block off its place, and return its people."""
        if block in placer.placed:
            return placer.remove(block)
        mine = stand.of(block)
        stand.off(block)
        placer.board.add(mine, -1)
        placer.leave(block, mine)
        return self._item(block, int(mine.people.sum()))

    def _new_in(self, placer: Placer, site: int, wave: int, zone: int) -> dict[int, int]:
        """Return block -> people newly placed at a site in a wave under a zone."""
        there = {}
        for block, (item, fit) in placer.placed.items():
            inside = fit.slots // self.per_wave == wave
            if fit.site == site and item.zone == zone and inside.any():
                there[block] = int(np.array(fit.people)[inside].sum())
        return there

    def _pushed(self, placer: Placer, stand: Stand, left: list[Item], room: LabRoom) -> list[Item]:
        """Push blocks aside for those who found no place; returns those who still have none."""
        if not left:
            return left
        calls = stand.calls
        totals = np.bincount(calls.block, calls.people, len(self.instance.blocks))
        totals[self._early_blocks()] = 0
        movable = {b: self._item(b, int(totals[b])) for b in np.flatnonzero(totals).tolist()}
        return [
            item
            for number, item in enumerate(left)
            if number >= MOST_PUSHES or not push_aside(placer, item, movable, stand, room)
        ]

    def _early_blocks(self) -> Ints:
        return self.base_calls.block[self.base_calls.slot < self.free_from]

    def _items(self, done: Calls, standing: Calls) -> list[Item]:
        """Return the people of each block who have no place, and the slots their block has.

        A block of which some had no slot before and the others keep theirs is left as it is.
        """
        count = len(self.instance.blocks)
        called = np.bincount(done.block, done.people, count)
        called = called + np.bincount(standing.block, standing.people, count)
        need = (self.instance.demand - called).astype(np.int64)
        items = []
        for block in np.flatnonzero(need > 0).tolist():
            first, last = np.searchsorted(standing.block, [block, block + 1])
            taken = tuple(standing.slot[first:last].tolist())
            if not taken or block in self.missed:
                items.append(replace(self._item(block, int(need[block])), taken=taken))
        return items

    def _item(self, block: int, people: int) -> Item:
        first, last = np.searchsorted(self.base_calls.block, [block, block + 1])
        sites: dict[int, int] = {}
        for site, n in zip(self.base_calls.site[first:last].tolist(),
                           self.base_calls.people[first:last].tolist(), strict=True):  # fmt: skip
            sites[site] = sites.get(site, 0) + n
        return Item(block, people, int(self.instance.block_zone[block]), sites)

    def _is_open(self) -> Flags:
        """Return the sites that may still be called to after the freeze."""
        later = ~self.closed[:, self.free_from :]
        return np.asarray(np.any(later, axis=1))

    def _prices(self) -> Prices:
        settings = self.instance.settings
        weights = settings.weights
        return Prices(
            finish=np.array(weights.finish.by_zone()),
            walk=weights.walk / settings.walk.metres_per_min,
            split=weights.split,
            other_site=weights.churn.site,
            other_time=weights.churn.time,
            known=self._known(),
            late=weights.late * 60,
            pool=np.array(settings.pooling.by_zone(), dtype=np.int64),
        )

    def _known(self) -> Floats:
        """Return the share of churn that counts for each block."""
        districts = self.instance.communities.districts[self.instance.blocks.community_index]
        whole = "" in self.standing.published
        told = np.isin(districts, list(self.standing.published)) | whole
        return np.where(told, 1.0, UNPUBLISHED)

    def _reasons(self, left: list[Item], past_end: set[int]) -> dict[int, Reason]:
        """Return why each block that is left has no place."""
        old = self.standing.base.unserved
        words = dict(zip(old["block_id"].astype(str), old["reason"].astype(str), strict=True))
        pairs = candidate_pairs(
            self.instance,
            self._is_open(),
            np.array(sorted({i.block for i in left}), dtype=np.int64),
        )
        some = set(pairs.block.tolist())
        blocks = self.instance.blocks.ids.astype(str).tolist()
        reasons = {b: Reason(words[i]) for b, i in enumerate(blocks) if i in words
                   and words[i] in {Reason.FULL, Reason.PAST_END}}  # fmt: skip
        for item in left:
            block = item.block
            if block in past_end and block in some:
                reasons[block] = Reason.PAST_END
            elif block in some:
                before = words.get(str(self.instance.blocks.ids[block]), "")
                reasons[block] = Reason.PAST_END if before == Reason.PAST_END else Reason.FULL
            else:
                sealed = item.zone == Zone.LOCKDOWN
                reasons[block] = Reason.NO_TEAM if sealed else Reason.NO_SITE
        return reasons


def repair_plan(
    standing: Standing, overlay: Overlay, progress: pd.DataFrame, report: Report
) -> Repaired:
    """Return the plan that a re-plan leaves; ``progress`` are the newest reports of sampling.

    Raises
    ------
    NoPlanError
        When no laboratory takes tubes that are filled already.
    CannotRunError
        When the plan names what neither files nor events have.
    """
    return Repair(standing, overlay, progress, report).run()


def _inside(there: dict[int, int], stand: Stand) -> int:
    """Return the block with the largest part of its people in the wave: few move for nothing."""
    part = {block: n / int(stand.of(block).people.sum()) for block, n in there.items()}
    return max(there, key=lambda block: (part[block], there[block], block))


def _fitting(there: dict[int, int], people: int) -> int:
    """Return the smallest block with enough people, or else the largest."""
    enough = [block for block, n in there.items() if n >= people]
    if enough:
        return min(enough, key=lambda block: (there[block], block))
    return max(there, key=lambda block: (there[block], block))


def _call(calls: Calls) -> Call:
    return Call(calls.block, calls.site, calls.slot, calls.people)


def _same(new: Calls | Sent, old: Calls | Sent) -> bool:
    a, b = (
        pd.DataFrame(vars(rows)).sort_values(list(vars(rows))).to_numpy() for rows in (new, old)
    )
    return a.shape == b.shape and bool((a == b).all())


def _horizon(instance: Instance, sent: Sent) -> int:
    """Return clock hours of labs to look at: a week after the round, or the last start."""
    last = max(instance.clock.end_min, int(sent.start.max(initial=0)))
    return last // 60 + 3 + 7 * 24


__all__ = ["FOREVER", "Plan", "Repaired", "repair_plan"]
