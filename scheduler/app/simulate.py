"""Use case: live through a stored plan, and through the same round without a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scheduler.app.revision import Revision, open_revision
from scheduler.domain.choices import CASES
from scheduler.domain.instance import Instance
from scheduler.domain.plan import Reason
from scheduler.errors import CannotRunError
from scheduler.generate.figures import configs_folder
from scheduler.publish.analysis_files import write_analysis
from scheduler.simulate import (
    Case,
    Consigned,
    Tick,
    Visits,
    case_named,
    live,
    load_curve,
    planned_visits,
    report,
    unscheduled_visits,
)

CURVE_FILE = "arrivals.toml"
FEW_REPLICATIONS = 5
"""Without a schedule sites differ far more than replications, so that fewer tell enough."""


@dataclass(frozen=True, kw_only=True)
class SimulateOptions:
    """What a user may ask of ``simulate``; ``replications`` None: those of the settings."""

    revision: str | None = None
    cases: tuple[str, ...] = ("plain",)
    replications: int | None = None
    seed: int = 0
    workers: int = 2
    compare: bool = True


@dataclass(frozen=True)
class SimulateResult:
    """One document per case, and where each was written."""

    documents: list[dict[str, Any]]
    files: list[Path]

    def to_dict(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {"cases": self.documents, "files": [str(path) for path in self.files]}


def _silent(stage: str, share: float) -> None:
    """Report nothing."""


def simulate_round(folder: Path, options: SimulateOptions, tick: Tick = _silent) -> SimulateResult:
    """Live through a revision and write ``analysis/<revision>/simulate-<case>.json`` per case.

    Raises
    ------
    InputError
        When the input has errors.
    CannotRunError
        When there is no such revision or case, its input changed, or nobody is called in it.
    """
    opened = open_revision(folder, options.revision)
    opened.check_input()
    expected = planned_visits(opened.instance, opened.plan)
    if not len(expected[0]):
        raise CannotRunError(
            f"Revision {opened.name} calls nobody: there is nothing to live through",
            hint="See unserved.csv for the reasons.",
        )
    names = CASES if "all" in options.cases else tuple(dict.fromkeys(options.cases))
    cases = [case_named(name, opened.instance, *expected) for name in names]
    result = SimulateResult([], [])
    for case in cases:
        document = _document(opened, expected, case, options, tick)
        result.documents.append(document)
        result.files.append(write_analysis(folder, opened.name, f"simulate-{case.name}", document))
    return result


def _document(
    opened: Revision,
    expected: tuple[Visits, Consigned],
    case: Case,
    options: SimulateOptions,
    tick: Tick,
) -> dict[str, Any]:
    instance = opened.instance
    times = options.replications or instance.settings.simulate.replications
    lived = live(
        instance, expected, case, replications=times, seed=options.seed, workers=options.workers,
        tick=tick,
    )  # fmt: skip
    found = report(lived)
    found["city"]["without_slot"] = _without_slot(opened)
    alone = None
    if options.compare and case.name == "plain":
        alone = _without_schedule(instance, min(times, FEW_REPLICATIONS), options, tick)
    return {"revision": opened.name, **found, "no_schedule": alone}


def _without_slot(opened: Revision) -> int:
    """Return the people who have no slot, home visits apart: they are not lived through."""
    left = opened.plan.unserved
    at_home = left["reason"].astype(str) == Reason.HOME_VISIT.value
    return int(left.loc[~at_home, "people"].to_numpy(np.int64).sum())


def _without_schedule(
    instance: Instance, times: int, options: SimulateOptions, tick: Tick
) -> dict[str, Any]:
    """Return the city's figures where everybody goes to the nearest site when it suits him."""
    visits = unscheduled_visits(instance, load_curve(configs_folder() / CURVE_FILE))
    nobody = Consigned(*[np.empty(0, dtype=np.int64)] * 5)
    lived = live(
        instance, (visits, nobody), Case("without a schedule"), replications=times,
        seed=options.seed, workers=options.workers, tick=tick,
    )  # fmt: skip
    found = report(lived)
    return {**found["city"], "replications": times, "districts": found["districts"]}


__all__ = ["SimulateOptions", "SimulateResult", "simulate_round"]
