"""``publish`` on a round folder, with its exit codes, killed half-way too."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.app.publish import publish_revision
from scheduler.app.runtime import round_lock
from scheduler.cli.commands.publish import command
from scheduler.domain.district import restrict
from scheduler.errors import BreachError, CannotRunError, InputError, LockedError
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from tests.handmade import greedy_plan

TINY = Path(__file__).parents[1] / "data" / "tiny"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the tiny round with a plan."""
    home = tmp_path / "round"
    shutil.copytree(TINY, home)
    write_plan(home, "0001", greedy_plan(load_instance(home)))
    return home


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_publish_writes_the_tree(folder: Path) -> None:
    """One file per community, site, lab and district, a manifest and the link."""
    result = _run(folder)
    assert result.exit_code == 0
    assert "3 communities, 3 sites, 2 labs" in result.stdout
    latest = folder / "published" / "latest"
    assert latest.readlink() == Path("0001")
    assert sorted(p.name for p in latest.iterdir()) == [
        *("communities", "districts", "labs", "manifest.json", "sites")
    ]
    content = (latest / "communities" / "中山区" / "C001.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert sum(int(row["人数"]) for row in rows) == 300


def test_publish_tells_in_json(folder: Path) -> None:
    """--json says what was written and where."""
    told = json.loads(_run(folder, "--json", "--district", "西岗区").stdout)
    assert (told["revision"], told["district"], told["communities"]) == ("0001", "西岗区", 2)
    assert Path(told["path"]).is_dir()


def test_formats_beside_csv(folder: Path) -> None:
    """--format may be given again; an unknown one is refused with those that are known."""
    assert _run(folder, "--format", "xlsx", "--format", "parquet", "--quiet").exit_code == 0
    latest = folder / "published" / "latest"
    assert sorted(p.name for p in (latest / "workbooks").iterdir()) == [
        "中山区.xlsx",
        "西岗区.xlsx",
    ]
    assert len(list((latest / "parquet").iterdir())) == 4
    assert len(list((latest / "communities").rglob("*.csv"))) == 3
    refused = _run(folder, "--format", "pdf")
    assert refused.exit_code == 2
    assert "geojson" in refused.stderr


def test_help_has_an_example() -> None:
    """The help text shows how to call the command."""
    assert "nat-scheduler publish dalian" in _run("--help").stdout


def test_a_plan_with_breaches_is_not_published(folder: Path) -> None:
    """A changed plan is refused with exit code 1, and nothing is written."""
    path = folder / "plans" / "0001" / "assignments.csv"
    path.write_text(path.read_text("utf-8").replace(",28,", ",29,", 1), "utf-8")
    with pytest.raises(BreachError, match=r"(?s)breach.*assignments\.csv") as caught:
        publish_revision(folder)
    assert caught.value.exit_code == 1
    assert not (folder / "published").exists()


def test_changed_input_is_not_published(folder: Path) -> None:
    """A plan of other input is refused: people would be sent by an old list."""
    path = folder / "sites.csv"
    path.write_text(path.read_text("utf-8").replace("朝阳街1号", "朝阳街2号"), "utf-8")
    with pytest.raises(BreachError, match="B195"):
        publish_revision(folder)


def test_input_with_errors_is_not_published(folder: Path) -> None:
    """Findings in the input end with exit code 1."""
    (folder / "labs.csv").unlink()
    with pytest.raises(InputError):
        publish_revision(folder)


def test_unknown_names_are_refused(folder: Path) -> None:
    """A revision or district that is not there ends with exit code 2 and the nearest name."""
    with pytest.raises(CannotRunError, match="0009"):
        publish_revision(folder, revision="0009")
    with pytest.raises(CannotRunError) as caught:
        publish_revision(folder, district="中山")
    assert "中山区" in caught.value.hint
    with pytest.raises(CannotRunError, match="found none"):
        publish_revision(_without_plan(folder))


def _without_plan(folder: Path) -> Path:
    shutil.rmtree(folder / "plans")
    return folder


def test_another_run_holds_the_lock(folder: Path) -> None:
    """Two runs never write to a folder at once."""
    with round_lock(folder), pytest.raises(LockedError):
        publish_revision(folder)


KILLED = """
import os, signal, sys
from pathlib import Path
from scheduler.app.publish import publish_revision
when = int(sys.argv[2])
def tick(done, total):
    if done == when:
        os.kill(os.getpid(), signal.SIGKILL)
publish_revision(Path(sys.argv[1]), progress=tick)
"""


@pytest.mark.parametrize("when", [1, 10])
def test_killed_half_way_leaves_the_old_publication(folder: Path, when: int) -> None:
    """A kill at the first or the last file leaves the old files whole; the next run clears up."""
    publish_revision(folder)
    published = folder / "published"
    before = {p: p.read_bytes() for p in published.rglob("*") if p.is_file()}
    killed = subprocess.run([sys.executable, "-c", KILLED, folder, str(when)], check=False)
    assert killed.returncode == -signal.SIGKILL
    after = {p: p.read_bytes() for p in before}
    assert after == before
    assert (published / "latest").readlink() == Path("0001")
    publish_revision(folder)
    assert {p: p.read_bytes() for p in published.rglob("*") if p.is_file()} == before


def test_a_plan_of_one_district_is_that_district_s(folder: Path) -> None:
    """A plan made for one district never takes the place of the city's publication."""
    part = restrict(load_instance(folder), "中山区")
    write_plan(folder, "0002", greedy_plan(part, "0002"))
    assert publish_revision(folder).published.path.name == "0002-中山区"
    assert not (folder / "published" / "latest").exists()
    with pytest.raises(CannotRunError, match="西岗区"):
        publish_revision(folder, district="西岗区")
