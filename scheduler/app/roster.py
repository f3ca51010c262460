"""Use case: give each resident of a roster a slot, a home visit, an exemption, or a reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.app.plan import PlanOptions, Watch, make_revision
from scheduler.app.revision import Revision, open_revision
from scheduler.app.roster_people import Counted, give, people_frame, rejected_frame
from scheduler.app.runlog import Stages, logged
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.domain.city import Ints
from scheduler.domain.district import restrict
from scheduler.domain.instance import Instance
from scheduler.domain.roster import FATE_WORDS, REASONS
from scheduler.errors import BreachError, CannotRunError, Finding
from scheduler.ingest.counted import COUNTED_FILE, counted_csv, with_counted
from scheduler.ingest.loader import load
from scheduler.ingest.residents import ResidentRows, read_residents
from scheduler.publish.private import secret_key
from scheduler.publish.record_files import RECORDS
from scheduler.publish.roster_files import (
    KEY_FILE,
    RosterOutput,
    write_roster,
)
from scheduler.publish.roster_places import ROSTERS_FOLDER
from scheduler.roster.allot import Allotted
from scheduler.roster.counting import (
    count_units,
    counted_blocks,
    fits,
    planned_people,
    units_of,
)
from scheduler.roster.settle import settle
from scheduler.store import RosterRecord, Store


@dataclass(frozen=True, kw_only=True)
class RosterOptions:
    """What a user may ask of ``roster``."""

    residents: tuple[Path, ...]
    revision: str | None = None
    plain_ids: bool = False
    allow_names: bool = False
    slips: bool = False
    database_url: str | None = None


@dataclass
class RosterResult:
    """Where everybody ended; ``input`` is the sum of the four counts after it."""

    round: str
    revision: str
    replanned: bool
    folder: Path
    input: int
    slot: int
    home_visit: int
    exempt: int
    rejected: int
    reasons: dict[str, int]
    rejected_codes: dict[str, int]
    remarks: dict[str, int]
    figures: dict[str, int]
    notes: tuple[Finding, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        content = {k: v for k, v in vars(self).items() if k not in {"notes", "figures", "folder"}}
        notes = [asdict(f) | {"message": str(f)} for f in self.notes]
        return {**content, **self.figures, "folder": str(self.folder), "notes": notes}


def roster_round(
    folder: Path, options: RosterOptions, report: Report = silent, clock: Clock | None = None
) -> RosterResult:
    """Lay a roster over a revision, the newest by default, and write ``rosters/<revision>/``.

    Where the counted people are not those of the plan, a new revision is planned with blocks made
    from the roster first; the input files stay as they are.

    Raises
    ------
    InputError
        When the round has errors, or a file of the roster cannot be used as a whole.
    CannotRunError
        When there is no such revision, the input changed since, or the disk refuses a file.
    BreachError
        When the counts do not add up (an error of this program): nothing is kept.
    """
    clock = clock or Clock()
    stages = Stages(clock, report)
    with (
        round_lock(folder),
        logged("roster", folder, options.database_url, stages) as run,
    ):
        stages("reading the plan")
        opened = open_revision(folder, options.revision)
        opened.check_input()
        run.instance = opened.instance
        stages("reading residents")
        rows = read_residents(
            options.residents, opened.instance.settings, allow_names=options.allow_names
        )
        total = rows.frame.height
        stages("counting")
        counted = _counted(opened.instance, rows)
        rows = ResidentRows(rows.frame.clear(), rows.files, rows.notes)
        used, replanned = _followed(folder, opened, counted, (run.store, Watch(clock, stages)))
        run.instance, run.revision = used.instance, used.name
        stages("giving slots and codes")
        given, codes = give(used, counted, _key(folder))
        people = people_frame(used.instance, counted, given, codes)
        stages("writing files")
        result = _result(used, counted, given, (rows, total, replanned))
        output = RosterOutput(
            people, rejected_frame(counted.settled.rejected, rows.files, used.instance),
            {**result.to_dict(), "plain_ids": options.plain_ids, "names": options.allow_names},
            options.plain_ids, options.allow_names, options.slips,
        )  # fmt: skip
        sha256 = write_roster(folder, used.instance, used.name, output)
        _store(run.store, used, result, sha256)
        result.folder = folder / ROSTERS_FOLDER / used.name
    result.seconds = run.seconds
    return result


def _key(folder: Path) -> bytes:
    """Return the key of codes; a lost one is not made anew, since samples stand by their codes.

    Raises
    ------
    CannotRunError
        When the key is lost, or cannot be used.
    """
    path = folder / ROSTERS_FOLDER / KEY_FILE
    if not path.exists() and (folder / RECORDS).exists():
        raise CannotRunError(
            f"Expected {path}, by which the samples recorded stand, found none",
            hint="Put the key back; or move rosters/ away, and record all samples again.",
        )
    return secret_key(path)


def _counted(instance: Instance, rows: ResidentRows) -> Counted:
    settled = settle(instance, rows.frame)
    units = units_of(instance, settled)
    return Counted(settled, units, count_units(units, settled))


def _followed(
    folder: Path, opened: Revision, counted: Counted, tools: tuple[Store, Watch]
) -> tuple[Revision, bool]:
    """Return the revision that the roster fits: the one opened, or a new one."""
    instance, units, counts = opened.instance, counted.units, counted.counts
    if fits(instance, planned_people(instance, opened.plan), units, counts):
        return opened, False
    store, watch = tools
    content = counted_csv(counted_blocks(instance, units, counts), instance.communities)
    new = with_counted(load(folder), content)
    if instance.district is not None:
        new = restrict(new, instance.district)
    options = PlanOptions(seed=int(opened.plan.summary["seed"]))
    extra = {COUNTED_FILE: content}
    name, plan = make_revision(folder, new, options, store, watch, extra=extra)
    return Revision(name, new, plan), True


def _result(
    used: Revision,
    counted: Counted,
    given: tuple[Ints, Allotted],
    read: tuple[ResidentRows, int, bool],
) -> RosterResult:
    """Count where everybody ended.

    Raises
    ------
    BreachError
        When somebody ended nowhere.
    """
    (rows, total, replanned), allotted = read, given[1]
    settled, units = counted.settled, counted.units
    ends = dict(zip(FATE_WORDS, np.bincount(allotted.fate, minlength=3).tolist(), strict=True))
    rejected = settled.rejected.height
    if total != sum(ends.values()) + rejected:
        raise BreachError(
            f"{total:,} rows were read, {sum(ends.values()) + rejected:,} people are accounted for",
            hint="This is an error of the program, not of the input: please report it.",
        )
    reasons = np.bincount(allotted.reason, minlength=len(REASONS)).tolist()
    by_code = settled.rejected["fault"].value_counts().sort("fault")
    inside = np.unique(units.community_index[units.of_row])
    everybody = used.instance.blocks
    listed = np.isin(np.arange(len(everybody)), given[0])
    figures = {
        **allotted.figures,
        "communities": len(inside),
        "people_without_roster": int(everybody.people[~listed].sum()),
    }
    return RosterResult(
        round=used.instance.settings.round.id,
        revision=used.name,
        replanned=replanned,
        folder=Path(),
        input=total,
        **ends,
        rejected=rejected,
        reasons={word: n for word, n in zip(REASONS, reasons, strict=True) if word and n},
        rejected_codes=dict(by_code.iter_rows()),
        remarks=settled.remarks,
        figures=figures,
        notes=rows.notes,
    )


def _store(store: Store, used: Revision, result: RosterResult, sha256: str) -> None:
    record = RosterRecord(
        sha256=sha256,
        **{n: getattr(result, n) for n in ("input", "slot", "home_visit", "exempt", "rejected")},
    )
    with store.transaction() as change:
        change.put_roster(used.instance.settings.round.id, used.name, record)
