"""Check a plan against every hard rule of DESIGN.md section 3; shares no code with the solver.

Everything is worked out again from the input columns and the plan's files: distances, times,
opening hours, quotas, queues, tubes, lab hours and the figures of ``summary.json``.
"""

from __future__ import annotations

from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.standing import Standing
from scheduler.domain.verify.breach import CODES, Breach, BreachLog
from scheduler.domain.verify.context import read_context
from scheduler.domain.verify.figures import recompute
from scheduler.domain.verify.ground import Ground
from scheduler.domain.verify.labs import check_labs, check_times
from scheduler.domain.verify.people import check_coverage, check_quotas
from scheduler.domain.verify.queueing import QueueTrial
from scheduler.domain.verify.replan import verify_replan
from scheduler.domain.verify.rooms import check_blocks, check_candidates, check_zones
from scheduler.domain.verify.summary import check_summary
from scheduler.domain.verify.tubes import check_consignments, check_rows


def verify(
    instance: Instance,
    plan: Plan,
    *,
    revision: str | None = None,
    standing: Standing | None = None,
) -> list[Breach]:
    """Return every breach of a plan, in the order of the rules; none means the plan is clean.

    ``revision`` is the name under which the plan is stored, where it is; the summary must agree.
    ``standing`` is what a re-plan stands on: then events are laid over the files again, and what
    was called before the freeze or is on its way must be as it was.
    """
    if standing is not None:
        return verify_replan(standing, plan, revision)
    log = BreachLog()
    context = read_context(instance, plan, log)
    if context is None:
        return log.breaches
    settings = instance.settings
    ground = Ground(instance, context.axis)
    level = settings.targets.queue_service_level
    trial = QueueTrial(settings.queue, settings.round.slot_minutes, level)
    check_coverage(context, ground, trial)
    check_quotas(context, ground, trial)
    check_blocks(context, ground)
    check_zones(context)
    check_candidates(context, ground)
    swabbed = check_rows(context)
    check_consignments(context, swabbed)
    check_times(context)
    check_labs(context)
    check_summary(context, recompute(context, ground), plan.summary, revision)
    return log.breaches


__all__ = ["CODES", "Breach", "verify"]
