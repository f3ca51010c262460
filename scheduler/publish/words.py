"""Headers and words of the published files, in the language of ``round.language``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scheduler.domain.city import DEDICATED, MOBILE
from scheduler.domain.plan import Reason
from scheduler.domain.settings import Zone

COMMUNITY_COLUMNS = (
    "round",
    "revision",
    "date",
    "start",
    "end",
    "district",
    "street",
    "community_id",
    "community",
    "block_id",
    "block",
    "households",
    "people",
    "site_id",
    "site",
    "address",
    "pool_size",
    "zone",
    "result_by",
    "remark",
)
CHANGE_COLUMNS = (
    "round",
    "revision",
    "revision_before",
    "change",
    "community_id",
    "community",
    "block_id",
    "block",
    "people",
    "date_before",
    "start_before",
    "end_before",
    "site_id_before",
    "site_before",
    "address_before",
    "date",
    "start",
    "end",
    "site_id",
    "site",
    "address",
)
SITE_COLUMNS = (
    "row",
    "round",
    "revision",
    "site_id",
    "site",
    "address",
    "date",
    "weekday",
    "start",
    "end",
    "zone",
    "pool_size",
    "people",
    "tubes",
    "lanes",
    "next_pickup",
    "medics",
    "disinfection",
    "order_keepers",
    "staff",
    "swabs",
    "boxes",
)
LAB_COLUMNS = (
    "round",
    "revision",
    "lab_id",
    "lab",
    "date",
    "weekday",
    "start",
    "end",
    "tubes",
    "people",
    "tubes_started",
    "capacity",
)
DISTRICT_COLUMNS = (
    "row",
    "round",
    "revision",
    "district",
    "street",
    "id",
    "name",
    "zone",
    "people",
    "called",
    "home_visits",
    "unserved",
    "tubes",
    "communities",
    "sites",
    "first",
    "last",
)

# Where an input file has the column, its header is the one written here (DESIGN.md, section 4).
CHINESE_HEADERS = {
    "round": "轮次",
    "revision": "版次",
    "date": "日期",
    "weekday": "星期",
    "start": "开始",
    "end": "结束",
    "district": "区县",
    "street": "街道",
    "community_id": "社区编码",
    "community": "社区",
    "block_id": "网格编码",
    "block": "楼栋",
    "households": "户数",
    "people": "人数",
    "site_id": "采样点编码",
    "site": "采样点",
    "address": "地址",
    "pool_size": "混采规格",
    "zone": "防控分区",
    "result_by": "出结果时间",
    "remark": "备注",
    "row": "行类型",
    "tubes": "管数",
    "lanes": "开放采样台数",
    "next_pickup": "下次转运时间",
    "medics": "医护人员",
    "disinfection": "消杀人员",
    "order_keepers": "秩序维护员",
    "staff": "人员合计",
    "swabs": "拭子数",
    "boxes": "转运箱数",
    "lab_id": "机构编码",
    "lab": "检测机构",
    "tubes_started": "上机管数",
    "capacity": "每小时检测能力",
    "id": "编码",
    "name": "名称",
    "called": "安排采样人数",
    "home_visits": "上门采样人数",
    "unserved": "未安排人数",
    "communities": "社区数",
    "sites": "采样点数",
    "first": "最早时段",
    "last": "最晚时段",
    "revision_before": "原版次",
    "change": "变更",
    "date_before": "原日期",
    "start_before": "原开始",
    "end_before": "原结束",
    "site_id_before": "原采样点编码",
    "site_before": "原采样点",
    "address_before": "原地址",
}
CHANGES = {
    "zh": {"site": "改采样点", "time": "改时间", "added": "新增安排", "dropped": "取消安排"},
    "en": {word: word for word in ("site", "time", "added", "dropped")},
}
ZONE_WORDS = {
    "zh": {
        Zone.LOCKDOWN: "封控",
        Zone.CONTROL: "管控",
        Zone.PRECAUTION: "防范",
        Zone.NORMAL: "普通",
    },
    "en": {zone: zone.word for zone in Zone},
}
WEEKDAYS = {
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
ROW_KINDS = {
    "zh": {"slot": "时段", "day": "全天", "community": "社区", "site": "采样点", "total": "合计"},
    "en": {kind: kind for kind in ("slot", "day", "community", "site", "total")},
}
REASONS = {
    "zh": {
        Reason.HOME_VISIT: "上门采样",
        Reason.NO_TEAM: "未安排：封控区没有上门采样队",
        Reason.NO_SITE: "未安排：没有可用的采样点",
        Reason.BLOCK_TOO_LARGE: "未安排：楼栋人数超出任何采样点一次开放的容量",
        Reason.FULL: "未安排：可用的采样点都已约满",
        Reason.PAST_END: "未安排：本轮结束前排不下",
    },
    "en": {
        Reason.HOME_VISIT: "Home visit: a team comes to the flat",
        Reason.NO_TEAM: "No slot: no team for this sealed area",
        Reason.NO_SITE: "No slot: no site may take this block",
        Reason.BLOCK_TOO_LARGE: "No slot: larger than what any site can take in one opening",
        Reason.FULL: "No slot: the sites in reach are full",
        Reason.PAST_END: "No slot: it does not fit before the end of the round",
    },
}
SITE_REMARKS = {
    "zh": {MOBILE: "流动采样队到楼下，请勿外出", DEDICATED: "本社区专用采样点"},
    "en": {MOBILE: "A mobile team comes to the building", DEDICATED: "Site of this community only"},
}


def page_words(assets: Path, language: str) -> dict[str, str]:
    """Return key -> word of ``words.json`` in a folder, for a page's template and scripts."""
    both: dict[str, dict[str, str]] = json.loads((assets / "words.json").read_text("utf-8"))
    return {key: spoken[language] for key, spoken in both.items()}


def header(columns: Sequence[str], language: str) -> str:
    """Return the header line, without its end: the identifiers themselves in English."""
    return ",".join(CHINESE_HEADERS[c] if language == "zh" else c for c in columns)
