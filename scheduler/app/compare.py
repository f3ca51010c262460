"""Use case: two revisions of a round side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scheduler.app.revision import Revision, open_revision
from scheduler.domain.explain_slots import minutes
from scheduler.domain.plan import Reason
from scheduler.publish.analysis_files import read_analysis

SIMULATED = ("share_in_time", "peak_queue", "sites_beyond_ground")


@dataclass(frozen=True)
class Side:
    """One revision; ``simulated`` are figures of ``simulate``, where it was run."""

    revision: str
    variant: list[str]
    summary: dict[str, Any]
    unserved: int
    first_slot: str | None
    last_slot: str | None
    last_result: str | None
    tubes: int
    sites: int
    labs: int
    simulated: dict[str, Any] | None


@dataclass(frozen=True)
class Comparison:
    """Two sides, and the people whose site, or whose time at the same site, differs."""

    sides: tuple[Side, Side]
    other_site: int
    other_time: int
    only_one: int

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return asdict(self)


def compare_revisions(folder: Path, first: str, second: str) -> Comparison:
    """Put two revisions side by side.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision.
    """
    one, two = open_revision(folder, first), open_revision(folder, second)
    return Comparison((_side(folder, one), _side(folder, two)), *_moved(one, two))


def _side(folder: Path, opened: Revision) -> Side:
    plan, clock = opened.plan, opened.instance.clock
    left = plan.unserved
    out = left["reason"].astype(str) != Reason.HOME_VISIT.value
    starts = minutes(opened.instance, plan.assignments["start"])
    ends = minutes(opened.instance, plan.assignments["end"])
    results = minutes(opened.instance, plan.consignments["result_by"])
    lived = read_analysis(folder, opened.name, "simulate-plain")
    return Side(
        revision=opened.name, variant=opened.variant, summary=plan.summary,
        unserved=int(left.loc[out, "people"].to_numpy(np.int64).sum()),
        first_slot=clock.iso(int(starts.min())) if len(starts) else None,
        last_slot=clock.iso(int(ends.max())) if len(ends) else None,
        last_result=clock.iso(int(results.max())) if len(results) else None,
        tubes=int(plan.consignments["tubes"].to_numpy(np.int64).sum()),
        sites=plan.assignments["site_id"].nunique(), labs=plan.consignments["lab_id"].nunique(),
        simulated=None if lived is None else {key: lived["city"][key] for key in SIMULATED},
    )  # fmt: skip


def _moved(one: Revision, two: Revision) -> tuple[int, int, int]:
    """Return people at another site, people at another time of the same site, and the rest.

    The rest has a slot in one of the two only. Who of a block is meant is not known: as few as
    possible are counted.
    """
    keys = ["block_id", "site_id", "start"]
    sides = [_people(side, keys) for side in (one, two)]
    same = _shared(*sides)
    at_site = _shared(*(s.groupby(level=["block_id", "site_id"]).sum() for s in sides))
    anywhere = _shared(*(s.groupby(level="block_id").sum() for s in sides))
    total = sum(int(s.sum()) for s in sides)
    return anywhere - at_site, at_site - same, total - 2 * anywhere


def _people(side: Revision, keys: list[str]) -> pd.Series[Any]:
    rows = side.plan.assignments
    plain = pd.DataFrame({**{k: rows[k].astype(str) for k in keys}, "people": rows["people"]})
    return plain.groupby(keys)["people"].sum()


def _shared(one: pd.Series[Any], two: pd.Series[Any]) -> int:
    """Return the people that both have under the same key."""
    both = pd.concat([one, two], axis=1, keys=["one", "two"], join="inner")
    return int(both.min(axis=1).sum())
