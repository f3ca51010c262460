"""Headers and words of what is written about persons, in the language of ``round.language``."""

from __future__ import annotations

from collections.abc import Sequence

CALL_COLUMNS = (
    "date",
    "start",
    "end",
    "site_id",
    "site",
    "block_id",
    "block",
    "household_id",
    "resident",
    "person",
    "tube",
    "status",
    "reason",
)
"""Columns of a community's call list; ``person``, masked, only where names were allowed."""

MISSED_COLUMNS = (
    "block_id",
    "block",
    "household_id",
    "resident",
    "status",
    "called_date",
    "called_start",
    "called_site",
    "date",
    "start",
    "end",
    "site_id",
    "site",
)
"""Columns of a community's list of the missed, with the mop-up slot proposed."""

FOLLOW_COLUMNS = (
    "tube",
    "role",
    "block_id",
    "block",
    "household_id",
    "resident",
    "isolate_from",
    "resample_from",
    "resample_by",
    "in_time",
    "stage",
)
"""Columns of a community's list of people around positive tubes."""

COVERAGE_COLUMNS = (
    "level",
    "id",
    "name",
    "hour",
    "target",
    "called",
    "sampled",
    "coverage",
)
"""Columns of ``coverage.csv``; called and sampled count up to the end of the hour."""

CODES_COLUMNS = ("resident_id", "code", "reason", "since", "previous")
"""Columns of ``codes.csv`` for the health-code platform; English only."""

REJECTED_COLUMNS = (
    "file",
    "line",
    "code",
    "reason",
    "resident_id",
    "household_id",
    "block_id",
    "community_id",
    "address",
)
"""Columns of ``rejected.csv`` of a roster; English only."""

_CHINESE = {
    "date": "日期",
    "start": "开始",
    "end": "结束",
    "site_id": "采样点编码",
    "site": "采样点",
    "block_id": "网格编码",
    "block": "楼栋",
    "household_id": "户编号",
    "resident": "居民代码",
    "person": "姓名",
    "name": "名称",
    "tube": "管组",
    "status": "安排",
    "reason": "原因",
    "called_date": "原定日期",
    "called_start": "原定开始",
    "called_site": "原定采样点",
    "role": "身份",
    "isolate_from": "就地隔离时间",
    "resample_from": "单管复采时间",
    "resample_by": "复采截止时间",
    "in_time": "按时",
    "stage": "进展",
    "level": "级别",
    "id": "编码",
    "hour": "截至",
    "target": "应采人数",
    "called": "已通知人数",
    "sampled": "已采人数",
    "coverage": "覆盖率",
}
FATES = {
    "zh": {"slot": "到点采样", "home_visit": "上门采样", "exempt": "免采"},
    "en": {"slot": "slot", "home_visit": "home visit", "exempt": "exempt"},
}
REASON_WORDS = {
    "zh": {
        "": "",
        "homebound": "居家不便",
        "under_age": "年幼",
        "vaccinated": "48小时内接种疫苗",
        "isolated": "异地集中隔离",
        "tested": "24小时内已在外检测",
        "no_team": "方案未安排：封控区没有上门采样队",
        "no_site": "方案未安排：没有可用的采样点",
        "block_too_large": "方案未安排：楼栋人数超出采样点容量",
        "full": "方案未安排：采样点都已约满",
        "past_end": "方案未安排：本轮结束前排不下",
    },
    "en": {
        "": "",
        "homebound": "home-bound",
        "under_age": "under age",
        "vaccinated": "vaccinated within 48 hours",
        "isolated": "isolated elsewhere",
        "tested": "tested elsewhere within 24 hours",
        "no_team": "no slot in the plan: no team for this sealed area",
        "no_site": "no slot in the plan: no site may take this block",
        "block_too_large": "no slot in the plan: block too large",
        "full": "no slot in the plan: sites are full",
        "past_end": "no slot in the plan: it does not fit before the end",
    },
}
ROLES = {
    "zh": {"member": "同管", "household": "同户"},
    "en": {"member": "same tube", "household": "same household"},
}
STAGE_WORDS = {
    "zh": {"to_sample": "待单管复采", "waiting": "已复采，待结果", "positive": "复采阳性"},
    "en": {"to_sample": "to sample", "waiting": "waiting for result", "positive": "positive again"},
}
LEVELS = {
    "zh": {"city": "全市", "district": "区县", "community": "社区"},
    "en": {"city": "city", "district": "district", "community": "community"},
}
YES_NO = {"zh": ("否", "是"), "en": ("no", "yes")}


def people_header(columns: Sequence[str], language: str) -> dict[str, str]:
    """Return column -> header in a language: the identifiers themselves in English."""
    return {c: _CHINESE[c] if language == "zh" else c for c in columns}
