"""A PostgreSQL server of the tests' own, from the programs inside the ``pgserver`` wheel."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCKED_USER = "nat_scheduler_locked"
"""A user whose password the server asks for, and never accepts."""

ACCESS = f"local all {LOCKED_USER} scram-sha-256\nlocal all all trust\n"


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server and yield its address without a database; it is gone afterwards."""
    # A socket's path may have 107 characters at most, which a long TMPDIR would use up.
    folder = Path(tempfile.mkdtemp(prefix="nat-pg-", dir="/tmp"))
    try:
        server = _Server(folder)
        server.start()
        try:
            yield f"postgresql://postgres@/%s?host={folder}"
        finally:
            server.run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


class _Server:
    """PostgreSQL refuses to run as root, so root lets ``nobody`` run it: no user is added."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.uid: int | None = None
        self.gid: int | None = None
        self.groups: list[int] | None = None
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.uid, self.gid, self.groups = nobody.pw_uid, nobody.pw_gid, []
            os.chown(folder, self.uid, self.gid)
        self.programs = _installed()
        if not self._may_run():
            self.programs = _copy(self.programs, folder / "programs")

    def start(self) -> None:
        """Make a database cluster and start it on a socket only."""
        self.run("initdb", "--auth=trust", "-U", "postgres", "--encoding=utf8", "--no-sync")
        (self.data / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
        # -F: no fsync, the data are thrown away.
        options = f'-F -h "" -k {self.data.parent}'
        self.run("pg_ctl", "-w", "-l", str(self.data / "log"), "-o", options, "start")

    def run(self, program: str, *args: str) -> None:
        """Run a program of PostgreSQL on the cluster."""
        output = self.data.parent / "output"
        # Through a pipe, pg_ctl would keep us waiting for as long as the server runs.
        with output.open("wb") as stream:
            done = subprocess.run(
                [str(self.programs / "bin" / program), "-D", str(self.data), *args],
                stdout=stream,
                stderr=stream,
                cwd=self.data.parent,
                check=False,
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {output.read_text(encoding='utf-8')}")

    def _may_run(self) -> bool:
        command = [str(self.programs / "bin" / "postgres"), "--version"]
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                cwd="/",
                user=self.uid,
                group=self.gid,
                extra_groups=self.groups,
            )
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True


def _installed() -> Path:
    # Importing pgserver itself would make folders and warn about them.
    spec = importlib.util.find_spec("pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("Expected the pgserver wheel; install the test dependencies")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def _copy(programs: Path, target: Path) -> Path:
    """Copy the programs to where ``nobody`` may run them, the wheel's libraries beside them."""
    copy = target / programs.parent.name / programs.name
    shutil.copytree(programs, copy)
    libraries = programs.parent.parent / "pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return copy
