#!/usr/bin/env python3
"""Write the help of every command into README.md, between its marks; --check only compares."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import click

from scheduler.cli.main import COMMANDS, cli

README = Path(__file__).parents[1] / "README.md"
MARKS = ("<!-- help of every command, by scripts/readme.py -->", "<!-- end of help -->")


def main() -> int:
    """Return 0, or 1 when --check finds the README stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when README.md is stale")
    options = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}", re.DOTALL)
    fresh = between.sub(lambda _: f"{MARKS[0]}\n{_pages()}\n{MARKS[1]}", text)
    if options.check:
        return int(fresh != text)
    README.write_text(fresh, encoding="utf-8")
    return 0


def _pages() -> str:
    parts = ["<details><summary>Help of every command</summary>\n"]
    parts += [f"```text\n{_help(name)}\n```\n" for name in COMMANDS]
    return "\n".join([*parts, "</details>"])


def _help(name: str) -> str:
    group = click.Context(cli, info_name="nat-scheduler", max_content_width=80, terminal_width=80)
    command = cli.get_command(group, name)
    assert command is not None, name  # noqa: S101  # it is one of COMMANDS
    context = click.Context(command, parent=group, info_name=name)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


if __name__ == "__main__":
    sys.exit(main())
