"""What other commands leave is read when it is there, and refused when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.errors import CannotRunError
from scheduler.publish.report.extras import read_extras
from tests.pages import with_extras


def test_nothing_there(tmp_path: Path) -> None:
    """Rule: without files there is nothing to show, and no error."""
    assert read_extras(tmp_path, "0001") == {"simulations": [], "size": {}, "coverage": {}}


def test_plain_simulation_comes_first(tmp_path: Path) -> None:
    """Rule: the plain case leads; each site has its median wait and its largest queue."""
    found = read_extras(with_extras(tmp_path), "0002")
    assert [case["case"] for case in found["simulations"]] == ["plain", "rain"]
    assert found["simulations"][0]["sites"] == {"S01": [6.5, 44], "S02": [3.0, 44]}
    assert read_extras(tmp_path, "0001")["simulations"] == []


@pytest.mark.parametrize(
    "content", ["{", "[1]", "\xff", '{"remedies": 5}', '{"shortfalls": [{"text": "none"}]}']
)
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    """Rule: a file that is no JSON object ends with its name, not with half a report."""
    path = tmp_path / "analysis" / "0001" / "size.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(CannotRunError, match=r"size\.json"):
        read_extras(tmp_path, "0001")


@pytest.mark.parametrize("content", ['{"sites": {"a": 1}}', '{"city": [1]}', '{"sites": ["a"]}'])
def test_a_simulation_of_another_shape_is_named(tmp_path: Path, content: str) -> None:
    """Rule: a simulation without the keys agreed on ends with its name too."""
    path = tmp_path / "analysis" / "0001" / "simulate-plain.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(CannotRunError, match=r"simulate-plain\.json: (sites|city)"):
        read_extras(tmp_path, "0001")
