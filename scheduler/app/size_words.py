"""Shortfalls and ways out in a commander's words, Chinese and English."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from scheduler.domain.instance import RoundClock

Record = dict[str, Any]
YES_OR_NO = "yes or no"
"""Unit of a way out that has no amount."""


def shortfall_text(record: Record, clock: RoundClock) -> dict[str, str]:
    """Return what is short, where and when."""
    begin, end = (_when(record[key], clock) for key in ("from", "to"))
    name = record["district"]
    zh, en = (f"{name}：", f"{name}: ") if name else ("", "")
    if record["kind"] == "lanes":
        people = f"{record['people']:,}"
        return {
            "zh": f"{zh}{begin['zh']}至{end['zh']}采样台不足，{people} 人无法采样",
            "en": f"{en}lanes are short for {people} people from {begin['en']} to {end['en']}",
        }
    tubes = f"{record['tubes']:,}"
    return {
        "zh": f"{zh}{begin['zh']}至{end['zh']}检测能力缺 {tubes} 管",
        "en": f"{en}labs are short {tubes} tubes between {begin['en']} and {end['en']}",
    }


def _when(text: str, clock: RoundClock) -> dict[str, str]:
    moment = datetime.fromisoformat(text)
    day = (moment.date() - clock.start.date()).days + 1
    return {"zh": f"第 {day} 天 {moment:%H:%M}", "en": f"{moment:%H:%M} on day {day}"}


_KINDS = {
    "labs": ("全部检测机构每小时管数提高 {amount:.0f} %",
             "all laboratories test {amount:.0f} % more tubes per hour"),
    "some_labs": ("{where} 各增加每小时 {amount:,.0f} 管",
                  "{amount:,.0f} more tubes per hour at each of {where}"),
    "finish_later": ("推迟 {amount:.0f} 小时结束", "finish {amount:.0f} hours later"),
    "longer_promise": ("承诺改为 {hours:g} 小时出结果", "promise results within {hours:g} hours"),
    "pools_of_20": ("普通区改为 20 合 1 混采", "20 people per tube in normal zones"),
    "day_and_night": ("采样点昼夜开放", "all sites open day and night"),
    "lanes": ("{places}每个采样点增加 {amount:.0f} 个采样台",
              "{amount:.0f} more lanes at each site{of_places}"),
}  # fmt: skip
_LEAST = (
    "（少于 {least:g}{unit} 任何方案都做不到）",
    " (with less than {least:g}{unit} no plan can)",
)
_UNITS = {"labs": " %"}
_IN_VAIN = {
    "labs": ("提高检测能力单独不够", "more tubes per hour alone do not help"),
    "some_labs": (
        "只在这些机构提高检测能力不够：{where}",
        "more tubes at {where} alone do not help",
    ),
    "finish_later": ("推迟结束单独不够", "finishing later alone does not help"),
    "longer_promise": ("放宽承诺单独不够", "a longer promise alone does not help"),
    "pools_of_20": ("普通区 20 合 1 单独不够", "20 people per tube in normal zones do not suffice"),
    "day_and_night": ("昼夜开放单独不够", "opening day and night does not suffice"),
    "lanes": ("增加采样台单独不够", "more lanes alone do not help"),
}


def remedy_text(record: Record) -> dict[str, str]:
    """Return a way out, or that this one alone is none."""
    least = record["about"].get("least_result_hours", record["least"])
    least = None if least is None else round(least, 2)
    about = {
        "where": "、".join(record["where"]), "amount": record["amount"],
        "hours": round(record["about"].get("result_hours") or 0, 2),
        "places": "、".join(record["where"]) or "全市",
        "of_places": f" of {', '.join(record['where'])}" if record["where"] else "",
    }  # fmt: skip
    if record["keeps_promise"]:
        chinese, english = _KINDS[record["kind"]]
        some = record["least"] and record["unit"] != YES_OR_NO
        unit = _UNITS.get(record["kind"], "")
        tail = tuple(t.format(least=least, unit=unit) if some else "" for t in _LEAST)
    else:
        chinese, english = _IN_VAIN[record["kind"]]
        left = record["left_people"]
        tail = (f"（仍有 {left:,} 人超时）", f" ({left:,} people are late all the same)")
    english_about = {**about, "where": ", ".join(record["where"])}
    return {"zh": chinese.format(**about) + tail[0],
            "en": english.format(**english_about) + tail[1]}  # fmt: skip
