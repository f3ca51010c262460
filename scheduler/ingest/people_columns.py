"""The files about persons: residents, samples and results, column by column with their headers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from scheduler.domain.roster import Category
from scheduler.errors import Severity
from scheduler.ingest import cells
from scheduler.ingest.columns import Column, Table

PEOPLE_HEADERS: dict[str, tuple[str, ...]] = {
    "resident_id": ("居民编号", "居民编码", "住户编号", "住户", "人员编号"),
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


class RowRule(NamedTuple):
    """What a code of a row stands for, the way out, and whether the row is set aside."""

    title: str
    chinese: str
    way_out: str
    severity: Severity = Severity.ERROR


_NOTE = Severity.NOTE

ROW_CODES: dict[str, RowRule] = {
    "C601": RowRule(
        "names or identity numbers",
        "含姓名或身份证号",
        "Take the column out, or allow names with `--allow-names`.",
    ),
    "C602": RowRule(
        "row is not cells of the header",
        "该行与表头列数不符或引号不成对",
        "Give the row a cell for each column; close its quotes.",
    ),
    "C603": RowRule("required cell is blank", "必填单元格为空", "Fill the cell."),
    "C604": RowRule(
        "cell is damaged", "单元格已损坏", "Type the cell again, or export the file again as UTF-8."
    ),
    "C605": RowRule("person stands twice", "同一人重复", "Keep one row; the first was taken."),
    "C606": RowRule(
        "household over two buildings",
        "同一户在两栋楼",
        "Correct the household's rows, or set roster.household_ids to `block`.",
    ),
    "C607": RowRule(
        "unknown block", "楼栋/网格编码不存在", "Correct block_id, or name community_id beside it."
    ),
    "C608": RowRule(
        "unknown community", "社区编码不存在", "Correct community_id, or add it to communities.csv."
    ),
    "C609": RowRule(
        "block of another community", "楼栋不属于该社区", "Correct block_id or community_id."
    ),
    "C610": RowRule(
        "birth year not understood", "出生年份无法识别", "Write the year, such as 1956."
    ),
    "C611": RowRule(
        "unknown category",
        "类别无法识别",
        "Called like everybody: use one of the known words.",
        _NOTE,
    ),
    "C612": RowRule(
        "neither block nor address",
        "既无楼栋也无地址",
        "Fill block_id, or community_id and address.",
    ),
    "C613": RowRule(
        "identity number in a cell",
        "单元格含身份证号",
        "Use another number, or allow it with `--allow-names`.",
    ),
    "C614": RowRule(
        "person without a household", "没有户编号", "Called alone: fill household_id.", _NOTE
    ),
    "C615": RowRule(
        "time not understood", "时间无法识别", "Write 2020-12-22 06:15, in local time."
    ),
    "C621": RowRule(
        "sample before the round",
        "采样时间早于本轮",
        "Correct sampled_at, or record it with its round.",
    ),
    "C622": RowRule(
        "person not in the roster", "名册中没有此人", "Kept aside: correct resident_id.", _NOTE
    ),
    "C623": RowRule("unknown site", "采样点编码不存在", "Recorded: correct site_id.", _NOTE),
    "C631": RowRule(
        "result not understood",
        "结果无法识别",
        "Use negative, positive or invalid (阴性, 阳性, 无效).",
    ),
    "C632": RowRule(
        "tube without samples", "该管没有采样记录", "Kept until its samples are recorded.", _NOTE
    ),
}
"""Code -> title, way out and severity of what a row about a person can have."""
