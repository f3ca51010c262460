"""Tests of ``scheduler.ingest``."""
