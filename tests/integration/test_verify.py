from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scheduler.cli.main import cli
from scheduler.domain.instance import Instance
from scheduler.errors import CannotRunError, InputError
from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from tests.plans import tiny_instance, tiny_plan

SETTINGS = """
[round]
id = "tiny"
start = "2020-12-22T06:00"
end = "2020-12-22T10:00"
[targets]
max_walk_m = 1000
"""
WORDS = ("lockdown", "control", "precaution", "normal")


def rows_of(instance: Instance) -> dict[str, list[str]]:
    """Return the lines of the input files of the tiny round."""
    towns, blocks, sites, labs = (
        instance.communities,
        instance.blocks,
        instance.sites,
        instance.labs,
    )
    files = {
        "communities.csv": [
            "community_id,name,district,street,zone,population,lat,lng,homebound",
            *(
                f"{towns.ids[c]},{towns.names[c]},{towns.districts[c]},street,"
                f"{WORDS[towns.zone[c]]},{towns.population[c]},{towns.lat[c]},{towns.lng[c]},"
                f"{towns.homebound[c]}"
                for c in range(len(towns))
            ),
        ],
        "blocks.csv": [
            "block_id,community_id,name,people",
            *(
                f"{blocks.ids[b]},{blocks.ids[b][:2]},{blocks.names[b]},{blocks.people[b]}"
                for b in range(len(blocks))
            ),
        ],
        "labs.csv": [
            "lab_id,name,lat,lng,tubes_per_hour,processing_min,hours,max_tubes_per_day,pool_sizes",
            f"H1,lab 1,{labs.lat[0]},{labs.lng[0]},8,180,,12,10",
            f"H2,lab 2,{labs.lat[1]},{labs.lng[1]},30,240,07:30-15:00,,",
        ],
        "travel.csv": ["site_id,lab_id,minutes", "S1,H1,20", "S1,H2,40"],
        "sites.csv": [
            "site_id,name,district,lat,lng,lanes,queue_length_m,hours,zones,kind,community_ids"
        ],
    }
    for s, site in enumerate(sites.ids):
        hours = "06:00-08:00;08:30-10:00" if site == "S1" else "06:00-10:00"
        zones = "normal" if site == "S2" else ""
        named = ";".join(str(towns.ids[c]) for c in sites.community_indices[s])
        files["sites.csv"].append(
            f"{site},{sites.names[s]},{sites.districts[s]},{sites.lat[s]},{sites.lng[s]},"
            f"{sites.lanes[s]},200,{hours},{zones},{sites.kinds[s]},{named}"
        )
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the tiny round on disk with its correct plan as revision 0001."""
    (tmp_path / "round.toml").write_text(SETTINGS, encoding="utf-8")
    for name, lines in rows_of(tiny_instance()).items():
        (tmp_path / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    instance = load_instance(tmp_path)
    write_plan(tmp_path, "0001", tiny_plan(instance))
    return tmp_path


def run(*arguments: object) -> Result:
    """Run ``verify``; errors of the program are left as they are."""
    return CliRunner().invoke(cli, ["verify", *map(str, arguments)])


def spoil(folder: Path, old: str, new: str) -> None:
    path = folder / "plans" / "0001" / "assignments.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_clean_plan(folder: Path) -> None:
    """A correct plan, input and plan both from disk, ends with exit code 0 and says clean."""
    result = run(folder)
    assert (result.exit_code, result.exception) == (0, None)
    assert result.stdout == "Revision 0001: clean (7 assignments, 6 consignments)\n"


def test_breaches_are_listed(folder: Path) -> None:
    """A breach ends with exit code 1, its file, line and code, and a total by code."""
    spoil(folder, "C1-001,C1,S1,2020-12-22T06:45", "C1-001,C1,S9,2020-12-22T06:45")
    result = run(folder)
    assert result.exit_code == 1
    assert "assignments.csv:4: C1-001 S1: expected one site, got S9 and S1 [B131]" in result.stdout
    assert "B131 a block is sent to more than one site" in result.stdout


def test_limit_keeps_the_total(folder: Path) -> None:
    """``--limit`` shortens the list, never the total."""
    spoil(folder, ",S1,", ",S9,")
    result = run(folder, "--limit", 1)
    document = json.loads(run(folder, "--json", "--limit", 1).stdout)
    assert result.exit_code == 1
    assert document["total"] > 1 == len(document["breaches"])
    assert f"... and {document['total'] - 1} more" in result.stdout
    assert sum(document["by_code"].values()) == document["total"]
    assert not document["clean"]


def test_json_of_a_clean_plan(folder: Path) -> None:
    """``--json`` prints one document on stdout."""
    document = json.loads(run(folder, "--json", "--revision", "0001").stdout)
    assert document == {
        "revision": "0001",
        "clean": True,
        "total": 0,
        "by_code": {},
        "assignments": 7,
        "consignments": 6,
        "breaches": [],
    }


def test_newest_revision_is_the_default(folder: Path) -> None:
    """Without ``--revision`` the newest one is checked; a renamed copy is found out."""
    shutil.copytree(folder / "plans" / "0001", folder / "plans" / "0002")
    result = run(folder)
    assert result.exit_code == 1
    assert "revision: expected 0002, got '0001' [B196]" in result.stdout
    assert run(folder, "--revision", "0001").exit_code == 0


def test_changed_input_is_a_breach(folder: Path) -> None:
    """Input files that changed since planning are a breach, told in clear words."""
    with (folder / "round.toml").open("a", encoding="utf-8") as settings:
        settings.write("# a remark\n")
    result = run(folder)
    assert result.exit_code == 1
    assert "the input files have changed since this plan was made" in result.stdout


def test_no_plan_cannot_run(folder: Path) -> None:
    """Without a plan, or with an unknown revision, verify cannot run: exit code 2."""
    assert isinstance(run(folder, "--revision", "0007").exception, CannotRunError)
    shutil.rmtree(folder / "plans")
    failure = run(folder).exception
    assert isinstance(failure, CannotRunError)
    assert failure.exit_code == 2


def test_broken_input_is_told(folder: Path) -> None:
    """Errors in the input stop verify with the findings: exit code 1."""
    (folder / "labs.csv").unlink()
    failure = run(folder).exception
    assert isinstance(failure, InputError)
    assert failure.exit_code == 1
