"""One transaction of the store: plans and runs on their way in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from scheduler.domain.plan import Plan
from scheduler.errors import CannotRunError
from scheduler.store.bulk import PlanWriter
from scheduler.store.records import RosterRecord, RoundInfo, RunRecord
from scheduler.store.tables import RevisionRow, RosterRow, RoundRow, RunRow

_FIGURES = (
    "status",
    "objective",
    "best_bound",
    "relative_gap",
    "gap_per_person",
    "people",
    "served",
    "late_people",
    "seed",
    "inputs_sha256",
)
"""Keys of ``summary.json`` that are columns of a revision."""


_ROSTER_COLUMNS = ("sha256", "input", "slot", "home_visit", "exempt", "rejected")


class StoreTransaction:
    """Changes that are all stored, or none: they count when the ``with`` block ends well."""

    def __init__(self, session: Session, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    def add_revision(
        self, round_info: RoundInfo, revision: str, plan: Plan, *, replace: bool = False
    ) -> None:
        """Store a plan as a revision of its round.

        Raises
        ------
        CannotRunError
            When the round has such a revision and ``replace`` is false.
        """
        round_key = self._put_round(round_info)
        old = find_revision(self._session, round_info.round_id, revision)
        if old is not None:
            if not replace:
                raise CannotRunError(
                    f"Revision {revision} of round {round_info.round_id} is already stored",
                    hint="A stored plan does not change: plan again for a new revision.",
                )
            self._session.delete(old)
            self._session.flush()
        row = self._new_row(round_key, round_info, revision, plan.summary)
        PlanWriter(
            self._session.connection(),
            round_key=round_key,
            revision_key=_key(row.id),
            start=round_info.start,
        ).write(plan)

    def remove_revision(self, round_id: str, revision: str) -> bool:
        """Remove a revision with all its rows; return whether it was there."""
        row = find_revision(self._session, round_id, revision)
        if row is not None:
            self._session.delete(row)
            self._session.flush()
        return row is not None

    def put_roster(self, round_id: str, revision: str, record: RosterRecord) -> None:
        """Name the roster of a revision, in place of an older one.

        Raises
        ------
        CannotRunError
            When the round has no such revision.
        """
        row = find_revision(self._session, round_id, revision)
        if row is None:
            raise CannotRunError(
                f"Expected revision {revision} of round {round_id} in the database, found none",
                hint="Name the database it was planned with, or plan again.",
            )
        old = self._session.get(RosterRow, row.id)
        if old is not None:
            self._session.delete(old)
            self._session.flush()
        values = {name: getattr(record, name) for name in _ROSTER_COLUMNS}
        self._session.add(
            RosterRow(revision_id=_key(row.id), created_at=_utc_text(self._now()), **values)
        )
        self._session.flush()

    def log_run(self, record: RunRecord) -> None:
        """Add a run to the log."""
        row = RunRow(
            command=record.command,
            started_at=_utc_text(record.started_at),
            ended_at=_utc_text(record.ended_at),
            exit_code=record.exit_code,
            seconds=record.seconds,
            round_code=record.round_id,
            revision=record.revision,
            inputs_sha256=record.inputs_sha256,
            message=record.message,
            stages=dict(record.stages),
            files=dict(record.files),
        )
        self._session.add(row)
        self._session.flush()

    def _put_round(self, info: RoundInfo) -> int:
        query = select(RoundRow).where(col(RoundRow.code) == info.round_id).with_for_update()
        row = self._session.exec(query).first()
        values: dict[str, Any] = {
            "code": info.round_id,
            "name": info.name,
            "timezone": info.timezone,
            "start": info.start,
            "end": info.end,
            "synthetic": info.synthetic,
        }
        if row is None:
            row = RoundRow(**values)
        else:
            row.sqlmodel_update(values)
        self._session.add(row)
        self._session.flush()
        return _key(row.id)

    def _new_row(
        self, round_key: int, info: RoundInfo, revision: str, summary: dict[str, Any]
    ) -> RevisionRow:
        row = RevisionRow(
            round_id=round_key,
            revision=revision,
            created_at=_utc_text(self._now()),
            start=info.start,
            district=summary.get("district"),
            summary=summary,
            **{name: summary[name] for name in _FIGURES},
        )
        self._session.add(row)
        self._session.flush()
        return row


def find_revision(session: Session, round_id: str, revision: str) -> RevisionRow | None:
    """Return the row of a revision, or None."""
    query = select(RevisionRow).join(RoundRow).where(col(RoundRow.code) == round_id)
    return session.exec(query.where(col(RevisionRow.revision) == revision)).first()


def _key(key: int | None) -> int:
    if key is None:
        raise RuntimeError("Expected a row with a key after it was written")
    return key


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
