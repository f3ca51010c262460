"""The README is under test: its tables follow the program, its commands run as shown."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from scheduler.cli.main import COMMANDS, cli
from scheduler.config import SettingDoc, setting_docs
from scheduler.domain.choices import FORMATS
from scheduler.domain.plan import (
    ASSIGNMENT_COLUMNS,
    CONSIGNMENT_COLUMNS,
    LAB_LOAD_COLUMNS,
    UNSERVED_COLUMNS,
    PlanStatus,
    Reason,
)
from scheduler.domain.roster import Category
from scheduler.domain.row_codes import ROW_CODES
from scheduler.domain.verify import CODES as BREACHES
from scheduler.errors import (
    BreachError,
    CannotRunError,
    InputError,
    NoPlanError,
    PromiseError,
    SchedulerError,
)
from scheduler.ingest.columns import CHINESE_HEADERS, TABLES, Table
from scheduler.ingest.findings import CODES as FINDINGS
from scheduler.ingest.people_columns import PEOPLE_HEADERS, PEOPLE_TABLES
from scheduler.publish.formats.rows import KINDS as PUBLISHED
from scheduler.publish.notices.texts import NoticeTexts
from scheduler.publish.words import CHINESE_HEADERS as PUBLISHED_HEADERS

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
PLAN_FILES = {
    "assignments.csv": ASSIGNMENT_COLUMNS,
    "consignments.csv": CONSIGNMENT_COLUMNS,
    "lab_load.csv": LAB_LOAD_COLUMNS,
    "unserved.csv": UNSERVED_COLUMNS,
}
EXITS: dict[int, set[type[SchedulerError]]] = {
    1: {InputError, BreachError},
    2: {CannotRunError},
    3: {PromiseError},
    4: {NoPlanError},
}


def findings_rows() -> list[str]:
    """Return the rows of README's table of findings."""
    rows = FINDINGS.items()
    return [f"| {c} | {r.severity.value} | {r.title} | {r.way_out} |" for c, r in rows]


def breaches_rows() -> list[str]:
    """Return the rows of README's table of breaches."""
    return [f"| {code} | {text} |" for code, text in BREACHES.items()]


def settings_rows() -> list[str]:
    """Return the rows of README's table of settings."""
    rows = setting_docs()
    return [f"| `{d.table}.{d.key}` | {_default(d)} | {d.text} |" for d in rows]


def _default(doc: SettingDoc) -> str:
    if doc.required:
        return "required"
    if isinstance(doc.default, bool):
        return f"`{str(doc.default).lower()}`"
    return f'`"{doc.default}"`' if isinstance(doc.default, str) else f"`{doc.default:g}`"


def inputs_rows() -> list[str]:
    """Return the rows of README's table of input files."""
    return [
        f"| `{t.file}`{'' if t.required else ' (optional)'} | {_columns(t, required=True)} "
        f"| {_columns(t, required=False)} |"
        for t in TABLES
    ]


def _columns(table: Table, *, required: bool) -> str:
    names = [column.name for column in table.columns if column.required is required]
    return ", ".join(f"`{name}` {CHINESE_HEADERS[name][0]}" for name in names)


def people_rows() -> list[str]:
    """Return the rows of README's table of files about persons."""
    return [
        f"| {t.file} | {_people_columns(t, required=True)} | {_people_columns(t, required=False)} |"
        for t in PEOPLE_TABLES
    ]


def _people_columns(table: Table, *, required: bool) -> str:
    names = [column.name for column in table.columns if column.required is required]
    return ", ".join(f"`{name}` {PEOPLE_HEADERS[name][0]}" for name in names)


def row_codes_rows() -> list[str]:
    """Return the rows of README's table of findings of rows about persons."""
    rows = ROW_CODES.items()
    return [f"| {c} | {r.severity.value} | {r.title} | {r.way_out} |" for c, r in rows]


def plans_rows() -> list[str]:
    """Return the rows of README's table of plan files that are CSV."""
    return [f"| `{file}` | {', '.join(columns)} |" for file, columns in PLAN_FILES.items()]


def published_rows() -> list[str]:
    """Return the rows of README's table of published columns."""
    return [
        f"| `{kind}/` | {', '.join(f'`{name}` {PUBLISHED_HEADERS[name]}' for name in columns)} |"
        for kind, columns in PUBLISHED.items()
    ]


def table_under(heading: str) -> list[str]:
    """Return the rows, without head, of the first table under a heading of the README."""
    _, found, rest = README.partition(f"\n{heading}\n")
    assert found, heading
    section = re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def examples() -> Iterator[tuple[str, str]]:
    """Yield each command of the README's consoles and the output shown."""
    for block in re.findall(r"^```console\n(.*?)^```", README, re.DOTALL | re.MULTILINE):
        command, _, output = block.removeprefix("$ ").partition("\n")
        yield command, output


def test_findings_are_those_of_the_program() -> None:
    """Rule: every finding code is in the README, with its severity and way out."""
    assert table_under("### Findings") == findings_rows()


def test_breaches_are_those_of_the_program() -> None:
    """Rule: every breach code is in the README."""
    assert table_under("### Breaches") == breaches_rows()


def test_settings_are_those_of_the_program() -> None:
    """Rule: every key of round.toml is in the README, with its default."""
    assert table_under("### Settings") == settings_rows()


def test_input_files_are_those_of_the_program() -> None:
    """Rule: every input file and column is in the README, with the Chinese header."""
    assert table_under("### What you fill in") == inputs_rows()


def test_files_about_persons_are_those_of_the_program() -> None:
    """Rule: every column about persons is in the README, with its header, and each category."""
    assert table_under("### Residents, samples and results") == people_rows()
    assert all(f"`{category.word}`" in README for category in Category if category)


def test_row_codes_are_those_of_the_program() -> None:
    """Rule: every code of a row about a person is in the README, with severity and way out."""
    assert table_under("### Findings of rows about persons") == row_codes_rows()


def test_plan_files_are_those_of_the_program() -> None:
    """Rule: every file and column of a plan is in the README, with all states and reasons."""
    assert table_under("### What `plan` writes")[: len(PLAN_FILES)] == plans_rows()
    assert all(f"`{word}`" in README for word in (*PlanStatus, *Reason))


def test_published_columns_are_those_of_the_program() -> None:
    """Rule: every column of what is published is in the README, in both languages."""
    section = README.partition("\n### What `publish` writes\n")[2].partition("\n## ")[0]
    assert "\n".join(published_rows()) in section
    assert all(f"--format {name}" in README for name in FORMATS[1:])


def test_help_of_every_command_is_fresh() -> None:
    """Rule: README holds the help of every command; scripts/readme.py writes it anew."""
    done = subprocess.run([sys.executable, TOP / "scripts/readme.py", "--check"], check=False)
    assert done.returncode == 0, "run scripts/readme.py"


def test_every_help_has_an_example() -> None:
    """Rule: the help of each command shows how to call it."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert f"nat-scheduler {name} " in (command.help or ""), name


def test_pictures_are_there_and_small() -> None:
    """Rule: each picture of the README is in the clone, a PNG of at most 300 kB."""
    named = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert len(named) == 3
    for name in named:
        content = (TOP / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 300_000


def test_texts_of_notices_are_those_of_the_program() -> None:
    """Rule: every key of notices.toml stands in the README's example, and no other."""
    (example,) = re.findall(r"```toml\n(contact.*?)```", README, re.DOTALL)
    common, _, _ = example.partition("[districts")
    keys = [field.name for field in dataclasses.fields(NoticeTexts)]
    assert [line.split(" = ")[0] for line in common.splitlines()] == keys


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_those_of_the_program(name: str) -> None:
    """Rule: every command is in the README with all its options and no other."""
    (row,) = [line for line in table_under("### Commands") if line.startswith(f"| `{name} ")]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    given = {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
    assert set(re.findall(r"--[a-z-]+", row)) == given


def test_no_other_commands() -> None:
    """Rule: the README promises no command that does not exist."""
    rows = table_under("### Commands")
    assert [row.split()[1].strip("`") for row in rows] == list(COMMANDS)


def test_exit_codes_are_those_of_the_errors() -> None:
    """Rule: every exit code is in the README, and the errors have no others."""
    listed = [int(row.split()[1]) for row in table_under("### Exit codes")]
    assert listed == [0, *EXITS]
    assert all(kind.exit_code == code for code, kinds in EXITS.items() for kind in kinds)
    assert set(SchedulerError.__subclasses__()) == set().union(*EXITS.values())


def test_scripts_are_there() -> None:
    """Rule: every script that the README names is in the clone and can be run."""
    named = set(re.findall(r"scripts/[a-z_.-]+[a-z]", README))
    assert {"scripts/quickstart", "scripts/test", "scripts/bench"} <= named
    assert all(os.access(TOP / name, os.X_OK) for name in named - {"scripts/constraints.txt"})


@pytest.mark.slow
def test_the_walk_runs_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: the README's commands run in order and print what it shows, figures apart.

    What ``explain`` and published files say depends on the plan: they are run, not compared.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for command, shown in examples():
        code, out = _run_as_shown(command)
        assert code == 0, (command, out)
        if re.match(r"nat-scheduler (?!explain)", command):
            assert _without_figures(out) == _without_figures(shown), command


def _run_as_shown(command: str) -> tuple[int, str]:
    """Return exit code and output; the program alone is called in this process, to be quicker."""
    words = shlex.split(command)
    if words[0] == "nat-scheduler" and "|" not in words:
        ran = CliRunner().invoke(cli, words[1:])
        return ran.exit_code, ran.stdout
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, encoding="utf-8", check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout or done.stderr


def _without_figures(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\d[\d,.]*", "0", re.sub(r"-{2,}", "-", text)))
