"""Rounds, revisions and the run log in SQLite or PostgreSQL."""
