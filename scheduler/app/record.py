"""Use case: record samples and results, whatever their order, and act on positive tubes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from scheduler.app.record_outcome import Base, RecordResult, compare, counting, keep
from scheduler.app.revision import open_revision
from scheduler.app.runlog import Stages, logged
from scheduler.app.runtime import Clock, Report, round_lock, silent
from scheduler.domain.row_codes import ROW_CODES
from scheduler.errors import CannotRunError
from scheduler.ingest.samples import Progress, RecordRows, read_results, read_samples
from scheduler.publish.record_files import (
    keep_state,
    keep_table,
    read_state,
)
from scheduler.publish.roster_files import read_roster, read_roster_summary
from scheduler.roster.recorded import (
    RESULT_SCHEMA,
    SAMPLE_SCHEMA,
    merge,
    num_corrections,
    samples_of,
)


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """What a user may ask of ``record``; paths are files or folders of files."""

    samples: tuple[Path, ...] = ()
    results: tuple[Path, ...] = ()
    at: datetime | None = None  # naive local time to take for now
    database_url: str | None = None


def record_round(
    folder: Path,
    options: RecordOptions,
    report: Report = silent,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> RecordResult:
    """Record files of samples and of results for the newest roster.

    The same rows recorded again change nothing, and the order of files does not matter.

    Raises
    ------
    InputError
        When a file as a whole cannot be used; then nothing is recorded.
    CannotRunError
        When nothing was asked for, there is no roster, or a file cannot be read or written.
    """
    if not options.samples and not options.results:
        raise CannotRunError("Expected --samples or --results, got neither")
    clock = clock or Clock()
    stages = Stages(clock, report)
    with round_lock(folder), logged("record", folder, options.database_url, stages) as run:
        stages("reading the roster")
        base = _base(folder, options, clock)
        run.instance, run.revision = base.instance, base.revision
        result = RecordResult(base.instance.settings.round.id, base.revision)
        settings = base.instance.settings
        stages("reading files")
        sampled = read_samples(options.samples, settings, progress) if options.samples else None
        resulted = read_results(options.results, settings, progress) if options.results else None
        stages("recording")
        rows = _record_samples(base, sampled, result)
        known = _record_results(base, resulted, result)
        stages("comparing with the promise")
        samples = samples_of(rows, settings.results.same_sample_min)
        compare(base, (samples, counting(base, known, samples, result)), result)
    result.seconds = run.seconds
    return result


def _base(folder: Path, options: RecordOptions, clock: Clock) -> Base:
    columns = ["resident_id", "code", "household_id", "block_id", "community_id"]
    revision, roster = read_roster(folder, columns=columns)
    instance = open_revision(folder, revision).instance
    zone = ZoneInfo(instance.settings.round.timezone)
    moment = clock.now()
    now = options.at or moment.astimezone(zone).replace(tzinfo=None)
    plain = bool(read_roster_summary(folder, revision)["plain_ids"])
    return Base(folder, revision, instance, roster, plain, f"{moment:%Y%m%dT%H%M%S%f}", now)


def _record_samples(base: Base, read: RecordRows | None, result: RecordResult) -> pl.DataFrame:
    """Add samples to those known, and return all of them."""
    known = read_state(base.folder, "samples", SAMPLE_SCHEMA)
    if read is None:
        return known
    aside = read_state(base.folder, "unknown", SAMPLE_SCHEMA)
    num_aside = aside.height
    ids = base.roster.select("resident_id", "code")
    batch = read.frame.join(ids, on="resident_id", how="left").select(list(SAMPLE_SCHEMA))
    strangers = batch.filter(pl.col("code").is_null()).with_columns(
        pl.lit(0, pl.UInt64).alias("code")
    )
    batch = batch.filter(pl.col("code").is_not_null())
    if aside.height:  # known since, where the roster was mended
        again = aside.drop("code").join(ids, on="resident_id", how="left").select(aside.columns)
        found = again.filter(pl.col("code").is_not_null())
        known = merge(known, found, "code").frame.drop("new")
        aside = aside.filter(again["code"].is_null())
    merged = merge(known, batch, "code")
    corrected = num_corrections(merged.frame, base.instance.settings.results.same_sample_min)
    num_unknown = strangers.height
    num_since = num_aside - aside.height
    strangers = pl.concat([aside, strangers]).unique(maintain_order=True)
    frame = merged.frame.drop("new")
    keep_state(base.folder, "samples", frame)
    keep_state(base.folder, "unknown", strangers)
    if num_unknown:
        result.remarks["C622"] = num_unknown
    keep(base, "unknown", strangers.drop("code"), result)
    result.samples = {
        "input": read.num_rows,
        "recorded": merged.num_new - corrected,
        "duplicate": merged.duplicate,
        "corrected": corrected,
        "unknown": num_unknown,
        "rejected": read.rejected.height,
        "known_since": num_since,
    }
    _note(base, read, result, "samples")
    sites = set(base.instance.sites.ids.tolist())
    by_site = batch["site_id"].value_counts()
    strange = [n for site, n in by_site.iter_rows() if site not in sites]
    if strange:
        result.remarks["C623"] = sum(strange)
    return frame


def _record_results(base: Base, read: RecordRows | None, result: RecordResult) -> pl.DataFrame:
    """Add results to those known, and return all of them."""
    known = read_state(base.folder, "results", RESULT_SCHEMA)
    if read is None:
        return known
    merged = merge(known, read.frame, "tube")
    before = known.select("tube").unique()
    new = merged.frame.filter(pl.col("new"))
    again = new.join(before, on="tube", how="semi").height
    again += int(new.join(before, on="tube", how="anti")["tube"].is_first_distinct().not_().sum())
    frame = merged.frame.drop("new")
    keep_state(base.folder, "results", frame)
    result.results = {
        "input": read.num_rows,
        "recorded": new.height - again,
        "duplicate": merged.duplicate,
        "corrected": again,
        "unknown": 0,
        "rejected": read.rejected.height,
    }
    _note(base, read, result, "results")
    return frame


def _note(base: Base, read: RecordRows, result: RecordResult, kind: str) -> None:
    """Keep rejected rows in a file of this run, and tell how many of each code."""
    result.notes += read.notes
    if not read.rejected.height:
        return
    chinese = base.instance.settings.round.language == "zh"
    words = {code: rule.chinese if chinese else rule.title for code, rule in ROW_CODES.items()}
    fault = pl.col("fault")
    table = read.rejected.select(
        pl.Series(list(read.files)).gather(read.rejected["file"]).alias("file"),
        "line",
        fault.alias("code"),
        fault.replace_strict(words, return_dtype=pl.String).alias("reason"),
        *[c for c in read.rejected.columns if c not in {"file", "line", "fault"}],
    )
    name = f"rejected-{kind}-{base.stamp}"
    result.files[f"rejected_{kind}"] = str(keep_table(base.folder, name, table))
    for code, count in read.rejected["fault"].value_counts().sort("fault").iter_rows():
        result.rejected_codes[code] = result.rejected_codes.get(code, 0) + count
