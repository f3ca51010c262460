"""Opening hours: the written form ``08:00-11:30;13:00-18:00`` and what people type instead."""

from __future__ import annotations

import re

from scheduler.domain.city import Window

ALL_DAY: tuple[Window, ...] = ((0, 1440),)
_DAY_MIN = 1440
_WRITTEN = re.compile(r"\d\d:\d\d-\d\d:\d\d(?:;\d\d:\d\d-\d\d:\d\d)*", re.ASCII)
_SPAN = re.compile(
    r"(\d{1,2})(?::(\d\d)|[时点](?:(\d{1,2})分?)?)-(\d{1,2})(?::(\d\d)|[时点](?:(\d{1,2})分?)?)",
    re.ASCII,
)
_ALL_DAY_WORDS = re.compile(r"全天|(?:全天)?24(?:小时|h|hours)(?:开放|营业)?", re.IGNORECASE)
_DASHES = re.compile(r"\s*(?:[~〜∼至到‐‑‒–—―−－]+|-+)\s*")
_SEPARATORS = re.compile(r"\s*[;,、，；/]\s*|\s+")


class HoursError(Exception):
    """The text is no opening hours; the message says what was expected."""


def parse_hours(text: str) -> tuple[tuple[Window, ...], bool]:
    """Return day windows in minutes, sorted, and whether the text was as it is to be written.

    Raises
    ------
    HoursError
        When the text is not understood, a window is empty, or two overlap.
    """
    written = _WRITTEN.fullmatch(text) is not None
    if _ALL_DAY_WORDS.fullmatch(text):
        return ALL_DAY, False
    plain = _DASHES.sub("-", text)
    parts = text.split(";") if written else [p for p in _SEPARATORS.split(plain) if p]
    windows = sorted(_window(part) for part in parts)
    if not windows:
        raise HoursError("expected opening hours such as 06:00-22:00")
    _refuse_overlap(windows)
    return tuple(windows), written


def format_hours(windows: tuple[Window, ...]) -> str:
    """Return windows as they are to be written."""
    return ";".join(
        f"{_clock(a)}-{_clock(b if b <= _DAY_MIN else b - _DAY_MIN)}" for a, b in windows
    )


def _window(text: str) -> Window:
    match = _SPAN.fullmatch(text)
    if not match:
        raise HoursError("expected opening hours such as 06:00-22:00")
    begin = _minute(match[1], match[2] or match[3])
    end = _minute(match[4], match[5] or match[6])
    if begin >= _DAY_MIN:
        raise HoursError("expected an opening time before 24:00")
    if begin == end:
        raise HoursError("expected closing after opening (00:00-24:00 is all day)")
    return (begin, end) if end > begin else (begin, end + _DAY_MIN)


def _minute(hour: str, minute: str | None) -> int:
    total = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) >= 60 or total > _DAY_MIN:  # noqa: PLR2004  # minutes of an hour
        raise HoursError("expected times from 00:00 to 24:00")
    return total


def _refuse_overlap(windows: list[Window]) -> None:
    following = [*windows[1:], (windows[0][0] + _DAY_MIN, 0)]
    for (_, end), (begin, _) in zip(windows, following, strict=True):
        if end > begin:
            raise HoursError("expected windows that do not overlap")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
