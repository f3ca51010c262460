"""The re-planner: a published plan, mended where it no longer holds, and left alone elsewhere.

1. what was sampled, and who was missed;  2. calls that may not stand leave their place;  3. tubes
picked up stay on their way;  4. the people without a place find one, at least objective and churn;
5. all tubes that changed are sent by one flow, and where that makes results late, all tubes not yet
picked up;  6. blocks whose tubes come late or find no lab try another time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.churn import Call, Churn, churn
from scheduler.domain.overlay import Overlay
from scheduler.domain.plan import PlanTables, Reason
from scheduler.domain.standing import Standing
from scheduler.solve.repair import answer
from scheduler.solve.repair.behind import Served
from scheduler.solve.repair.board import Board
from scheduler.solve.repair.clear import Clearing, clear
from scheduler.solve.repair.easing import Easing, Settled
from scheduler.solve.repair.outside import candidate_pairs
from scheduler.solve.repair.place import Grounds, Placer
from scheduler.solve.repair.post import Post
from scheduler.solve.repair.rows import Calls, Sent, Stand, known_calls_of
from scheduler.solve.repair.shortage import Shortage, late_tubes, shortage
from scheduler.solve.repair.situation import Situation
from scheduler.solve.repair.waiting import Waiting, prices_of, trimmed

Report = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Repaired:
    """A mended plan: its tables, who was cut short, what moved and what had to.

    ``must_leave`` are people by cause who cannot stay where they are in any plan with as few late
    tubes and people without a place: a lower bound of people moved or without a place (``moved``).
    ``moved`` is counted against the plan that was mended, ``churn_cost`` in person-minutes against
    what was published.
    """

    tables: PlanTables
    done: pd.DataFrame
    must_leave: dict[str, int]
    moved: Churn
    churn_cost: float
    changed: bool


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
    here = Situation.of(standing, overlay, progress)
    report("who was sampled", None)
    served = here.served()
    if here.nothing_new(served):
        none = np.zeros(len(here.instance.blocks), dtype=np.int64)
        table = answer.done_table(here.instance, served)
        return Repaired(standing.base, table, {}, Churn(none, none, none), 0.0, changed=False)
    return _Repair(here, served, report).run()


class _Repair:
    """One re-plan that has something to do."""

    def __init__(self, here: Situation, served: Served, report: Report) -> None:
        self.here, self.served, self.report = here, served, report
        self.instance = here.instance
        self.done = served.done.where(served.sampled > 0)
        missed = served.calls.block[served.cut]
        self.waiting = Waiting(here, missed.tolist())
        self.singly = np.isin(np.arange(len(here.instance.blocks)), missed)

    def run(self) -> Repaired:
        """Return the mended plan."""
        here = self.here
        self.report("what must move", None)
        board = Board(self.instance, here.quota, here.free_from)
        board.add(self.done)
        clearing = clear(self.instance, board, here.later(), here.closed)
        standing = trimmed(here, self.done, clearing.standing)
        if standing is not clearing.standing:
            board.add(clearing.standing, -1)
            board.add(standing)
        self.report("places", None)
        calls, settled, reasons, short = self._placed(board, standing)
        moved = churn(_call(here.calls), _call(calls), len(self.instance.blocks))
        sent = settled.sent
        must = self._must(clearing, short, late_tubes(self.instance, sent) + moved.dropped.sum())
        self.report("tables", None)
        post = Post(here.overlay, here.standing.now_min, _horizon(here, sent))
        tables = answer.tables(post, calls, (sent, settled.groups), reasons)
        changed = not (calls.same(here.calls) and sent.same(here.sent))
        changed = changed or self._unserved_changed(tables)
        done_table = answer.done_table(self.instance, self.served)
        return Repaired(tables, done_table, must, moved, self._churn_cost(calls, moved), changed)

    def _placed(
        self, board: Board, standing: Calls
    ) -> tuple[Calls, Settled, dict[int, Reason], Shortage]:
        """Find places and labs; returns calls, tubes, why some have none, what labs lacked."""
        here, waiting = self.here, self.waiting
        items = waiting.items(self.done, standing)
        post = Post(here.overlay, here.standing.now_min, _horizon(here, here.sent))
        every = np.arange(len(self.instance.blocks))
        grounds = Grounds(candidate_pairs(self.instance, here.is_open(), every))
        stays = self.done.joined(standing)
        placer = Placer(self.instance, board, grounds, prices_of(here), stays)
        stand = Stand(standing, here.per_wave, here.num_waves)
        easing = Easing(here, post, placer, stand, waiting)
        begun = easing.ease()
        short = shortage(here, post, begun, (self.done, standing, self.singly))
        left = placer.place_all(items, begun.room)
        left = waiting.push(placer, stand, left, begun.room)
        self.report("tubes", None)
        settled = easing.settle()
        calls = self.done.joined(stand.calls).joined(placer.calls())
        reasons = waiting.reasons(left + settled.waiting, settled.past_end)
        return calls, settled, reasons, short

    def _must(self, clearing: Clearing, short: Shortage, spared: int) -> dict[str, int]:
        """Return people who must leave by cause.

        Who leaves for quota or zones is not known by name: they may be the same as leave for labs.
        """
        must = dict(clearing.must_leave)
        for cause, people in self.here.newly_missing(self.served).items():
            must[cause] = must.get(cause, 0) + people
        labs = short.people_for(spared) - clearing.nameless
        must["no_lab_in_time"] = max(0, labs)
        return {cause: people for cause, people in must.items() if people}

    def _churn_cost(self, calls: Calls, moved: Churn) -> float:
        """Return person-minutes of churn against what each district was told last."""
        weights = self.instance.settings.weights.churn
        districts = self.instance.communities.districts[self.instance.blocks.community_index]
        published, cost = self.here.standing.published, 0.0
        own = [district for district in published if district]
        for district, plan in published.items():
            told = districts == district if district else ~np.isin(districts, own)
            against = moved
            if plan is not self.here.standing.base:
                old = known_calls_of(self.instance, plan)
                against = churn(_call(old), _call(calls), len(self.instance.blocks))
            cost += float(against.cost(weights.site, weights.time)[told].sum())
        return cost

    def _unserved_changed(self, tables: PlanTables) -> bool:
        columns = ["block_id", "people", "reason"]
        new, old = (
            frame[columns].astype({"block_id": str, "reason": str}).sort_values(columns).to_numpy()
            for frame in (tables.unserved, self.here.standing.base.unserved)
        )
        return new.shape != old.shape or bool((new != old).any())


def _call(calls: Calls) -> Call:
    return Call(calls.block, calls.site, calls.slot, calls.people)


def _horizon(here: Situation, sent: Sent) -> int:
    """Return clock hours of labs to look at: a week after the round, or the last start."""
    last = max(here.instance.clock.end_min, int(sent.start.max(initial=0)))
    return last // 60 + 3 + 7 * 24
