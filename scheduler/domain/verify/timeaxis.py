"""The verifier's own time arithmetic: minutes since the round's start, from ISO 8601 texts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from scheduler.domain.city import Ints, Window
from scheduler.domain.settings import RoundSettings

NO_TIME = -(2**40)
"""Stands for a text that is no time; below every minute that can occur."""
LONGEST_MIN = 60 * 1440
"""No time of a plan lies further than 60 days before the round's start or after its end."""


class TimeAxis:
    """Minutes since the round's start, measured on UTC, so that clock changes do no harm."""

    def __init__(self, settings: RoundSettings) -> None:
        self.zone = ZoneInfo(settings.timezone)
        self.origin = settings.start.replace(tzinfo=self.zone).astimezone(UTC)
        self.slot_min = settings.slot_minutes
        self.wave_min = settings.wave_minutes
        self.end_min = self.of_local(settings.end)
        self._locals: dict[int, datetime] = {}

    @cached_property
    def num_slots(self) -> int:
        """Slots that lie whole inside the round."""
        return self.end_min // self.slot_min

    @cached_property
    def num_waves(self) -> int:
        """Waves that touch the round."""
        return -(-self.end_min // self.wave_min)

    def of_local(self, local: datetime) -> int:
        """Return the minute of a naive local time."""
        moment = local.replace(tzinfo=self.zone).astimezone(UTC)
        return round((moment - self.origin).total_seconds()) // 60

    def of_text(self, text: str) -> int:
        """Return the minute of an ISO 8601 time, or ``NO_TIME``.

        The offset must be the one that the round's time zone has at that moment.
        """
        try:
            moment = datetime.fromisoformat(text)
            if moment.utcoffset() != moment.astimezone(self.zone).utcoffset():
                return NO_TIME
            seconds = (moment.astimezone(UTC) - self.origin).total_seconds()
        except (ValueError, OverflowError):
            return NO_TIME
        near = -LONGEST_MIN <= seconds / 60 <= self.end_min + LONGEST_MIN
        return int(seconds // 60) if near and not seconds % 60 else NO_TIME

    def local(self, minute: int) -> datetime:
        """Return the local time of a minute."""
        if minute not in self._locals:
            moment = self.origin + timedelta(minutes=int(minute))
            self._locals[minute] = moment.astimezone(self.zone)
        return self._locals[minute]

    def text(self, minute: int) -> str:
        """Return a minute as people read it, such as ``12-22 08:15``."""
        return self.local(minute).strftime("%m-%d %H:%M")

    def hour_begins(self, minutes: Ints) -> Ints:
        """Return the minute at which the local clock hour of each minute begins."""
        distinct, where = np.unique(minutes, return_inverse=True)
        begins = [minute - self.local(minute).minute for minute in distinct.tolist()]
        return np.array(begins, dtype=np.int64)[where]

    def days(self, minutes: Ints) -> Ints:
        """Return the local date of each minute as a day number."""
        distinct, where = np.unique(minutes, return_inverse=True)
        days = [self.local(minute).toordinal() for minute in distinct.tolist()]
        return np.array(days, dtype=np.int64)[where]

    def opening(self, hours: Iterable[Window], first: int, last: int) -> list[Window]:
        """Return the spans, in round minutes, in which day windows hold; touching ones are one.

        All spans that touch [first, last) are there, uncut.
        """
        spans: list[Window] = []
        day = self.local(first).date() - timedelta(days=2)
        while day <= self.local(last).date():
            spans += [(self._minute(day, begin), self._minute(day, end)) for begin, end in hours]
            day += timedelta(days=1)
        merged: list[Window] = []
        for begin, end in sorted(spans):
            if merged and begin <= merged[-1][1]:
                begin, end = merged[-1][0], max(end, merged.pop()[1])  # noqa: PLW2901  # grows the span
            merged.append((begin, end))
        return [(begin, end) for begin, end in merged if end > first and begin < last]

    def _minute(self, day: date, minute_of_day: int) -> int:
        later, minute = divmod(minute_of_day, 1440)
        midnight = datetime.combine(day + timedelta(days=later), datetime.min.time())
        return self.of_local(midnight + timedelta(minutes=minute))
