"""Rounds, revisions and the run log: records in, records out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
from sqlalchemy import text
from sqlalchemy.engine import URL, Engine
from sqlmodel import Session, col, select

from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    UNSERVED_COLUMNS,
    Plan,
)
from scheduler.errors import CannotRunError
from scheduler.store.database import READ_ONLY, clear_errors, database_url, make_engine
from scheduler.store.records import RevisionInfo, RosterRecord, RoundInfo, RunRecord
from scheduler.store.schema import migrate
from scheduler.store.tables import RevisionRow, RosterRow, RoundRow, RunRow
from scheduler.store.transaction import StoreTransaction, find_revision

_VIEWS = {
    "assignments": ("schedule", ASSIGNMENT_COLUMNS, ["start", "block_id"]),
    "consignments": (
        "deliveries",
        CONSIGNMENT_COLUMNS,
        ["pickup_at", "site_id", "zone", "lab_id", "start_at"],
    ),
    "unserved": ("not_served", UNSERVED_COLUMNS, ["block_id", "reason"]),
}
"""Table of a plan -> its view, its columns, and the columns it is sorted by."""


def _utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # only where the caller gives no clock


class Store:
    """The database of one or many rounds; made by :func:`open_store`, used as a context manager.

    Every method raises ``CannotRunError`` with one clear sentence when the database is gone,
    locked, read-only or refuses a row.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READ_ONLY: True})
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> URL:
        """Address of the database; its text form hides the password."""
        return self._engine.url

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[StoreTransaction]:
        """Commit when the block ends well, else leave the database as it was."""
        with clear_errors(self.url), Session(self._engine) as session, session.begin():
            yield StoreTransaction(session, self._now)

    def save_revision(
        self, round_info: RoundInfo, revision: str, plan: Plan, *, replace: bool = False
    ) -> None:
        """Store a plan in one transaction; see :meth:`StoreTransaction.add_revision`."""
        with self.transaction() as transaction:
            transaction.add_revision(round_info, revision, plan, replace=replace)

    def remove_revision(self, round_id: str, revision: str) -> bool:
        """Remove a revision with all its rows; return whether it was there."""
        with self.transaction() as transaction:
            return transaction.remove_revision(round_id, revision)

    def log_run(self, record: RunRecord) -> None:
        """Add a run to the log."""
        with self.transaction() as transaction:
            transaction.log_run(record)

    def rounds(self) -> list[RoundInfo]:
        """Return all rounds, sorted by id."""
        with self._reading() as session:
            found = [_round_info(row) for row in session.exec(select(RoundRow)).all()]
        return sorted(found, key=lambda info: info.round_id)

    def revisions(self, round_id: str) -> list[RevisionInfo]:
        """Return the revisions of a round, oldest number first."""
        with self._reading() as session:
            query = select(RevisionRow).join(RoundRow).where(col(RoundRow.code) == round_id)
            found = [_revision_info(round_id, row) for row in session.exec(query).all()]
        return sorted(found, key=lambda info: info.revision)

    def has_revision(self, round_id: str, revision: str) -> bool:
        """Return whether a round has such a revision."""
        with self._reading() as session:
            return find_revision(session, round_id, revision) is not None

    def roster(self, round_id: str, revision: str) -> RosterRecord | None:
        """Return the roster of a revision, None where it has none."""
        with self._reading() as session:
            row = find_revision(session, round_id, revision)
            found = None if row is None else session.get(RosterRow, row.id)
            if found is None:
                return None
            return RosterRecord(**found.model_dump(exclude={"revision_id", "created_at"}))

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """Return the newest runs, newest first."""
        with self._reading() as session:
            query = select(RunRow).order_by(col(RunRow.id).desc()).limit(limit)
            return [_run_record(row) for row in session.exec(query).all()]

    def assignments(self, round_id: str, revision: str) -> pd.DataFrame:
        """Return the assignments of a revision, sorted by start and block."""
        return self._view("assignments", round_id, revision)

    def consignments(self, round_id: str, revision: str) -> pd.DataFrame:
        """Return the consignments of a revision, sorted by pick-up and site."""
        return self._view("consignments", round_id, revision)

    def unserved(self, round_id: str, revision: str) -> pd.DataFrame:
        """Return the people without a slot of a revision, sorted by block."""
        return self._view("unserved", round_id, revision)

    def _view(self, name: str, round_id: str, revision: str) -> pd.DataFrame:
        view, columns, key = _VIEWS[name]
        query = text(f"SELECT * FROM {view} WHERE round = :round AND revision = :revision")  # noqa: S608  # views of this package
        with self._reading() as session:
            params = {"round": round_id, "revision": revision}
            frame = pd.read_sql_query(query, session.connection(), params=params)
        if name == "assignments":  # "end" is a word of SQL
            frame = frame.rename(columns={"start_at": "start", "end_at": "end"})
        # Sorted here: databases differ in how they order text.
        return frame.sort_values(key, ignore_index=True)[list(columns)]

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with clear_errors(self.url), Session(self._reader) as session:
            yield session


def open_store(
    folder: Path,
    url: str | None = None,
    *,
    now: Callable[[], datetime] = _utc_now,
    wait_s: float = 10.0,
) -> Store:
    """Open the store of a round folder, or the one at ``url``, with the newest schema.

    ``wait_s`` is how long to wait for another run's lock, in seconds.

    Raises
    ------
    CannotRunError
        When the database cannot be opened, or was written by a newer version of this program.
    """
    if not url and not folder.is_dir():
        raise CannotRunError(f"Expected a round folder, got {folder}, which is not there")
    address = database_url(folder, url)
    engine = make_engine(address, wait_s=wait_s)
    try:
        with clear_errors(address):
            migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, now)


def _round_info(row: RoundRow) -> RoundInfo:
    values = row.model_dump(exclude={"id", "code"})
    return RoundInfo(round_id=row.code, **values)


def _revision_info(round_id: str, row: RevisionRow) -> RevisionInfo:
    values = row.model_dump(exclude={"id", "round_id", "created_at"})
    created_at = datetime.fromisoformat(row.created_at)
    return RevisionInfo(round_id=round_id, created_at=created_at, **values)


def _run_record(row: RunRow) -> RunRecord:
    values = row.model_dump(exclude={"id", "round_code", "started_at", "ended_at"})
    return RunRecord(
        round_id=row.round_code,
        started_at=datetime.fromisoformat(row.started_at),
        ended_at=datetime.fromisoformat(row.ended_at),
        **values,
    )
