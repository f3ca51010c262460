"""From a round folder to an ``Instance``, with every finding on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from scheduler.config import ROUND_FILE, SettingsError, load_settings
from scheduler.domain.instance import Instance
from scheduler.domain.settings import Settings
from scheduler.errors import CannotRunError, Finding, InputError, Severity
from scheduler.ingest import cross, points
from scheduler.ingest.build import References, build_instance
from scheduler.ingest.columns import BLOCKS, COMMUNITIES, LABS, SITES, TABLES, TRAVEL, Table
from scheduler.ingest.findings import FileLog
from scheduler.ingest.plausible import note_oddities
from scheduler.ingest.reader import read_table
from scheduler.ingest.tables import Parsed, parse_table

INPUT_FILES = (ROUND_FILE, *(table.file for table in TABLES))
"""Every file of a round folder that is read, in the order in which findings are told."""


@dataclass(frozen=True)
class Loaded:
    """What a folder holds: the instance unless there are errors, findings, file checksums."""

    instance: Instance | None
    findings: tuple[Finding, ...]
    inputs: dict[str, str]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that forbid planning."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)


def load(folder: Path) -> Loaded:
    """Read and cross-check all files of a round folder.

    Raises
    ------
    CannotRunError
        When the folder does not exist or one of its files cannot be opened.
    """
    contents = _read_folder(folder)
    inputs = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    settings, findings = _settings(folder / ROUND_FILE)
    logs = {table.file: FileLog(table.file) for table in TABLES}
    tables = _parse_all(contents, logs)
    references = _cross_check(tables)
    instance = None
    if settings is not None and not _has_errors(findings, logs):
        instance = build_instance(tables, references, settings, inputs_sha256(inputs))
        note_oddities(instance, tables)
    found = _ordered([*findings, *(f for log in logs.values() for f in log.findings)])
    return Loaded(instance, tuple(found), inputs)


def load_instance(folder: Path) -> Instance:
    """Return the instance of a folder.

    Raises
    ------
    InputError
        With all findings, when one of them is an error.
    CannotRunError
        When the folder does not exist or one of its files cannot be opened.
    """
    loaded = load(folder)
    if loaded.instance is None:
        raise InputError(loaded.findings)
    return loaded.instance


def inputs_sha256(inputs: dict[str, str]) -> str:
    """Return the SHA-256 over the sorted lines ``name sha256``, each ended by a line feed."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(inputs.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _read_folder(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise CannotRunError(
            f"Expected a round folder, got {folder}",
            hint="Run `nat-scheduler init DIR` for a folder with templates.",
        )
    contents = {}
    for name in INPUT_FILES:
        try:
            contents[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CannotRunError(f"Cannot read {folder / name}: {error.strerror}") from None
    return contents


def _settings(path: Path) -> tuple[Settings | None, list[Finding]]:
    try:
        return load_settings(path), []
    except SettingsError as error:
        return None, error.findings


def _parse_all(contents: dict[str, bytes], logs: dict[str, FileLog]) -> dict[Table, Parsed]:
    parsed = {}
    for table in TABLES:
        log = logs[table.file]
        if table.file in contents:
            raw = read_table(contents[table.file], table, log)
            if raw is not None:
                parsed[table] = parse_table(raw, log)
        elif table.required:
            log.add("C101", "file is missing")
    return parsed


def _cross_check(tables: dict[Table, Parsed]) -> References:
    """Check tables against each other as far as they could be read."""
    communities, blocks = tables.get(COMMUNITIES), tables.get(BLOCKS)
    sites, labs, travel = tables.get(SITES), tables.get(LABS), tables.get(TRAVEL)
    for table in tables.values():
        if table.table is not TRAVEL:
            column = table.table.columns[0].name
            cross.check_ids(table, column, names_files=table.table is not BLOCKS)
    with_points = [t for t in (communities, sites, labs) if t is not None]
    known = cross.positions(communities, "community_id")
    references = References(known)
    if communities is not None:
        cross.check_communities(communities)
    if blocks is not None:
        points.check_half_points(blocks)
        references.block = cross.resolve(blocks, "community_id", communities, known)
        if communities is not None:
            cross.check_blocks(blocks, communities, references.block)
    if sites is not None:
        cross.check_sites(sites, communities, known)
    if travel is not None:
        known_sites, known_labs = cross.positions(sites, "site_id"), cross.positions(labs, "lab_id")
        references.site = cross.resolve(travel, "site_id", sites, known_sites)
        references.lab = cross.resolve(travel, "lab_id", labs, known_labs)
        counts = (len(sites or ()), len(labs or ()))
        cross.check_pairs(travel, references.site, references.lab, counts)
    middle = points.middle_of(with_points)
    points.check_points([*with_points, *([blocks] if blocks is not None else [])], middle)
    return references


def _has_errors(findings: list[Finding], logs: dict[str, FileLog]) -> bool:
    everything = [*findings, *(f for log in logs.values() for f in log.findings)]
    return any(f.severity is Severity.ERROR for f in everything)


def _ordered(findings: list[Finding]) -> list[Finding]:
    """Return errors before notes, each by file and line."""
    rank = {name: place for place, name in enumerate(INPUT_FILES)}
    return sorted(
        findings, key=lambda f: (f.severity is Severity.NOTE, rank.get(f.file, 99), f.line or 0)
    )
