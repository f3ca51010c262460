"""An empty round: commented settings, and CSV files with two example rows each."""

from __future__ import annotations

from pathlib import Path

from scheduler.generate.folder import write_folder
from scheduler.generate.headers import Table
from scheduler.generate.round_file import round_text

CHANGE = frozenset({"id", "name", "start", "end"})
"""Keys of ``[round]`` that have no sensible default."""

_HEADING = """Settings of one testing round. Every key stands here with its default and its meaning.
Keys marked CHANGE THIS (请修改) have no sensible default; all others may stay or be left out.
Then replace the two example rows of each CSV file. Columns in Chinese or English; their values:
  communities.csv  zone: 封控 lockdown, 管控 control, 防范 precaution, 普通 normal
  blocks.csv       optional, may be removed: buildings or grids; people add up to the community's
  sites.csv        hours: 06:00-22:00 or 08:00-11:30;13:00-18:00; zones empty: all but lockdown
  labs.csv         hours empty: all day
  travel.csv       optional, may be removed: minutes from site to lab where known better
Then run `nat-scheduler check DIR`, which lists every cell that cannot be used."""

_VALUES = {
    ("round", "id"): "example-r1",
    ("round", "name"): "示例：全员核酸检测第一轮",
    ("round", "start"): "2020-12-22T06:00",
    ("round", "end"): "2020-12-22T22:00",
}

_TABLES: dict[str, Table] = {
    "communities.csv": {
        "community_id": ["C0001", "C0002"],
        "name": ["示例社区一", "示例社区二"],
        "district": ["中山区", "中山区"],
        "street": ["示例街道", "示例街道"],
        "zone": ["普通", "防范"],
        "population": [240, 180],
        "lat": [38.92, 38.925],
        "lng": [121.64, 121.645],
        "households": [105, 78],
        "elderly": [40, 30],
        "homebound": [2, 1],
        "participation": [1, 1],
    },
    "blocks.csv": {
        "block_id": ["C0001-001", "C0002-001"],
        "community_id": ["C0001", "C0002"],
        "name": ["1号楼", "2号楼"],
        "people": [240, 180],
        "households": [105, 78],
        "lat": [38.92, 38.925],
        "lng": [121.64, 121.645],
        "elderly": [40, 30],
    },
    "sites.csv": {
        "site_id": ["S0001", "S0002"],
        "name": ["示例采样点一", "示例采样点二"],
        "district": ["中山区", "中山区"],
        "address": ["示例街道1号", "示例街道2号"],
        "lat": [38.921, 38.926],
        "lng": [121.641, 121.646],
        "lanes": [4, 3],
        "queue_length_m": [200, 150],
        "hours": ["06:00-22:00", "08:00-11:30;13:00-18:00"],
        "people_per_lane_hour": [60, 60],
        "zones": ["control;precaution;normal", ""],
        "kind": ["fixed", "fixed"],
        "community_ids": ["", ""],
    },
    "labs.csv": {
        "lab_id": ["L001", "L002"],
        "name": ["示例医院检验科", "示例检测实验室"],
        "lat": [38.93, 38.94],
        "lng": [121.62, 121.65],
        "tubes_per_hour": [100, 1000],
        "processing_min": [180, 150],
        "hours": ["00:00-24:00", ""],
        "max_tubes_per_day": [2400, 20000],
        "batch_tubes": [94, 94],
        "pool_sizes": ["", ""],
    },
    "travel.csv": {
        "site_id": ["S0001", "S0002"],
        "lab_id": ["L001", "L002"],
        "minutes": [12, 15],
    },
}


def write_templates(folder: Path) -> dict[str, int]:
    """Write an empty round to be filled in; return the rows of each CSV file.

    Raises
    ------
    CannotRunError
        When the folder is not empty or cannot be written.
    """
    return write_folder(folder, round_text(_HEADING, _VALUES, change=CHANGE), _TABLES)
