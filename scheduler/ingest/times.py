"""Times in files about persons, as programs and spreadsheets write them."""

from __future__ import annotations

import polars as pl

_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"
_FEW = 1000
_MINUTE_MS = 60_000
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def local_times(cells: pl.Series, timezone: str) -> pl.Series:
    """Return naive local times of texts, null where a text is no time.

    Reads ``2020-12-22 06:15``, ``2020-12-22T06:15:30+08:00``, ``2020/12/22 6:15`` and their like; a
    time without offset is local.
    """
    name = cells.name
    if len(cells) > _FEW:  # many rows share few times
        distinct = cells.unique()
        times = _parsed(distinct, timezone)
        found = cells.to_frame().join(pl.DataFrame({name: distinct, "time": times}), on=name,
                                      how="left", maintain_order="left")  # fmt: skip
        return found["time"].alias(name)
    return _parsed(cells, timezone)


def _parsed(cells: pl.Series, timezone: str) -> pl.Series:
    name = cells.name
    plain = cells.str.replace_all("/", "-", literal=True).str.replace("T", " ", literal=True)
    offset = plain.str.extract(f"({_OFFSET})", 1)
    if offset.null_count() == len(cells):
        return _naive(plain).alias(name)
    zoned = offset.is_not_null()
    bare = plain.str.replace(_OFFSET, "").str.strip_chars()
    moments = _naive(bare)
    away = _offset_minutes(offset.filter(zoned))
    utc = moments.filter(zoned) - (away * _MINUTE_MS).cast(pl.Duration("ms"))
    local = utc.dt.replace_time_zone("UTC").dt.convert_time_zone(timezone)
    return moments.scatter(zoned.arg_true(), local.dt.replace_time_zone(None)).alias(name)


def _naive(texts: pl.Series) -> pl.Series:
    frame = texts.str.replace(r"\.\d+$", "").to_frame("t")
    tries = [pl.col("t").str.to_datetime(f, strict=False, time_unit="ms") for f in _FORMATS]
    return frame.select(pl.coalesce(tries)).to_series()


def _offset_minutes(offsets: pl.Series) -> pl.Series:
    digits = offsets.str.replace(":", "", literal=True)
    parts = digits.to_frame("o").select(
        pl.when(pl.col("o").str.starts_with("-")).then(-1).otherwise(1).alias("sign"),
        pl.col("o").str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0).alias("h"),
        pl.col("o").str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0).alias("m"),
    )
    return parts.select(pl.col("sign") * (pl.col("h") * 60 + pl.col("m"))).to_series()
