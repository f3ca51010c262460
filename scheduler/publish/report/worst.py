"""Which communities fare worst, and what the files show of why."""

from __future__ import annotations

from typing import Any

import numpy as np

from scheduler.domain.city import Floats, Ints
from scheduler.domain.explain import Why, explain
from scheduler.domain.plan import Reason
from scheduler.publish.report.facts import Facts

TERMS = ("unserved", "late", "walk", "finish")
NUM_WORST = 10
NUM_NEARER = 3


def burden(facts: Facts) -> Floats:
    """Return person-minutes per person by the weights of the round, ``[community, term]``.

    ``late`` counts every person of a site, wave and zone with its latest result.
    """
    calls, weights = facts.calls, facts.instance.settings.weights
    num, of, blocks = len(facts.instance.communities), calls.community_index, facts.instance.blocks
    finish = np.array(weights.finish.by_zone())[calls.zone] * calls.start
    walk = weights.walk * facts.walk / facts.instance.settings.walk.metres_per_min
    late = weights.late * np.maximum(facts.call_turnaround - facts.promise_min, 0)
    rest = facts.schedule.rest
    left = rest.reason != Reason.HOME_VISIT
    columns = [
        weights.unserved * _sum(rest.community_index[left], rest.people[left], num),
        *(_sum(of, each * calls.people, num) for each in (late, walk, finish)),
    ]
    people = np.maximum(_sum(blocks.community_index, blocks.people, num), 1)
    table: Floats = np.stack(columns, axis=1) / people[:, None]
    return table


def worst_payload(facts: Facts) -> list[dict[str, Any]]:
    """Return the worst communities of the city and of each district, worst first, with why."""
    table = burden(facts)
    total = table.sum(axis=1)
    order = np.lexsort((np.arange(len(total)), -total))
    order = order[total[order] > 0]
    chosen = set(order[:NUM_WORST].tolist())
    for district in range(len(facts.districts)):
        mine = order[facts.of_community[order] == district]
        chosen |= set(mine[:NUM_WORST].tolist())
    return [_why(facts, c, table[c]) for c in order.tolist() if c in chosen]


def _why(facts: Facts, community: int, terms: Floats) -> dict[str, Any]:
    """Return the facts of one community; ``nearer`` are sites it does not use, nearest first."""
    schedule = facts.schedule
    told = explain(schedule.instance, schedule.plan, community, facts.quota)
    used = [c for c in told.candidates if c.why is Why.USED]
    farthest = max((c.walk_m for c in used), default=np.inf)
    nearer = [c for c in told.candidates if c.why is not Why.USED and c.walk_m < farthest]
    rest = {reason: n for reason, n in told.rest.items() if reason != Reason.HOME_VISIT}
    return {
        "community": community,
        "burden": round(float(terms.sum()), 2),
        "terms": dict(zip(TERMS, np.round(terms, 2).tolist(), strict=True)),
        "rest": rest,
        "used": [[c.name, c.walk_m, c.people_here] for c in used],
        "nearer": [[c.name, c.walk_m, c.why.value] for c in nearer[:NUM_NEARER]],
        "labs": [[lab.name, lab.margin_min, lab.full_hours, lab.num_hours] for lab in told.labs],
    }


def _sum(index: Ints, values: Floats | Ints, num: int) -> Floats:
    return np.bincount(index, weights=values, minlength=num).astype(np.float64)
