"""What happens during a round: events, each with a time, and what is known of the sampling."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

EVENT_COLUMNS = (
    "time",
    "kind",
    "site_id",
    "lab_id",
    "community_id",
    "lanes",
    "people_per_lane_hour",
    "tubes_per_hour",
    "minutes",
    "zone",
    "people",
    "end",
)
"""Columns of ``events/*.csv``, and keys of ``events/*.jsonl``."""


class Kind(StrEnum):
    """What may happen."""

    SITE_CLOSED = "site_closed"
    SITE_OPENED = "site_opened"
    LANES_CHANGED = "lanes_changed"
    RATE_CHANGED = "rate_changed"
    LAB_OUT = "lab_out"
    LAB_BACK = "lab_back"
    LAB_RATE_CHANGED = "lab_rate_changed"
    COURIER_DELAY = "courier_delay"
    ZONE_CHANGED = "zone_changed"
    COMMUNITY_SEALED = "community_sealed"
    PEOPLE_ADDED = "people_added"
    ROUND_END_MOVED = "round_end_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; ``minute`` and ``end`` are minutes since the round's start as the files have it.

    Ids are "" and numbers ``None`` where the kind has none, or the event concerns all.
    """

    minute: int
    kind: Kind
    site_id: str = ""
    lab_id: str = ""
    community_id: str = ""
    lanes: int | None = None
    people_per_lane_hour: float | None = None
    tubes_per_hour: int | None = None
    minutes: int | None = None
    zone: int | None = None
    people: int | None = None
    end: int | None = None

    @property
    def subject(self) -> tuple[int, str, str, str, str]:
        """What two reports of the same event agree in: the later report corrects the earlier."""
        return (self.minute, self.kind.value, self.site_id, self.lab_id, self.community_id)


NEEDS: dict[Kind, tuple[str, ...]] = {
    Kind.SITE_CLOSED: ("site_id",),
    Kind.SITE_OPENED: ("site_id",),
    Kind.LANES_CHANGED: ("site_id", "lanes"),
    Kind.RATE_CHANGED: ("people_per_lane_hour",),
    Kind.LAB_OUT: ("lab_id",),
    Kind.LAB_BACK: ("lab_id",),
    Kind.LAB_RATE_CHANGED: ("lab_id", "tubes_per_hour"),
    Kind.COURIER_DELAY: ("minutes",),
    Kind.ZONE_CHANGED: ("community_id", "zone"),
    Kind.COMMUNITY_SEALED: ("community_id",),
    Kind.PEOPLE_ADDED: ("community_id", "people"),
    Kind.ROUND_END_MOVED: ("end",),
}
"""Columns that an event of each kind must fill."""

MAY_HAVE: dict[Kind, tuple[str, ...]] = {
    Kind.SITE_CLOSED: ("end",),
    Kind.RATE_CHANGED: ("site_id",),
    Kind.LAB_OUT: ("end",),
    Kind.COURIER_DELAY: ("site_id", "lab_id", "end"),
}
"""Columns that an event of some kinds may fill besides."""


def in_order(events: list[Event]) -> tuple[Event, ...]:
    """Return the events by time, each subject once: of several reports the last one counts."""
    latest = {event.subject: event for event in events}
    return tuple(latest[subject] for subject in sorted(latest))


FIELDS = tuple(field.name for field in fields(Event))
"""Names of the fields of an event, in the order of ``EVENT_COLUMNS``."""
