"""Codes of what a row about a person can have: such rows are counted and set aside.

C60x and C61x rosters, C62x samples, C63x results.
"""

from __future__ import annotations

from typing import NamedTuple

from scheduler.errors import Severity


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
    "C633": RowRule(
        "result before its sample",
        "报告时间早于采样时间",
        "Kept aside, not used: correct reported_at, or sampled_at, and record it again.",
        _NOTE,
    ),
}
"""Code -> title, way out and severity of what a row about a person can have."""
