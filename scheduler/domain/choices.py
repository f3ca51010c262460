"""Names among which a user of a command may choose; a module that is quick to import."""

from __future__ import annotations

CITIES = ("dalian", "harbin", "dazu", "shanghai")
"""Cities that can be made up."""
DEFAULT_SEED = 1  # of what is made up

CASES = ("plain", "registration_down", "lab_out", "rain", "more_people")
"""What can happen to a plan that is lived through."""

CSV, XLSX, GEOJSON, PARQUET = FORMATS = ("csv", "xlsx", "geojson", "parquet")
"""Formats in which a plan can be published."""
