"""The table of coverage is read in either language, and refused when it is another table."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.errors import CannotRunError
from scheduler.publish.report.covered import COVERAGE, read_coverage

CHINESE = """级别,编码,名称,截至,应采人数,已通知人数,已采人数,覆盖率\r
全市,,,2020-12-22 07:00,700,90,40,0.0571\r
全市,,,2020-12-22 08:00,700,400,350,0.5\r
区县,中山区,中山区,2020-12-22 08:00,0,0,0,\r
社区,'=C1,"一,二",2020-12-22 08:00,300,290,240,0.8\r
"""


def _leave(folder: Path, content: bytes) -> Path:
    path = folder / COVERAGE
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return folder


def test_the_last_hour_stands(tmp_path: Path) -> None:
    """Rule: the last hour is told; a share of nobody is unknown; ids are those of the input."""
    found = read_coverage(_leave(tmp_path, CHINESE.encode("utf-8-sig")))
    now = {"hour": "2020-12-22 08:00"}
    assert found["city"] == {**now, "target": 700, "sampled": 350, "coverage": 0.5}
    assert found["districts"] == {"中山区": {**now, "target": 0, "sampled": 0, "coverage": None}}
    assert found["communities"]["=C1"]["coverage"] == 0.8


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a,b\n1,2\n", CHINESE.replace("700,90", "x,90").encode(),
                CHINESE.replace("社区", "网格").encode(), CHINESE.encode()[:150]]
)  # fmt: skip
def test_another_table_is_named(tmp_path: Path, content: bytes) -> None:
    """Rule: a table that is none of coverage, or is cut off, ends with its name and the way out."""
    with pytest.raises(CannotRunError, match=r"coverage\.csv"):
        read_coverage(_leave(tmp_path, content))


def test_no_table(tmp_path: Path) -> None:
    """Rule: before anybody is recorded there is no coverage, and no error."""
    assert read_coverage(tmp_path) == {}
