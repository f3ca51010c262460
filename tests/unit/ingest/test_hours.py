from __future__ import annotations

import pytest

from scheduler.ingest.hours import HoursError, format_hours, parse_hours

MORNING_AND_AFTERNOON = ((480, 690), (780, 1020))


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("06:00-22:00", ((360, 1320),)),
        ("08:00-11:30;13:00-17:00", MORNING_AND_AFTERNOON),
        ("20:00-04:00", ((1200, 1680),)),
        ("00:00-24:00", ((0, 1440),)),
        ("18:00-24:00", ((1080, 1440),)),
        ("18:00-00:00", ((1080, 1440),)),
        ("08:00-12:00;12:00-18:00", ((480, 720), (720, 1080))),
    ],
)
def test_written_form_is_read_as_it_stands(text: str, windows: object) -> None:
    """The form of the contract is read without a remark, over midnight and all day included."""
    assert parse_hours(text) == (windows, True)


@pytest.mark.parametrize(
    "text",
    [
        "8:00-11:30;13:00-17:00",
        "08:00-11:30、13:00-17:00",
        "08:00-11:30,13:00-17:00",
        "08:00~11:30 13:00〜17:00",
        "8:00至11:30，13:00到17:00",
        "08:00 — 11:30; 13:00 – 17:00",
        "8时-11时30分、13点-17点",
    ],
)
def test_other_spellings_are_read_and_said_to_differ(text: str) -> None:
    """What people type instead is understood, but never without a remark."""
    assert parse_hours(text) == (MORNING_AND_AFTERNOON, False)


@pytest.mark.parametrize("text", ["24小时", "全天", "24h", "全天24小时开放"])
def test_words_for_all_day(text: str) -> None:
    """Words for all day mean 00:00-24:00."""
    assert parse_hours(text) == (((0, 1440),), False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("周一、周三8:00-11:30", "such as"),
        ("8-12", "such as"),
        ("下午2:00-5:00", "such as"),
        ("08:00-08:00", "after opening"),
        ("08:00-12:00;11:00-14:00", "overlap"),
        ("20:00-06:00;05:00-09:00", "overlap"),
        ("08:60-12:00", "24:00"),
        ("08:00-25:00", "24:00"),
        ("24:00-02:00", "before 24:00"),
        (";", "such as"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, words: str) -> None:
    """Nothing ambiguous is guessed: weekdays, bare hours, empty and overlapping windows."""
    with pytest.raises(HoursError, match=words):
        parse_hours(text)


def test_hours_round_trip() -> None:
    """Windows written out are read back the same."""
    windows = ((360, 690), (1200, 1680))
    assert format_hours(windows) == "06:00-11:30;20:00-04:00"
    assert parse_hours(format_hours(windows)) == (windows, True)
