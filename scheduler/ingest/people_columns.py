"""The files about persons: residents, samples and results, column by column with their headers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from scheduler.domain.roster import Category
from scheduler.ingest import cells
from scheduler.ingest.columns import Column, Table

PEOPLE_HEADERS: dict[str, tuple[str, ...]] = {
    "resident_id": ("居民编号", "居民编码", "住户/居民编号", "住户编号", "住户", "人员编号"),
    "household_id": ("户编号", "户编码", "户号", "家庭编号"),
    "block_id": ("网格编码", "楼栋编码", "楼栋/网格编码", "网格编号", "楼栋编号"),
    "community_id": ("社区编码", "社区编号"),
    "address": ("地址", "住址", "家庭住址"),
    "birth_year": ("出生年份", "出生年", "出生日期"),
    "category": ("类别", "人员类别"),
    "category_at": ("类别时间",),
    "priority": ("优先",),
    "rounds_sampled": ("已采轮数",),
    "name": ("姓名",),
    "id_number": ("身份证号", "身份证号码", "证件号码", "身份证"),
    "site_id": ("采样点编码", "采样点编号"),
    "sampled_at": ("采样时间",),
    "tube": ("管号", "试管编号", "采样管编号"),
    "recorded_at": ("录入时间",),
    "status": ("状态",),
    "result": ("结果", "检测结果"),
    "reported_at": ("报告时间", "出结果时间"),
}
"""Column -> Chinese headers; the first of each is the one to write."""


@dataclass(frozen=True)
class PeopleTable(Table):
    """A file about persons; it may have any name and lie anywhere."""

    @cached_property
    def headers(self) -> dict[str, Column]:
        """Return every spelling of a header, lower case, and its column."""
        spellings = {c.name: c for c in self.columns}
        return spellings | {w: c for c in self.columns for w in PEOPLE_HEADERS[c.name]}


def _must(name: str) -> Column:
    return Column(name, cells.key)


def _may(name: str) -> Column:
    return Column(name, cells.key, required=False, default="")


RESIDENTS = PeopleTable(
    "residents",
    (
        _must("resident_id"),
        _must("household_id"),
        _may("block_id"),
        _may("community_id"),
        _may("address"),
        _may("birth_year"),
        _may("category"),
        _may("category_at"),
        _may("priority"),
        _may("rounds_sampled"),
        _may("name"),
        _may("id_number"),
    ),
)
SAMPLES = PeopleTable(
    "samples",
    (
        _must("resident_id"),
        _must("site_id"),
        _must("sampled_at"),
        _must("tube"),
        _may("recorded_at"),
        _may("status"),
    ),
)
RESULTS = PeopleTable("results", (_must("tube"), _must("result"), _must("reported_at")))
PEOPLE_TABLES = (RESIDENTS, SAMPLES, RESULTS)
PERSONAL_COLUMNS = ("name", "id_number")
"""Columns of residents that are refused unless names are allowed."""

CATEGORY_WORDS: dict[str, Category] = {
    **{category.word: category for category in Category},
    "": Category.NORMAL,
    "resident": Category.NORMAL,
    "普通": Category.NORMAL,
    "常住": Category.NORMAL,
    "home_bound": Category.HOMEBOUND,
    "home-bound": Category.HOMEBOUND,
    "home_visit": Category.HOMEBOUND,
    "居家不便": Category.HOMEBOUND,
    "行动不便": Category.HOMEBOUND,
    "上门": Category.HOMEBOUND,
    "vaccinated_48h": Category.VACCINATED,
    "48小时内接种": Category.VACCINATED,
    "接种": Category.VACCINATED,
    "isolated_elsewhere": Category.ISOLATED,
    "集中隔离": Category.ISOLATED,
    "异地隔离": Category.ISOLATED,
    "隔离": Category.ISOLATED,
    "tested_elsewhere": Category.TESTED,
    "tested_24h": Category.TESTED,
    "24小时内已检测": Category.TESTED,
    "已在外检测": Category.TESTED,
    "已检测": Category.TESTED,
}
"""Words of a category cell, lower case."""

RESULT_WORDS: dict[str, str] = {
    "negative": "negative",
    "阴性": "negative",
    "positive": "positive",
    "阳性": "positive",
    "invalid": "invalid",
    "无效": "invalid",
    "复检": "invalid",
}
"""Words of a result cell, lower case; an invalid tube must be sampled again."""

VOID_WORDS = ("void", "作废", "撤销")
"""Words of a status cell that take a sample back."""
