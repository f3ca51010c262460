"""What ``scripts/bench --peers`` runs: the same rounds for every peer, one table, JSON kept."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import run

PROGRAM = (sys.executable, "-m", "scheduler")
PEERS = ("planner", "greedy", "cp-sat", "lp")
SIZES = {200: 49_000, 1_000: 245_000, 5_000: 1_225_000}
"""Blocks, about, and people of synthetic Dalian that are cut into so many."""
LP_TIMES = 3
"""HiGHS gets so many times CP-SAT's limit: without an end it has no value at all."""
HEADERS = (
    "peer", "blocks", "seconds", "peak MiB", "objective", "gap %", "breaches", "unserved", "late",
)  # fmt: skip

Document = dict[str, Any]


def compare(people: list[int], limit: float, seed: int, say: Callable[[str], None]) -> Document:
    """Run every peer on every round, each in a process of its own; return all figures."""
    rounds = []
    with tempfile.TemporaryDirectory(prefix="nat-peers-") as place:
        for number, count in enumerate(people):
            folder = Path(place) / f"r{number}"
            size = ("--people", str(count))
            made = run([*PROGRAM, "init", str(folder), "--city", "dalian", *size, "--json"])
            if made.exit_code:
                raise SystemExit(made.errors)
            rows = []
            for peer in PEERS:
                say(f"{peer} on {count:,} people ...")
                rows.append(_row(peer, folder, limit, seed))
            rounds.append(with_gaps(rows))
    return {"limit_seconds": limit, "lp_limit_seconds": limit * LP_TIMES, "rounds": rounds}


def _row(peer: str, folder: Path, limit: float, seed: int) -> Document:
    seconds = limit * LP_TIMES if peer == "lp" else limit
    asked = (peer, str(folder), "--seconds", str(seconds), "--seed", str(seed))
    ran = run([sys.executable, "-m", "tests.benchmarks.peers", *asked])
    error = ran.errors.strip().splitlines()[-1:] if ran.exit_code else []
    return {
        "peer": peer,
        **ran.document,
        "peak_mib": round(ran.peak_mib, 1),
        "process_seconds": round(ran.seconds, 2),
        "error": f"exit {ran.exit_code}: {''.join(error)}" if ran.exit_code else "",
    }


def with_gaps(rows: list[Document]) -> Document:
    """Return a round: the best bound known of its peers, and the gap of every clean plan to it.

    A plan with breaches has no gap: it may be cheap because it breaks a rule.
    """
    bounds = {row["peer"]: row.get("bound", row.get("value")) for row in rows}
    known = {peer: float(bound) for peer, bound in bounds.items() if bound is not None}
    by = max(known, key=lambda peer: known[peer], default=None)
    for row in rows:
        objective = row.get("objective")
        row["relative_gap"] = None
        if by is not None and objective and not row.get("breaches"):
            row["relative_gap"] = (objective - known[by]) / objective
    best = None if by is None else known[by]
    return {"best_bound": best, "best_bound_by": by, "bounds": known, "rows": rows}


def failed(document: Document) -> bool:
    """Return whether a peer crashed, or the planner's own plan breaks a rule."""
    rows = [row for one in document["rounds"] for row in one["rows"]]
    return any(row["error"] or (row["peer"] == "planner" and row["breaches"]) for row in rows)


def table(document: Document) -> str:
    """Return the figures as a table and the bounds below it."""
    rows = [_cells(row) for one in document["rounds"] for row in one["rows"]]
    lines = [list(HEADERS), ["---", *["---:"] * (len(HEADERS) - 1)], *rows]
    drawn = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*drawn, "", *_bounds(document)])


def _cells(row: Document) -> list[str]:
    value, objective = row.get("value"), row.get("objective")
    figure = "none" if objective is None else f"{objective:,.0f}"
    if row["peer"] == "lp":
        figure = "none" if value is None else f"bound {value:,.0f}"
    elif row.get("breaches"):
        figure += " (breaks rules)"
    gap = row.get("relative_gap")
    return [
        row["peer"],
        _number(row.get("blocks")),
        row["error"] or f"{row['seconds']:,.1f}",
        f"{row['peak_mib']:,.0f}",
        figure,
        "-" if gap is None else f"{100 * gap:.2f}",
        *(_number(row.get(name)) for name in ("breaches", "unserved", "late_people")),
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _bounds(document: Document) -> Iterator[str]:
    """Yield what each round's gaps are measured against."""
    for one in document["rounds"]:
        blocks = next((_number(row["blocks"]) for row in one["rows"] if "blocks" in row), "-")
        known = ", ".join(f"{peer} {bound:,.0f}" for peer, bound in one["bounds"].items())
        yield f"{blocks} blocks: gaps against the best bound known ({known or 'none'})"
