"""Chinese headers of the CSV files, as officials open them in Excel or WPS (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray

HEADERS = {
    "community_id": "社区编码",
    "name": "名称",
    "district": "区县",
    "street": "街道",
    "zone": "防控分区",
    "population": "人口",
    "lat": "纬度",
    "lng": "经度",
    "households": "户数",
    "elderly": "65岁以上",
    "homebound": "居家不便",
    "participation": "参检率",
    "block_id": "网格编码",
    "people": "人数",
    "site_id": "采样点编码",
    "lanes": "采样台数",
    "queue_length_m": "排队长度",
    "hours": "开放时间",
    "address": "地址",
    "people_per_lane_hour": "每台每小时人数",
    "zones": "接收分区",
    "kind": "类型",
    "community_ids": "服务社区",
    "lab_id": "机构编码",
    "tubes_per_hour": "每小时管数",
    "processing_min": "检测时长",
    "max_tubes_per_day": "日检测上限",
    "batch_tubes": "每批管数",
    "pool_sizes": "混采规格",
    "minutes": "分钟",
    "resident_id": "居民编号",
    "household_id": "户编号",
    "birth_year": "出生年份",
    "category": "类别",
}
"""English column -> the Chinese spelling that is written."""

ZONE_CHINESE = ("封控", "管控", "防范", "普通")
"""Words of the zones in Chinese, indexed by ``Zone``."""

Table = Mapping[str, Sequence[Any] | NDArray[Any] | pl.Series]
"""English column -> its cells."""


def write_table(path: Path, columns: Table) -> int:
    """Write a CSV file with Chinese headers and a BOM; return its rows."""
    frame = pl.DataFrame(
        {
            HEADERS[key]: values if isinstance(values, pl.Series) else list(values)
            for key, values in columns.items()
        }
    )
    frame.write_csv(path, include_bom=True)
    return frame.height
