"""The CSV files of a round folder: each column with its headers, its kind and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scheduler.domain.city import FIXED
from scheduler.ingest import cells
from scheduler.ingest.cells import Parser, Real, Whole
from scheduler.ingest.hours import ALL_DAY

CHINESE_HEADERS: dict[str, tuple[str, ...]] = {
    "community_id": ("社区编码", "社区编号"),
    "name": ("名称", "社区", "社区名称", "采样点名称", "机构名称"),
    "district": ("区县", "区"),
    "street": ("街道", "乡镇"),
    "zone": ("防控分区", "区域类别"),
    "population": ("人口",),
    "lat": ("纬度",),
    "lng": ("经度",),
    "households": ("户数",),
    "elderly": ("65岁以上",),
    "homebound": ("居家不便",),
    "participation": ("参检率",),
    "block_id": ("网格编码", "楼栋编码"),
    "people": ("人数",),
    "site_id": ("采样点编码", "采样点编号"),
    "lanes": ("采样台数",),
    "queue_length_m": ("排队长度",),
    "hours": ("开放时间",),
    "address": ("地址",),
    "people_per_lane_hour": ("每台每小时人数",),
    "zones": ("接收分区",),
    "kind": ("类型",),
    "community_ids": ("服务社区",),
    "lab_id": ("机构编码",),
    "tubes_per_hour": ("每小时管数",),
    "processing_min": ("检测时长",),
    "max_tubes_per_day": ("日检测上限",),
    "batch_tubes": ("每批管数",),
    "pool_sizes": ("混采规格",),
    "minutes": ("分钟",),
    "time": ("时间",),
    "end": ("截止时间",),
    "slot": ("时段",),
    "sampled": ("已采人数",),
    "tubes_sent": ("已送管数",),
    "tubes_resulted": ("已出结果管数",),
}
"""Column -> Chinese headers; the first of each is the one to write."""

_MOST_PEOPLE = 10_000_000
_WEEK_MIN = 7 * 24 * 60
_PLATE_TUBES = 94  # 96 wells less two controls


@dataclass(frozen=True)
class Column:
    """One column: its parser, whether it must be filled, and the value of a blank cell."""

    name: str
    parse: Parser
    required: bool = True
    default: Any = None

    @cached_property
    def dtype(self) -> type:
        """Return the type of the column's array."""
        if isinstance(self.parse, Whole) or self.parse is cells.zone:
            return np.int64
        return np.float64 if isinstance(self.parse, Real) or self.parse is cells.degrees else object

    @cached_property
    def filler(self) -> Any:  # noqa: ANN401  # as wide as the columns are
        """Return the placeholder of a cell that cannot be used."""
        if self.default is not None:
            return self.default
        if self.dtype is object:
            return ""
        return 0 if self.dtype is np.int64 else float("nan")


@dataclass(frozen=True)
class Table:
    """One CSV file of the round folder."""

    file: str
    columns: tuple[Column, ...]
    required: bool = True

    @cached_property
    def headers(self) -> dict[str, Column]:
        """Return every spelling of a header, lower case, and its column."""
        spellings = {c.name: c for c in self.columns}
        return spellings | {w: c for c in self.columns for w in CHINESE_HEADERS[c.name]}


def _optional(name: str, parse: Parser, default: Any) -> Column:  # noqa: ANN401  # any value
    return Column(name, parse, required=False, default=default)


_PEOPLE = Whole(0, _MOST_PEOPLE)
_NAN = float("nan")

COMMUNITIES = Table(
    "communities.csv",
    (
        Column("community_id", cells.file_key),
        Column("name", cells.free_text),
        Column("district", cells.folder_name),
        Column("street", cells.free_text),
        Column("zone", cells.zone),
        Column("population", _PEOPLE),
        Column("lat", cells.degrees),
        Column("lng", cells.degrees),
        _optional("households", _PEOPLE, -1),
        _optional("elderly", _PEOPLE, -1),
        _optional("homebound", _PEOPLE, 0),
        _optional("participation", Real(0, 1, above=True, strict_most=True), 1.0),
    ),
)
BLOCKS = Table(
    "blocks.csv",
    (
        Column("block_id", cells.key),
        Column("community_id", cells.key),
        Column("name", cells.free_text),
        Column("people", _PEOPLE),
        _optional("households", _PEOPLE, -1),
        _optional("lat", cells.degrees, _NAN),
        _optional("lng", cells.degrees, _NAN),
        _optional("elderly", _PEOPLE, -1),
    ),
    required=False,
)
SITES = Table(
    "sites.csv",
    (
        Column("site_id", cells.file_key),
        Column("name", cells.free_text),
        Column("district", cells.free_text),
        Column("lat", cells.degrees),
        Column("lng", cells.degrees),
        Column("lanes", Whole(1, 1000)),
        Column("queue_length_m", Real(0, 100_000)),
        Column("hours", cells.hours),
        _optional("address", cells.free_text, ""),
        _optional("people_per_lane_hour", Real(0, 1000, above=True), _NAN),
        _optional("zones", cells.zones, ()),
        _optional("kind", cells.kind, FIXED),
        _optional("community_ids", cells.keys, ()),
    ),
)
LABS = Table(
    "labs.csv",
    (
        Column("lab_id", cells.file_key),
        Column("name", cells.free_text),
        Column("lat", cells.degrees),
        Column("lng", cells.degrees),
        Column("tubes_per_hour", Whole(1, 1_000_000)),
        Column("processing_min", Whole(0, _WEEK_MIN)),
        _optional("hours", cells.hours, ALL_DAY),
        _optional("max_tubes_per_day", Whole(0, _MOST_PEOPLE), -1),
        _optional("batch_tubes", Whole(1, 10_000), _PLATE_TUBES),
        _optional("pool_sizes", cells.pool_sizes, ()),
    ),
)
TRAVEL = Table(
    "travel.csv",
    (
        Column("site_id", cells.key),
        Column("lab_id", cells.key),
        Column("minutes", Whole(0, _WEEK_MIN)),
    ),
    required=False,
)
TABLES = (COMMUNITIES, BLOCKS, SITES, LABS, TRAVEL)
