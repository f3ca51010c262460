"""What a shell completes after TAB."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from scheduler.cli.main import COMMANDS, cli

TINY = Path(__file__).parents[2] / "data" / "tiny"


def _complete(words: list[str], begun: str) -> list[str]:
    shell = ShellComplete(cli, {}, "nat-scheduler", "_NAT_SCHEDULER_COMPLETE")
    return [item.value for item in shell.get_completions(words, begun)]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Return a round folder with two revisions and an unfinished one."""
    home = tmp_path / "round"
    shutil.copytree(TINY, home)
    for name in ("0001", "0002", ".0003.partial"):
        (home / "plans" / name).mkdir(parents=True)
    return str(home)


def test_commands_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: names of commands come at once, without loading what they need."""
    monkeypatch.setitem(COMMANDS, "plan", "no.such.module")
    assert _complete([], "") == list(COMMANDS)
    assert _complete([], "pl") == ["plan"]
    assert "--version" in _complete([], "--v")


@pytest.mark.parametrize("command", ["publish", "report", "notices"])
def test_revisions(folder: str, command: str) -> None:
    """Rule: --revision offers the finished revisions of the folder typed before."""
    assert _complete([command, folder, "--revision"], "") == ["0001", "0002"]
    assert _complete([command, folder, "--revision"], "0002") == ["0002"]


def test_districts_and_communities(folder: str) -> None:
    """Rule: --district and --community offer what communities.csv has."""
    assert _complete(["publish", folder, "--district"], "") == ["中山区", "西岗区"]
    assert _complete(["notices", folder, "--community"], "C00") == ["C001", "C002", "C003"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_chinese_headers_in_any_encoding(folder: str, encoding: str) -> None:
    """Rule: completion reads the encodings and headers that check reads."""
    path = Path(folder) / "communities.csv"
    path.write_bytes("社区编码,区县\nX1,沙河口区\n".encode(encoding))
    assert _complete(["notices", folder, "--district"], "沙") == ["沙河口区"]


def test_nothing_where_nothing_can_be_read(folder: str) -> None:
    """Rule: a folder without lists, a broken list or no folder completes to nothing, in silence."""
    path = Path(folder) / "communities.csv"
    path.write_bytes(b"\xff\xff\xff")
    assert _complete(["publish", folder, "--district"], "") == []
    path.write_text("a,b\n1,2\n")
    assert _complete(["publish", folder, "--district"], "") == []
    path.unlink()
    assert _complete(["publish", folder, "--district"], "") == []
    assert _complete(["publish", "--district"], "") == []
    assert _complete(["publish", "--revision"], "") == []
