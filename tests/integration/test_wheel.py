"""The wheel alone, in an environment of its own: what it needs must come with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without the clone on its path."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV", "NAT_"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=clean, capture_output=True, text=True, encoding="utf-8", check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def must(*command: object, cwd: Path) -> str:
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs' folder of an environment that holds the wheel and its dependencies."""
    place = tmp_path_factory.mktemp("wheel")
    wheel = ("wheel", "--quiet", "--no-deps", "--wheel-dir", place, TOP)
    must(sys.executable, "-m", "pip", *wheel, cwd=place)
    (file,) = place.glob("*.whl")
    venv.create(place / "clean", with_pip=False)
    python = next((place / "clean").glob("*/python"))
    pins = TOP / "scripts/constraints.txt"
    options = ("install", "--quiet", "--no-compile", "--constraint", pins, file)
    must(sys.executable, "-m", "pip", "--python", python, *options, cwd=place)
    return python.parent


def test_help(installed: Path, tmp_path: Path) -> None:
    """Rule: the wheel brings the program `nat-scheduler`, and `python -m scheduler` is the same."""
    by_name = must(installed / "nat-scheduler", "--help", cwd=tmp_path)
    by_module = must(installed / "python", "-m", "scheduler", "--help", cwd=tmp_path)
    assert by_name.partition("\n")[2] == by_module.partition("\n")[2]
    assert "explain" in by_name


def test_nothing_but_the_program_is_installed(installed: Path, tmp_path: Path) -> None:
    """Rule: tests and tools stay out of the wheel."""
    look = "import importlib.util as u; print([n for n in ('tests', 'pytest') if u.find_spec(n)])"
    assert must(installed / "python", "-c", look, cwd=tmp_path) == "[]\n"


def test_a_round_from_start_to_end(installed: Path, tmp_path: Path) -> None:
    """Rule: all from init to report and notices works from the wheel alone, pictures apart."""
    program = installed / "nat-scheduler"
    must(program, "init", "r", "--city", "dazu", "--people", "20000", cwd=tmp_path)
    checked = json.loads(must(program, "check", "r", "--json", cwd=tmp_path))
    assert (checked["errors"], checked["notes"]) == (0, 0)
    planned = json.loads(must(program, "plan", "r", "--json", cwd=tmp_path))
    assert planned["people"] == 20_000
    assert planned["terms"]["unserved"] == 0
    assert json.loads(must(program, "verify", "r", "--json", cwd=tmp_path))["clean"]
    must(program, "publish", "r", "--format", "xlsx", cwd=tmp_path)
    must(program, "report", "r", cwd=tmp_path)
    must(program, "notices", "r", cwd=tmp_path)
    home = tmp_path / "r/published/latest"
    for made in ("communities/*/DZ-C*.csv", "workbooks/*.xlsx", "notices/*/DZ-C*.html"):
        assert list(home.glob(made)), made
    assert (home / "report.html").stat().st_size > 1_000_000
    done = run(program, "notices", "r", "--png", cwd=tmp_path)
    assert done.returncode == 2
    assert "nat-scheduler[pictures]" in done.stderr


def test_templates_and_failure(installed: Path, tmp_path: Path) -> None:
    """Rule: init without a city works too, and a folder that is none exits 2."""
    must(installed / "nat-scheduler", "init", "mine", cwd=tmp_path)
    must(installed / "nat-scheduler", "check", "mine", cwd=tmp_path)
    assert run(installed / "nat-scheduler", "check", "none", cwd=tmp_path).returncode == 2
