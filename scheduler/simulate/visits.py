"""Who is expected where and when, and which laboratory gets whose tubes: a plan as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.domain.city import Ints
from scheduler.domain.explain_slots import minutes
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Plan
from scheduler.domain.settings import ZONE_WORDS
from scheduler.errors import CannotRunError


@dataclass(frozen=True)
class Visits:
    """People expected at sites: columns of equal length, sorted by site, then start.

    ``start_min`` counts from the round's start. With ``width_min`` 0 people are called for that
    moment and come around it, early or late; otherwise they come at any moment of the
    ``width_min`` minutes that begin then.
    """

    site: Ints
    start_min: Ints
    people: Ints
    zone: Ints
    width_min: Ints

    def __len__(self) -> int:
        return len(self.site)

    @staticmethod
    def of(columns: pd.DataFrame) -> Visits:
        """Add up rows of equal site, start, zone and width."""
        keys = ["site", "start_min", "zone", "width_min"]
        total = columns.groupby(keys, sort=True, as_index=False)["people"].sum()
        total = total[total["people"] > 0]
        return Visits(*(total[c].to_numpy(np.int64) for c in
                        ("site", "start_min", "people", "zone", "width_min")))  # fmt: skip


@dataclass(frozen=True)
class Consigned:
    """Planned tubes: columns of equal length, sorted by site, zone, wave."""

    site: Ints
    zone: Ints
    wave: Ints
    lab: Ints
    tubes: Ints


def planned_visits(instance: Instance, plan: Plan) -> tuple[Visits, Consigned]:
    """Return a plan's calls and consignments.

    Raises
    ------
    CannotRunError
        When the plan names a site or laboratory that the input does not have.
    """
    rows, sent = plan.assignments, plan.consignments
    calls = pd.DataFrame(
        {
            "site": _positions(rows["site_id"], instance.sites.ids),
            "start_min": minutes(instance, rows["start"]),
            "zone": _positions(rows["zone"], np.array(ZONE_WORDS, dtype=object)),
            "people": rows["people"].to_numpy(np.int64),
            "width_min": 0,
        }
    )
    pickup = minutes(instance, sent["pickup_at"])
    table = pd.DataFrame(
        {
            "site": _positions(sent["site_id"], instance.sites.ids),
            "zone": _positions(sent["zone"], np.array(ZONE_WORDS, dtype=object)),
            "wave": pickup // instance.settings.round.wave_minutes - 1,
            "lab": _positions(sent["lab_id"], instance.labs.ids),
            "start": minutes(instance, sent["start_at"]),
            "tubes": sent["tubes"].to_numpy(np.int64),
        }
    ).sort_values(["site", "zone", "wave", "start", "lab"])
    columns = (table[c].to_numpy(np.int64) for c in ("site", "zone", "wave", "lab", "tubes"))
    return Visits.of(calls), Consigned(*columns)


def _positions(column: pd.Series, ids: np.ndarray) -> Ints:
    codes, texts = pd.factorize(column)
    found = pd.Index(ids, dtype=object).get_indexer(pd.Index(texts, dtype=object))
    if (found < 0).any():
        raise CannotRunError(
            f"The plan names {column.name} {texts[int(np.argmin(found))]!r}, not in the input",
            hint="The input changed after planning: run `nat-scheduler plan` again.",
        )
    positions: Ints = found.astype(np.int64)[codes]
    return positions
