"""One round's whole input, cross-checked and immutable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from scheduler.domain.city import Blocks, Communities, Ints, Labs, Sites, Window
from scheduler.domain.settings import RoundSettings, Settings


@dataclass(frozen=True)
class Instance:
    """Settings and columns of one round.

    ``travel_min[site, lab]`` holds the whole minutes of ``travel.csv``, handling not included, and
    -1 where the file has no row. ``inputs_sha256`` is the SHA-256 over the sorted lines
    ``name sha256`` of the input files. ``district`` is set when the instance holds one
    district only (see :meth:`restricted_to`).
    """

    settings: Settings
    communities: Communities
    blocks: Blocks
    sites: Sites
    labs: Labs
    travel_min: Ints
    inputs_sha256: str
    has_blocks_file: bool = False
    district: str | None = None

    def replace(self, **changes: object) -> Instance:
        """Return a copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names are checked by dataclasses

    @cached_property
    def clock(self) -> RoundClock:
        """The round's time axis."""
        return RoundClock(self.settings.round)

    @cached_property
    def block_zone(self) -> Ints:
        """Zone of each block: values of ``Zone``, shape (blocks,)."""
        return self.communities.zone[self.blocks.community_index]

    @cached_property
    def block_pool(self) -> Ints:
        """People per tube of each block, shape (blocks,)."""
        pools = np.array(self.settings.pooling.by_zone(), dtype=np.int64)
        return pools[self.block_zone]

    @cached_property
    def demand(self) -> Ints:
        """People of each block to be called to a site: people less home visits."""
        return self.blocks.people - self.blocks.home_visits


@dataclass(frozen=True)
class RoundClock:
    """Minutes since the round's start, to and from local time; right over clock changes."""

    round: RoundSettings
    _zone: ZoneInfo = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", ZoneInfo(self.round.timezone))

    @cached_property
    def start(self) -> datetime:
        """Start of the round, with offset."""
        return self.round.start.replace(tzinfo=self._zone)

    @cached_property
    def end_min(self) -> int:
        """Length of the round in minutes."""
        return self.minute_of_local(self.round.end)

    @property
    def num_slots(self) -> int:
        """Whole slots between start and end."""
        return self.end_min // self.round.slot_minutes

    @property
    def num_waves(self) -> int:
        """Waves that touch the round, the last perhaps cut short by the round's end."""
        return -(-self.end_min // self.round.wave_minutes)

    @property
    def slots_per_wave(self) -> int:
        """Slots in a wave."""
        return self.round.wave_minutes // self.round.slot_minutes

    def minute_of_local(self, local: datetime) -> int:
        """Return minutes since the round's start of a naive local time."""
        moment = local.replace(tzinfo=self._zone)
        return int((moment.astimezone(UTC) - self.start.astimezone(UTC)).total_seconds() // 60)

    def minute_of_iso(self, text: str) -> int:
        """Return minutes since the round's start of an ISO 8601 time with offset.

        Raises
        ------
        ValueError
            When the text is no such time.
        """
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"Expected a time with offset, got {text!r}")
        return int((moment.astimezone(UTC) - self.start.astimezone(UTC)).total_seconds() // 60)

    def at(self, minute: int) -> datetime:
        """Return the local time, with offset, of minutes since the round's start."""
        return (self.start.astimezone(UTC) + timedelta(minutes=int(minute))).astimezone(self._zone)

    def iso(self, minute: int) -> str:
        """Return the ISO 8601 local time with offset, such as 2020-12-22T06:00:00+08:00."""
        return self.at(minute).isoformat()

    def iso_all(self, minutes: Ints) -> np.ndarray:
        """Return ISO 8601 texts of many minutes; each distinct minute is formatted once."""
        distinct, where = np.unique(minutes, return_inverse=True)
        texts = np.array([self.iso(m) for m in distinct], dtype=object)
        return texts[where] if len(distinct) else np.empty(0, dtype=object)

    def windows(self, hours: tuple[Window, ...], first_min: int, last_min: int) -> list[Window]:
        """Return day windows laid over the days that touch [first_min, last_min), in round minutes.

        Windows that touch or overlap are joined (a site open all day never closes at midnight);
        none is cut at first_min or last_min.
        """
        first = (self.at(first_min) - timedelta(days=2)).date()
        last = (self.at(last_min) + timedelta(days=1)).date()
        spans: list[Window] = []
        day = first
        while day <= last:
            spans += [(self._on(day, a), self._on(day, b)) for a, b in hours]
            day += timedelta(days=1)
        joined: list[Window] = []
        for begin, end in sorted(spans):
            if joined and begin <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((begin, end))
        return [(a, b) for a, b in joined if b > first_min and a < last_min]

    def _on(self, day: date, minute_of_day: int) -> int:
        days, minute = divmod(minute_of_day, 1440)
        local = datetime(day.year, day.month, day.day) + timedelta(days=days, minutes=minute)  # noqa: DTZ001  # naive local time is what minute_of_local takes
        return self.minute_of_local(local)
