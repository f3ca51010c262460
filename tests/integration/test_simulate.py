"""``simulate``, ``plan --set``, ``plan --certify`` and ``show --compare`` on round folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scheduler.ingest.loader import load_instance
from scheduler.publish.plan_files import write_plan
from scheduler.store import open_store
from tests.handmade import greedy_plan
from tests.integration.commands import Run, runner

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line."""
    return runner(monkeypatch, capsys)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return the tiny round with a plan."""
    folder = Path(shutil.copytree(DATA / "tiny", tmp_path / "tiny"))
    write_plan(folder, "0001", greedy_plan(load_instance(folder)))
    return folder


def test_a_plan_is_lived_through_and_kept(tiny: Path, run: Run) -> None:
    """Rule: exit 0, the agreed keys, a file under analysis/, no schedule beside the plan."""
    code, out, _ = run("simulate", tiny, "--replications", 4, "--json")
    assert code == 0
    (case,) = json.loads(out)["cases"]
    kept = json.loads((tiny / "analysis/0001/simulate-plain.json").read_text("utf-8"))
    assert kept == case
    assert {"revision", "case", "replications", "seed", "city", "districts", "sites",
            "no_schedule"} <= set(case)  # fmt: skip
    city = case["city"]
    for key in ("share_in_time", "peak_queue", "wait_min"):
        assert city[key]["p5"] <= city[key]["p50"] <= city[key]["p95"]
    assert city["sites_beyond_ground"] == sum(s["beyond_ground"] for s in case["sites"])
    assert case["no_schedule"]["people"] > 0
    assert sum(d["people"] for d in case["districts"]) == pytest.approx(city["people"], abs=2)


def test_all_cases_are_told_apart(tiny: Path, run: Run) -> None:
    """Rule: --case all writes every case; only the plain one is compared."""
    code, out, err = run("simulate", tiny, "--case", "all", "--replications", 2)
    assert code == 0
    names = ("plain", "registration_down", "lab_out", "rain", "more_people")
    for name in names:
        kept = json.loads((tiny / f"analysis/0001/simulate-{name}.json").read_text("utf-8"))
        assert kept["case"] == name
        assert (kept["no_schedule"] is not None) == (name == "plain")
        assert f"case {name}:" in out
    assert "registration down: 2020-12-22T" in out
    assert "plain: sites 100 %" in err
    assert not list((tiny / "analysis/0001").glob(".*"))


def test_the_same_seed_writes_the_same_bytes(tiny: Path, run: Run) -> None:
    """Rule: same plan and seed, same file."""
    file = tiny / "analysis/0001/simulate-plain.json"
    run("simulate", tiny, "--replications", 2, "--quiet", "--workers", 1)
    first = file.read_bytes()
    run("simulate", tiny, "--replications", 2, "--quiet", "--workers", 3)
    assert file.read_bytes() == first
    run("simulate", tiny, "--replications", 2, "--quiet", "--seed", 1)
    assert file.read_bytes() != first


def test_what_cannot_be_simulated_is_told(tiny: Path, run: Run, tmp_path: Path) -> None:
    """Rule: no plan, no such revision or case, changed input: exit 2 and the way out."""
    bare = Path(shutil.copytree(DATA / "tiny", tmp_path / "bare"))
    code, _, err = run("simulate", bare)
    assert (code, "nat-scheduler plan" in err) == (2, True)
    code, _, err = run("simulate", tiny, "--revision", "0007")
    assert (code, "0007" in err) == (2, True)
    code, _, err = run("simulate", tiny, "--case", "flood")
    assert (code, "flood" in err) == (2, True)
    code, _, err = run("simulate", tmp_path / "nowhere")
    assert (code, "nowhere" in err) == (2, True)
    sites = tiny / "sites.csv"
    sites.write_text(sites.read_text("utf-8") + "\n", "utf-8")
    code, _, err = run("simulate", tiny)
    assert (code, "changed since revision 0001" in err) == (2, True)


def test_a_plan_that_calls_nobody_is_refused(tiny: Path, run: Run) -> None:
    """Rule: a plan without assignments cannot be lived through, and says so."""
    file = tiny / "plans/0001/assignments.csv"
    file.write_text(file.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    code, _, err = run("simulate", tiny)
    assert (code, "calls nobody" in err) == (2, True)


def test_people_without_a_slot_are_told_of(tiny: Path, run: Run) -> None:
    """Rule: a partial plan is lived through, and who is not part of it is counted."""
    file = tiny / "plans/0001/unserved.csv"
    rows = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([*rows, "B1,C1,12,full"]) + "\n", "utf-8")
    code, out, _ = run("simulate", tiny, "--replications", 2, "--no-compare")
    assert (code, "12 people have no slot" in out) == (0, True)


def test_a_variant_is_planned_verified_and_not_published(tiny: Path, run: Run) -> None:
    """Rule: --set leaves the files alone; verify reads the variant again; publish refuses it."""
    before = (tiny / "labs.csv").read_bytes()
    code, out, _ = run("plan", tiny, "--set", "labs.tubes_per_hour*=1.5", "--set",
                       "sites[S01].lanes=+2")  # fmt: skip
    assert (code, "variant" in out) == (0, True)
    assert (tiny / "labs.csv").read_bytes() == before
    summary = json.loads((tiny / "plans/0002/summary.json").read_text("utf-8"))
    assert summary["variant"] == ["labs.tubes_per_hour*=1.5", "sites[S01].lanes=+2"]
    assert run("verify", tiny, "--revision", "0002")[0] == 0
    assert "Revision 0001" in run("verify", tiny)[1]  # a variant is not the newest
    code, _, err = run("publish", tiny, "--revision", "0002")
    assert (code, "supposes" in err, (tiny / "published").exists()) == (2, True, False)
    assert "labs.tubes_per_hour*=1.5" in run("show", tiny)[1]
    assert "A variant" in run("show", tiny, "--revision", "0002")[1]
    assert run("simulate", tiny, "--revision", "0002", "--replications", 1, "--no-compare")[0] == 0


def test_a_bad_change_plans_nothing(tiny: Path, run: Run) -> None:
    """Rule: exit 2 with every bad change, and no revision."""
    code, _, err = run("plan", tiny, "--set", "labs.rate=3", "--set", "sites[X].lanes=2")
    assert code == 2
    assert "labs.rate=3" in err
    assert "sites[X].lanes=2" in err
    assert not (tiny / "plans/0002").exists()


def test_variants_alone_are_no_plan(tmp_path: Path, run: Run) -> None:
    """Rule: where all plans are variants, one must be named."""
    folder = Path(shutil.copytree(DATA / "tiny", tmp_path / "round"))
    assert run("plan", folder, "--set", "sites.lanes+=1")[0] == 0
    code, _, err = run("simulate", folder)
    assert (code, "variants only (0001)" in err) == (2, True)


def test_a_plan_is_certified(tmp_path: Path, run: Run) -> None:
    """Rule: --certify tells whether the plan holds, keeps that with it, and verify agrees."""
    folder = Path(shutil.copytree(DATA / "tiny", tmp_path / "round"))
    code, out, err = run("plan", folder, "--certify")
    assert code == 0
    kept = json.loads((folder / "plans/0001/summary.json").read_text("utf-8"))["certified"]
    assert ("Certified" in out) == kept["reached"]
    assert "living through" in err
    assert run("verify", folder)[0] == 0
    with open_store(folder, None) as store:
        (info,) = store.rounds()
        (revision,) = store.revisions(info.round_id)
    assert revision.summary["certified"] == kept


def test_strict_refuses_a_plan_that_does_not_hold(tmp_path: Path, run: Run) -> None:
    """Rule: --certify --strict exits 3 and keeps nothing where the plan does not hold."""
    folder = Path(shutil.copytree(DATA / "tiny", tmp_path / "round"))
    text = (folder / "round.toml").read_text("utf-8")
    (folder / "round.toml").write_text(text + "\n[simulate]\nline_failure = 1.0\n"
                                       "line_repair_min = 100000.0\n", "utf-8")  # fmt: skip
    code, _, err = run("plan", folder, "--certify", "--strict")
    assert (code, "Lived through" in err) == (3, True)
    assert not list((folder / "plans").glob("0*"))
    code, out, _ = run("plan", folder, "--certify")
    assert (code, "NOT certified" in out) == (0, True)


def test_two_revisions_side_by_side(tiny: Path, run: Run) -> None:
    """Rule: figures of both, their change, and who moves; with what was lived through."""
    run("plan", tiny, "--set", "targets.result_hours=9")
    run("simulate", tiny, "--revision", "0001", "--replications", 2, "--no-compare")
    code, out, _ = run("show", tiny, "--compare", "0001", "0002")
    assert code == 0
    assert "targets.result_hours=9" in out
    code, out, _ = run("show", tiny, "--compare", "0001", "0002", "--json")
    found = json.loads(out)
    one, two = found["sides"]
    assert (one["revision"], two["revision"]) == ("0001", "0002")
    assert one["simulated"] is not None
    assert two["simulated"] is None
    moved = found["other_site"] + found["other_time"]
    assert 0 <= moved <= one["summary"]["served"]
    code, out, _ = run("show", tiny, "--compare", "0001", "0001", "--json")
    same = json.loads(out)
    assert (same["other_site"], same["other_time"], same["only_one"]) == (0, 0, 0)


def test_a_comparison_with_nothing_is_told(tiny: Path, run: Run) -> None:
    """Rule: an unknown revision, or --compare with other choices, exits 2."""
    code, _, err = run("show", tiny, "--compare", "0001", "0009")
    assert (code, "0009" in err) == (2, True)
    assert run("show", tiny, "--compare", "0001", "0001", "--runs")[0] == 2
