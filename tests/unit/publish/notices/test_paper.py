"""How times are put together for paper, so that a notice fits a page."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.publish.notices.paper import SLOTS_PER_LINE, on_paper, together

SLOT_MIN = 15


def _slot(minute: int, people: int, households: str) -> dict[str, Any]:
    begin = {"date": "1", "time": str(minute)}
    return {"minute": minute, "begin": begin, "people": people, "households": households}


def _blocks(num_blocks: int, num_slots: int, *, name: str = "1号楼") -> list[dict[str, Any]]:
    slots = [_slot(SLOT_MIN * n, 10, f"{4 * n + 1}–{4 * n + 4}") for n in range(num_slots)]
    begin, end = slots[0]["begin"], slots[-1]["begin"]
    return [{"name": name, "begin": begin, "end": end, "slots": slots}] * num_blocks


def test_slots_of_an_hour_become_one_entry() -> None:
    """Rule: an entry has its first slot's begin, all people, first to last household."""
    slots = [_slot(45, 5, "1"), _slot(60, 20, "2–9"), _slot(75, 7, "10–12"), _slot(120, 3, "13")]
    found = together(slots, 60)
    assert [e["begin"]["time"] for e in found] == ["45", "60", "120"]
    assert [e["people"] for e in found] == [5, 27, 3]
    assert [e["households"] for e in found] == ["1", "2–12", "13"]


def test_unknown_households_stay_unknown() -> None:
    """Rule: where a slot's households are not known, none are told of its entry."""
    (entry,) = together([_slot(0, 5, "1–3"), _slot(15, 6, "")], 60)
    assert (entry["households"], entry["people"]) == ("", 11)


@pytest.mark.parametrize("num_sites", [1, 5])
def test_times_are_as_fine_as_the_page_allows(num_sites: int) -> None:
    """Rule: few buildings keep their quarter hours; more are told coarser, none loses people."""
    looks = [on_paper(_blocks(n, 16), num_sites, SLOT_MIN) for n in range(1, 45)]
    assert looks[0][:2] == ("roomy", SLOT_MIN)
    steps = [minutes for _, minutes, _ in looks if minutes]
    assert steps == sorted(steps)
    assert set(steps) <= {SLOT_MIN * size for size in SLOTS_PER_LINE}
    assert len(set(steps)) > 2
    for _, minutes, entries in looks:
        assert not minutes or all(sum(e["people"] for e in own) == 160 for own in entries)


def test_a_page_of_windows_only() -> None:
    """Rule: more buildings than a page holds are printed with their windows, on more pages."""
    assert on_paper(_blocks(200, 30), 3, SLOT_MIN) == ("dense", 0, [[]] * 200)


def test_a_box_higher_than_the_page_is_told_coarser() -> None:
    """Rule: a single building with very many slots is put together too."""
    look, minutes, ((first, *_),) = on_paper(_blocks(1, 300), 1, SLOT_MIN)
    assert look == "dense"
    assert minutes > SLOT_MIN
    assert first["households"].startswith("1–")


def test_nobody_called() -> None:
    """Rule: a notice without buildings is printed as any other."""
    assert on_paper([], 0, SLOT_MIN) == ("roomy", SLOT_MIN, [])
