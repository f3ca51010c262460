"""Notices: a printable page for each community."""
