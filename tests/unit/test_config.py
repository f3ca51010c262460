"""Settings: round.toml is read whole, or every fault in it is told."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import datetime
from pathlib import Path

import pytest

from scheduler.config import SettingsError, load_settings, parse_settings, setting_docs
from scheduler.domain.settings import Zone
from scheduler.errors import Finding

LEAST = """
[round]
id = "r1"
start = "2020-12-22T06:00"
end = "2020-12-24T22:00"
"""
DEFAULTS = {
    "round.timezone": "Asia/Shanghai", "round.slot_minutes": 15, "round.wave_minutes": 60,
    "round.language": "zh", "round.coordinates": "wgs84",
    "targets.result_hours": 6.0, "targets.max_holding_min": 240, "targets.max_walk_m": 3000,
    "targets.cross_district": True, "targets.spacing_m": 1.0,
    "targets.queue_service_level": 0.95, "targets.max_load": 0.95,
    "queue.early_mean_min": 3.0, "queue.punctuality_sd_min": 5.0, "queue.no_show": 0.02,
    "queue.swab_cv": 0.5,
    "sites.people_per_lane_hour": 60, "sites.clearing_min": 30, "blocks.max_people": 250,
    "pooling.lockdown": 1, "pooling.control": 10, "pooling.precaution": 10, "pooling.normal": 10,
    "travel.speed_kmh": 30.0, "travel.detour": 1.4, "travel.handling_min": 10,
    "walk.metres_per_min": 70.0, "walk.detour": 1.3,
    "weights.unserved": 100_000, "weights.late": 10, "weights.walk": 1, "weights.split": 20,
    "weights.finish.lockdown": 0.5, "weights.finish.control": 0.1,
    "weights.finish.precaution": 0.02, "weights.finish.normal": 0.005,
    "weights.churn.site": 15, "weights.churn.time": 3,
}  # fmt: skip


def settings_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "round.toml"
    path.write_text(text, encoding="utf-8")
    return path


def findings_of(tmp_path: Path, text: str) -> list[Finding]:
    with pytest.raises(SettingsError) as caught:
        load_settings(settings_of(tmp_path, text))
    return caught.value.findings


def test_defaults(tmp_path: Path) -> None:
    """Rule: id, start and end are enough; the rest has the published defaults."""
    settings = load_settings(settings_of(tmp_path, LEAST))
    found = {}
    for key in DEFAULTS:
        value: object = settings
        for name in key.split("."):
            value = getattr(value, name)
        found[key] = value
    assert found == DEFAULTS
    assert settings.round.start == datetime(2020, 12, 22, 6)  # noqa: DTZ001  # local by rule


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Rule: nobody changes a setting on the way."""
    settings = load_settings(settings_of(tmp_path, LEAST))
    with pytest.raises(FrozenInstanceError):
        settings.round.slot_minutes = 30  # type: ignore[misc]  # that is the point


def test_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Rule: an editor may write UTF-8 with a byte order mark."""
    assert load_settings(settings_of(tmp_path, f"\ufeff{LEAST}")).round.id == "r1"


@pytest.mark.parametrize(
    ("extra", "column", "line", "hint"),
    [
        ("[targets]\nresult_hour = 6", "targets.result_hour", 7, 'Did you mean "result_hours"?'),
        ("[weights.finish]\nnormals = 1", "weights.finish.normals", 7, 'mean "normal"?'),
        ("[target]\n", "target", 6, 'Did you mean "targets"?'),
        ("[zzz]\n", "zzz", 6, "Known keys: round, targets"),
    ],
)
def test_unknown_keys(tmp_path: Path, extra: str, column: str, line: int, hint: str) -> None:
    """Rule: a key that is not known is refused, with its line and the nearest known name."""
    (finding,) = findings_of(tmp_path, LEAST + extra)
    assert (finding.code, finding.column, finding.line) == ("C004", column, line)
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("old", "new", "code", "column"),
    [
        ('id = "r1"', "", "C005", "round.id"),
        ('id = "r1"', 'id = "r 1"', "C006", "round.id"),
        ('id = "r1"', 'id = ".."', "C006", "round.id"),
        ("2020-12-24T22:00", "2020-12-21T22:00", "C006", "round.end"),
        ("2020-12-24T22:00", "tomorrow", "C005", "round.end"),
        ("2020-12-22T06:00", "2020-12-22T06:00+08:00", "C006", "round.start"),
        ("[round]", "[round]\nwave_minutes = 50", "C006", "round.wave_minutes"),
        ("[round]", "[round]\nslot_minutes = 0", "C005", "round.slot_minutes"),
        ("[round]", '[round]\ntimezone = "Asia/Dalian"', "C006", "round.timezone"),
        ("[round]", '[round]\nlanguage = "fr"', "C005", "round.language"),
    ],
)
def test_values_that_cannot_be(tmp_path: Path, old: str, new: str, code: str, column: str) -> None:
    """Rule: a value out of range or against another is told by the name of its key."""
    findings = findings_of(tmp_path, LEAST.replace(old, new))
    assert [(f.code, f.column) for f in findings] == [(code, column)]


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Rule: every fault is told in one go, unknown keys too."""
    text = LEAST + '[targets]\nmax_load = 2\nspacing_m = "far"\nwalk = 1\n'
    found = [(f.code, f.column, f.line, f.value) for f in findings_of(tmp_path, text)]
    assert found == [
        ("C004", "targets.walk", 9, None),
        ("C005", "targets.spacing_m", 8, "far"),
        ("C005", "targets.max_load", 7, "2"),
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Rule: no file, another encoding and no TOML have codes of their own."""
    with pytest.raises(SettingsError, match="C001"):
        load_settings(tmp_path / "round.toml")
    (tmp_path / "round.toml").write_bytes("名称".encode("gbk"))
    with pytest.raises(SettingsError, match="C002"):
        load_settings(tmp_path / "round.toml")
    (finding,) = findings_of(tmp_path, "[round]\nid = \n")
    assert (finding.code, finding.line) == ("C003", 2)


def test_parsing_needs_no_file() -> None:
    """Rule: a parsed document is validated the same way; findings then have no line."""
    with pytest.raises(SettingsError) as caught:
        parse_settings({"round": {"id": "r1"}}, Path("round.toml"))
    assert {(f.column, f.line) for f in caught.value.findings} == {
        ("round.start", None),
        ("round.end", None),
    }


def test_every_setting_is_documented() -> None:
    """Rule: each key has words and a default, or is required."""
    docs = {f"{doc.table}.{doc.key}": doc for doc in setting_docs()}
    assert DEFAULTS.keys() <= docs.keys()
    assert all(doc.text for doc in docs.values())
    assert {k for k, doc in docs.items() if doc.required} == {
        "round.id",
        "round.start",
        "round.end",
    }


def test_zones_are_strictest_first() -> None:
    """Rule: the order of zones is the order of service."""
    assert [zone.word for zone in Zone] == ["lockdown", "control", "precaution", "normal"]
