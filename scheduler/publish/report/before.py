"""What changed between the revision that was there before and the one that took its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scheduler.domain.plan import Plan, Reason
from scheduler.publish.report.facts import Facts

FATES = ("same", "time", "site", "new", "gone")
"""Same place and time, another time at the same site, another site, called now only, then only."""


def before_payload(facts: Facts, name: str, plan: Plan) -> dict[str, Any]:
    """Return both summaries' figures and people by fate; rows of ``people`` are the districts.

    People who were called both times count as unmoved as far as the numbers of each block allow:
    who exactly they are stands in no file.
    """
    was, now = _by_place(plan.assignments), _by_place(facts.schedule.plan.assignments)
    fates = _fates(was, now)
    blocks = facts.instance.blocks
    of = facts.of_community[blocks.community_index].tolist()
    number = {str(ident): district for ident, district in zip(blocks.ids, of, strict=True)}
    rows = np.zeros((len(facts.districts), len(FATES)), dtype=np.int64)
    for block, row in zip(fates.index, fates.to_numpy(), strict=True):
        if str(block) in number:
            rows[number[str(block)]] += row
    total = fates.to_numpy().sum(axis=0)
    return {
        "revision": name,
        "figures": {"before": _figures(plan), "after": _figures(facts.schedule.plan)},
        "fates": list(FATES),
        "city": total.tolist(),
        "people": rows.tolist(),
    }


def _by_place(rows: pd.DataFrame) -> pd.Series:
    """Return people by block, site and start."""
    keys = [rows[name].astype(str) for name in ("block_id", "site_id", "start")]
    return rows["people"].groupby(keys).sum()


def _fates(was: pd.Series, now: pd.Series) -> pd.DataFrame:
    """Return people by block, one column for each of ``FATES``."""
    both = pd.DataFrame({"was": was, "now": now}).fillna(0).astype(np.int64)
    same = both.min(axis=1).groupby(level=0).sum()
    by_site = both.groupby(level=[0, 1]).sum()
    at_site = by_site.min(axis=1).groupby(level=0).sum()
    by_block = both.groupby(level=0).sum()
    kept = by_block.min(axis=1)
    columns = (same, at_site - same, kept - at_site, by_block["now"] - kept, by_block["was"] - kept)
    return pd.DataFrame(dict(zip(FATES, columns, strict=True)))


def _figures(plan: Plan) -> dict[str, Any]:
    """Return what is compared; times are ISO 8601 texts."""
    summary, calls, left = plan.summary, plan.assignments, plan.unserved
    home = left["reason"].astype(str) == Reason.HOME_VISIT.value
    people = max(int(summary.get("people", 0)), 1)
    walk = summary.get("walk_m", {})
    return {
        "people": summary.get("people"),
        "served": summary.get("served"),
        "unserved": int(left.loc[~home, "people"].sum()),
        "late": summary.get("late_people"),
        "walkMean": walk.get("mean"),
        "walkP95": walk.get("p95"),
        "sites": int(calls["site_id"].nunique()),
        "labs": int(plan.consignments["lab_id"].nunique()),
        "last": _latest(calls["end"]),
        "lastResult": _latest(plan.consignments["result_by"]),
        "objective": summary.get("objective", 0.0) / people,
        "gap": summary.get("relative_gap"),
    }


def _latest(column: pd.Series) -> str | None:
    """Return the latest of ISO 8601 texts as local time; one offset is assumed in a column."""
    texts = [str(text) for text in column.unique()]
    return max(texts)[:16].replace("T", " ") if texts else None
