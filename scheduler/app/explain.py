"""Use case: why a community goes where and when it goes."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.app.revision import open_revision
from scheduler.domain.explain import Explanation, explain
from scheduler.domain.instance import Instance, RoundClock
from scheduler.errors import CannotRunError
from scheduler.solve.spacing import site_quota

NUM_NAMES = 8
"""Communities listed when a name is not clear."""


@dataclass(frozen=True)
class ExplainResult:
    """An explanation, with what is needed to tell it."""

    revision: str
    language: str
    promise_min: int
    clock: RoundClock
    facts: Explanation

    def to_dict(self) -> dict[str, Any]:
        """Return the facts for ``--json``; times are ISO 8601 with offset."""
        facts = asdict(self.facts)
        for row, names in ((v, ("start", "end")) for v in facts["visits"]):
            row.update({name: self.clock.iso(row[name]) for name in names})
        for row in facts["labs"]:
            row.update({n: self.clock.iso(row[n]) for n in ("first_start", "last_result")})
        return {"revision": self.revision, **facts}


def explain_community(
    folder: Path, community: str, *, revision: str | None = None
) -> ExplainResult:
    """Explain a community, named by id or name, in a revision, the newest by default.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision or community, several of that name, or the input changed
        after planning.
    """
    opened = open_revision(folder, revision)
    opened.check_input()
    settings = opened.instance.settings
    index = find_community(opened.instance, community)
    return ExplainResult(
        revision=opened.name,
        language=settings.round.language,
        promise_min=round(settings.targets.result_hours * 60),
        clock=opened.instance.clock,
        facts=explain(opened.instance, opened.plan, index, site_quota(opened.instance)),
    )


def find_community(instance: Instance, wanted: str) -> int:
    """Return the index of a community by its id or, where only one has it, its name.

    Raises
    ------
    CannotRunError
        When none has it, with the nearest names; or several, with their ids.
    """
    table = instance.communities
    for column in (table.ids, table.names):
        found = np.flatnonzero(column == wanted)
        if len(found) == 1:
            return int(found[0])
        if len(found) > 1:
            raise CannotRunError(
                f'Expected one community, got {len(found)} named "{wanted}"',
                hint="Give the id: " + _listed(instance, found.tolist()),
            )
    known = {str(text): c for c, text in enumerate(table.names)}
    known |= {str(text): c for c, text in enumerate(table.ids)}
    near = difflib.get_close_matches(wanted, known, n=NUM_NAMES, cutoff=0.4)
    near += [text for text in known if wanted and wanted in text]
    indices = list(dict.fromkeys(known[text] for text in near))
    hint = "Nearest: " + _listed(instance, indices) if indices else "No name is near it."
    raise CannotRunError(f'Expected a community of the round, got "{wanted}"', hint=hint)


def _listed(instance: Instance, indices: list[int]) -> str:
    table = instance.communities
    told = [
        f"{table.ids[c]} {table.names[c]} ({table.districts[c]} {table.streets[c]})"
        for c in indices[:NUM_NAMES]
    ]
    more = [f"and {len(indices) - NUM_NAMES} more"] if len(indices) > NUM_NAMES else []
    return "; ".join([*told, *more])
