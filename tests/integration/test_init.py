"""The command ``init``: folders that ``check`` accepts, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scheduler.app.init import init_round
from scheduler.cli.main import cli
from scheduler.config import load_settings, setting_docs
from scheduler.domain.choices import CITIES
from scheduler.errors import CannotRunError
from scheduler.generate.headers import Table, write_table
from scheduler.ingest.loader import load


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("city", CITIES)
def test_synthetic_round_passes_check(tmp_path: Path, city: str) -> None:
    """Rule: what init writes has no finding at all."""
    init_round(tmp_path / "r", city=city, people=60_000)
    loaded = load(tmp_path / "r")
    assert loaded.findings == ()
    assert loaded.instance is not None
    assert loaded.instance.settings.round.synthetic
    assert loaded.instance.communities.population.sum() == 60_000


def test_synthetic_round_says_so(tmp_path: Path) -> None:
    """Rule: round.toml is marked and commented as synthetic, and there is no travel.csv."""
    init_round(tmp_path / "r", city="dalian", people=20_000)
    text = (tmp_path / "r/round.toml").read_text(encoding="utf-8")
    assert text.startswith("# SYNTHETIC")
    assert "synthetic = true" in text
    names = {"round.toml", "communities.csv", "blocks.csv", "sites.csv", "labs.csv"}
    assert set(contents(tmp_path / "r")) == names


def test_files_open_in_excel(tmp_path: Path) -> None:
    """Rule: CSV files start with a byte order mark and a Chinese header."""
    init_round(tmp_path / "r", city="dazu", people=5_000)
    text = (tmp_path / "r/communities.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf" + "社区编码,名称,区县,街道".encode())


def test_same_arguments_same_bytes(tmp_path: Path) -> None:
    """Rule: city, people and seed decide every byte; the folder's name does not."""
    for name in ("a", "b"):
        init_round(tmp_path / name, city="dalian", people=200_000, seed=7)
    init_round(tmp_path / "c", city="dalian", people=200_000, seed=8)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_templates_pass_check(tmp_path: Path) -> None:
    """Rule: templates have two example rows per file and no error."""
    result = init_round(tmp_path / "r")
    loaded = load(tmp_path / "r")
    assert loaded.errors == ()
    assert loaded.instance is not None
    assert set(result.rows.values()) == {2}
    assert len(result.rows) == 5


def test_template_holds_every_setting(tmp_path: Path) -> None:
    """Rule: the commented round.toml has every key with its meaning; four are to be changed."""
    init_round(tmp_path / "r")
    text = (tmp_path / "r/round.toml").read_text(encoding="utf-8")
    for doc in setting_docs():
        line = next(x for x in text.splitlines() if x.startswith(f"{doc.key} ") and doc.text in x)
        assert "#" in line
    assert text.count("CHANGE THIS (请修改): ") == 4
    assert load_settings(tmp_path / "r/round.toml").round.id == "example-r1"


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Rule: a folder that is not empty is left as it is, exit code 2."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    for arguments in ([], ["--city", "dalian", "--people", "5000"]):
        outcome = CliRunner().invoke(cli, ["init", str(tmp_path), *arguments])
        assert isinstance(outcome.exception, CannotRunError)
        assert outcome.exception.exit_code == 2
    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_empty_folder_is_filled_in_place(tmp_path: Path) -> None:
    """Rule: an empty folder may be given, and stays the same folder."""
    (tmp_path / "r").mkdir()
    before = (tmp_path / "r").stat().st_ino
    init_round(tmp_path / "r")
    assert (tmp_path / "r").stat().st_ino == before
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("exists", [True, False])
def test_failure_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    """Rule: the whole folder is written, or nothing is."""
    if exists:
        (tmp_path / "r").mkdir()

    def fail_on_labs(path: Path, columns: Table) -> int:
        if path.name == "labs.csv":
            raise OSError("disk full")
        return write_table(path, columns)

    monkeypatch.setattr("scheduler.generate.folder.write_table", fail_on_labs)
    with pytest.raises(CannotRunError, match="disk full"):
        init_round(tmp_path / "r")
    assert list(tmp_path.rglob("*")) == ([tmp_path / "r"] if exists else [])


def test_failure_while_filling_an_empty_folder_empties_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: files already moved into an empty folder are taken out again."""
    (tmp_path / "r").mkdir()
    rename = Path.rename

    def fail_on_settings(self: Path, target: Path) -> Path:
        if self.name == "round.toml":
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_on_settings)
    with pytest.raises(CannotRunError, match="disk full"):
        init_round(tmp_path / "r")
    assert list(tmp_path.rglob("*")) == [tmp_path / "r"]


def test_people_without_city_is_a_usage_error(tmp_path: Path) -> None:
    """Rule: --people and --seed mean nothing for templates, and are refused."""
    with pytest.raises(CannotRunError, match="--city"):
        init_round(tmp_path / "r", people=5)


def test_command_tells_what_was_written(tmp_path: Path) -> None:
    """Rule: the command lists files and rows, as text or as JSON."""
    text = CliRunner().invoke(cli, ["init", str(tmp_path / "a")])
    assert text.exit_code == 0
    assert "communities.csv: 2 rows" in text.output
    arguments = ["init", str(tmp_path / "b"), "--city", "dalian", "--people", "5000", "--json"]
    outcome = CliRunner().invoke(cli, arguments)
    told = json.loads(outcome.output)
    assert told["synthetic"] is True
    assert told["rows"]["labs.csv"] == 3
    spoken = CliRunner().invoke(cli, ["init", str(tmp_path / "c"), *arguments[2:-1]])
    assert "a synthetic round" in spoken.output


def test_help_has_an_example() -> None:
    """Rule: the help text shows a command that can be copied."""
    outcome = CliRunner().invoke(cli, ["init", "--help"])
    assert "nat-scheduler init dalian --city dalian" in outcome.output
