"""``notices`` on a round folder, with its exit codes; pictures by a real browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image

from scheduler.app.notices import NoticeOptions, make_notices
from scheduler.app.publish import publish_revision
from scheduler.app.runtime import round_lock
from scheduler.cli.commands.notices import command
from scheduler.errors import BreachError, CannotRunError, LockedError
from scheduler.publish.notices.pictures import BROWSER_VARIABLE
from tests.pages import hard_round


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a round with two revisions and long names."""
    return hard_round(tmp_path / "round")


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_a_notice_for_each_community(folder: Path) -> None:
    """Rule: every community gets its page, in the folder of its district."""
    result = _run(folder)
    assert result.exit_code == 0
    assert "3 notice(s) of revision 0002" in result.stdout
    home = folder / "published" / "0002" / "notices"
    found = sorted(str(p.relative_to(home)) for p in home.rglob("*") if p.is_file())
    assert found == ["中山区/C001.html", "西岗区/C002.html", "西岗区/C003.html"]


def test_some_communities_leave_the_others_alone(folder: Path) -> None:
    """Rule: named communities and districts are written in place; all others stay."""
    make_notices(folder, NoticeOptions())
    home = folder / "published" / "0002" / "notices"
    (home / "西岗区" / "C003.png").write_bytes(b"picture")
    told = json.loads(_run(folder, "--community", "C001", "--json", "--quiet").stdout)
    assert told["pages"] == [str(home / "中山区" / "C001.html")]
    assert (home / "西岗区" / "C003.png").exists()
    part = json.loads(_run(folder, "--district", "西岗区", "--json").stdout)
    assert [Path(p).name for p in part["pages"]] == ["C002.html", "C003.html"]
    make_notices(folder, NoticeOptions())
    assert not (home / "西岗区" / "C003.png").exists()


def test_publishing_again_keeps_the_notices(folder: Path) -> None:
    """Rule: notices are of the revision and stay with it."""
    make_notices(folder, NoticeOptions())
    path = publish_revision(folder).published.path
    assert (path / "notices" / "中山区" / "C001.html").exists()


def test_templates_of_the_folder_or_named(folder: Path, tmp_path: Path) -> None:
    """Rule: DIR/templates is used where it is, a folder that is named comes before it."""
    own, other = folder / "templates", tmp_path / "other"
    for place, words in ((own, "own"), (other, "other")):
        place.mkdir()
        (place / "notice.html").write_text(words + " {{ community.id }}", "utf-8")
    (page,) = make_notices(folder, NoticeOptions(communities=["C001"])).pages
    assert page.read_text("utf-8") == "own C001"
    assert _run(folder, "--community", "C001", "--templates", other).exit_code == 0
    assert page.read_text("utf-8") == "other C001"
    assert _run(folder, "--templates", tmp_path / "nowhere").exit_code == 2


def test_a_wrong_template_writes_nothing(folder: Path) -> None:
    """Rule: an error in a template leaves the notices that were there."""
    make_notices(folder, NoticeOptions())
    home = folder / "published" / "0002" / "notices"
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
    (folder / "templates").mkdir()
    (folder / "templates" / "notice.html").write_text("{{ nothing.here }}")
    with pytest.raises(CannotRunError, match="template"):
        make_notices(folder, NoticeOptions())
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before


def test_a_plan_with_breaches_gets_no_notices(folder: Path) -> None:
    """Rule: a plan that breaks a rule is never told to residents: exit code 1."""
    path = folder / "plans" / "0002" / "assignments.csv"
    path.write_text(path.read_text("utf-8").replace(",28,", ",29,", 1), "utf-8")
    with pytest.raises(BreachError):
        make_notices(folder, NoticeOptions())
    assert not (folder / "published").exists()


def test_cannot_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: unknown names, a held lock and a missing browser end with exit code 2."""
    with pytest.raises(CannotRunError, match="C009"):
        make_notices(folder, NoticeOptions(communities=["C009"]))
    with pytest.raises(CannotRunError, match="district"):
        make_notices(folder, NoticeOptions(district="中山"))
    with round_lock(folder), pytest.raises(LockedError):
        make_notices(folder, NoticeOptions())
    monkeypatch.delenv(BROWSER_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotRunError, match="Chromium"):
        make_notices(folder, NoticeOptions(pictures=True))


@pytest.mark.slow
def test_picture_of_a_notice_can_be_scanned(folder: Path) -> None:
    """Rule: the PNG holds the whole notice, and its QR code gives the point of the site."""
    words = ("notices", folder, "--community", "C001", "--png", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "scheduler", *map(str, words)],
        capture_output=True, text=True, check=False, encoding="utf-8", env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = json.loads(done.stdout)["pictures"]
    with Image.open(path) as picture:
        codes = [code.text for code in zxingcpp.read_barcodes(picture)]
        assert codes == ["geo:38.91500,121.66500"]
        assert picture.width == 1280
        assert picture.height > 1280


def test_help_has_an_example() -> None:
    """Rule: the help text shows how to call the command."""
    assert "nat-scheduler notices dalian" in _run("--help").stdout
