"""A round that is hard to show: long and hostile names, two revisions, all that others leave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    PlanTables,
)
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from scheduler.publish.schedule import Schedule
from tests.handmade import greedy_plan
from tests.plans import frame, tiny_instance

TINY = Path(__file__).parent / "data" / "tiny"
LONG = "春江花月夜国际生态度假城二期（含回迁安置区及沿街商铺）社区居民委员会第一网格党支部"
HOSTILE = '</script><script>document.title="run"</script><b>&"\''


def tiny_round(folder: Path) -> Path:
    """Make the tiny round with a plan in ``folder``."""
    shutil.copytree(TINY, folder)
    write_plan(folder, "0001", greedy_plan(load_instance(folder)))
    return folder


def hard_round(folder: Path, *, language: str = "zh") -> Path:
    """Make a round of two revisions in ``folder``; the second follows a change of names."""
    tiny_round(folder)
    _change(folder / "communities.csv", "春海社区", LONG)
    _change(folder / "communities.csv", "站北社区", HOSTILE.replace('"', '""'), quoted=True)
    _change(folder / "blocks.csv", "春海2号楼", f"{LONG}2号楼")
    _change(folder / "sites.csv", "海军广场采样点", f"{LONG}东门外停车场采样点")
    _change(folder / "round.toml", 'language = "zh"', f'language = "{language}"')
    write_plan(folder, "0002", greedy_plan(load_instance(folder), "0002"))
    return folder


def nobody_called() -> Schedule:
    """Return the tiny round with a plan that calls nobody: everybody stands on the list."""
    instance = tiny_instance()
    left = [
        (str(b), str(b)[:2], int(n), "full")
        for b, n in zip(instance.blocks.ids, instance.blocks.people, strict=True)
    ]
    tables = PlanTables(
        frame(ASSIGNMENT_COLUMNS, []).astype({"people": int, "tubes": int, "pool_size": int}),
        frame(CONSIGNMENT_COLUMNS, []).astype({"people": int, "tubes": int, "pool_size": int}),
        frame(LAB_LOAD_COLUMNS, []).astype({"tubes": int, "capacity": int}),
        frame(UNSERVED_COLUMNS, left),
    )
    return Schedule(instance, tables.with_summary({"people": 740}), "0001")


def with_extras(folder: Path, revision: str = "0002") -> Path:
    """Leave simulations, sizing and coverage beside the round, as other commands do."""
    spread = {"p5": 0.91, "p50": 0.97, "p95": 1.0}
    whole = {"p5": 12, "p50": 20, "p95": 44}
    city = {
        "share_in_time": spread,
        "peak_queue": whole,
        "wait_min": {"p5": 1.0, "p50": 4.5, "p95": 12.0},
        "sites_beyond_ground": {"p5": 0, "p50": 0, "p95": 1},
        "last_result": "2020-12-22T21:30:00+08:00",
    }
    sites = [
        {"site_id": site, "peak_queue": whole, "wait_min": {"p5": 1, "p50": wait, "p95": 9}}
        for site, wait in (("S01", 6.5), ("S02", 3.0))
    ]
    for case, none in (("plain", city), ("rain", None)):
        simulated = {
            "revision": revision, "case": case, "replications": 200, "seed": 0, "city": city,
            "districts": [], "sites": sites, "no_schedule": none,
        }  # fmt: skip
        _leave(folder / "analysis" / revision / f"simulate-{case}.json", simulated)
    short = {"district": "中山区", "from": "10:00", "to": "12:00", "tubes": 30}
    words = {"zh": "中山区 10:00 至 12:00 缺 30 管", "en": "中山区 lacks 30 tubes, 10:00 to 12:00"}
    remedy = {"kind": "lab", "amount": 15, "unit": "tubes/h", "keeps_promise": True}
    told = {"zh": "增加每小时 15 管检测能力", "en": "15 more tubes per hour"}
    size = {
        "revision": revision,
        "shortfalls": [{**short, "text": words}],
        "remedies": [{**remedy, "text": told}],
    }
    _leave(folder / "analysis" / revision / "size.json", size)
    lines = [
        "level,id,name,hour,target,called,sampled,coverage",
        "city,,,2020-12-22 07:00,740,100,40,0.0541",
        "city,,,2020-12-22 08:00,740,407,350,0.473",
        "district,中山区,中山区,2020-12-22 08:00,355,295,250,0.7042",
        "community,C001,春海社区,2020-12-22 08:00,299,295,250,0.8361",
    ]
    path = folder / "rosters" / "missed" / "coverage.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    return folder


def _change(path: Path, old: str, new: str, *, quoted: bool = False) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, (path, old)
    path.write_text(text.replace(old, f'"{new}"' if quoted else new), encoding="utf-8")


def _leave(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
