"""Check a re-plan: the same rules, asked of what can still be changed, under the events' input."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from scheduler.domain.city import Flags
from scheduler.domain.plan import Plan
from scheduler.domain.standing import Standing
from scheduler.domain.verify.breach import Breach, BreachLog
from scheduler.domain.verify.context import Context, read_context
from scheduler.domain.verify.figures import recompute
from scheduler.domain.verify.ground import Ground
from scheduler.domain.verify.labs import check_labs, check_times
from scheduler.domain.verify.people import check_coverage, check_quotas
from scheduler.domain.verify.queueing import QueueTrial
from scheduler.domain.verify.rooms import (
    check_candidates,
    check_runs,
    check_slots,
    check_zones,
)
from scheduler.domain.verify.since import (
    Since,
    check_done,
    check_replan,
    check_settled,
    check_underway,
    lost_place,
    moved,
)
from scheduler.domain.verify.summary import check_summary
from scheduler.domain.verify.tubes import check_consignments, check_rows


class OpenGround(Ground):
    """Sites as they may still be used: closings taken out, open only after the freeze."""

    def __init__(self, since: Since) -> None:
        super().__init__(since.world.instance, since.world.axis)
        self.since = since

    @cached_property
    def open_slots(self) -> Flags:
        """Whether a slot is open by its site's hours and by events, shape [site, slot]."""
        slots: Flags = Ground(self.instance, self.axis).open_slots & ~self.since.world.shut
        return slots

    @cached_property
    def is_open(self) -> Flags:
        """Whether a site has a slot left after the freeze."""
        left = self.open_slots[:, self.since.frozen // self.axis.slot_min :]
        return np.asarray(np.any(left, axis=1))


def verify_replan(standing: Standing, plan: Plan, revision: str | None) -> list[Breach]:
    """Return every breach of a plan that stands on another one."""
    log = BreachLog()
    since = Since.of(standing)
    instance = since.world.instance
    context = read_context(instance, plan, log, since.zones)
    if context is None:
        return log.breaches
    settings = instance.settings
    level = settings.targets.queue_service_level
    trial = QueueTrial(settings.queue, settings.round.slot_minutes, level)
    ground = OpenGround(since)
    called = _frame(context)
    check_settled(since, called, log)
    check_done(since, log)
    check_coverage(context, ground, trial)
    _check_open_calls(since, context, ground, trial)
    check_zones(context)
    check_consignments(context, check_rows(context))
    check_times(context, since)
    check_labs(context, since)
    check_underway(since, vars(context.sent), context.sent.line, log)
    people, churn = moved(since, called)
    check_summary(context, recompute(context, ground, churn), plan.summary, revision)
    counts = {"moved": people, "lost_place": lost_place(since, called)}
    check_replan(since, counts, plan.summary, log)
    return log.breaches


def _frame(context: Context) -> pd.DataFrame:
    called = context.called
    return pd.DataFrame(
        {"block": called.block, "site": called.site, "start": called.start, "people": called.people}
    )


def _check_open_calls(
    since: Since, context: Context, ground: OpenGround, trial: QueueTrial
) -> None:
    """Check calls after the freeze, lanes and rates as they are in each slot."""
    called = context.called.where(context.called.start >= since.frozen)
    kept = since.is_kept(called.block, called.site, called.start)
    later = replace(context, called=called)
    for first, end, instance in since.world.epochs():
        inside = (called.start // since.world.axis.slot_min >= first) & (
            called.start // since.world.axis.slot_min < end
        )
        part = replace(later, called=called.where(inside), instance=instance)
        check_quotas(part, ground, trial)
    check_slots(later, ground)
    # people who were missed are called anew beside what still stands of their block
    missed = np.isin(called.block, since.cut["block"].to_numpy())
    check_runs(replace(later, called=called.where(~(missed & kept))))
    pairs = pd.MultiIndex.from_frame(since.base[["block", "site"]])
    known = pd.MultiIndex.from_arrays([called.block, called.site]).isin(pairs)
    check_candidates(later, ground, known)
