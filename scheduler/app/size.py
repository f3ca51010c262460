"""Use case: what a target needs, what is short, and what single changes would help."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.app.certify import certify
from scheduler.app.least import least_labs, least_lanes
from scheduler.app.remedies import Remedy, remedies
from scheduler.app.revision import Revision, newest, open_revision
from scheduler.app.runtime import Report, silent
from scheduler.app.size_words import remedy_text, shortfall_text
from scheduler.app.variant import vary
from scheduler.domain.arithmetic import round_arithmetic
from scheduler.domain.city import Ints
from scheduler.domain.instance import Instance
from scheduler.domain.margins import expected_margins, tighten
from scheduler.errors import CannotRunError
from scheduler.ingest.loader import load_instance
from scheduler.publish.analysis_files import write_analysis
from scheduler.solve import make_plan
from scheduler.solve.pricing import (
    Late,
    RoundPrices,
    late_of,
    late_people_saved,
    price_round,
    short_of,
)

NUM_WORTH = 10
TUBES_STEP = 100
CONFIRM_TRIES, CONFIRM_STEP = 3, 1.1
HOUR_MIN = 60


@dataclass(frozen=True, kw_only=True)
class SizeOptions:
    """What a user may ask of ``size``; None: as ``round.toml`` says.

    Prices are worked out where the promise can be kept; ``prices`` asks for them anyhow.
    """

    deadline_min: int | None = None
    promise_min: int | None = None
    revision: str | None = None
    changes: tuple[str, ...] = ()
    prices: bool = False
    confirm: bool = False


@dataclass(frozen=True)
class SizeResult:
    """The document, and where it was written: nowhere without a plan, or with ``--set``."""

    document: dict[str, Any]
    file: Path | None

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {**self.document, "file": None if self.file is None else str(self.file)}


def size_round(folder: Path, options: SizeOptions, report: Report = silent) -> SizeResult:
    """Size a round for a target, and write ``analysis/<revision>/size.json``.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When a named revision is not there, or the target is none.
    """
    opened = _revision(folder, options)
    whole = load_instance(folder) if opened is None else opened.instance
    target = _target_changes(whole, options)
    instance = vary(whole, (*options.changes, *target))
    supposed = (*(opened.variant if opened else ()), *options.changes, *target)
    report("reading", None)
    document = {
        "revision": None if opened is None else opened.name,
        "target": _about_target(instance, supposed),
        **_sized(instance, options, supposed, report),
    }
    if opened is None or options.changes:  # what is supposed is not the revision's
        return SizeResult(document, None)
    return SizeResult(document, write_analysis(folder, opened.name, "size", document))


def _revision(folder: Path, options: SizeOptions) -> Revision | None:
    """Return the revision that is sized, None where nothing fits was planned yet."""
    if options.revision is not None:
        opened = open_revision(folder, options.revision)
        opened.check_input()
        return opened
    try:
        opened = open_revision(folder, newest(folder))
        opened.check_input()
    except CannotRunError:
        return None
    return opened


def _target_changes(instance: Instance, options: SizeOptions) -> list[str]:
    """Return the target as changes of the settings."""
    changes = []
    if options.deadline_min is not None:
        end = instance.settings.round.start + timedelta(minutes=options.deadline_min)
        changes.append(f"round.end={end:%Y-%m-%dT%H:%M}")
    if options.promise_min is not None:
        changes.append(f"targets.result_hours={options.promise_min / 60:g}")
    return changes


def _about_target(instance: Instance, supposed: tuple[str, ...]) -> dict[str, Any]:
    return {
        "end": instance.clock.iso(instance.clock.end_min),
        "hours": round(instance.clock.end_min / 60, 2),
        "result_hours": instance.settings.targets.result_hours,
        "people": int(instance.demand.sum()),
        "supposes": list(supposed),
        "district": instance.district,
    }


def _sized(
    instance: Instance, options: SizeOptions, supposed: tuple[str, ...], report: Report
) -> dict[str, Any]:
    report("what no plan can do", None)
    proved = short_of(instance)
    margins = expected_margins(instance)
    tight = tighten(instance, margins)
    expected = short_of(tight)
    short = instance if not proved.kept else tight
    worth: dict[str, Any] = {"sites": [], "labs": [], "bound": None}
    shortfalls: list[dict[str, Any]] = []
    ways: list[Remedy] = []
    if not expected.kept:
        report("where and when", None)
        late = late_of(short)
        shortfalls = _shortfalls(instance, late)
        report("where more tubes help", None)
        saved = late_people_saved(short, TUBES_STEP)
        worth["labs"] = _saved(instance, saved)
        report("ways out", None)
        ways = remedies(instance, saved, sorted(late.unswabbed))
    report("least lanes and laboratories", None)
    least = {"lanes": least_lanes(instance), "labs": least_labs(instance)}
    if proved.kept or options.prices:
        report("prices", None)
        worth = _worth(instance, price_round(instance), worth["labs"])
    if options.confirm:
        ways = _confirmed(instance, ways, report)
    verdict = "kept" if expected.kept else ("tight" if proved.kept else "cannot")
    return {
        "verdict": verdict,
        "proof": {"late_people_at_least": proved.people, "late_tubes_at_least": proved.tubes,
                  "tubes": proved.total_tubes},
        "with_margins": {"late_people": expected.people, "late_tubes": expected.tubes,
                         "margins": margins.to_dict()},
        "shortfalls": shortfalls,
        "remedies": [_remedy(way, supposed, instance.district) for way in ways],
        "least": least, "guide": _guide(instance), "worth": worth,
    }  # fmt: skip


# Shortfalls


def _shortfalls(instance: Instance, late: Late) -> list[dict[str, Any]]:
    """Return what is short by day of the swab: of the city first (district ""), then by district.

    Tubes of laboratories, from the first that arrives to the moment the last had to be started;
    people of lanes.
    """
    clock = instance.clock
    day = np.array([clock.at(int(m)).toordinal() for m in late.wave_min], dtype=np.int64)
    found = []
    for name in ("", *sorted(set(late.district.tolist()))):
        mine = np.full(len(day), True) if not name else late.district == name
        for date in np.unique(day[mine]).tolist():
            here = mine & (day == date)
            begin = int(late.arrive_min[here].min()) // HOUR_MIN * HOUR_MIN
            end = -(-int(late.needed_min[here].max()) // HOUR_MIN) * HOUR_MIN
            record = {
                "kind": "labs", "district": name, "from": clock.iso(begin),
                "to": clock.iso(max(end, begin + HOUR_MIN)),
                "tubes": int(np.ceil(late.tubes[here].sum() - 1e-9)),
                "started_by": clock.iso(int(late.start_min[here].max())),
            }  # fmt: skip
            found.append({**record, "text": shortfall_text(record, clock)})
    for name, people in sorted(late.unswabbed.items()):
        record = {
            "kind": "lanes", "district": name, "from": clock.iso(0),
            "to": clock.iso(clock.end_min), "tubes": 0, "people": people,
        }  # fmt: skip
        found.append({**record, "text": shortfall_text(record, clock)})
    return found


# Remedies


def _remedy(way: Remedy, supposed: tuple[str, ...], district: str | None) -> dict[str, Any]:
    of_district = [] if district is None else [f"--district {district}"]
    record = {
        **asdict(way), "where": list(way.where), "changes": list(way.changes),
        "keeps_promise": way.keeps_promise, "effort": round(way.effort, 4),
        "options": " ".join(
            [*of_district, *(f'--set "{change}"' for change in (*supposed, *way.changes))]
        ),
    }  # fmt: skip
    return {**record, "text": remedy_text(record)}


def _confirmed(instance: Instance, ways: list[Remedy], report: Report) -> list[Remedy]:
    """Plan with more laboratories as advised, live through it, and take more where it fails."""
    first = next((way for way in ways if way.keeps_promise and way.kind == "labs"), None)
    if first is None or first.amount is None:
        return ways
    way = first
    for _ in range(CONFIRM_TRIES):
        percent = round(way.amount or 0)
        changed = vary(instance, (f"labs.tubes_per_hour*={1 + percent / 100:g}",))
        report(f"planning with {percent} % more tubes per hour", None)
        made = certify(changed, make_plan, seed=0, report=report)
        way = replace(
            way, amount=float(percent), changes=(f"labs.tubes_per_hour*={1 + percent / 100:g}",),
            confirmed=made.reached, about={"share_in_time": made.about["share_in_time"]},
        )  # fmt: skip
        if made.reached:
            break
        way = replace(way, amount=((1 + percent / 100) * CONFIRM_STEP - 1) * 100)
    return [way if old is first else old for old in ways]


# Beside it


def _guide(instance: Instance) -> dict[str, Any]:
    """Return the national guide's figures beside what is there."""
    arithmetic = round_arithmetic(instance)
    return {
        "sources": "2,000-3,000 people per site and 600-800 per lane: Health Commission, 13 May "
        "2022; samplers = population / 360: third national guide, 22 March 2022",
        "city": _by_guide(arithmetic.city),
        "districts": [{"district": n.district, **_by_guide(n)} for n in arithmetic.districts],
    }


def _by_guide(needs: Any) -> dict[str, Any]:  # noqa: ANN401  # Needs
    return {
        "people": needs.people, "sites": needs.sites, "sites_by_guide": list(needs.sites_by_guide),
        "lanes": needs.lanes, "lanes_by_guide": list(needs.lanes_by_guide),
        "samplers_by_guide": needs.samplers_by_guide,
    }  # fmt: skip


def _saved(instance: Instance, saved: Ints) -> list[dict[str, Any]]:
    """Return the laboratories where 100 more tubes an hour spare most people a late result."""
    labs = instance.labs
    best = np.argsort(-saved, kind="stable")[:NUM_WORTH]
    return [
        {"lab_id": str(labs.ids[b]), "name": str(labs.names[b]),
         "tubes_per_hour": int(labs.tubes_per_hour[b]), "late_people_fewer": int(saved[b])}
        for b in best.tolist() if saved[b] > 0
    ]  # fmt: skip


def _worth(instance: Instance, prices: RoundPrices, saving: list[dict[str, Any]]) -> dict[str, Any]:
    """Return where one more lane, or 100 more tubes an hour, saves most person-minutes.

    Laboratories that spare people a late result come in that order, with their minutes beside it.
    """
    sites, labs = instance.sites, instance.labs
    best_sites = np.argsort(-prices.lane_worth, kind="stable")[:NUM_WORTH]
    best_labs = np.argsort(-prices.lab_worth, kind="stable")[:NUM_WORTH]
    minutes = {
        str(ident): round(float(worth) * TUBES_STEP, 1)
        for ident, worth in zip(labs.ids, prices.lab_worth, strict=True)
    }
    return {
        "bound": prices.bound,
        "sites": [
            {"site_id": str(sites.ids[s]), "name": str(sites.names[s]),
             "district": str(sites.districts[s]), "lanes": int(sites.lanes[s]),
             "one_lane_saves_min": round(float(prices.lane_worth[s]), 1)}
            for s in best_sites.tolist() if prices.lane_worth[s] > 0
        ],
        "labs": [{**row, "saves_min": minutes[row["lab_id"]]} for row in saving] or [
            {"lab_id": str(labs.ids[b]), "name": str(labs.names[b]),
             "tubes_per_hour": int(labs.tubes_per_hour[b]), "saves_min": minutes[str(labs.ids[b])]}
            for b in best_labs.tolist() if prices.lab_worth[b] > 0
        ],
    }  # fmt: skip
