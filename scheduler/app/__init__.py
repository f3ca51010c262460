"""Use cases: each command's work without its command line."""
