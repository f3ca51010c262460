"""The tables as SQLModel classes.

SQLModel does not validate table classes, so every rule stands as a CHECK or a foreign key in the
database itself. Times of a plan are whole minutes since its revision's ``start``; ``moments`` has
the local time of each, and the views ``schedule``, ``deliveries`` and ``not_served`` (made by a
migration) show everything as readable text. Ids of the input stand once per round, in
``communities``, ``blocks``, ``sites`` and ``labs``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from scheduler.domain.plan import PlanStatus, Reason
from scheduler.domain.settings import ZONE_WORDS

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of the store; every constraint has a name, so that a migration can drop it."""

# Without a row id SQLite keeps the rows in the order of the key: half the size, one revision
# side by side, removed by one range.
CLUSTERED = {"sqlite_with_rowid": False}


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    # SQLite builds a temporary table for each row checked against IN (...): twice the time of OR.
    # The last word is asked first, because nearly all blocks are in a normal zone.
    rule = " OR ".join(f"{column} = '{word}'" for word in reversed(words))
    return CheckConstraint(rule, name=f"{column}_known")


def _check(name: str, rule: str) -> CheckConstraint:
    return CheckConstraint(rule, name=name)


class Base(SQLModel):
    """Base of all tables."""

    metadata: ClassVar[MetaData] = METADATA


class RoundRow(Base, table=True):
    """A round, as its newest revision describes it."""

    __tablename__ = "rounds"
    __table_args__ = (_check("code_not_empty", "length(code) > 0"),)

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    timezone: str = Field(sa_type=Text)
    start: str = Field(sa_type=Text)
    end: str = Field(sa_type=Text)
    synthetic: bool


class RevisionRow(Base, table=True):
    """One plan of a round, with the figures of its ``summary.json``."""

    __tablename__ = "revisions"
    __table_args__ = (
        UniqueConstraint("round_id", "revision"),
        _one_of("status", tuple(PlanStatus)),
        _check("people_not_negative", "people >= 0"),
        _check("served_not_negative", "served >= 0"),
        _check("late_people_not_negative", "late_people >= 0"),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rounds.id")
    revision: str = Field(sa_type=Text)
    created_at: str = Field(sa_type=Text)
    start: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    objective: float
    best_bound: float | None
    relative_gap: float | None
    gap_per_person: float | None
    people: int
    served: int
    late_people: int
    seed: int = Field(sa_type=BigInteger)
    inputs_sha256: str = Field(sa_type=Text)
    district: str | None = Field(sa_type=Text)
    summary: dict[str, Any] = Field(sa_type=JSON)


class MomentRow(Base, table=True):
    """The local time of a minute of a revision."""

    __tablename__ = "moments"
    __table_args__ = (
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], ondelete="CASCADE"),
        CLUSTERED,
    )

    revision_id: int = Field(primary_key=True)
    minute: int = Field(primary_key=True)
    local_time: str = Field(sa_type=Text)


class CommunityRow(Base, table=True):
    """The id of a community."""

    __tablename__ = "communities"
    __table_args__ = (UniqueConstraint("round_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rounds.id")
    code: str = Field(sa_type=Text)


class BlockRow(Base, table=True):
    """The id of a block; one that moves to another community is another block."""

    __tablename__ = "blocks"
    __table_args__ = (UniqueConstraint("community_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    community_id: int = Field(foreign_key="communities.id")
    code: str = Field(sa_type=Text)


class SiteRow(Base, table=True):
    """The id of a site."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("round_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rounds.id")
    code: str = Field(sa_type=Text)


class LabRow(Base, table=True):
    """The id of a laboratory."""

    __tablename__ = "labs"
    __table_args__ = (UniqueConstraint("round_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="rounds.id")
    code: str = Field(sa_type=Text)


class AssignmentRow(Base, table=True):
    """People of a block called to a site in a slot."""

    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], ondelete="CASCADE"),
        _check("people_positive", "people > 0"),
        _check("tubes_not_negative", "tubes >= 0"),
        _check("pool_size_positive", "pool_size > 0"),
        _check("start_not_before_round", "start_min >= 0"),
        _check("end_after_start", "end_min > start_min"),
        _one_of("zone", ZONE_WORDS),
        CLUSTERED,
    )

    revision_id: int = Field(primary_key=True)
    block_id: int = Field(primary_key=True, foreign_key="blocks.id")
    start_min: int = Field(primary_key=True)
    end_min: int
    site_id: int = Field(foreign_key="sites.id")
    people: int
    tubes: int
    zone: str = Field(sa_type=Text)
    pool_size: int


class ConsignmentRow(Base, table=True):
    """Tubes of one zone from a site to a lab in one wave."""

    __tablename__ = "consignments"
    __table_args__ = (
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], ondelete="CASCADE"),
        _check("tubes_positive", "tubes > 0"),
        _check("people_not_negative", "people >= 0"),
        _check("pool_size_positive", "pool_size > 0"),
        _check("sampled_before_pickup", "oldest_sample_min <= pickup_min"),
        _check("arrival_after_pickup", "arrive_min >= pickup_min"),
        _check("start_after_arrival", "start_min >= arrive_min"),
        _check("result_after_start", "result_min >= start_min"),
        _one_of("zone", ZONE_WORDS),
        CLUSTERED,
    )

    revision_id: int = Field(primary_key=True)
    site_id: int = Field(primary_key=True, foreign_key="sites.id")
    pickup_min: int = Field(primary_key=True)
    zone: str = Field(primary_key=True, sa_type=Text)
    lab_id: int = Field(primary_key=True, foreign_key="labs.id")
    start_min: int = Field(primary_key=True)
    arrive_min: int
    result_min: int
    oldest_sample_min: int
    tubes: int
    people: int
    pool_size: int


class UnservedRow(Base, table=True):
    """People of a block without a slot, and why."""

    __tablename__ = "unserved"
    __table_args__ = (
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], ondelete="CASCADE"),
        _check("people_not_negative", "people >= 0"),
        _one_of("reason", tuple(Reason)),
        CLUSTERED,
    )

    revision_id: int = Field(primary_key=True)
    block_id: int = Field(primary_key=True, foreign_key="blocks.id")
    reason: str = Field(primary_key=True, sa_type=Text)
    people: int


class RosterRow(Base, table=True):
    """The roster of a revision: checksum of its file and where its people ended; nobody by name."""

    __tablename__ = "rosters"
    __table_args__ = (
        ForeignKeyConstraint(["revision_id"], ["revisions.id"], ondelete="CASCADE"),
        _check("not_negative", "slot >= 0 AND home_visit >= 0 AND exempt >= 0 AND rejected >= 0"),
        _check("adds_up", "input = slot + home_visit + exempt + rejected"),
        _check("checksum", "length(sha256) = 64"),
    )

    revision_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sha256: str = Field(sa_type=Text)
    created_at: str = Field(sa_type=Text)
    input: int
    slot: int
    home_visit: int
    exempt: int
    rejected: int


class RunRow(Base, table=True):
    """One run of a command; a run may fail before its round is stored, so it points nowhere."""

    __tablename__ = "runs"
    __table_args__ = (_check("seconds_not_negative", "seconds >= 0"),)

    id: int | None = Field(default=None, primary_key=True)
    command: str = Field(sa_type=Text)
    started_at: str = Field(sa_type=Text)
    ended_at: str = Field(sa_type=Text)
    exit_code: int
    seconds: float
    round_code: str | None = Field(sa_type=Text)
    revision: str | None = Field(sa_type=Text)
    inputs_sha256: str | None = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    stages: dict[str, float] = Field(sa_type=JSON)
    files: dict[str, str] = Field(sa_type=JSON)
